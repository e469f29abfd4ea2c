"""What staff answer: on the customer's page at once, and by e-mail where there is an address."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from kulanz.claims.actions import lock_case
from kulanz.claims.holds import lift_hold, place_hold
from kulanz.claims.models import Hold
from kulanz.claims.queries import holds_at
from kulanz.events.log import record
from kulanz.kernel import clock
from kulanz.outreach.actions import queue_service
from kulanz.outreach.models import Answer, InboundMessage

TIME_TO_READ = timedelta(days=3)
"""The case goes on resting so long after an answer: nobody is reminded before they can have read it."""
_LINES = 300


@dataclass(frozen=True, slots=True)
class Answered:
    """`mailed` False: the customer has no working address and finds the answer on their page only."""

    answer_id: int
    mailed: bool


def answer(case_id: int, text: str, *, author: str, by: str) -> Answered:
    """Answer a customer; what they wrote before counts as answered. Raises NotFoundError for another's case."""
    with transaction.atomic():
        case = lock_case(case_id)
        now = clock.now()
        written: Answer = Answer.objects.create(
            creditor_id=case.creditor_id,
            case_id=case_id,
            author=author,
            text=text,
            mailed=False,
            written_at=now,
        )
        data = {"answer": paragraphs(text)}
        if queue_service(case_id, case.customer_id, "answer", f"answer:{written.id}", data):
            written.mailed = True
            written.save(update_fields=["mailed"])
        if _done(case_id, by, now):
            place_hold(case_id, Hold.Reason.QUESTION, by=by, until=now + TIME_TO_READ)
        record("message.answered", case_id, {"answer": written.id})
    return Answered(written.id, written.mailed)


def needs_no_answer(case_id: int, *, by: str) -> bool:
    """Close what waits in a case without an answer; False where nothing waits. The case goes on as before."""
    with transaction.atomic():
        lock_case(case_id)
        if not _done(case_id, by, clock.now()):
            return False
        record("message.closed", case_id, {})
    return True


def paragraphs(text: str) -> list[str]:
    """The lines that are not empty; more than a mail can hold are put together in the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines if len(lines) <= _LINES else [*lines[: _LINES - 1], " ".join(lines[_LINES - 1 :])]


def _done(case_id: int, by: str, now: datetime) -> bool:
    """Nothing waits any more and the hold for it ends; False where nothing waited."""
    rows = InboundMessage.objects.filter(case_id=case_id, state=InboundMessage.State.WAITING)
    waited = rows.update(state=InboundMessage.State.DONE, done_at=now, done_by=by)
    for hold in holds_at(now).filter(case_id=case_id, reason=Hold.Reason.QUESTION):
        lift_hold(hold.id, by=by)
    return bool(waited)
