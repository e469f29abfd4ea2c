"""One block of a run: read columns, derive stages, pass the gate, decide. Nothing is written here."""

from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kulanz.claims.queries import CaseColumns
from kulanz.contact import queries as contact
from kulanz.contact.gate import CreditorRules, Gated, StageSet, gate
from kulanz.engine import WAIT, Policy, in_holdout
from kulanz.law.contact import slot_starts
from kulanz.outreach import queries as outbox
from kulanz.payments.offers import queries as offers
from kulanz.strategy import columns, features, rules
from kulanz.strategy.journeys import JourneySpec
from kulanz.strategy.models import Decision
from kulanz.tenancy.models import Creditor

DAY = 86400
ACTORS = (Decision.Actor.POLICY.value, Decision.Actor.LADDER.value, Decision.Actor.HOLDOUT.value)
POLICY, LADDER, HOLDOUT = range(3)

Ints = NDArray[np.int64]
Codes = NDArray[np.int16]
Objects = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for all cases of a run."""

    creditor: Creditor
    spec: JourneySpec
    sets: tuple[StageSet, ...]
    contact_rules: CreditorRules
    policy: Policy | None
    at: datetime
    seed: int
    slots: rules.LadderSlots

    @property
    def now(self) -> int:
        return int(self.at.timestamp())

    @property
    def local(self) -> datetime:
        return self.at.astimezone(ZoneInfo(self.creditor.timezone))

    @property
    def today(self) -> int:
        """The creditor's calendar day as an epoch day."""
        return self.local.date().toordinal() - datetime(1970, 1, 1, tzinfo=UTC).toordinal()

    def acts_at(self) -> Objects:
        """object[slots + 1]: when each slot begins; the last is now, for waiting."""
        begins = [datetime.fromtimestamp(start, UTC) for start in self.slots.starts.tolist()]
        return _objects([*begins, self.at])

    def ends_at(self) -> Objects:
        """object[slots]: when each slot's band is over; a message that has not left by then stays."""
        hours = [timedelta(hours=end - start) for start, end in _hours(self.spec)] * len(
            self.spec.space.weekdays
        )
        return _objects([at + length for at, length in zip(self.acts_at()[:-1], hours, strict=True)])

    def matures_at(self) -> Objects:
        """object[stages, slots + 1]: when the outcome of each has been awaited."""
        pauses = [timedelta(days=stage.pause_days) for stage in self.spec.stages]
        return np.stack([_objects([at + pause for at in self.acts_at().tolist()]) for pause in pauses])


def setting(creditor: Creditor, spec: JourneySpec, policy: Policy | None, at: datetime, seed: int) -> Setting:
    starts = slot_starts(at, creditor.timezone, _hours(spec))
    return Setting(
        creditor=creditor,
        spec=spec,
        sets=tuple(stage.allowed_set() for stage in spec.stages),
        contact_rules=contact.creditor_rules(creditor),
        policy=policy,
        at=at,
        seed=seed,
        slots=rules.LadderSlots(spec.space, starts),
    )


def _hours(spec: JourneySpec) -> tuple[tuple[int, int], ...]:
    return tuple((int(start), int(end)) for start, end in (band.split("-") for band in spec.space.bands))


@dataclass(frozen=True, slots=True)
class Due:
    """The cases of a block that are due for a decision, n rows. `profiled` is false where the customer objected."""

    case_id: Ints
    customer_id: Ints
    open_amount: Ints
    stage: Codes
    hands_over: NDArray[np.bool_]
    actor: NDArray[np.int8]
    profiled: NDArray[np.bool_]
    contexts: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.case_id)

    def first(self, n: int | None) -> "Due":
        return self.kept(slice(n))

    def kept(self, rows: "slice | NDArray[np.intp]") -> "Due":
        return Due(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Chosen:
    """actions int16[n, 4], propensity float64[n]; `score_row` is each case's row in `scores`, -1 where it has none."""

    actions: Codes
    propensity: NDArray[np.float64]
    score: Objects
    best_score: Objects
    scores: NDArray[np.float32]
    score_row: NDArray[np.intp]


def read(cases: CaseColumns, found: Setting) -> Due:
    """Derive the stage of each case and keep those that are due: outcome awaited, stage not yet written to."""
    last = columns.last_decisions(cases.case_id)
    sent = columns.messages(cases.case_id)
    past_due = found.today - cases.oldest_due
    history = _history(found, sent, cases)
    stage = rules.stage_of(found.spec.stages, past_due, history.contacts, history.delivered)
    at = np.maximum(stage, 0)
    everyone = np.arange(len(stage))
    hands_over = np.array([s.hand_over for s in found.spec.stages])[at]
    begins = cases.oldest_due + np.array([s.from_days for s in found.spec.stages])[at]
    names = np.array(found.spec.names, object)[at]
    handed = hands_over & (last.stage == names) & (last.decided >= (begins - 1) * DAY)
    due = (stage != rules.NO_STAGE) & (last.matures <= found.now) & ~history.asked[everyone, at] & ~handed
    rows = np.flatnonzero(due)
    return Due(
        case_id=cases.case_id[rows],
        customer_id=cases.customer_id[rows],
        open_amount=cases.open_amount[rows],
        stage=stage[rows],
        hands_over=hands_over[rows],
        actor=_actors(cases, found)[rows],
        profiled=~cases.ladder_only[rows],
        contexts=_contexts(cases, found, history, last, stage)[rows],
    )


def pass_gate(due: Due, found: Setting, barred: Ints) -> tuple[Due, Gated]:
    """What each case may do. Cases to hand over that are held, or have a message on its way, stay for a later run.

    `barred` are customers who count as written to although no message of theirs is stored.
    """
    coming = outbox.on_their_way(due.customer_id)
    facts = contact.facts(due.case_id, due.open_amount, found.at, found.spec.space.channels, coming)
    facts = replace(facts, pending=facts.pending | np.isin(due.customer_id, barred))
    space, day = found.spec.space, found.local.date()
    allowed = offers.possible(due.case_id, due.open_amount, space.offers, day)
    gated = gate(facts, found.sets, due.stage, space, found.contact_rules, found.at, allowed)
    stuck = due.hands_over & ((facts.hold >= 0) | facts.minor | facts.pending)
    if not stuck.any():
        return due, gated
    rows = np.flatnonzero(~stuck)
    vetoes = {code: touched[rows] for code, touched in gated.vetoes.items()}
    return due.kept(rows), Gated(gated.allowed.rows(rows), vetoes)


def decide(due: Due, gated: Gated, found: Setting) -> Chosen:
    """The policy for its customers, the plain ladder for all others; nobody chooses where a case is handed over."""
    n = len(due)
    actions = np.full((n, 4), WAIT, dtype=np.int16)
    propensity = np.ones(n)
    score, best = np.full((2, n), None, dtype=object)
    score_row = np.full(n, -1, dtype=np.intp)
    scores = np.empty((0, 0), dtype=np.float32)
    ladder = np.flatnonzero((due.actor != POLICY) & ~due.hands_over)
    actions[ladder] = rules.ladder_actions(
        found.spec.stages, due.stage[ladder], gated.allowed.rows(ladder), found.slots
    )
    free = np.flatnonzero((due.actor == POLICY) & ~due.hands_over)
    if found.policy is not None and len(free):
        made = found.policy.decide(
            due.contexts[free], gated.allowed.rows(free), seed=found.seed, ids=due.case_id[free]
        )
        actions[free], propensity[free] = made.actions, made.propensity
        score[free], best[free] = _objects(made.score.tolist()), _objects(made.best_score.tolist())
        scores, score_row[free] = made.scores, np.arange(len(free))
    return Chosen(actions, propensity, score, best, scores, score_row)


@dataclass(frozen=True, slots=True)
class _History:
    """Per case of the block; `delivered` and `asked` bool[n, stages] for the present claim."""

    contacts: Ints
    contacts_ever: Ints
    delivered: NDArray[np.bool_]
    asked: NDArray[np.bool_]
    opened: Ints
    clicked: Ints
    last_sent: Ints


def _history(found: Setting, sent: columns.Messages, cases: CaseColumns) -> _History:
    n, stages = len(cases.case_id), found.spec.stages
    row = sent.row
    offset = found.local.utcoffset() or timedelta(0)
    due_at = cases.oldest_due[row] * DAY - int(offset.total_seconds())
    known = {name: at for at, name in enumerate(found.spec.names)}
    stage = np.array([known.get(name, -1) for name in sent.stage.tolist()], dtype=np.intp)
    out = (sent.sent > 0) & ~sent.bounced
    in_journey = stage >= 0
    recent = in_journey & ((sent.sent == 0) | (sent.sent >= due_at + min(stages[0].from_days, 0) * DAY))
    delivered, asked = np.zeros((2, n, len(stages)), dtype=np.bool_)
    asked[row[recent], stage[recent]] = True
    got = out & in_journey & (sent.sent >= due_at)
    delivered[row[got], stage[got]] = True
    last = np.zeros(n, dtype=np.int64)
    np.maximum.at(last, row, sent.sent)
    return _History(
        contacts=np.bincount(row[out & (sent.sent >= due_at)], minlength=n),
        contacts_ever=np.bincount(row[out], minlength=n),
        delivered=delivered,
        asked=asked,
        opened=np.bincount(row[out & sent.opened], minlength=n),
        clicked=np.bincount(row[out & sent.clicked], minlength=n),
        last_sent=last,
    )


def _actors(cases: CaseColumns, found: Setting) -> NDArray[np.int8]:
    held_out = holdout(cases.customer_id, found.creditor) & ~cases.ladder_only
    others = np.where(cases.ladder_only | (found.policy is None), LADDER, POLICY)
    return np.where(held_out, HOLDOUT, others).astype(np.int8)


def holdout(customer_id: Ints, creditor: Creditor) -> NDArray[np.bool_]:
    """Who stays on the plain ladder for ever, so that the policy's lift can be measured; fixed per customer."""
    return in_holdout(customer_id, creditor.holdout_share, f"creditor {creditor.id}")


def _contexts(
    cases: CaseColumns, found: Setting, history: _History, last: columns.LastDecisions, stage: Codes
) -> NDArray[np.float32]:
    n, stages, at = len(stage), found.spec.stages, np.maximum(stage, 0)
    past_due = found.today - cases.oldest_due
    conduct = columns.conduct(cases.case_id, cases.paid_total, found.now)
    sent = np.maximum(history.contacts_ever, 1)
    wrote = history.contacts_ever > 0
    values: dict[str, ArrayLike] = {
        "amount": np.log10(np.maximum(cases.open_amount, 1)),
        "days_past_due": past_due,
        "overdue_long": np.maximum(past_due - 30, 0),
        "stage": at / max(len(stages) - 1, 1),
        "legal_step": np.array([s.legal_step for s in stages])[at],
        "contacts": history.contacts,
        "contacts_ever": history.contacts_ever,
        "days_since_contact": np.where(wrote, (found.now - history.last_sent) / DAY, np.nan),
        "waited": (last.decided > 0) & (last.channel == WAIT),
        "open_claims": cases.open_claims,
        "claims_ever": cases.claims_total,
        "share_paid": cases.paid_total / np.maximum(cases.invoiced_total, 1),
        "share_late": conduct.share_late,
        "customer_since": features.customer_years(cases.opened_day, found.today),
        "opened": np.where(wrote, history.opened / sent, np.nan),
        "clicked": np.where(wrote, history.clicked / sent, np.nan),
        "business": cases.is_business,
        "promise_broken": conduct.promise_broken,
        "disputed_before": conduct.disputed,
    }
    calendar = features.calendar(found.local.weekday(), found.local.day, n)
    return features.contexts(values | calendar)


def _objects(values: list[object]) -> Objects:
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out
