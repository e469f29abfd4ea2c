"""The steps of one message through the outbox, each inside the caller's transaction.

A step changes only a row that is in the state it expects, so two processes never take the same step.
"""

from datetime import datetime, timedelta

from django.db import connection

from kulanz.claims.models import Case
from kulanz.contact.actions import log_contact, mark_bounced
from kulanz.events.log import record
from kulanz.kernel import clock
from kulanz.kernel.errors import NotFoundError
from kulanz.outreach.channels.port import Outcome, Result
from kulanz.outreach.compose import Composed
from kulanz.outreach.models import ArchivedMessage, Message

State = Message.State
MAX_ATTEMPTS = 5
FIRST_RETRY = timedelta(minutes=5)
_KEPT = 200


def lock_customer(customer_id: int) -> None:
    """Wait for, and hold off, every payment, hold and opt-out of the customer until the transaction ends.

    All cases are locked, since a hold on one may stop the others. SQLite has one writer and needs no lock.
    """
    if connection.features.has_select_for_update:
        list(
            Case.objects.filter(customer_id=customer_id).order_by("id").select_for_update().values_list("id")
        )


def locked(message_id: int, state: str) -> Message | None:
    """The message with all stops held off, None when it is not in `state` any more or another process has it."""
    rows = Message.objects.filter(id=message_id, state=state)
    if connection.features.has_select_for_update:
        customer = rows.values_list("customer_id", flat=True).first()
        if customer is None:
            return None
        lock_customer(customer)
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    found: Message | None = rows.first()
    return found


def mark_sending(message: Message, composed: Composed, lease_until: datetime) -> None:
    """From queued to sending, with the text and the wire id that will go out."""
    if message.attempts:
        ArchivedMessage.objects.filter(message_id=message.id).delete()
    ArchivedMessage.objects.create(
        creditor_id=message.creditor_id,
        message_id=message.id,
        layout_id=composed.layout_id,
        wire_id=composed.outgoing.wire_id,
        content=composed.content,
    )
    _change(message, state=State.SENDING, lease_until=lease_until, attempts=message.attempts + 1)


def mark_sent(message: Message, at: datetime, detail: str = "") -> None:
    _change(message, state=State.SENT, sent_at=at, lease_until=None, outcome=detail)
    demanding = message.kind == Message.Kind.DEMANDING
    log_contact(message.case_id, message.customer_id, message.channel, demanding, message.id)
    _tell("message.sent", message, "")


def mark_stopped(message: Message, code: str) -> None:
    _change(message, state=State.STOPPED, outcome=code)
    _tell("message.stopped", message, code)


def mark_failed(message: Message, code: str, detail: str) -> None:
    _change(message, state=State.FAILED, lease_until=None, outcome=detail)
    _tell("message.failed", message, code)


def mark_unknown(message: Message, detail: str) -> None:
    _change(message, state=State.UNKNOWN, lease_until=None, outcome=detail)
    _tell("message.unknown", message, "")


def postpone(message: Message, until: datetime, detail: str) -> None:
    """Back into, or further down, the queue; the stop checks run again then."""
    _change(message, state=State.QUEUED, not_before=until, lease_until=None, outcome=detail)


def conclude(message: Message, recipient: str, result: Result) -> str:
    """From sending to what the provider's answer means; returns the new state."""
    now = clock.now()
    if result.outcome is Outcome.ACCEPTED:
        mark_sent(message, now)
    elif result.outcome is Outcome.UNCERTAIN:
        mark_unknown(message, result.detail)
    elif result.outcome is Outcome.DEFERRED and message.attempts < MAX_ATTEMPTS:
        postpone(message, now + FIRST_RETRY * 4 ** (message.attempts - 1), result.detail)
    else:
        mark_failed(message, result.outcome, result.detail)
        if result.outcome is Outcome.REFUSED:
            mark_bounced(message.customer_id, message.channel, recipient)
    return str(message.state)


def _change(message: Message, **fields: object) -> None:
    """Write `fields` if the row still is in the state that `message` was read in."""
    if "outcome" in fields:
        fields["outcome"] = str(fields["outcome"])[:_KEPT]
    rows = Message.objects.filter(id=message.id, state=message.state)
    if not rows.update(**fields):
        raise NotFoundError(
            f"Message {message.id} is not {message.state} any more; another process has taken it."
        )
    for name, value in fields.items():
        setattr(message, name, value)


def _tell(event: str, message: Message, code: str) -> None:
    record(
        event,
        message.id,
        {
            "case": message.case_id,
            "channel": message.channel,
            "stage": message.stage,
            "tone": message.tone,
            "code": code,
        },
    )
