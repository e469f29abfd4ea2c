"""What an objection to profiling does to messages that a policy chose before it."""

from collections.abc import Sequence

from kulanz.contact.models import Consent
from kulanz.events.log import Happened
from kulanz.outreach.marking import mark_stopped
from kulanz.outreach.models import Message
from kulanz.strategy.models import Decision

OBJECTED = "objected_to_profiling"


def stop_chosen(events: Sequence[Happened]) -> None:
    """Stop them, in the transaction of the objection: time, channel and tone were the profile's.

    The ladder decides anew once the decision's outcome would have been awaited.
    """
    customers = {e.subject_id for e in events if e.payload["purpose"] == Consent.Purpose.PROFILING}
    queued = Message.objects.filter(
        customer_id__in=customers, state=Message.State.QUEUED, decision_id__isnull=False
    )
    messages = {message.decision_id: message for message in queued}
    chosen = Decision.objects.filter(id__in=messages, actor=Decision.Actor.POLICY)
    for decision in chosen.values_list("id", flat=True):
        mark_stopped(messages[decision], OBJECTED)
