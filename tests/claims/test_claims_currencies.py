"""Currencies of 0, 2 and 3 decimals beside each other: whole minor units everywhere, and no mixing inside a case.

Interest of 10 days on 547,500 minor units at 6.27 percent a year (5 points over 1.27, section 288 BGB) is
547,500 x 0.0627 x 10 / 365 = 940.5, half up 941 minor units; half even would be 940.
"""

from datetime import date
from decimal import Decimal

import pytest

from kulanz.claims import adjusting
from kulanz.claims.accrual import accrue
from kulanz.claims.actions import book_payment
from kulanz.claims.adjusting import Cause
from kulanz.claims.checks import check_ledger
from kulanz.claims.defaulting import set_default
from kulanz.claims.models import Case, Claim, Posting
from kulanz.claims.queries import statement
from kulanz.events.models import Event
from kulanz.kernel.errors import InputError
from kulanz.kernel.money import Money
from kulanz.tenancy.models import Creditor

DAY = date(2026, 3, 3)
CURRENCIES = {"JPY": ("547500", "941"), "EUR": ("5475.00", "9.41"), "KWD": ("547.500", "0.941")}


@pytest.fixture
def cases(creditor: Creditor, make_case) -> dict[str, Case]:
    """One customer's claims of 547,500 minor units in each currency."""
    creditor.charges_interest = True
    creditor.save()
    return {
        currency: make_case("K1", 547_500, date(2026, 2, 20), claim=f"R-{currency}", currency=currency)
        for currency in CURRENCIES
    }


def owed(case: Case) -> dict[str, int]:
    sums: dict[str, int] = {}
    for account, amount in Posting.objects.filter(case_id=case.id).values_list("account", "amount"):
        sums[account] = sums.get(account, 0) + amount
    return sums


def test_each_currency_has_a_case_of_its_own(cases: dict[str, Case]) -> None:
    assert len({case.id for case in cases.values()}) == 3
    assert len({case.customer_id for case in cases.values()}) == 1
    for currency, case in cases.items():
        shown = statement(case.id)
        assert (shown.currency, shown.open_amount, len(shown.claims)) == (currency, 547_500, 1)
        assert Money(shown.open_amount, currency).decimal == Decimal(CURRENCIES[currency][0])


@pytest.mark.parametrize("currency", CURRENCIES)
def test_interest_is_rounded_half_up_to_the_currencys_own_unit_and_paid_first(
    cases: dict[str, Case], currency: str
) -> None:
    case = cases[currency]
    set_default(Claim.objects.get(case=case).id, date(2026, 2, 21), "test")
    done = accrue(DAY)
    assert done.totals == ((currency, 941),)
    assert str(Money(941, currency).decimal) == CURRENCIES[currency][1]
    booked = book_payment(case.id, 1000, value_date=DAY, key="p1", method="transfer")
    assert (booked.applied, booked.credit) == (1000, 0)
    sums = owed(case)
    assert (sums["interest"], sums["principal"], sums["received"]) == (0, 547_500 - 59, 1000)
    assert Event.objects.get(type="payment.booked").payload["currency"] == currency
    assert check_ledger().clean


def test_what_is_paid_too_much_in_one_currency_settles_nothing_in_another(cases: dict[str, Case]) -> None:
    book_payment(cases["JPY"].id, 600_000, value_date=DAY, key="p1", method="transfer")
    assert statement(cases["JPY"].id).credit == 52_500
    for currency in ("EUR", "KWD"):
        assert statement(cases[currency].id).open_amount == 547_500
        assert owed(cases[currency]) == {"principal": 547_500, "invoiced": -547_500}
        with pytest.raises(InputError, match="Only 0 stands in credit"):
            adjusting.refund(cases[currency].id, 1, Cause("f", DAY, "agent:1"))
    assert check_ledger().clean


def test_a_payer_who_names_a_claim_in_another_currency_pays_none_of_it(cases: dict[str, Case]) -> None:
    foreign = Claim.objects.get(case=cases["EUR"]).id
    book_payment(cases["JPY"].id, 100, value_date=DAY, key="p1", method="transfer", designated=foreign)
    assert owed(cases["EUR"]) == {"principal": 547_500, "invoiced": -547_500}
    assert owed(cases["JPY"]) == {"principal": 547_400, "invoiced": -547_500, "received": 100}
