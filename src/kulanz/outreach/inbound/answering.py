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
AGAIN = timedelta(minutes=10)
"""The author's same words within this time are one answer, unless the customer wrote between: a form sent twice."""
_LINES = 300


@dataclass(frozen=True, slots=True)
class Answered:
    """`mailed` False: the customer has no working address and finds the answer on their page only."""

    answer_id: int
    mailed: bool


def answer(case_id: int, text: str, *, author: str, by: str, seen: int | None = None) -> Answered:
    """Answer a customer. Raises NotFoundError for another creditor's case.

    What they wrote counts as answered up to the message `seen`, the newest that the author could read (None: all): what
    arrived while the answer was written goes on waiting.
    """
    with transaction.atomic():
        case = lock_case(case_id)
        now = clock.now()
        if (before := _same(case_id, text, author, now)) is not None:
            return Answered(before.id, before.mailed)
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
        if _done(case_id, by, now, seen):
            place_hold(case_id, Hold.Reason.QUESTION, by=by, until=now + TIME_TO_READ)
        record("message.answered", case_id, {"answer": written.id})
    return Answered(written.id, written.mailed)


def needs_no_answer(case_id: int, *, by: str, seen: int | None = None) -> bool:
    """Close what waits in a case without an answer; False where something waits still or nothing did."""
    with transaction.atomic():
        lock_case(case_id)
        closed = _done(case_id, by, clock.now(), seen)
        if closed:
            record("message.closed", case_id, {})
    return closed


def paragraphs(text: str) -> list[str]:
    """The lines that are not empty; more than a mail can hold are put together in the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines if len(lines) <= _LINES else [*lines[: _LINES - 1], " ".join(lines[_LINES - 1 :])]


def _same(case_id: int, text: str, author: str, now: datetime) -> Answer | None:
    rows = Answer.objects.filter(case_id=case_id, written_at__gt=now - AGAIN)
    latest: Answer | None = rows.order_by("-id").first()
    if latest is None or (latest.text, latest.author) != (text, author):
        return None
    since = InboundMessage.objects.filter(case_id=case_id, received_at__gt=latest.written_at)
    return None if since.exists() else latest


def _done(case_id: int, by: str, now: datetime, seen: int | None) -> bool:
    """Whether this was the last that waited: then its hold ends. An earlier answer's time to read stays as it is."""
    waiting = InboundMessage.objects.filter(case_id=case_id, state=InboundMessage.State.WAITING)
    read = waiting if seen is None else waiting.filter(id__lte=seen)
    if not read.update(state=InboundMessage.State.DONE, done_at=now, done_by=by) or waiting.exists():
        return False
    for hold in holds_at(now).filter(case_id=case_id, reason=Hold.Reason.QUESTION):
        lift_hold(hold.id, by=by)
    return True
