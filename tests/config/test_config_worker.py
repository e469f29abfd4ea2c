"""The worker does what the time-lapse does by hand: learn, decide, send, deliver events."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from kulanz.config import schedule
from kulanz.events.models import Event
from kulanz.kernel import clock
from kulanz.outreach.models import Message
from kulanz.strategy.journeys import install
from kulanz.strategy.models import Decision, PolicyVersion
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import scope

pytestmark = pytest.mark.slow


@pytest.fixture
def overdue(committed_db: None, make_creditor: Any, make_case: Any) -> Creditor:
    """One case that the plain ladder writes to."""
    creditor: Creditor = make_creditor(holdout_share=1.0)
    with scope(creditor.id):
        install(creditor, "standard")
        make_case(due=clock.today("Europe/Berlin") - timedelta(days=6))
    return creditor


def test_one_round_of_the_worker_decides_and_delivers_events(overdue: Creditor) -> None:
    schedule.work(once=True)
    schedule.work(once=True)
    with scope(overdue.id):
        assert PolicyVersion.objects.count() == 1
        assert Decision.objects.count() == 1
        assert not Event.objects.filter(sequence=None, type="claim.opened").exists()


def test_what_is_due_leaves_with_the_next_round(overdue: Creditor) -> None:
    schedule.work(once=True)
    with scope(overdue.id):
        queued = Message.objects.get()
        with clock.virtual(queued.not_before + timedelta(minutes=1)):
            schedule.work(once=True)
        queued.refresh_from_db()
    assert queued.state == Message.State.SENT
    assert len(mail.outbox) == 1


def test_a_task_is_enqueued_when_its_time_has_come_and_not_before(overdue: Creditor) -> None:
    scheduler = schedule.Scheduler((schedule.Periodic("kulanz.events.tasks.deliver", 60),))
    start = time.monotonic()
    assert [scheduler.enqueue_due(start + s) for s in (0, 59, 60, 61)] == [1, 0, 1, 0]
