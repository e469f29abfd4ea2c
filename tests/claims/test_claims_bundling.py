"""One demand per customer: credit notes and what was paid too much settle claims before anybody is asked."""

from collections.abc import Callable
from datetime import date

import pytest
from django.db import transaction

from kulanz.claims import ledger
from kulanz.claims.accrual import accrue
from kulanz.claims.actions import book_payment, return_payment
from kulanz.claims.checks import check_ledger
from kulanz.claims.defaulting import set_default
from kulanz.claims.models import Case, Claim, Journal, Posting
from kulanz.claims.offsetting import offset
from kulanz.claims.queries import case_columns, statement
from kulanz.kernel.errors import NotFoundError
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import scope

DAY = date(2026, 3, 3)


def shown(case: Case) -> dict[str, tuple[int, str]]:
    return {claim.number: (claim.open_amount, str(claim.state)) for claim in statement(case.id).claims}


def pay(case: Case, amount: int, key: str = "p", day: date = DAY) -> None:
    book_payment(case.id, amount, value_date=day, key=key, method="transfer")


def test_a_credit_note_settles_the_oldest_claim_first(
    creditor: Creditor, make_case: Callable[..., Case]
) -> None:
    make_case(claim="old", amount=5_000, due=date(2026, 1, 10))
    make_case(claim="new", amount=7_000, due=date(2026, 2, 25))
    case = make_case(claim="note", amount=-6_000, due=date(2026, 2, 20))
    assert shown(case) == {"old": (0, "credited"), "note": (0, "credited"), "new": (6_000, "part_paid")}
    assert statement(case.id).open_amount == 6_000
    lines = Posting.objects.filter(journal__kind="offset").values_list(
        "claim__number", "account", "amount", "basis", "journal__value_date"
    )
    first, second = date(2026, 2, 6), date(2026, 2, 11)
    assert sorted(lines) == [
        ("new", "principal", -1_000, "offset", second),
        ("note", "principal", 1_000, "offset", second),
        ("note", "principal", 5_000, "offset", first),
        ("old", "principal", -5_000, "offset", first),
    ]
    assert check_ledger().differences == check_ledger().imbalances == 0


def test_it_counts_from_the_day_on_which_both_were_there(
    creditor: Creditor, make_case: Callable[..., Case]
) -> None:
    """The invoice is of 6 February (due 20 February), the credit note of 11 February (25 February)."""
    make_case(claim="invoice", amount=5_000, due=date(2026, 2, 20))
    make_case(claim="note", amount=-5_000, due=date(2026, 2, 25))
    assert Journal.objects.get(kind="offset").value_date == date(2026, 2, 11)


def test_nothing_is_asked_for_where_the_credit_is_larger(
    creditor: Creditor, make_case: Callable[..., Case]
) -> None:
    make_case(claim="invoice", amount=5_000)
    case = make_case(claim="note", amount=-8_000)
    assert shown(case) == {"invoice": (0, "credited"), "note": (-3_000, "credited")}
    assert len(case_columns(0, 10).case_id) == 0
    assert statement(case.id).open_amount == 0


def test_what_a_credit_note_leaves_waits_for_the_next_claim(
    creditor: Creditor, make_case: Callable[..., Case]
) -> None:
    make_case(claim="note", amount=-8_000)
    case = make_case(claim="invoice", amount=5_000)
    assert shown(case) == {"note": (-3_000, "credited"), "invoice": (0, "credited")}
    make_case(claim="next", amount=4_000, due=date(2026, 3, 20))
    assert shown(case)["next"] == (1_000, "part_paid")
    assert shown(case)["note"] == (0, "credited")


def test_what_was_paid_too_much_settles_the_next_claim(
    creditor: Creditor, make_case: Callable[..., Case]
) -> None:
    case = make_case(claim="first", amount=10_000)
    pay(case, 12_500)
    make_case(claim="next", amount=4_000, due=date(2026, 3, 30))
    assert shown(case) == {"first": (0, "paid"), "next": (1_500, "part_paid")}
    assert statement(case.id).credit == 0
    assert Journal.objects.get(kind="offset").value_date == date(2026, 3, 16)


def test_two_credit_notes_are_used_in_their_order(creditor: Creditor, make_case: Callable[..., Case]) -> None:
    make_case(claim="later", amount=-3_000, due=date(2026, 2, 15))
    make_case(claim="earlier", amount=-3_000, due=date(2026, 2, 10))
    case = make_case(claim="invoice", amount=4_000)
    assert {n: owed for n, (owed, _) in shown(case).items()} == {"earlier": 0, "later": -2_000, "invoice": 0}


def test_a_second_time_nothing_is_posted(creditor: Creditor, make_case: Callable[..., Case]) -> None:
    make_case(claim="invoice", amount=5_000)
    case = make_case(claim="note", amount=-2_000)
    before = Journal.objects.count()
    assert offset(case.id) == 0
    assert Journal.objects.count() == before


def test_cases_without_credit_are_left_alone(creditor: Creditor, make_case: Callable[..., Case]) -> None:
    make_case("A", amount=-2_000)
    make_case("B", amount=2_000)
    assert not Journal.objects.filter(kind="offset").exists()


def test_currencies_do_not_settle_each_other(creditor: Creditor, make_case: Callable[..., Case]) -> None:
    euros = make_case(claim="euros", amount=5_000)
    make_case(claim="dollars", amount=-5_000, currency="USD")
    assert shown(euros) == {"euros": (5_000, "open")}


def test_another_creditors_case_does_not_exist(
    creditor: Creditor, other_creditor: Creditor, make_case: Callable[..., Case]
) -> None:
    case = make_case()
    with scope(other_creditor.id), pytest.raises(NotFoundError):
        offset(case.id)


def test_credit_lowers_the_principal_that_bears_interest(
    creditor: Creditor, make_case: Callable[..., Case]
) -> None:
    """100,000.00 in default since 21 February; a credit note of 50,000.00 counts from 23 February (due 9 March).

    Two days on the whole, 3,435.62 cents; the note settles these 34.36 EUR first and 49,965.64 of the principal. The
    rest of 5,003,436 cents bears 8 days until 3 March, 6,875.95: 10,311.57 in all.
    """
    creditor.charges_interest = True
    creditor.save()
    case = make_case(claim="invoice", amount=10_000_000)
    set_default(Claim.objects.get(number="invoice").id, date(2026, 2, 21), "test")
    accrue(DAY)
    make_case(claim="note", amount=-5_000_000, due=date(2026, 3, 9))
    rows = Posting.objects.filter(case=case, account="interest", journal__kind="interest")
    charged = sum(rows.values_list("amount", flat=True))
    assert charged == 10_312
    lines = dict(
        Posting.objects.filter(journal__kind="offset", claim__number="invoice").values_list(
            "account", "amount"
        )
    )
    assert lines == {"interest": -3_436, "principal": -(5_000_000 - 3_436)}


class TestReturns:
    def test_credit_is_taken_back_from_the_last_claim_first(
        self, creditor: Creditor, make_case: Callable[..., Case]
    ) -> None:
        """Two payments leave 60.00 and 20.00 of credit; 30.00 and 50.00 were used. Each return takes back its own."""
        case = make_case(claim="first", amount=10_000)
        pay(case, 16_000, "a")
        pay(case, 2_000, "b")
        make_case(claim="second", amount=3_000, due=date(2026, 3, 25))
        make_case(claim="third", amount=5_000, due=date(2026, 3, 26))
        assert {n: owed for n, (owed, _) in shown(case).items()} == {"first": 0, "second": 0, "third": 0}
        return_payment("b", value_date=date(2026, 3, 30), key="rb")
        assert {n: owed for n, (owed, _) in shown(case).items()} == {"first": 0, "second": 0, "third": 2_000}
        return_payment("a", value_date=date(2026, 3, 31), key="ra")
        assert {n: owed for n, (owed, _) in shown(case).items()} == {
            "first": 10_000,
            "second": 3_000,
            "third": 5_000,
        }
        assert statement(case.id).credit == 0
        assert check_ledger().differences == 0

    def test_a_credit_note_stays_used_when_a_payment_is_returned(
        self, creditor: Creditor, make_case: Callable[..., Case]
    ) -> None:
        """30.00 of a note and 20.00 paid too much settled 50.00: the return of the payment opens 20.00 again."""
        case = make_case(claim="first", amount=10_000)
        pay(case, 12_000, "a")
        make_case(claim="note", amount=-3_000, due=date(2026, 3, 20))
        make_case(claim="second", amount=5_000, due=date(2026, 3, 25))
        assert {n: owed for n, (owed, _) in shown(case).items()} == {"first": 0, "note": 0, "second": 0}
        return_payment("a", value_date=date(2026, 3, 30), key="ra")
        owed = {n: owed for n, (owed, _) in shown(case).items()}
        assert owed == {"first": 10_000, "note": 0, "second": 2_000}


class TestCreditOnAClaim:
    def test_with_nothing_else_open_the_rest_stands_in_credit(
        self, creditor: Creditor, make_case: Callable[..., Case]
    ) -> None:
        case = make_case(claim="claim", amount=10_000)
        pay(case, 7_000)
        credit(case, "claim", 5_000)
        offset(case.id)
        assert shown(case)["claim"] == (0, "paid")
        assert statement(case.id).credit == 2_000

    def test_a_cost_is_settled_from_credit_before_the_next_payment(
        self, creditor: Creditor, make_case: Callable[..., Case]
    ) -> None:
        """20.00 stand in credit when 5.00 of cost are charged; 10.00 more make it 25.00."""
        case = make_case(claim="claim", amount=10_000)
        pay(case, 12_000)
        claim = Claim.objects.get(number="claim").id
        lines = (
            ledger.Line("cost_return", 500, claim, "return_cost"),
            ledger.Line("earned", -500, claim, "return_cost"),
        )
        with transaction.atomic():
            ledger.post(ledger.Entry("cost", "cost", case.id, DAY, lines))
        pay(case, 1_000, "q")
        assert shown(case)["claim"] == (0, "paid")
        assert statement(case.id).credit == 2_500
        assert Posting.objects.filter(journal__key="q", account="credit").get().amount == -1_000

    def test_what_a_note_gives_beyond_the_rest_becomes_credit(
        self, creditor: Creditor, make_case: Callable[..., Case]
    ) -> None:
        """100.00, paid but for 30.00; a note of 50.00 on the claim itself leaves 20.00 for the other claim."""
        case = make_case(claim="claim", amount=10_000)
        make_case(claim="other", amount=6_000, due=date(2026, 2, 25))
        pay(case, 7_000)
        credit(case, "claim", 5_000)
        offset(case.id)
        assert {n: owed for n, (owed, _) in shown(case).items()} == {"claim": 0, "other": 4_000}
        assert statement(case.id).credit == 0

    def test_a_principal_below_zero_bears_no_interest(
        self, creditor: Creditor, make_case: Callable[..., Case]
    ) -> None:
        """Overtaken by a credit note of which nobody set the rest off yet: nothing negative is charged."""
        creditor.charges_interest = True
        creditor.save()
        for number in ("A", "B"):
            case = make_case(number, claim=f"claim {number}", amount=10_000_000)
            set_default(Claim.objects.get(case=case).id, date(2026, 2, 21), "test")
        credit(case, "claim B", 15_000_000, date(2026, 2, 21))
        assert accrue(DAY).total == 17_178


def credit(case: Case, number: str, amount: int, day: date = DAY) -> None:
    claim = Claim.objects.get(number=number).id
    lines = (
        ledger.Line("principal", -amount, claim, "credit_note"),
        ledger.Line("invoiced", amount, claim, "credit_note"),
    )
    with transaction.atomic():
        ledger.post(ledger.Entry(f"credit:{number}", "credit_note", case.id, day, lines))
