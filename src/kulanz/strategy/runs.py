"""One run: every case that is due gets one decision, block by block, and its message goes into the outbox."""

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from kulanz.claims.queries import case_columns
from kulanz.contact.gate import Gated
from kulanz.engine import WAIT
from kulanz.events.log import record
from kulanz.kernel import clock
from kulanz.kernel.errors import InputError
from kulanz.strategy import block, journeys, learning, writing
from kulanz.strategy.locks import lock
from kulanz.strategy.models import Run
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import creditor_id

BLOCK = 8192
STEPS = ("read", "gate", "policy", "write decisions", "write outbox", "commit")


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run did. `run_id` is None for a dry run; `cases` were decided, `messages` queued, `handed_over` ended.

    `vetoes`: code -> number of cases it touched; `actors`: who decided -> cases; `seconds`: step -> wall time.
    """

    run_id: int | None
    cases: int
    messages: int
    handed_over: int
    actors: dict[str, int]
    vetoes: dict[str, int]
    seconds: dict[str, float]


@dataclass(slots=True)
class _Tally:
    cases: int = 0
    messages: int = 0
    handed_over: int = 0
    actors: Counter[str] = field(default_factory=Counter)
    vetoes: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STEPS, 0.0))

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        begun = perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += perf_counter() - begun

    def count(self, due: block.Due, gated: Gated, chosen: block.Chosen) -> None:
        self.cases += len(due)
        self.messages += int((chosen.actions[:, 0] != WAIT).sum())
        self.handed_over += int(due.hands_over.sum())
        self.actors.update(dict(zip(block.ACTORS, np.bincount(due.actor, minlength=3).tolist(), strict=True)))
        self.vetoes.update({code.value: int(rows.sum()) for code, rows in gated.vetoes.items() if rows.any()})

    def store(self, run: Run) -> None:
        """Keep the run's own sums in step with its committed blocks."""
        run.cases, run.messages, run.vetoes = self.cases, self.messages, dict(self.vetoes)
        run.save(update_fields=["cases", "messages", "vetoes"])


def run(
    at: datetime | None = None, *, seed: int, limit: int | None = None, dry_run: bool = False
) -> RunResult:
    """Decide every due case of the creditor in scope as of `at` (default: now); at most `limit` of them.

    Each block of cases is committed by itself, so a run that was broken off goes on where it stopped: a case that has
    its decision is not due again before the outcome has been awaited. A dry run computes the same and stores nothing.
    Raises NotFoundError without a journey, InputError for a naive `at`.
    """
    moment = at or clock.now()
    if moment.tzinfo is None:
        raise InputError("A run needs an instant with a time zone, such as 2026-03-03T09:00+01:00.")
    creditor = Creditor.objects.get(id=creditor_id())
    journey = journeys.active()
    spec = journeys.spec_of(journey)
    version = learning.current(spec)
    found = block.setting(creditor, spec, version.policy if version else None, moment, seed)
    made = None
    if not dry_run:
        made = Run.objects.create(
            creditor=creditor, at=moment, journey=journey, policy_id=version and version.id, seed=seed
        )
    tally = _Tally()
    after, barred = 0, np.empty(0, np.int64)
    with _without_collector():
        while True:
            left = None if limit is None else limit - tally.cases
            after, written_to = _block(after, left, found, tally, made, barred)
            barred = barred if made else np.union1d(barred, written_to)
            if not after or (limit is not None and tally.cases >= limit):
                break
    if made is not None:
        record("run.finished", made.id, {"cases": tally.cases, "messages": tally.messages})
    return RunResult(
        run_id=made and made.id,
        cases=tally.cases,
        messages=tally.messages,
        handed_over=tally.handed_over,
        actors=dict(tally.actors),
        vetoes=dict(tally.vetoes),
        seconds=dict(tally.seconds),
    )


@contextmanager
def _without_collector() -> Iterator[None]:
    """Blocks are large lists of rows without cycles: looking for cycles in them took a tenth of a run."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _block(
    after: int,
    limit: int | None,
    found: block.Setting,
    tally: _Tally,
    run: Run | None,
    barred: NDArray[np.int64],
) -> tuple[int, NDArray[np.int64]]:
    """Decide one block of cases after case id `after`; returns where the next begins (0: none) and who is written to.

    `barred` are customers that a dry run has written to in an earlier block; a real one finds them in the outbox.
    """
    begun, before = perf_counter(), sum(tally.seconds.values())
    written_to = np.empty(0, np.int64)
    with transaction.atomic():
        lock("run")
        with tally.step("read"):
            cases = case_columns(after, BLOCK)
            due = block.read(cases, found).first(limit) if len(cases.case_id) else None
        if due is not None and len(due):
            written_to = _decide(due, found, tally, run, barred)
    tally.seconds["commit"] += perf_counter() - begun - (sum(tally.seconds.values()) - before)
    return cases.last_id, written_to


def _decide(
    due: block.Due, found: block.Setting, tally: _Tally, run: Run | None, barred: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Returns the customers who are written to."""
    with tally.step("gate"):
        due, gated = block.pass_gate(due, found, barred)
    with tally.step("policy"):
        chosen = block.decide(due, gated, found)
    tally.count(due, gated, chosen)
    if run is not None and len(due):
        with tally.step("write decisions"):
            ids = writing.write_decisions(run.id, due, gated, chosen, found)
        with tally.step("write outbox"):
            writing.queue_messages(due, chosen, ids, found)
            writing.hand_over(due)
        tally.store(run)
    return np.asarray(due.customer_id[chosen.actions[:, 0] != WAIT])
