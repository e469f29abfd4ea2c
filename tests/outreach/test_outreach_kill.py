"""The dispatcher is killed fifty times while payments, holds and opt-outs come in."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.db import connection, transaction

from kulanz.claims.actions import book_payment, lock_case
from kulanz.claims.holds import place_hold
from kulanz.claims.models import Case
from kulanz.claims.opening import NewClaims, open_claims
from kulanz.contact.actions import add_points, withdraw
from kulanz.contact.facts import StageSet
from kulanz.contact.models import ContactLog
from kulanz.events.models import Event
from kulanz.kernel.clock import VirtualClock
from kulanz.outreach.actions import NewMessages, queue_block
from kulanz.outreach.models import ArchivedMessage, Message
from kulanz.payments import links
from kulanz.tenancy.actions import NewCreditor, add_creditor
from kulanz.tenancy.scope import scope

KILLS, WORKERS, WAVE = 50, 2, 20
"""Two dispatchers at once on a wave of new messages, both killed; wave after wave until all kills have hit."""
AMOUNT = 10_000
TESTS = Path(__file__).parent


class Dispatchers:
    """The process that forks dispatchers (dispatch_child.py)."""

    def __init__(self, record: Path, port: int, *, skip_recheck: bool) -> None:
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "kulanz.config.settings",
            "PYTHONPATH": str(TESTS.parents[1] / "src"),
            "KULANZ_DATABASE_URL": _database_url(),
            "KULANZ_SECRET_KEY": django_settings.SECRET_KEY,
            "KULANZ_SMTP_URL": f"smtp://127.0.0.1:{port}",
            "KULANZ_MAIL_BACKEND": "dispatch_child.AskableBackend",
            "SINK_RECORD": str(record),
            "SKIP_RECHECK": "1" if skip_recheck else "",
        }
        self.process = subprocess.Popen(
            [sys.executable, str(TESTS / "dispatch_child.py")],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._answer() == "ready"

    def start(self, at: datetime, creditor: int, limit: int) -> int:
        self._tell({"start": at.isoformat(), "creditor": creditor, "limit": limit})
        return int(self._answer())

    def wait(self, pid: int) -> int:
        self._tell({"wait": pid})
        return int(self._answer())

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()

    def _tell(self, command: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def _answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


def _database_url() -> str:
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    login = f"{found['USER']}:{found['PASSWORD']}" if found["PASSWORD"] else found["USER"]
    return f"postgresql://{login}@{found['HOST']}:{found['PORT'] or 5432}/{found['NAME']}"


class Story(threading.Thread):
    """Payments, holds and opt-outs that come in while messages leave.

    Each stop reads in its own transaction how far the message had got: since stop and mark exclude each other, that is
    their order of commit.
    """

    def __init__(self, creditor: int, seed: int) -> None:
        super().__init__(daemon=True)
        self.creditor = creditor
        self.random = random.Random(seed)
        self.seen: dict[int, str] = {}
        self.budget = 0
        self.ended = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            with scope(self.creditor):
                while not self.ended.is_set():
                    if self.budget > 0 and self._stop_one():
                        self.budget -= 1
                    time.sleep(0.004)
        except BaseException as error:
            self.error = error
            raise
        finally:
            connection.close()

    def _stop_one(self) -> bool:
        """Stop a message near the head of the queue, where it races with the dispatchers."""
        queued = Message.objects.filter(state="queued").exclude(case_id__in=self.seen).order_by("id")
        rows = list(queued.values_list("id", "case_id", "customer_id")[:6])
        if not rows:
            return False
        message, case, customer = self.random.choice(rows)
        with transaction.atomic():
            match self.random.randrange(3):
                case 0:
                    book_payment(
                        case, AMOUNT, value_date=date(2026, 3, 3), key=f"pay:{case}", method="transfer"
                    )
                case 1:
                    place_hold(case, "dispute", by="customer")
                case _:
                    withdraw(customer, "email", proof="test")
                    lock_case(case)
            state = Message.objects.values_list("state", flat=True).get(id=message)
        self.seen[case] = state
        return True


@pytest.fixture
def creditor_id(committed_db: None, clock: VirtualClock) -> Iterator[int]:
    assert "test" in str(connection.settings_dict["NAME"]), "never outside of a test database"
    made = add_creditor(NewCreditor("lindenhof", "Lindenhof Versand", "rechnung@lindenhof.example"))
    with scope(made.id):
        yield made.id


def _queue_wave(number: int, clock: VirtualClock, started: datetime) -> None:
    names = [f"K{number}-{each}" for each in range(WAVE)]
    allowed = StageSet("reminder_1", True, ("email",), ("friendly",), ("none",), 72, 100)
    with transaction.atomic():
        open_claims(
            NewClaims(
                numbers=[f"R-{name}" for name in names],
                customer_numbers=names,
                amounts=[AMOUNT] * WAVE,
                currencies=["EUR"] * WAVE,
                contract_dates=[date(2026, 2, 1)] * WAVE,
                due_dates=[date(2026, 2, 20)] * WAVE,
                jurisdictions=["DE"] * WAVE,
                products=["goods"] * WAVE,
                customer_names=["Erika Beispiel"] * WAVE,
                customer_kinds=["person"] * WAVE,
                languages=["de"] * WAVE,
                countries=["DE"] * WAVE,
                postal_codes=["10115"] * WAVE,
            )
        )
        rows = Case.objects.filter(customer__number__in=names).order_by("id").values_list("id", "customer_id")
        cases, customers = np.array(list(rows), np.int64).T
        add_points(customers, "email", [f"{case}@customers.example" for case in cases], source="import")
        queue_block(
            NewMessages(
                case_id=cases,
                customer_id=customers,
                stage=["reminder_1"] * WAVE,
                channel=["email"] * WAVE,
                tone=["friendly"] * WAVE,
                offer=["none"] * WAVE,
                not_before=[started] * WAVE,
                expires_at=[started + timedelta(hours=3)] * WAVE,
                decision_id=cases,
                link_id=links.create_block(cases, started + timedelta(days=60)),
                allowed=[json.dumps(allowed.to_data())] * WAVE,
            )
        )


def play(
    creditor: int, clock: VirtualClock, sink: Any, *, skip_recheck: bool = False, kills: int = KILLS
) -> Story:
    """Waves of messages, stops among them, and dispatchers that are killed; then one that may finish."""
    chance = random.Random(20260303)
    story = Story(creditor, seed=7)
    dispatchers = Dispatchers(sink.record, sink.port, skip_recheck=skip_recheck)
    started, sink.delay = clock.at, 0.003
    killed = number = 0
    story.start()
    try:
        while killed < kills:
            number += 1
            _queue_wave(number, clock, started)
            story.budget, before = WAVE // 3, len(sink.mails)
            workers = [dispatchers.start(clock.at, creditor, WAVE) for _ in range(WORKERS)]
            _until(lambda before=before: len(sink.mails) > before)  # type: ignore[misc]
            for pid in workers:
                time.sleep(chance.uniform(0, 0.1))
                os.kill(pid, signal.SIGKILL)
            killed += sum(dispatchers.wait(pid) == -signal.SIGKILL for pid in workers)
            _until(lambda: sink.sessions == 0)
            time.sleep(0.005)
            clock.advance(timedelta(seconds=10))
        story.ended.set()
        story.join()
        sink.delay = 0
        for _ in range(2):
            assert dispatchers.wait(dispatchers.start(clock.at, creditor, limit=10_000)) == 0
            clock.advance(timedelta(seconds=10))
    finally:
        story.ended.set()
        dispatchers.close()
    assert story.error is None
    return story


def _until(reached: Callable[[], bool]) -> None:
    """Wait for something that a process or the mail server does at once, or nearly."""
    for _ in range(2000):
        if reached():
            return
        time.sleep(0.001)


def sent_after_a_stop(story: Story, sink: Any) -> set[int]:
    """Cases whose stop was committed while the message was still queued, and whose message arrived all the same."""
    stopped_first = {case for case, state in story.seen.items() if state == "queued"}
    arrived = set(sink.wire_ids)
    rows = ArchivedMessage.objects.filter(message__case_id__in=stopped_first, wire_id__in=arrived)
    return set(rows.values_list("message__case_id", flat=True))


@pytest.mark.slow
def test_fifty_kills_lose_nothing_double_nothing_and_respect_every_stop(
    creditor_id: int, clock: VirtualClock, sink: Any
) -> None:
    story = play(creditor_id, clock, sink)

    copies = Counter(sink.wire_ids)
    assert [wire_id for wire_id, count in copies.items() if count > 1] == [], "no duplicates"
    assert sent_after_a_stop(story, sink) == set(), "no demand after a committed stop"

    states = dict(Message.objects.values_list("case_id", "state"))
    assert set(states.values()) == {"sent", "stopped"}, "nothing is left undecided"
    assert {case for case, state in states.items() if state == "stopped"} <= set(story.seen), (
        "nothing is lost"
    )
    assert all(states[case] == "stopped" for case, state in story.seen.items() if state == "queued")

    sent = set(ArchivedMessage.objects.filter(message__state="sent").values_list("wire_id", flat=True))
    assert sent == set(copies), "what the outbox calls sent is what the mail server took"
    assert ContactLog.objects.count() == len(sent)

    raced = Counter(story.seen.values())
    assert raced["queued"] > KILLS // 2, f"the stops came too late to prove anything: {raced}"
    assert Event.objects.filter(type="message.unknown").count() >= 5, (
        "kills struck between mark and conclusion"
    )


@pytest.mark.slow
def test_without_the_check_in_the_sending_transaction_demands_follow_stops(
    creditor_id: int, clock: VirtualClock, sink: Any
) -> None:
    """The test above can fail: it sees what happens when the gate is left out."""
    story = play(creditor_id, clock, sink, skip_recheck=True, kills=8)
    assert sent_after_a_stop(story, sink)
