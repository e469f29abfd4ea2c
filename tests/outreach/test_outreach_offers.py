"""An offer leaves with its message, or the message leaves without it."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from kulanz.claims.adjusting import Cause, credit
from kulanz.claims.models import Claim
from kulanz.kernel.clock import VirtualClock
from kulanz.outreach.dispatcher import dispatch
from kulanz.outreach.models import Message
from kulanz.payments.booking import book_transfer
from kulanz.payments.offers import actions
from kulanz.payments.offers.models import Offer, OfferPolicy

TODAY = date(2026, 3, 3)


def text_of(sink: Any) -> str:
    text: str = sink.mails[-1].get_body(("plain",)).get_content()
    return text.replace("\xa0", " ")


@pytest.fixture
def offered(creditor: Any, make_case: Any, queue: Any) -> Any:
    """A queued message of a case with 100.00 open that tells of an offer."""
    OfferPolicy.objects.create(creditor=creditor, discounts=True, on_principal=True)
    case = make_case(due=date(2026, 1, 22))

    def make(kind: str) -> Message:
        ids = np.array([case.id])
        drafts = actions.draft(ids, np.array([10_000]), [kind], [TODAY])
        message: Message = queue(case, offer=[kind], data=[drafts[0].data])
        actions.make(drafts, actions.Origin(np.array([1]), np.array([message.id]), ids))
        return message

    return make


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("plan", "monatlich 20,00 €, die erste Rate am 18. März 2026"),
        ("later", "Der 17. März 2026 ist uns auch recht"),
        ("discount", "Zahlen Sie bis zum 17. März 2026 90,00 € statt 100,00 €"),
    ],
)
def test_the_message_says_the_terms_and_the_offer_counts_from_then(
    offered: Any, sink: Any, clock: VirtualClock, kind: str, said: str
) -> None:
    offered(kind)
    assert dispatch().sent == 1
    assert said in text_of(sink)
    offer = Offer.objects.get()
    assert (offer.state, offer.told_at) == ("made", clock.at)


@pytest.mark.parametrize("kind", ["plan", "later", "discount"])
def test_an_offer_that_does_not_stand_any_more_is_left_out(offered: Any, sink: Any, kind: str) -> None:
    message = offered(kind)
    OfferPolicy.objects.update(discounts=False, plans=False, later=False)
    assert dispatch().sent == 1
    text = text_of(sink)
    assert "18. März" not in text
    assert "17. März" not in text
    message.refresh_from_db()
    offer = Offer.objects.get()
    assert (message.offer, message.data, message.state) == ("none", {}, "sent")
    assert (offer.state, offer.told_at) == ("withdrawn", None)


def test_a_credit_note_on_the_way_takes_the_offer_out_and_the_new_amount_is_said(
    offered: Any, sink: Any
) -> None:
    offered("discount")
    credit(Claim.objects.get().id, 2_500, Cause("c1", TODAY, "agent:1"))
    assert dispatch().sent == 1
    text = text_of(sink)
    assert "75,00 €" in text
    assert "90,00 €" not in text


def test_a_payment_on_the_way_stops_the_message_and_its_offer(
    offered: Any, sink: Any, clock: VirtualClock
) -> None:
    message = offered("discount")
    clock.advance(timedelta(minutes=5))
    book_transfer(message.case_id, 9_000, TODAY, "B1")
    assert dispatch().stopped == 1
    assert (Offer.objects.get().state, sink.mails) == ("withdrawn", [])
