"""The steps of one message through the outbox, each inside the caller's transaction.

A step changes only a row that is still in the state in which it was read, so two processes never take the same step.
"""

from datetime import datetime, timedelta

from django.db import connection

from kulanz.contact.actions import log_contact, mark_bounced
from kulanz.events.log import record
from kulanz.kernel import clock
from kulanz.kernel.database import insert_columns, is_postgres, stored_datetime
from kulanz.outreach.channels.port import Outcome, Result
from kulanz.outreach.compose import Composed
from kulanz.outreach.models import ArchivedMessage, Message
from kulanz.tenancy.scope import creditor_id

State = Message.State
MAX_ATTEMPTS = 5
FIRST_RETRY = timedelta(minutes=5)
_KEPT = 200


def lock_customer(customer_id: int) -> None:
    """Wait for, and hold off, every payment, hold and opt-out of the customer until the transaction ends.

    All cases are locked, since a hold on one may stop the others. SQLite has one writer and needs no lock.
    """
    if is_postgres():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM claims_case WHERE creditor_id = %s AND customer_id = %s ORDER BY id FOR UPDATE",
                [creditor_id(), customer_id],
            )


def mark_sending(message: Message, composed: Composed, lease_until: datetime) -> bool:
    """From queued to sending, with the text and the wire id that will go out."""
    retried = message.attempts > 0
    if not _change(message, state=str(State.SENDING), lease_until=lease_until, attempts=message.attempts + 1):
        return False
    if retried:
        ArchivedMessage.objects.filter(message_id=message.id).delete()
    insert_columns(
        ArchivedMessage,
        {
            "creditor_id": message.creditor_id,
            "message_id": [message.id],
            "layout_id": composed.layout_id,
            "wire_id": composed.outgoing.wire_id,
            "content": composed.content,
        },
    )
    return True


def mark_sent(message: Message, at: datetime, detail: str = "") -> None:
    if _change(message, state=str(State.SENT), sent_at=at, lease_until=None, outcome=detail):
        demanding = message.kind == Message.Kind.DEMANDING
        log_contact(message.case_id, message.customer_id, message.channel, demanding, message.id)
        _tell("message.sent", message, "")


def mark_stopped(message: Message, code: str) -> None:
    if _change(message, state=str(State.STOPPED), outcome=code):
        _tell("message.stopped", message, code)


def mark_failed(message: Message, code: str, detail: str) -> None:
    if _change(message, state=str(State.FAILED), lease_until=None, outcome=detail):
        _tell("message.failed", message, code)


def mark_unknown(message: Message, detail: str) -> None:
    if _change(message, state=str(State.UNKNOWN), lease_until=None, outcome=detail):
        _tell("message.unknown", message, "")


def postpone(message: Message, until: datetime, detail: str) -> None:
    """Back into, or further down, the queue; the stop checks run again then."""
    _change(message, state=str(State.QUEUED), not_before=until, lease_until=None, outcome=detail)


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


def _change(message: Message, **fields: str | int | datetime | None) -> bool:
    """Write `fields` if the row still is in the state that `message` was read in; False where it is not."""
    if "outcome" in fields:
        fields["outcome"] = str(fields["outcome"])[:_KEPT]
    stored = [stored_datetime(v) if isinstance(v, datetime) else v for v in fields.values()]
    columns = ", ".join(f"{name} = %s" for name in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE outreach_message SET {columns} WHERE id = %s AND creditor_id = %s AND state = %s",  # noqa: S608
            [*stored, message.id, creditor_id(), str(message.state)],
        )
        if cursor.rowcount != 1:
            return False
    for name, value in fields.items():
        setattr(message, name, value)
    return True


def _tell(event: str, message: Message, code: str) -> None:
    record(
        event,
        message.id,
        {
            "case": message.case_id,
            "channel": message.channel,
            "demanding": message.kind == Message.Kind.DEMANDING,
            "stage": message.stage,
            "tone": message.tone,
            "offer": message.offer,
            "code": code,
        },
    )


def without_offer(message: Message) -> None:
    """The message leaves as it would have without its offer, which does not stand any more."""
    _change(message, offer="none", data="{}")
    message.data = {}
