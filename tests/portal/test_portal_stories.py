"""What customers live through on their page, told through Django's client."""

import re
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from kulanz.claims import adjusting
from kulanz.claims.holds import place_hold
from kulanz.claims.models import Customer, Hold, Journal
from kulanz.contact.models import Consent
from kulanz.events.models import Event
from kulanz.payments import links
from kulanz.payments.actions import book_transfer
from kulanz.payments.models import PaymentIntent
from kulanz.testing.psp import Behaviour


def events(kind: str) -> int:
    return Event.objects.filter(type=kind).count()


def test_sees_what_why_how_much_and_until_when(visitor):
    page = visitor.text()
    assert "Guten Tag Erika Beispiel" in page
    assert "Ihre offene Rechnung bei Lindenhof Versand" in page
    assert "100,00\xa0€ online bezahlen" in page
    assert "20.\xa0Februar 2026" in page
    assert "Rechnung R-K1" in page
    assert "Vereinbarter Betrag aus Ihrem Vertrag." in page
    assert "§ 433" in page
    assert 'lang="de"' in page
    assert "Lindenhof Versand GmbH, Lindenallee 1, 10115 Berlin" in page


def test_several_invoices_stand_under_one_sum(visitor, make_case):
    make_case("K1", 2350, date(2026, 3, 20), claim="R-2")
    page = visitor.text(headers={"accept-language": "en"})
    assert "Ihre 2 offenen Rechnungen bei Lindenhof Versand" in page
    assert "123,50\xa0€ online bezahlen" in page
    assert page.count('<details class="item') == 2


def test_pays_online_and_is_told_so(visitor):
    answer = visitor.pay()
    assert answer.status_code == 303
    assert answer["Location"].startswith("http://psp.simulated/checkout/")
    visitor.psp.pay(answer["Location"].rsplit("/", 1)[1])
    page = visitor.text(f"return/{PaymentIntent.objects.get().id}/")
    assert "Vielen Dank! Ihre Zahlung ist angekommen." in page
    assert visitor.owed() == 0
    assert "Alles bezahlt. Vielen Dank!" in visitor.text()
    assert "online bezahlen" not in visitor.text()


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("decline", "Die Zahlung hat nicht geklappt"),
        ("cancel", "Sie haben die Zahlung abgebrochen"),
        (None, "Die Zahlung ist nicht abgeschlossen"),
    ],
)
def test_comes_back_without_having_paid(visitor, step, words):
    checkout = visitor.pay()["Location"].rsplit("/", 1)[1]
    if step:
        getattr(visitor.psp, step)(checkout)
    page = visitor.text(f"return/{PaymentIntent.objects.get().id}/")
    assert words in page
    assert "Es ist kein Geld geflossen." in page
    assert visitor.owed() == 10000


def test_a_payment_that_takes_days_is_called_pending_and_not_asked_for_again(visitor, clock):
    visitor.psp._behaviour = Behaviour(settle_after=timedelta(days=1))
    visitor.psp.pay(visitor.pay()["Location"].rsplit("/", 1)[1])
    back = f"return/{PaymentIntent.objects.get().id}/"
    assert "Bitte zahlen Sie nicht noch einmal" in visitor.text(back)
    assert "Eine Zahlung über 100,00\xa0€ wird bearbeitet" in visitor.text()
    clock.advance(timedelta(days=1))
    assert "ist angekommen" in visitor.text(back)


def test_the_provider_is_down_on_the_way_back(visitor):
    visitor.pay()
    visitor.psp.outage = True
    assert "Wir sehen das Ergebnis noch nicht" in visitor.text(f"return/{PaymentIntent.objects.get().id}/")


def test_the_provider_is_down_and_the_transfer_stays(visitor):
    visitor.psp.outage = True
    answer = visitor.pay()
    page = answer.content.decode()
    assert answer.status_code == 503
    assert "Es ist kein Geld geflossen." in page
    assert 'href="../transfer/"' in page


def test_double_click_two_tabs_and_back_button_pay_once(visitor):
    first, again, tab = visitor.pay(), visitor.pay(), visitor.pay("form-0002")
    assert first["Location"] == again["Location"] == tab["Location"]
    visitor.psp.pay(first["Location"].rsplit("/", 1)[1])
    visitor.psp.deliver()
    late = visitor.pay()
    assert (late.status_code, late["Location"]) == (303, "../")
    assert Journal.objects.filter(kind="payment").count() == 1


def test_the_amount_changed_since_the_page_was_opened(visitor):
    book_transfer(visitor.case.id, 2500, date(2026, 3, 2), "bank-1")
    answer = visitor.pay()
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "von 100,00\xa0€ auf 75,00\xa0€" in page
    assert "Es ist kein Geld geflossen." in page
    assert PaymentIntent.objects.count() == 0
    amount = re.search(r'name="amount" value="(\d+)"', page)
    form = re.search(r'name="form" value="([^"]+)"', page)
    assert amount is not None
    assert form is not None
    assert visitor.pay(form[1], int(amount[1])).status_code == 303


def test_a_chargeback_opens_the_page_again(visitor):
    checkout = visitor.pay()["Location"].rsplit("/", 1)[1]
    visitor.psp.pay(checkout)
    visitor.psp.deliver()
    visitor.psp.take_back(checkout)
    visitor.psp.deliver()
    page = visitor.text()
    assert "100,00\xa0€ online bezahlen" in page
    assert "Zahlung zurückgebucht" in page


def test_paid_too_much_is_shown_as_credit(visitor):
    book_transfer(visitor.case.id, 12500, date(2026, 3, 2), "bank-1")
    page = visitor.text()
    assert "Ihr Guthaben" in page
    assert "25,00\xa0€" in page


def test_the_transfer_page_has_everything_a_bank_asks_for(visitor):
    page = visitor.text("transfer/")
    for words in (
        "Lindenhof Versand",
        "DE89 3704 0044 0532 0130 00",
        "100,00\xa0€",
        'data-copy="100.00"',
        "RF",
    ):
        assert words in page
    code = visitor.get("transfer/qr.svg")
    assert (code.status_code, code["Content-Type"]) == (200, "image/svg+xml")
    book_transfer(visitor.case.id, 10000, date(2026, 3, 2), "bank-1")
    assert visitor.get("transfer/").status_code == 303
    assert visitor.get("transfer/qr.svg").status_code == 404


def test_a_dollar_creditor_without_account_still_has_a_page(creditor, visitor):
    creditor.iban = ""
    creditor.save()
    page = visitor.text()
    assert "transfer/" not in page
    assert visitor.get("transfer/").status_code == 303


def test_says_paid_already_and_is_left_in_peace_for_five_days(visitor, clock):
    assert visitor.post("paid/", {"paid_on": "2026-03-01", "note": "von meinem Girokonto"}).status_code == 303
    assert visitor.holds() == ["payment_pending"]
    assert Hold.objects.get().note == "2026-03-01 von meinem Girokonto"
    page = visitor.text()
    assert "Ihre Zahlung ist unterwegs" in page
    assert "8.\xa0März 2026" in page
    clock.advance(timedelta(days=5, minutes=1))
    assert visitor.holds() == []
    assert "Ihre Zahlung ist unterwegs" not in visitor.text()


@pytest.mark.parametrize("paid_on", ["2026-03-04", "2025-12-01", "gestern"])
def test_a_day_on_which_nobody_can_have_paid_is_asked_again(visitor, paid_on):
    answer = visitor.post("paid/", {"paid_on": paid_on})
    assert (answer.status_code, visitor.holds()) == (422, [])
    assert 'href="#paid_on"' in answer.content.decode()


def test_chooses_a_day_and_reminders_rest_until_it_has_passed(visitor, clock):
    assert visitor.post("later/", {"day": "2026-03-20"}).status_code == 303
    hold = Hold.objects.get()
    assert (hold.reason, hold.until_at.isoformat()) == ("promise", "2026-03-20T23:00:00+00:00")
    assert "bis zum 20.\xa0März 2026" in visitor.text()
    assert "online bezahlen" in visitor.text(), "paying earlier stays possible"
    clock.advance(timedelta(days=18))
    assert "bis zum 20." not in visitor.text()


@pytest.mark.parametrize("day", ["2026-03-03", "2026-04-03", "2025-01-01", "nie", "", "other", "2026-13-01"])
def test_a_day_outside_the_limits_is_refused_with_a_reason(visitor, day):
    answer = visitor.post("later/", {"day": day})
    page = answer.content.decode()
    assert (answer.status_code, visitor.holds()) == (422, [])
    assert 'role="alert"' in page
    assert "Fehler:" in page


def test_the_day_can_move_within_thirty_days_of_the_first_promise(visitor, clock):
    visitor.post("later/", {"day": "other", "other_day": "2026-03-10"})
    clock.advance(timedelta(days=5))
    assert visitor.post("later/", {"day": "2026-04-02"}).status_code == 303
    assert visitor.post("later/", {"day": "2026-04-03"}).status_code == 422
    assert Hold.objects.count() == 1


def test_after_three_promises_a_person_should_talk(visitor, clock):
    for _ in range(3):
        day = (clock.at + timedelta(days=3)).date().isoformat()
        assert visitor.post("later/", {"day": day}).status_code == 303
        clock.advance(timedelta(days=5))
    assert "mehrmals verschoben" in visitor.text("later/")
    day = (clock.at + timedelta(days=3)).date().isoformat()
    assert visitor.post("later/", {"day": day}).status_code == 422


def test_a_dispute_stops_everything_and_the_page_stays(visitor):
    answer = visitor.post("problem/", {"kind": "goods", "text": "Der Stuhl kam zerbrochen an."})
    assert answer.status_code == 303
    assert visitor.holds() == ["dispute"]
    hold = Hold.objects.get()
    assert (hold.until_at, hold.note) == (None, "[goods] Der Stuhl kam zerbrochen an.")
    page = visitor.text()
    assert "Wir prüfen das" in page
    assert "later/" not in page
    assert events("complaint.made") == 0


def test_a_complaint_about_the_contact_is_recorded_as_one(visitor):
    visitor.post("problem/", {"kind": "complaint", "text": "Drei Mails in einer Woche!"})
    assert (visitor.holds(), events("complaint.made")) == (["dispute"], 1)


def test_an_empty_or_endless_dispute_is_asked_again(visitor):
    for text in ("", "x" * 2001):
        assert visitor.post("problem/", {"text": text}).status_code == 422
    assert visitor.holds() == []


def test_who_tells_of_illness_is_left_in_peace_and_told_who_listens(visitor):
    visitor.post("problem/", {"kind": "other", "text": "Ich habe Krebs und kann nicht mehr."})
    assert visitor.holds() == ["dispute", "vulnerable"]
    page = visitor.text()
    assert "Danke, dass Sie uns das sagen" in page
    assert "tel:08001110111" in page
    assert "Im Notfall wählen Sie 112" in page
    assert "problem/" not in page
    assert "health" not in page


def test_need_is_noticed_in_a_note_about_a_payment_too(visitor):
    visitor.post("paid/", {"note": "Sorry for the delay, my husband died in May."})
    assert visitor.holds() == ["payment_pending", "vulnerable"]


@pytest.mark.parametrize("reason", ["insolvency", "represented", "deceased", "manual"])
def test_other_holds_are_met_with_quiet(visitor, reason):
    place_hold(visitor.case.id, reason, by="agent:1")
    page = visitor.text()
    assert "Das ruht gerade" in page
    assert reason not in page


def test_a_time_barred_claim_is_not_demanded(visitor, make_case, clock):
    old = make_case("K77", 5000, date(2021, 2, 20))
    (link_id,) = links.create_block(np.array([old.id]), clock.at + timedelta(days=60))
    page = replace(visitor, case=old, link_id=int(link_id)).text()
    assert "Sie müssen das nicht mehr bezahlen" in page
    assert "Fällig war" not in page
    assert re.search("<title>[^<]*bezahlen", page)
    assert not re.search("<title>[^<]*50,00", page)
    assert "Ich möchte trotzdem jetzt bezahlen" in page


def test_what_was_handed_over_is_not_called_paid(visitor):
    claim = visitor.case.claims.get()
    adjusting.transfer(claim.id, adjusting.Cause("t", date(2026, 3, 3), "agent:1"))
    page = visitor.text()
    assert "Diese Forderung wurde abgegeben" in page
    assert "Alles bezahlt" not in page


def test_what_was_written_off_is_not_called_paid(visitor):
    claim = visitor.case.claims.get()
    adjusting.write_off(claim.id, adjusting.Cause("w", date(2026, 3, 3), "agent:1"))
    assert "Wir verlangen diese Forderung nicht mehr von Ihnen" in visitor.text()


def test_preferences_keep_channels_and_language(visitor):
    page = visitor.text("preferences/")
    assert "k•••@customers.example" in page
    assert "k1@customers.example" not in page
    assert visitor.post("preferences/", {"language": "en"})["Location"] == "?saved=1"
    consent = Consent.objects.get()
    assert (consent.channel, consent.withdrawn_at is None) == ("email", False)
    assert Customer.objects.get().language == "en"
    assert "Your choice is saved." in visitor.text("preferences/?saved=1")
    visitor.post("preferences/", {"language": "en", "channel": ["email", "sms"]})
    assert Consent.objects.get().withdrawn_at is None
    assert events("consent.withdrawn") == 1


def test_one_click_unsubscribe_needs_no_cookie_and_asks_nothing(visitor):
    mail_program = Client(enforce_csrf_checks=True)
    assert "Erinnerungen per E-Mail beenden" in visitor.text("unsubscribe/")
    assert Consent.objects.count() == 0, "looking changes nothing"
    answer = mail_program.post(visitor.home + "unsubscribe/", {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert Consent.objects.get().withdrawn_at is not None
    assert mail_program.post(visitor.home + "unsubscribe/").status_code == 200
    assert (events("consent.withdrawn"), visitor.holds(), visitor.owed()) == (1, [], 10000)


def test_an_expired_link_says_so_and_still_lets_people_unsubscribe(visitor, clock):
    clock.advance(timedelta(days=61))
    answer = visitor.get()
    assert answer.status_code == 410
    assert "Dieser Link gilt nicht mehr" in answer.content.decode()
    assert "Erika" not in answer.content.decode()
    assert visitor.pay().status_code == 410
    assert visitor.get("preferences/").status_code == 200
    assert visitor.post("unsubscribe/").status_code == 200
    links.revoke(visitor.link_id)
    assert visitor.post("unsubscribe/").status_code == 410


def test_the_language_is_the_customers_then_the_browsers_and_can_be_switched(visitor):
    assert "Guten Tag" in visitor.text(headers={"accept-language": "en-GB"})
    Customer.objects.update(language="fr")
    assert "Bonjour Erika" in visitor.text(headers={"accept-language": "en-GB"})
    Customer.objects.update(language="nl")
    assert "Hello Erika" in visitor.text(headers={"accept-language": "en-GB"})
    assert "Dzień dobry" in visitor.text(headers={"accept-language": "nl, pl;q=0.8, en;q=0.5"})
    assert "Guten Tag" in visitor.text(headers={"accept-language": "de-AT"})
    page = visitor.get("?lang=en", headers={"accept-language": "de"}).content.decode()
    assert "Hello Erika Beispiel" in page
    assert "€100.00" in page
    assert "20\xa0February 2026" in page
    assert "Hello Erika" in visitor.text(headers={"accept-language": "de"}), "the choice is kept"


def test_opening_is_recorded_once_an_hour_and_only_for_the_first_page(visitor, clock):
    visitor.get("transfer/")
    visitor.client.head(visitor.home)
    assert events("link.opened") == 0
    visitor.get()
    visitor.get()
    assert events("link.opened") == 1
    clock.advance(timedelta(hours=2))
    visitor.get()
    assert events("link.opened") == 2


def test_a_simulated_creditor_says_so_on_every_page(creditor, visitor):
    paths = ("", "transfer/", "later/", "paid/", "problem/", "preferences/", "unsubscribe/")
    assert not any("Simulation" in visitor.text(path) for path in paths)
    creditor.simulated = True
    creditor.save()
    assert all("Simulation" in visitor.text(path) for path in paths)


def test_the_first_page_is_lean(visitor, make_case):
    for number in range(2, 8):
        make_case("K1", 100 * number, date(2026, 3, number), claim=f"R-{number}")
    visitor.get()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = visitor.get()
    assert len(queries) <= 9, [each["sql"][:90] for each in queries]
    assert len(answer.content) < 12_000


def test_an_objection_to_profiling_needs_only_the_link_and_can_be_taken_back(visitor):
    english = {"headers": {"accept-language": "en"}}
    Customer.objects.update(language="en")
    assert "I object to this" in visitor.text("preferences/", **english)
    assert visitor.post("profiling/", {"wish": "object"})["Location"] == "../preferences/?saved=1"
    assert Customer.objects.get().ladder_only
    assert "You have objected." in visitor.text("preferences/", **english)
    assert set(Consent.objects.values_list("purpose", flat=True)) == {"profiling"}
    visitor.post("profiling/", {"wish": "back"})
    assert not Customer.objects.get().ladder_only
    assert visitor.get("profiling/").status_code == 405


def test_an_objection_is_one_customers_own(visitor, make_case):
    other = make_case("K2", 5000, date(2026, 2, 20))
    visitor.post("profiling/", {"wish": "object", "customer": other.customer_id})
    assert not Customer.objects.get(id=other.customer_id).ladder_only
    assert Customer.objects.get(id=visitor.case.customer_id).ladder_only


def test_an_objection_takes_a_form_of_the_page(visitor):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(visitor.home + "profiling/", {"wish": "object"}).status_code == 403
    assert not Customer.objects.get().ladder_only
