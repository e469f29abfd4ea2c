"""The statement of account: every line explained, its sums those of the ledger."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kulanz.claims import adjusting, paper
from kulanz.claims.account import statement_of_account
from kulanz.claims.accrual import accrue
from kulanz.claims.actions import book_payment
from kulanz.claims.adjusting import Cause
from kulanz.claims.fees import charge
from kulanz.claims.models import Account, Claim, Posting
from kulanz.claims.queries import open_amount
from kulanz.kernel.errors import NotFoundError
from kulanz.law import fees
from kulanz.law.packs import load
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import scope

DAY = date(2026, 3, 3)


@pytest.fixture
def claim(creditor, make_case) -> Claim:
    """100.00 EUR, in default since 1 February, interest switched on."""
    Creditor.objects.filter(id=creditor.id).update(charges_interest=True)
    case = make_case("K1", 10000, date(2026, 1, 31))
    Claim.objects.filter(case=case).update(default_from=date(2026, 2, 1), default_cause="calendar_date")
    return Claim.objects.get(case=case)


def test_daily_interest_is_one_line_with_its_rows_below(claim) -> None:
    """28 days of February 2026 at 5 + 1.27 % on 100.00: 0.481 = 0.48."""
    for day in (date(2026, 2, 10), date(2026, 2, 20), date(2026, 3, 1)):
        accrue(day)
    found = statement_of_account(claim.case_id, DAY)
    assert [(line.kind, line.amount, line.balance) for line in found.lines] == [
        ("opened", 10000, 10000),
        ("interest", 48, 10048),
    ]
    (interest,) = found.interest
    assert (interest.claim, interest.charged, interest.accrual.total) == ("R-K1", 48, 48)
    assert [(row.start, row.end, row.days) for row in interest.accrual.rows] == [
        (date(2026, 2, 1), date(2026, 2, 28), 28)
    ]
    assert found.balance == open_amount(claim.case_id)
    assert [caveat.what for caveat in found.caveats] == ["base rate", "day count"]


def test_a_fee_shows_its_formula_and_a_payment_what_it_settled(claim) -> None:
    Creditor.objects.update(charges_interest=False)
    fee = fees.reminder(load("DE"), DAY, digital=False, documented=76)
    charge(claim.id, fee, key="letter:1", value_date=DAY, by="outreach")
    book_payment(claim.case_id, 1000, value_date=DAY, key="p1", method="transfer")
    lines = statement_of_account(claim.case_id, DAY).lines
    assert [(line.account, line.amount, line.formula) for line in lines] == [
        (Account.PRINCIPAL, 10000, ""),
        (Account.COST_REMINDER, 76, "0.76"),
        (Account.COST_REMINDER, -76, ""),
        (Account.PRINCIPAL, -924, ""),
    ]
    assert lines[1].basis.paragraph == "§§ 280, 286 BGB"
    assert lines[-1].balance == open_amount(claim.case_id) == 9076


def test_the_sums_are_the_ledgers_own(claim) -> None:
    Claim.objects.update(default_from=None)
    book_payment(claim.case_id, 12000, value_date=DAY, key="p1", method="transfer")
    found = statement_of_account(claim.case_id, DAY)
    assert found.sums == {Account.CREDIT: -2000}
    assert (found.balance, open_amount(claim.case_id)) == (-2000, 0)


steps = st.lists(st.tuples(st.sampled_from("pwcr"), st.integers(1, 15000), st.integers(0, 60)), max_size=8)


@given(steps)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_the_statement_ends_where_the_ledger_does(creditor, make_case, given_steps) -> None:
    _number.append(0)
    case = make_case(f"H{len(_number)}", 10000, date(2026, 1, 1))
    claim = Claim.objects.get(case=case)
    for n, (what, amount, offset) in enumerate(given_steps):
        cause = Cause(f"{case.id}:{n}", date.fromordinal(DAY.toordinal() - offset), "agent:1")
        if what == "p":
            book_payment(case.id, amount, value_date=cause.day, key=cause.key, method="transfer")
        elif what == "c":
            adjusting.credit(claim.id, amount, cause)
        elif what == "w" and open_amount(case.id) >= amount:
            adjusting.waive(claim.id, Account.PRINCIPAL, min(amount, open_amount(case.id)), cause)
    found = statement_of_account(case.id, DAY)
    ledger = Posting.objects.filter(case=case, account__in=[*found.sums, Account.PRINCIPAL, Account.CREDIT])
    assert found.balance == sum(ledger.values_list("amount", flat=True))
    assert max(0, found.balance) == open_amount(case.id)
    assert (found.lines[-1].balance if found.lines else 0) == found.balance


_number: list[int] = []


def test_the_sheet_speaks_german_and_english(claim) -> None:
    accrue(date(2026, 3, 1))
    account = statement_of_account(claim.case_id, DAY)
    german, english = (paper.sheet(account, DAY, language) for language in ("de", "en"))
    assert german.balance == "100,48\xa0€"
    assert english.balance == "€100.48"
    assert german.rows[1].what == "Zinsen"
    assert german.interest[0].rows[0][-1] == "0,4810"
    assert english.on == "3 Mar 2026"
    assert german.caveats[0].startswith("Nicht geprüft")


def test_another_creditors_account_does_not_exist(claim, other_creditor) -> None:
    with scope(other_creditor.id), pytest.raises(NotFoundError):
        statement_of_account(claim.case_id, DAY)
