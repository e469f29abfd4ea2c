"""Messages of unknown fate: asked for at the provider, or shown to a person who decides."""

from collections.abc import Callable

from django.db import transaction

from kulanz.kernel import clock
from kulanz.kernel.errors import NotFoundError
from kulanz.outreach import marking, queries
from kulanz.outreach.channels.port import Channel, ChannelDownError
from kulanz.outreach.models import Message

AT_ONCE = 500
State = Message.State


def settle_leftovers(outlet: Callable[[str], Channel | None]) -> None:
    """Turn what a crash left as `sending` into `unknown`, and ask the providers about what is unknown.

    `outlet` opens a channel by its code, or gives None where it is down. What a provider cannot say stays unknown.
    """
    for message_id in queries.leftovers(clock.now(), AT_ONCE):
        with transaction.atomic():
            message = _locked(message_id, State.SENDING)
            if message is not None and message.lease_until is not None and message.lease_until <= clock.now():
                marking.mark_unknown(message, "The process ended during the hand-over.")
    for message_id, code, wire_id in queries.unknown(AT_ONCE):
        delivered = _ask(outlet, code, wire_id)
        if delivered is not None:
            settle(message_id, delivered, by="provider")


def settle(message_id: int, delivered: bool, *, by: str) -> None:
    """Decide an unknown message: it arrived (sent), or surely not (queued again, to be checked anew).

    `by` is provider or agent:<id>. Raises NotFoundError when the message is not unknown any more.
    """
    with transaction.atomic():
        message = _locked(message_id, State.UNKNOWN)
        if message is None:
            raise NotFoundError("This message is settled already.")
        if delivered:
            marking.mark_sent(message, clock.now(), f"settled by {by}")
        else:
            marking.postpone(message, clock.now(), f"not delivered, says {by}")


def _locked(message_id: int, state: str) -> Message | None:
    rows = Message.objects.filter(id=message_id, state=state)
    customer = rows.values_list("customer_id", flat=True).first()
    if customer is None:
        return None
    marking.lock_customer(customer)
    found: Message | None = rows.first()
    return found


def _ask(outlet: Callable[[str], Channel | None], code: str, wire_id: str) -> bool | None:
    try:
        channel = outlet(code)
        return None if channel is None else channel.was_delivered(wire_id)
    except (NotFoundError, ChannelDownError):
        return None
