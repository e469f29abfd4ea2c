"""A creditor with the standard journey, and a post office that delivers what is in the outbox."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from kulanz.contact.models import ContactLog
from kulanz.events.log import record
from kulanz.kernel.clock import VirtualClock
from kulanz.outreach.models import Message
from kulanz.strategy import journeys
from kulanz.strategy.journeys import JourneySpec
from kulanz.strategy.models import Journey
from kulanz.tenancy.models import Creditor

Deliver = Callable[[], list[Message]]


@pytest.fixture
def journey(creditor: Creditor) -> Journey:
    return journeys.install(creditor, "standard")


@pytest.fixture
def standard() -> JourneySpec:
    """The standard journey for an installation with e-mail and letters."""
    return journeys.built_in("standard", ("email", "letter"))


@pytest.fixture
def deliver(clock: VirtualClock) -> Deliver:
    """Hands over everything that is queued, each at its own time, and moves the clock there."""

    def hand_over() -> list[Message]:
        queued = list(Message.objects.filter(state="queued").order_by("not_before", "id"))
        for message in queued:
            clock.advance_to(max(clock.at, message.not_before))
            message.state, message.sent_at = "sent", clock.at
            message.save(update_fields=["state", "sent_at"])
            ContactLog.objects.create(
                creditor_id=message.creditor_id,
                case_id=message.case_id,
                customer_id=message.customer_id,
                channel=message.channel,
                at=clock.at,
                demanding=True,
                message_id=message.id,
            )
            record("message.sent", message.id, {"case": message.case_id, "offer": message.offer})
        return queued

    return hand_over


@pytest.fixture
def wait_days(clock: VirtualClock) -> Callable[[float], None]:
    def wait(days: float) -> None:
        clock.advance(timedelta(days=days))

    return wait
