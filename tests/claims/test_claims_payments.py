"""What a payment's journal says, and what it leaves alone."""

from collections.abc import Callable
from datetime import date

import pytest
from django.db import transaction

from kulanz.claims import ledger, settling
from kulanz.claims.actions import book_payment, return_payment
from kulanz.claims.models import Case, Claim, Journal, Posting
from kulanz.claims.queries import statement
from kulanz.events.models import Event
from kulanz.kernel.errors import InputError, NotFoundError
from kulanz.tenancy.models import Creditor

DAY = date(2026, 3, 3)


def pay(case: Case, amount: int, key: str = "p", day: date = DAY, designated: int | None = None) -> int:
    booked = book_payment(
        case.id, amount, value_date=day, key=key, method="transfer", payment_id=7, designated=designated
    )
    return booked.journal_id


def lines(key: str) -> list[tuple[str | None, str, int, str]]:
    rows = Posting.objects.filter(journal__key=key).values_list("claim__number", "account", "amount", "basis")
    return sorted(rows, key=str)


def charge(case: Case, number: str, account: str, amount: int, day: date = date(2026, 3, 1)) -> None:
    claim = Claim.objects.get(number=number).id
    entry = ledger.Entry(
        f"cost:{number}:{account}",
        "cost",
        case.id,
        day,
        (
            ledger.Line(account, amount, claim, "reminder_cost"),
            ledger.Line("earned", -amount, claim, "reminder_cost"),
        ),
    )
    with transaction.atomic():
        ledger.post(entry)


def test_a_payment_names_its_claims_and_its_ground(
    creditor: Creditor, make_case: Callable[..., Case]
) -> None:
    case = make_case(claim="R", amount=10_000)
    journal = pay(case, 12_000)
    assert lines("p") == [
        ("R", "principal", -10_000, "payment"),
        (None, "credit", -2_000, "overpayment"),
        (None, "received", 12_000, "payment"),
    ]
    found = Journal.objects.get(id=journal)
    assert (found.kind, found.value_date, found.cause, found.details) == ("payment", DAY, "payments", {})
    assert Event.objects.get(type="payment.booked").payload == {
        "amount": 12_000,
        "currency": "EUR",
        "journal": journal,
        "method": "transfer",
        "payment": 7,
    }


def test_costs_of_every_kind_come_before_the_principal(
    creditor: Creditor, make_case: Callable[..., Case]
) -> None:
    """Section 367: 3.00 and 2.00 of cost first, then of the 100.00 what is left of 9.00."""
    case = make_case(claim="R", amount=10_000)
    charge(case, "R", "cost_return", 300)
    charge(case, "R", "cost_reminder", 200)
    pay(case, 900)
    assert {(account, amount) for _, account, amount, _ in lines("p")} == {
        ("received", 900),
        ("cost_return", -300),
        ("cost_reminder", -200),
        ("principal", -400),
    }


def test_the_claim_that_the_payer_names_comes_first_and_is_remembered(
    creditor: Creditor, make_case: Callable[..., Case]
) -> None:
    make_case(claim="old", amount=5_000, due=date(2026, 1, 10))
    case = make_case(claim="new", amount=5_000)
    named = Claim.objects.get(number="new").id
    pay(case, 3_000, designated=named)
    assert ("new", "principal", -3_000, "payment") in lines("p")
    assert Journal.objects.get(key="p").details == {"designated": named}


@pytest.mark.parametrize("amount", [1, 4_999, 5_000, 9_000, 12_000])
def test_the_short_way_ends_where_a_replay_ends(
    creditor: Creditor, make_case: Callable[..., Case], amount: int
) -> None:
    """Two claims due on one day share in proportion, a third waits; a replay has nothing to correct."""
    make_case(claim="a", amount=3_333)
    make_case(claim="b", amount=1_667)
    case = make_case(claim="c", amount=5_000, due=date(2026, 2, 25))
    charge(case, "b", "cost_reminder", 100)
    pay(case, amount)
    before = Journal.objects.count()
    with transaction.atomic():
        assert settling.settle(case.id, "test") == 0
    assert Journal.objects.count() == before


def test_a_cost_booked_after_an_equal_day_waits_for_the_next_payment(
    creditor: Creditor, make_case: Callable[..., Case]
) -> None:
    """Of one day, what was booked first counts first."""
    case = make_case(claim="R", amount=10_000)
    pay(case, 4_000)
    charge(case, "R", "cost_reminder", 200, DAY)
    with transaction.atomic():
        assert settling.settle(case.id, "test") == 0
    assert statement(case.id).claims[0].open_amount == 6_200


def test_a_return_names_its_payment(creditor: Creditor, make_case: Callable[..., Case]) -> None:
    case = make_case(claim="R", amount=10_000)
    journal = pay(case, 12_000)
    back = return_payment("p", value_date=date(2026, 3, 9), key="r", payment_id=7)
    assert lines("r") == [
        ("R", "principal", 10_000, "payment_return"),
        (None, "credit", 2_000, "payment_return"),
        (None, "received", -12_000, "payment_return"),
    ]
    assert Journal.objects.get(id=back).details == {"undoes": journal}
    assert Event.objects.get(type="payment.returned").payload == {
        "amount": 12_000,
        "currency": "EUR",
        "journal": back,
        "paid_journal": journal,
        "payment": 7,
    }


def test_what_was_never_paid_cannot_come_back(creditor: Creditor, make_case: Callable[..., Case]) -> None:
    make_case()
    with pytest.raises(NotFoundError, match="no such payment"):
        return_payment("open:R-K1", value_date=DAY, key="r")


@pytest.mark.parametrize("amount", [0, -1])
def test_a_payment_is_more_than_zero(creditor: Creditor, make_case: Callable[..., Case], amount: int) -> None:
    case = make_case()
    with pytest.raises(InputError, match="more than zero"):
        pay(case, amount)


def test_a_payment_in_advance_settles_the_claim_that_is_there(
    creditor: Creditor, make_case: Callable[..., Case]
) -> None:
    """Due on 20 March, of 6 March, and 60.00 of the 70.00 paid with the value date of 1 March settle it."""
    case = make_case(claim="R", amount=6_000, due=date(2026, 3, 20))
    pay(case, 7_000, day=date(2026, 3, 1))
    assert ("R", "principal", -6_000, "payment") in lines("p")
    assert (None, "credit", -1_000, "overpayment") in lines("p")
    make_case(claim="next", amount=500, due=date(2026, 3, 30))
    owed = {claim.number: (claim.open_amount, str(claim.state)) for claim in statement(case.id).claims}
    assert owed == {"R": (0, "paid"), "next": (0, "credited")}


def test_a_consumers_loan_settles_its_principal_before_its_interest(
    creditor: Creditor, make_case: Callable[..., Case]
) -> None:
    """Section 497(3): of 50.00 cost takes 3.00 and the principal 47.00; the interest of 20.00 waits."""
    case = make_case(claim="R", amount=10_000)
    Claim.objects.filter(number="R").update(kind="loan")
    charge(case, "R", "cost_reminder", 300)
    charge(case, "R", "interest", 2_000)
    pay(case, 5_000)
    assert {(account, amount) for _, account, amount, _ in lines("p")} == {
        ("received", 5_000),
        ("cost_reminder", -300),
        ("principal", -4_700),
    }


def test_a_businesss_loan_settles_interest_first(creditor: Creditor, make_case: Callable[..., Case]) -> None:
    case = make_case(claim="R", amount=10_000, kind="business")
    Claim.objects.filter(number="R").update(kind="loan")
    charge(case, "R", "interest", 2_000)
    pay(case, 5_000)
    assert ("R", "interest", -2_000, "payment") in lines("p")


def test_an_older_claim_that_is_booked_late_is_settled_as_if_it_had_been_there(
    creditor: Creditor, make_case: Callable[..., Case]
) -> None:
    """R is due on 20 February and paid on 3 March. The older claim, due on 10 January, is imported after that."""
    case = make_case(claim="R", amount=10_000)
    pay(case, 10_000)
    make_case(claim="older", amount=4_000, due=date(2026, 1, 10))
    owed = {claim.number: claim.open_amount for claim in statement(case.id).claims}
    assert owed == {"older": 0, "R": 4_000}
