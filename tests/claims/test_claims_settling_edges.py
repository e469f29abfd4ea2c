"""The corrections that a late fact leaves: their keys, days, causes and what a history says of a case."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import transaction

from kulanz.claims import ledger, settling
from kulanz.claims.accrual import Accrued, accrue
from kulanz.claims.actions import book_payment, lock_case, return_payment
from kulanz.claims.defaulting import set_default
from kulanz.claims.models import Account, Case, Claim, Customer, Journal, Posting
from kulanz.claims.offsetting import last_taken, offset
from kulanz.claims.replay import Debt, Place
from kulanz.claims.settling import History, NewFact, read_history, settle
from kulanz.kernel.errors import NotFoundError
from kulanz.law.caveats import Caveat
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import scope

DUE = (date(2026, 2, 10), date(2026, 2, 15))
START = date(2026, 2, 25)


def day(n: int) -> date:
    return date(2026, 3, n)


@pytest.fixture
def case(creditor: Creditor, make_case) -> Case:
    """Two invoices of one customer, 100.00 and 200.00."""
    for number, due in enumerate(DUE):
        made: Case = make_case(claim=f"R{number}", amount=10_000 * (number + 1), due=due)
    return made


@pytest.fixture
def bearing(case: Case, creditor: Creditor) -> Case:
    """In default from 25 February on at 6.27 percent: 1.7178 and 3.4356 cents a day."""
    creditor.charges_interest = True
    creditor.save()
    for claim in claims(case):
        set_default(claim, START, "test")
    return case


def claims(case: Case) -> list[int]:
    return list(Claim.objects.filter(case=case).order_by("due_date").values_list("id", flat=True))


def pay(case: Case, amount: int, on: date, key: str) -> int:
    return book_payment(case.id, amount, value_date=on, key=key, method="transfer").journal_id


def journals(kind: str) -> list[tuple[str, date, str, dict[str, object]]]:
    rows = Journal.objects.filter(kind=kind).order_by("id")
    return [(j.key, j.value_date, j.cause, j.details) for j in rows]


def lines(key: str) -> list[tuple[int | None, str, int, str]]:
    rows = Posting.objects.filter(journal__key=key).order_by("claim_id", "account")
    return [(p.claim_id, p.account, p.amount, p.basis) for p in rows]


def test_corrections_are_numbered_through_the_life_of_a_case(case: Case) -> None:
    first, second = claims(case)
    pay(case, 10_000, day(5), "p5")
    pay(case, 4_000, day(2), "p2")
    pay(case, 4_000, day(1), "p1")
    assert journals("reallocation") == [
        (f"reallocation:{case.id}:0", day(5), "claims", {"because": "p2"}),
        (f"reallocation:{case.id}:1", day(5), "claims", {"because": "p1"}),
    ]
    assert lines(f"reallocation:{case.id}:0") == [
        (first, "principal", 4_000, "payment"),
        (second, "principal", -4_000, "payment"),
    ]
    assert Journal.objects.get(key="p2").details == {}
    assert Journal.objects.get(key="p2").cause == "payments"


def test_a_payment_and_its_return_remember_what_they_name(case: Case) -> None:
    _, second = claims(case)
    paid = book_payment(
        case.id, 500, value_date=day(3), key="p", method="transfer", designated=second
    ).journal_id
    back = return_payment("p", value_date=day(4), key="r")
    assert Journal.objects.get(key="p").details == {"designated": second}
    assert Journal.objects.get(key="r").details == {"undoes": paid}
    history = read_history(case.id)
    assert [(f.order, f.day, f.kind, f.designated, f.undoes) for f in history.facts[2:]] == [
        (paid, day(3), "payment", second, None),
        (back, day(4), "payment_return", None, paid),
    ]
    assert history.places == {
        Place(day(3), "payment", None, "received"): 500,
        Place(day(3), "payment", second, "principal"): -500,
        Place(day(4), "payment_return", None, "received"): -500,
        Place(day(4), "payment_return", second, "principal"): 500,
    }
    assert (history.corrections, history.interest, history.accrued_to) == (0, [], None)


def test_a_history_knows_its_claims_and_what_was_accrued(bearing: Case) -> None:
    first, second = claims(bearing)
    accrue(day(2))
    accrue(day(5))
    history = read_history(bearing.id)
    assert history.debts == (
        Debt(first, DUE[0], False, START, "367"),
        Debt(second, DUE[1], False, START, "367"),
    )
    assert {fact.day for fact in history.interest} == {day(2), day(5)}
    assert history.accrued_to == day(5)
    assert all(fact.kind == "opened" for fact in history.facts)
    assert History(()).accrued_to is None


def test_interest_that_is_taken_back_and_charged_again_has_keys_of_its_own(bearing: Case) -> None:
    """Five days to 1 March: 8.589 and 17.178. 100.00 of 26 February: one day before, 1.7178; these
    2 cents and 99.98 are settled, and what the last 2 cents bear is nothing."""
    first, second = claims(bearing)
    accrue(day(2))
    assert [line[2] for line in lines(f"interest:{first}:{day(2)}")] == [-9, 9]
    late = date(2026, 2, 26)
    pay(bearing, 10_000, late, "late")
    assert lines(f"interest:{first}:{late}") == [
        (first, "earned", -2, "interest"),
        (first, "interest", 2, "interest"),
    ]
    assert lines(f"interest:{first}:{day(2)}:1") == [
        (first, "earned", 9, "interest"),
        (first, "interest", -9, "interest"),
    ]
    corrected = Journal.objects.get(key=f"interest:{first}:{day(2)}:1")
    assert (corrected.kind, corrected.value_date, corrected.cause) == ("interest", day(2), "claims")
    assert corrected.details == {"to": "2026-03-02", "because": "late"}
    return_payment("late", value_date=late, key="back")
    keys = [key for key, *_ in journals("interest") if key.startswith(f"interest:{first}:{day(2)}")]
    assert keys == [
        f"interest:{first}:{day(2)}",
        f"interest:{first}:{day(2)}:1",
        f"interest:{first}:{day(2)}:2",
    ]
    assert {f"interest:{second}:{late}", f"interest:{second}:{day(2)}"} <= {
        k for k, *_ in journals("interest")
    }


def test_interest_on_a_claim_that_is_not_in_default_stands_as_it_was_charged(
    case: Case, creditor: Creditor
) -> None:
    """50 cents by agreement on R1, while R0 alone is in default: a late payment settles them with the rest."""
    first, second = claims(case)
    creditor.charges_interest = True
    creditor.save()
    set_default(first, START, "test")
    lines_ = (
        ledger.Line(Account.INTEREST, 50, second, "interest"),
        ledger.Line(Account.EARNED, -50, second, "interest"),
    )
    ledger.post(ledger.Entry("agreed", Journal.Kind.INTEREST, case.id, START, lines_))
    pay(case, 30_050, START, "p")
    assert set(lines("p")) == {
        (None, "received", 30_050, "payment"),
        (first, "principal", -10_000, "payment"),
        (second, "interest", -50, "payment"),
        (second, "principal", -20_000, "payment"),
    }


def test_settling_says_how_many_journals_it_took_and_none_the_second_time(case: Case) -> None:
    pay(case, 30_500, day(3), "p")
    assert settle(case.id, "x") == 0
    lines_ = (
        ledger.Line(Account.COST, 200, claims(case)[0], "reminder_cost"),
        ledger.Line(Account.EARNED, -200, claims(case)[0], "reminder_cost"),
    )
    ledger.post(ledger.Entry("letter", Journal.Kind.COST, case.id, day(4), lines_))
    assert offset(case.id, "letter") == 1
    assert journals("offset") == [(f"offset:{case.id}:0", day(4), "claims", {"because": "letter"})]
    assert set(lines(f"offset:{case.id}:0")) == {
        (claims(case)[0], "cost", -200, "offset"),
        (None, "credit", 200, "offset"),
    }
    assert offset(case.id) == 0
    assert read_history(case.id).corrections == 1
    with pytest.raises(NotFoundError):
        offset(10**9)


def test_a_set_off_without_a_cause_names_itself(case: Case) -> None:
    first = claims(case)[0]
    pay(case, 30_100, day(3), "p")
    lines_ = (
        ledger.Line(Account.COST, 100, first, "reminder_cost"),
        ledger.Line(Account.EARNED, -100, first, "reminder_cost"),
    )
    ledger.post(ledger.Entry("letter", Journal.Kind.COST, case.id, day(4), lines_))
    assert offset(case.id) == 1
    assert journals("offset")[0][3] == {"because": "offset"}


def test_a_late_payment_settles_the_claim_it_names(case: Case) -> None:
    first, second = claims(case)
    pay(case, 1_000, day(5), "p5")
    book_payment(case.id, 700, value_date=day(2), key="p2", method="transfer", designated=second)
    assert set(lines("p2")) == {(None, "received", 700, "payment"), (second, "principal", -700, "payment")}
    assert set(lines("p5")) == {(None, "received", 1_000, "payment"), (first, "principal", -1_000, "payment")}
    assert journals("reallocation") == []


def test_a_booked_payment_returns_its_lines(case: Case) -> None:
    first, _ = claims(case)
    with transaction.atomic():
        lock_case(case.id)
        journal, found = settling.book(case.id, NewFact("p", "payment", day(3), 700, cause="test"))
    assert [(line.claim_id, line.account, line.amount) for line in found] == [
        (None, "received", 700),
        (first, "principal", -700),
    ]
    stored = Journal.objects.get(id=journal)
    assert (stored.key, stored.kind, stored.value_date, stored.cause) == ("p", "payment", day(3), "test")
    assert settle(case.id, "again") == 0


@pytest.mark.parametrize(
    ("kind", "customer", "jurisdiction", "order"),
    [
        ("loan", "person", "DE", "497"),
        ("loan", "company", "DE", "367"),
        ("invoice", "person", "DE", "367"),
        ("loan", "person", "CH", "367"),
    ],
)
def test_a_consumers_loan_alone_has_an_order_of_its_own(
    case: Case, kind: str, customer: str, jurisdiction: str, order: str
) -> None:
    Claim.objects.filter(case=case).update(kind=kind, jurisdiction=jurisdiction)
    Customer.objects.update(kind=customer)
    assert {debt.order for debt in read_history(case.id).debts} == {order}


def test_a_credit_note_is_a_debt_the_other_way_round(case: Case) -> None:
    Claim.objects.filter(id=claims(case)[1]).update(kind="credit_note")
    assert [debt.credit_note for debt in read_history(case.id).debts] == [False, True]


def test_the_last_day_on_which_something_was_taken(case: Case, make_case, other_creditor) -> None:
    other = make_case("K2")
    assert last_taken([case.id, other.id]) == {}
    assert last_taken([]) == {}
    pay(case, 100, day(3), "p3")
    pay(case, 100, day(1), "p1")
    pay(other, 100, day(2), "p2")
    assert last_taken([case.id, other.id]) == {case.id: day(3), other.id: day(2)}
    assert last_taken([other.id]) == {other.id: day(2)}
    with scope(other_creditor.id):
        assert last_taken([case.id, other.id]) == {}


def test_runs_add_up_by_currency() -> None:
    doubt, other = Caveat("a", START, "x"), Caveat("b", START, "y")
    one = Accrued(1, 2, (("CHF", 5), ("EUR", 7)), 3, (other,))
    two = Accrued(10, 20, (("EUR", 70), ("AUD", 1)), 30, (doubt, other))
    assert one + two == Accrued(11, 22, (("AUD", 1), ("CHF", 5), ("EUR", 77)), 33, (doubt, other))
    assert one + Accrued() == one == Accrued() + one
    assert (one.total, Accrued().total) == (12, 0)


def test_a_run_tells_how_each_amount_was_worked_out(bearing: Case, creditor: Creditor) -> None:
    second = claims(bearing)[1]
    done = accrue(day(2))
    assert (done.claims, done.posted, done.totals, done.without_rate) == (2, 2, (("EUR", 26),), 0)
    stored = Journal.objects.get(key=f"interest:{second}:{day(2)}")
    assert (stored.kind, stored.value_date, stored.cause) == ("interest", day(2), "claims")
    assert stored.details | {"unverified": []} == {
        "from": "2026-02-25",
        "to": "2026-03-01",
        "over": "base",
        "percent": "5",
        "highest": None,
        "day_count": "act/act",
        "unverified": [],
    }
    assert [caveat.what for caveat in done.caveats] == stored.details["unverified"]
    assert accrue(day(2)) == Accrued(claims=2)
    assert accrue(day(1)).posted == 0
    before = Journal.objects.count()
    dry = accrue(day(9), dry_run=True)
    assert (dry.posted, Journal.objects.count()) == (2, before)
    assert accrue(day(9)) == dry


def test_a_lower_rate_of_the_creditor_is_told(bearing: Case, creditor: Creditor) -> None:
    creditor.max_interest_rate = "3.65"
    creditor.save()
    first, _ = claims(bearing)
    with scope(creditor.id):
        assert accrue(date(2026, 3, 7)).totals == (("EUR", 30),), "10 days of 1 and 2 cents"
    told = Journal.objects.get(key=f"interest:{first}:2026-03-07").details["highest"]
    assert Decimal(told) == Decimal("3.65")
