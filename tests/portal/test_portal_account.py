"""The account behind the link: who gets in, who stays in, and what stands there."""

import re
from datetime import date, timedelta

import pytest
from tests.portal.conftest import new_link

from kulanz.claims.models import Customer
from kulanz.contact.login import rules
from kulanz.contact.login.actions import digits
from kulanz.contact.login.models import Login, LoginCode
from kulanz.contact.models import ContactPoint
from kulanz.events.models import Event
from kulanz.outreach.compose import unpack
from kulanz.outreach.dispatcher import dispatch
from kulanz.outreach.models import ArchivedMessage, Message
from kulanz.payments import links
from kulanz.payments.models import PaymentLink
from kulanz.portal.account.session import COOKIE, IDLE
from kulanz.tenancy.changing import change_creditor


@pytest.fixture
def known(visitor):
    """The visitor with everything that a creditor may ask for."""
    Customer.objects.filter(id=visitor.case.customer_id).update(birth_date=date(1980, 3, 31))
    return visitor


def sign_in(visitor, answer="K1"):
    return visitor.post("account/enter/", {"answer": answer})


def asked_for(factor):
    change_creditor("lindenhof", {"login_factor": factor})


def test_the_customer_number_opens_the_account(visitor):
    assert "Ihre Kundennummer" in visitor.text("account/")
    answer = sign_in(visitor, " k-1 ")
    assert (answer.status_code, answer["Location"]) == (303, "../../account/")
    page = visitor.text("account/")
    assert "100,00" in page
    assert "k1@customers.example" in page
    assert "10115" in page
    assert Event.objects.filter(type="login.succeeded").count() == 1


def test_the_door_shows_nothing_of_the_account(visitor):
    page = visitor.text("account/")
    assert "k1@customers.example" not in page
    assert "100,00" not in page
    for path in ("account/data/", "account/data.json", "account/data.pdf", "account/letters/1/"):
        answer = visitor.get(path)
        assert answer.status_code == 303, path
        assert answer["Location"].endswith("account/")


@pytest.mark.parametrize(
    ("factor", "right", "wrong"),
    [
        ("postal_code", {"answer": "10 115"}, {"answer": "10116"}),
        (
            "birth_date",
            {"day": "31", "month": "3", "year": "1980"},
            {"day": "30", "month": "3", "year": "1980"},
        ),
        (
            "birth_date",
            {"day": "31", "month": "03", "year": "1980"},
            {"day": "x", "month": "", "year": "1980"},
        ),
    ],
)
def test_the_creditor_chooses_what_is_asked(known, factor, right, wrong):
    asked_for(factor)
    assert known.post("account/enter/", wrong).status_code == 422
    assert known.get("account/data/").status_code == 303
    assert known.post("account/enter/", right).status_code == 303
    assert known.get("account/data/").status_code == 200


@pytest.mark.parametrize("factor", ["postal_code", "birth_date"])
def test_what_is_not_on_file_opens_nothing_and_does_not_show(visitor, factor):
    Customer.objects.update(postal_code="", birth_date=None)
    asked_for(factor)
    for given in ({"answer": ""}, {"answer": "-"}, {"day": "", "month": "", "year": ""}, {}):
        assert visitor.post("account/enter/", given).status_code == 422
    without = visitor.text("account/")
    Customer.objects.update(postal_code="10115", birth_date=date(1980, 3, 31))
    assert _same(visitor.text("account/"), without)


def test_after_five_wrong_answers_even_the_right_one_waits(visitor, clock):
    for _attempt in range(5):
        wrong = sign_in(visitor, "K2")
        assert wrong.status_code == 422
    assert "Es waren zu viele Versuche" in wrong.content.decode()
    assert "09:15" in wrong.content.decode()
    assert sign_in(visitor).status_code == 422
    assert Login.objects.count() == 5
    clock.advance(timedelta(minutes=15))
    assert sign_in(visitor).status_code == 303


def test_twelve_wrong_answers_close_the_question_for_a_day(visitor, clock):
    for _attempt in range(12):
        sign_in(visitor, "K2")
        clock.advance(timedelta(minutes=16))
    assert sign_in(visitor).status_code == 422
    clock.advance(timedelta(days=1))
    assert sign_in(visitor).status_code == 303


def test_a_code_opens_what_wrong_answers_have_closed(visitor):
    for _attempt in range(6):
        sign_in(visitor, "K2")
    assert visitor.post("account/send/")["Location"] == "../code/"
    code = LoginCode.objects.get()
    assert "k•••@customers.example" in visitor.text("account/code/")
    assert visitor.post("account/code/", {"code": digits(code.id)}).status_code == 303
    assert visitor.get("account/data/").status_code == 200


def test_a_code_goes_by_mail_and_is_kept_nowhere(visitor, sink):
    visitor.post("account/send/")
    code = digits(LoginCode.objects.get().id)
    assert dispatch().sent == 1
    (mail,) = sink.mails
    assert code in mail.get_body(("plain",)).get_content()
    kept = ArchivedMessage.objects.get()
    assert code not in unpack(kept).text
    assert "{code}" in unpack(kept).text
    assert code not in str(Message.objects.values()) + str(Event.objects.values())


def test_a_code_works_once_and_only_the_newest(visitor, clock):
    visitor.post("account/send/")
    visitor.post("account/send/")
    old, new = LoginCode.objects.order_by("id")
    assert visitor.post("account/code/", {"code": digits(old.id)}).status_code == 422
    assert visitor.post("account/code/", {"code": digits(new.id)}).status_code == 303
    visitor.post("account/leave/")
    assert visitor.post("account/code/", {"code": digits(new.id)}).status_code == 422


def test_a_code_ends_after_its_time_and_after_five_tries(visitor, clock):
    visitor.post("account/send/")
    code = digits(LoginCode.objects.get().id)
    clock.advance(rules.CODE_LASTS)
    assert visitor.post("account/code/", {"code": code}).status_code == 422
    visitor.post("account/send/")
    code = digits(LoginCode.objects.latest("id").id)
    for _try in range(rules.CODE_TRIES):
        assert visitor.post("account/code/", {"code": "x"}).status_code == 422
    assert visitor.post("account/code/", {"code": code}).status_code == 422


def test_three_codes_an_hour_and_six_a_day(visitor, clock):
    for _ask in range(5):
        visitor.post("account/send/")
    assert LoginCode.objects.count() == 3
    for _ask in range(5):
        clock.advance(timedelta(minutes=61))
        visitor.post("account/send/")
    assert LoginCode.objects.count() == 6


def test_a_late_code_does_not_leave(visitor, clock, sink):
    visitor.post("account/send/")
    clock.advance(rules.CODE_LASTS + timedelta(seconds=1))
    assert dispatch().stopped == 1
    assert sink.mails == []


def test_without_an_address_no_code_is_offered_or_made(visitor):
    ContactPoint.objects.all().update(state="bounced")
    assert "account/send/" not in visitor.text("account/")
    assert visitor.post("account/send/").status_code == 303
    assert not LoginCode.objects.exists()
    asked_for("code")
    assert "Wir kennen keine E-Mail-Adresse" in visitor.text("account/")
    assert sign_in(visitor).status_code == 422


def test_a_login_ends_when_nobody_is_there_or_signs_out(visitor, clock):
    sign_in(visitor)
    clock.advance(IDLE - timedelta(seconds=1))
    assert visitor.get("account/data/").status_code == 200
    clock.advance(IDLE - timedelta(seconds=1))
    assert visitor.get("account/data/").status_code == 200
    stolen = visitor.client.cookies[COOKIE].value
    visitor.post("account/leave/")
    assert visitor.get("account/data/").status_code == 303
    visitor.client.cookies[COOKIE] = stolen
    assert visitor.get("account/data/").status_code == 303
    sign_in(visitor)
    clock.advance(IDLE)
    assert visitor.get("account/data/").status_code == 303


def test_a_login_ends_after_a_working_day(visitor, clock):
    sign_in(visitor)
    for _look in range(24):
        clock.advance(timedelta(minutes=19))
        assert visitor.get("account/data/").status_code == 200
    clock.advance(timedelta(minutes=19))
    clock.advance(timedelta(minutes=5))
    assert visitor.get("account/data/").status_code == 303


def test_a_cookie_is_for_its_own_customer_and_cannot_be_made(visitor, make_case):
    sign_in(visitor)
    cookie = visitor.client.cookies[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/p/"
    other = make_case("K2", 500, date(2026, 2, 1), name="Otto Fremd")
    token = links.token(new_link(other))
    assert visitor.client.get(f"/p/{token}/account/data/").status_code == 303
    visitor.client.cookies[COOKIE] = cookie.value[:-1] + ("A" if cookie.value[-1] != "A" else "B")
    assert visitor.get("account/data/").status_code == 303


def test_all_cases_of_the_customer_stand_there_and_open(visitor, make_case, other_creditor):
    second = make_case("K1", 2500, date(2026, 2, 1), claim="R-CHF", currency="CHF")
    stranger = make_case("K2", 500, date(2026, 2, 1))
    sign_in(visitor)
    page = visitor.text("account/")
    assert "100,00" in page
    assert "25,00" in page
    assert "Konto in CHF öffnen" in page
    answer = visitor.post(f"account/case/{second.id}/")
    assert answer.status_code == 303
    assert PaymentLink.objects.latest("id").case_id == second.id
    opened = visitor.client.get(visitor.home + f"account/case/{second.id}/" + answer["Location"])
    token = answer["Location"].strip("./")
    assert "25,00" in visitor.client.get(f"/p/{token}/").content.decode()
    assert visitor.client.get(f"/p/{token}/account/data/").status_code == 200
    assert opened.status_code in (200, 404)
    assert visitor.post(f"account/case/{stranger.id}/").status_code == 404


def test_letters_can_be_read_without_their_secrets(visitor, sink, make_case):
    visitor.post("account/send/")
    dispatch()
    sign_in(visitor)
    message = Message.objects.get()
    assert "Ihr Code zum Anmelden" in visitor.text("account/")
    letter = visitor.text(f"account/letters/{message.id}/")
    assert "Ihr Code lautet" in letter
    assert digits(LoginCode.objects.get().id) not in letter
    assert "{token}" not in letter
    assert "{code}" not in letter
    Message.objects.update(customer_id=make_case("K2", 500).customer_id)
    assert visitor.get(f"account/letters/{message.id}/").status_code == 404


def test_an_expired_link_brings_a_fresh_one_to_the_known_address(visitor, clock, sink):
    clock.advance(timedelta(days=61))
    page = visitor.get()
    assert page.status_code == 410
    assert "./renew/" in page.content.decode()
    assert "../renew/" in visitor.text("later/")
    for _click in range(3):
        assert "Ein neuer Link ist unterwegs" in visitor.post("renew/").content.decode()
    assert dispatch().sent == 1
    (mail,) = sink.mails
    assert mail["To"]
    assert "k1@customers.example" in mail["To"]
    fresh = links.token(Message.objects.get().link_id)
    assert visitor.client.get(f"/p/{fresh}/").status_code == 200


def test_an_old_link_fills_no_mailbox(visitor, clock):
    clock.advance(timedelta(days=61))
    for _hour in range(8):
        assert visitor.post("renew/").status_code == 200
        clock.advance(timedelta(hours=1))
    assert Message.objects.filter(stage="new_link").count() == 3
    clock.advance(timedelta(hours=20))
    visitor.post("renew/")
    assert Message.objects.filter(stage="new_link").count() == 4


def test_a_revoked_link_is_not_renewed(visitor):
    links.revoke(visitor.link_id)
    page = visitor.get()
    assert page.status_code == 410
    assert "renew/" not in page.content.decode()
    assert visitor.post("renew/").status_code == 410
    assert not Message.objects.exists()


def _same(one: str, other: str) -> bool:
    """Whether two pages differ in nothing but what protects their forms."""
    hidden = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"')
    return hidden.sub("", one) == hidden.sub("", other)
