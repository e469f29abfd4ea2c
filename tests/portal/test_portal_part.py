"""Paying a part: one of several invoices, or an amount of one's own."""

from datetime import date

import pytest

from kulanz.claims.actions import book_payment
from kulanz.claims.checks import check_ledger
from kulanz.claims.models import Claim
from kulanz.claims.queries import statement
from kulanz.payments.models import PaymentIntent
from kulanz.payments.rules import Part, part_refused
from kulanz.tenancy.models import Creditor


@pytest.fixture
def two(visitor, make_case):
    """A second, younger invoice of 40.00 on the same case."""
    make_case("K1", 4000, date(2026, 2, 25), claim="R-2")
    return visitor


def choose(visitor, what: object, amount: str = ""):
    return visitor.post("part/", {"what": what, "amount": amount}, follow=True)


def pay_part(visitor, part: int, claim: int | None = None, *, shown: int = 14000, form: str = "form-0001"):
    data = {"amount": shown, "form": form, "part": part}
    return visitor.post("pay/", data | ({"claim": claim} if claim else {}))


def checkout(visitor) -> str:
    visitor.psp.pay(PaymentIntent.objects.order_by("-id").first().provider_reference)
    visitor.psp.deliver()
    return ""


def test_the_younger_of_two_invoices_is_paid_although_the_older_comes_first_by_law(two) -> None:
    younger = Claim.objects.get(number="R-2").id
    page = choose(two, younger).content.decode()
    assert "40,00" in page
    assert f'name="claim" value="{younger}"' in page
    assert pay_part(two, 4000, younger).status_code == 303
    checkout(two)
    assert {c.number: c.open_amount for c in statement(two.case.id).claims} == {"R-K1": 10000, "R-2": 0}
    assert check_ledger().clean


def test_an_amount_of_ones_own_goes_to_the_oldest(two) -> None:
    page = choose(two, "other", "25,50 €").content.decode()
    assert 'name="part" value="2550"' in page
    assert pay_part(two, 2550).status_code == 303
    checkout(two)
    assert {c.number: c.open_amount for c in statement(two.case.id).claims} == {"R-K1": 7450, "R-2": 4000}


@pytest.mark.parametrize(
    ("amount", "language", "minor"),
    [
        ("25,50", "de", 2550),
        ("1.400,00", "de", None),
        ("25.50", "en", 2550),
        ("140", "de", 14000),
        ("25,50", "pl", 2550),
        ("25,50 €", "de", 2550),
        ("EUR 25.50", "en", 2550),
        ("25,50 Euro", "de", 2550),
        ("٢٥٫٥٠", "ar", 2550),
        ("1e9", "de", None),
        ("-25,50", "de", None),
        ("25,50 oder 30,00", "de", None),
    ],
)
def test_amounts_are_read_as_people_write_them(two, amount, language, minor) -> None:
    page = two.post(f"part/?lang={language}", {"what": "other", "amount": amount}, follow=True)
    if minor is None:
        assert page.status_code == 422
    else:
        assert f'name="part" value="{minor}"' in page.content.decode()


@pytest.mark.parametrize(
    ("what", "amount", "words"),
    [
        ("", "", "Wählen Sie, was Sie zahlen möchten."),
        ("other", "", "Geben Sie einen Betrag ein"),
        ("other", "viel", "Geben Sie einen Betrag ein"),
        ("other", "12,345", "Geben Sie einen Betrag ein"),
        ("other", "9,99", "innerhalb der gezeigten Grenzen"),
        ("other", "140,01", "innerhalb der gezeigten Grenzen"),
        ("999999", "", "Geben Sie einen Betrag ein"),
    ],
)
def test_what_cannot_be_paid_is_said_on_the_form(two, what, amount, words) -> None:
    answer = choose(two, what, amount)
    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_a_forged_part_moves_nothing(two, make_case) -> None:
    stranger = make_case("K9", 5000)
    foreign = Claim.objects.get(case=stranger).id
    for part, claim in ((999, None), (14001, None), (4000, foreign)):
        assert pay_part(two, part, claim).status_code == 303
    assert not PaymentIntent.objects.exists()


def test_a_part_that_was_paid_meanwhile_is_shown_before_paying(two) -> None:
    book_payment(two.case.id, 5000, value_date=date(2026, 3, 2), key="p", method="transfer")
    assert pay_part(two, 2550).status_code == 409
    assert not PaymentIntent.objects.exists()


def test_the_same_part_twice_is_one_attempt_and_another_part_another(two) -> None:
    first, again = pay_part(two, 2550), pay_part(two, 2550, form="form-0002")
    other = pay_part(two, 3000, form="form-0003")
    assert first["location"] == again["location"] != other["location"]
    assert PaymentIntent.objects.count() == 2


def test_the_whole_of_a_small_debt_is_never_too_little() -> None:
    assert not part_refused(Part(300), owed=300, least=1000)
    assert part_refused(Part(200), owed=300, least=1000)
    assert part_refused(Part(999), owed=5000, least=1000)
    assert not part_refused(Part(1000), owed=5000, least=1000)
    assert not part_refused(Part(500, claim_id=1), owed=5000, least=1000)
    for wrong in (0, -1, 5001):
        assert part_refused(Part(wrong), owed=5000, least=1)


def test_where_nothing_is_owed_there_is_no_part(two) -> None:
    book_payment(two.case.id, 14000, value_date=date(2026, 3, 2), key="p", method="transfer")
    assert two.get("part/").status_code == 303
    Creditor.objects.update(least_part=5000)
    assert "part/" not in two.text()
