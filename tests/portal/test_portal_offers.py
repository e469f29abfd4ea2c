"""Offers on the page: shown, paid, promised, agreed, declined."""

import json
import re
from datetime import date, timedelta
from html import unescape

import pytest
from tests.conftest import offer_of
from tests.portal.conftest import Visitor, new_link

from kulanz.claims.adjusting import Cause, credit
from kulanz.claims.holds import place_hold
from kulanz.claims.models import Claim
from kulanz.events.models import Event
from kulanz.payments.booking import book_transfer
from kulanz.payments.models import PaymentIntent, Plan
from kulanz.payments.offers.models import Offer, OfferPolicy

TODAY = date(2026, 3, 3)
MADE = "Unser Angebot für Sie"


def offered(visitor: Visitor, kind: str, number: int = 1) -> Offer:
    """An offer whose message has reached the customer."""
    OfferPolicy.objects.get_or_create(
        creditor_id=visitor.case.creditor_id,
        defaults={"discounts": True, "on_principal": True, "min_days": 0},
    )
    return offer_of(visitor.case.id, kind, number)


def state(offer: Offer) -> str:
    offer.refresh_from_db()
    return offer.state


def take(visitor: Visitor, offer: Offer, part: int = 9000, form: str = "form-0001"):
    return visitor.post("pay/", {"amount": visitor.owed(), "part": part, "offer": offer.id, "form": form})


def text(visitor: Visitor, path: str = "") -> str:
    return unescape(visitor.text(path)).replace("\xa0", " ")


def test_a_discount_is_shown_with_its_terms_and_seen_once(visitor: Visitor) -> None:
    offer = offered(visitor, "discount")
    page = text(visitor)
    assert MADE in page
    assert (
        "Zahlen Sie bis zum 17. März 2026 90,00 € statt 100,00 €, dann erlassen wir Ihnen den Rest." in page
    )
    assert "Kommt weniger Geld an oder kommt es später, bleibt der ganze Betrag offen." in page
    assert "Ich möchte den ganzen Betrag zahlen" in page
    visitor.get()
    assert state(offer) == "shown"
    assert Event.objects.filter(type="offer.shown").count() == 1


def test_before_its_message_left_nobody_sees_it(visitor: Visitor) -> None:
    offer = offered(visitor, "discount")
    Offer.objects.update(told_at=None)
    assert MADE not in visitor.text()
    assert take(visitor, offer).status_code == 409


@pytest.mark.parametrize("reason", ["dispute", "hardship", "insolvency", "manual"])
def test_no_offer_where_the_case_is_held(visitor: Visitor, reason: str) -> None:
    offered(visitor, "discount")
    place_hold(visitor.case.id, reason, by="agent:1")
    assert MADE not in visitor.text()


def test_paid_online_with_two_clicks_in_two_tabs_once(visitor: Visitor, psp) -> None:
    offer = offered(visitor, "discount")
    first, second = take(visitor, offer), take(visitor, offer, form="form-0002")
    assert first["Location"] == second["Location"]
    intent = PaymentIntent.objects.get()
    assert (intent.amount, state(offer)) == (9000, "accepted")
    psp.pay(first["Location"].rsplit("/", 1)[-1])
    psp.deliver()
    assert (visitor.owed(), state(offer)) == (0, "used")
    assert "Alles bezahlt" in text(visitor)


def test_a_chargeback_owes_everything_again(visitor: Visitor, psp, clock) -> None:
    offer = offered(visitor, "discount")
    checkout = take(visitor, offer)["Location"].rsplit("/", 1)[-1]
    psp.pay(checkout)
    psp.deliver()
    clock.advance(timedelta(days=2))
    psp.take_back(checkout)
    psp.deliver()
    assert (visitor.owed(), state(offer)) == (10000, "accepted")


def test_an_online_payment_begun_in_time_counts_though_it_settles_later(visitor: Visitor, psp, clock) -> None:
    offer = offered(visitor, "discount")
    clock.advance(timedelta(days=14))
    checkout = take(visitor, offer)["Location"].rsplit("/", 1)[-1]
    clock.advance(timedelta(days=3))
    psp.pay(checkout)
    psp.deliver()
    assert (visitor.owed(), state(offer)) == (0, "used")


@pytest.mark.parametrize("part", [8999, 9001, 1])
def test_another_sum_is_not_the_offer_and_moves_no_money(visitor: Visitor, part: int) -> None:
    offer = offered(visitor, "discount")
    answer = take(visitor, offer, part)
    assert answer.status_code == 409
    assert "Es ist kein Geld geflossen" in answer.content.decode()
    assert not PaymentIntent.objects.exists()


def test_an_offer_that_ended_while_the_page_was_open_asks_again(visitor: Visitor, clock) -> None:
    offer = offered(visitor, "discount")
    clock.advance(timedelta(days=15))
    assert take(visitor, offer).status_code == 409
    assert MADE not in visitor.text()


def test_another_customers_offer_cannot_be_taken(visitor: Visitor, make_case) -> None:
    offer = offered(visitor, "discount")
    other = make_case("K2", 10000, date(2026, 2, 20))
    stranger = Visitor(visitor.creditor, other, new_link(other), visitor.psp)
    assert take(stranger, offer).status_code == 409
    stranger.post("offer/", {"offer": offer.id})
    assert state(offer) == "made"
    assert "90,00" not in text(stranger, f"transfer/?offer={offer.id}")


def test_after_a_part_the_offer_asks_for_the_rest(visitor: Visitor) -> None:
    offer = offered(visitor, "discount")
    book_transfer(visitor.case.id, 5000, TODAY, "B1")
    assert "40,00 € statt 50,00 €" in text(visitor)
    assert take(visitor, offer, 4000).status_code == 303


def test_the_transfer_page_and_its_code_are_for_the_offered_sum(visitor: Visitor) -> None:
    offer = offered(visitor, "discount")
    page = text(visitor, f"transfer/?offer={offer.id}")
    assert "90,00 € statt 100,00 €" in page
    assert f"qr.svg?offer={offer.id}" in page
    assert re.search(r"<dd><span>90,00 €</span>", page)
    with_offer = visitor.get(f"transfer/qr.svg?offer={offer.id}").content
    assert with_offer != visitor.get("transfer/qr.svg").content
    for odd in ("", "x", "٣", "9" * 40, "0"):
        assert "90,00" not in text(visitor, f"transfer/?offer={odd}")


def test_other_invoices_are_named_as_no_part_of_it(visitor: Visitor, make_case) -> None:
    offered(visitor, "discount")
    make_case("K1", 4000, date(2026, 4, 1), claim="R-2")
    assert "Das gilt für Rechnung R-K1. Alles andere bleibt, wie es ist." in text(visitor)


def test_by_a_credit_note_the_offer_becomes_worthless_and_is_not_shown(visitor: Visitor) -> None:
    offer = offered(visitor, "discount")
    claim = Claim.objects.get(case_id=visitor.case.id)
    credit(claim.id, 1500, Cause("c1", TODAY, "agent:1"))
    assert MADE not in visitor.text()
    assert take(visitor, offer).status_code == 409
    assert "85,00 €" in text(visitor, f"transfer/?offer={offer.id}")


def test_money_for_another_invoice_is_not_money_for_the_offer(visitor: Visitor, psp, make_case) -> None:
    offer = offered(visitor, "discount")
    make_case("K1", 9500, date(2026, 3, 1), claim="R-2")
    other = Claim.objects.get(number="R-2")
    form = {"amount": 19500, "part": 9500, "claim": other.id, "form": "form-0001"}
    psp.pay(visitor.post("pay/", form)["Location"].rsplit("/", 1)[-1])
    psp.deliver()
    assert (visitor.owed(), state(offer)) == (10000, "made")


def test_the_offered_plan_is_one_click_from_its_whole_terms(visitor: Visitor) -> None:
    offer = offered(visitor, "plan")
    assert "monatlich 20,00 €, die erste am 18. März 2026" in text(visitor)
    by_link = text(visitor, "plan/")
    assert "Diesem Plan" in by_link or "in Raten zu zahlen" in by_link or "18. März 2026" in by_link
    hidden = dict(re.findall(r'name="(\w+)" value="([^"]*)"', by_link))
    assert (hidden["rate"], hidden["first_on"], hidden["total"]) == ("2000", "2026-03-18", "10000")
    agreed = visitor.post("plan/agree/", {**hidden, "form": "form-0001"})
    assert agreed.status_code == 303
    assert (Plan.objects.get().total, state(offer)) == (10000, "used")
    assert 'name="how"' in visitor.text("plan/?change")


def test_the_card_of_a_plan_leads_to_the_same_terms(visitor: Visitor) -> None:
    offered(visitor, "plan")
    card = re.search(r'action="[^"]*plan/">(.*?)</form>', visitor.text(), re.S)
    assert card is not None
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', card[1]))
    answer = visitor.post("plan/", {name: unescape(value) for name, value in fields.items()})
    assert answer.status_code == 200
    assert 'value="2026-03-18"' in answer.content.decode()


def test_the_offered_day_is_promised_with_one_click(visitor: Visitor) -> None:
    offer = offered(visitor, "later")
    assert "Zahlen Sie am 17. März 2026. Bis dahin erinnern wir Sie nicht." in text(visitor)
    form = visitor.text("later/")
    assert re.search(r'value="2026-03-17" id="day[^"]*" checked', form)
    assert visitor.post("later/", {"day": "2026-03-17"}).status_code == 303
    assert (visitor.holds(), state(offer)) == (["promise"], "used")
    assert MADE not in visitor.text()


@pytest.mark.parametrize("kind", ["discount", "plan", "later"])
def test_no_thanks_is_one_click(visitor: Visitor, kind: str) -> None:
    offer = offered(visitor, kind)
    assert visitor.post("offer/", {"offer": offer.id})["Location"].endswith("../")
    assert state(offer) == "withdrawn"
    assert MADE not in visitor.text()


def test_there_is_no_countdown_and_no_script(visitor: Visitor) -> None:
    offered(visitor, "discount")
    page = visitor.text()
    assert "<script" not in page
    assert "<progress" not in page
    assert "<time" not in page


def test_every_language_says_the_offer(visitor: Visitor) -> None:
    for number, kind in enumerate(("discount", "plan", "later"), start=1):
        offered(visitor, kind, number)
    english = text(visitor, "?lang=en")
    assert english.count("No, thank you") == 3
    for language in ("de", "fr", "es", "pl", "tr", "ar"):
        page = text(visitor, f"?lang={language}")
        assert "Made for you" not in page
        assert "let you off" not in page


def test_the_first_load_with_an_offer_stays_small(visitor: Visitor) -> None:
    offered(visitor, "discount")
    assert len(visitor.get().content) < 12_000
    assert json.dumps(Event.objects.filter(type="offer.made").get().payload).count("offer") == 1
