"""What a payment settles first, worked out by hand from sections 366, 367 and 497(3) BGB."""

from datetime import date
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.kernel.errors import InputError
from kulanz.law.allocation import ORDERS, Allocation, OpenItem, Order, allocate, order_of, order_row
from kulanz.law.packs import NoRate, load


def item(claim_id: int, due: str, cost: int = 0, interest: int = 0, principal: int = 0) -> OpenItem[int]:
    return OpenItem(claim_id, date.fromisoformat(due), cost, interest, principal)


def rows(allocation: Allocation[int]) -> list[tuple[int, str, int]]:
    return [(row.claim_id, row.account.value, row.amount) for row in allocation.rows]


ONE = item(1, "2026-01-15", cost=500, interest=300, principal=10_000)


def test_costs_then_interest_then_principal() -> None:
    paid = allocate(1_000, [ONE])
    assert rows(paid) == [(1, "cost", 500), (1, "interest", 300), (1, "principal", 200)]
    assert paid.rest == 0


def test_a_consumer_loan_pays_principal_before_interest() -> None:
    assert rows(allocate(1_000, [ONE], "497")) == [(1, "cost", 500), (1, "principal", 500)]
    assert rows(allocate(10_600, [ONE], "497")) == [
        (1, "cost", 500),
        (1, "principal", 10_000),
        (1, "interest", 100),
    ]


def test_a_payment_smaller_than_the_costs_settles_part_of_them() -> None:
    assert rows(allocate(120, [ONE])) == [(1, "cost", 120)]


def test_what_is_too_much_stays_as_credit() -> None:
    paid = allocate(12_000, [ONE])
    assert paid.rest == 12_000 - 10_800
    assert allocate(700, []) == Allocation((), 700)
    assert allocate(0, [ONE]) == Allocation((), 0)


def test_the_claim_due_first_is_settled_first_whatever_the_order_handed_in() -> None:
    younger, older = item(7, "2026-03-01", principal=5_000), item(8, "2026-02-01", cost=100, principal=5_000)
    expected = [(8, "cost", 100), (8, "principal", 5_000), (7, "principal", 900)]
    assert rows(allocate(6_000, [younger, older])) == expected == rows(allocate(6_000, [older, younger]))


def test_the_payers_designation_comes_before_the_due_date() -> None:
    older, younger = (
        item(1, "2026-01-01", principal=5_000),
        item(2, "2026-02-01", interest=50, principal=2_000),
    )
    paid = rows(allocate(2_500, [older, younger], designated=2))
    assert paid == [(2, "interest", 50), (2, "principal", 2_000), (1, "principal", 450)]


def test_a_designated_claim_that_is_settled_already_is_passed_over() -> None:
    assert rows(allocate(100, [item(1, "2026-01-01", principal=500)], designated=99)) == [
        (1, "principal", 100)
    ]


def test_claims_of_the_same_age_share_in_proportion() -> None:
    same = [item(1, "2026-01-01", principal=3_000), item(2, "2026-01-01", principal=1_000)]
    assert rows(allocate(1_000, same)) == [(1, "principal", 750), (2, "principal", 250)]
    small, large = item(1, "2026-01-01", principal=100), item(2, "2026-01-01", principal=200)
    assert rows(allocate(100, [small, large])) == [(1, "principal", 33), (2, "principal", 67)], (
        "33.3 and 66.7"
    )
    thirds = [item(n, "2026-01-01", principal=100) for n in (1, 2, 3)]
    assert rows(allocate(100, thirds)) == [(1, "principal", 34), (2, "principal", 33), (3, "principal", 33)]


def test_what_is_no_payment_is_refused() -> None:
    with pytest.raises(InputError, match="post a return"):
        allocate(-1, [ONE])
    with pytest.raises(InputError, match="negative"):
        allocate(1, [item(1, "2026-01-01", principal=-5)])
    with pytest.raises(InputError, match="named twice"):
        allocate(1, [ONE, ONE])


parts = st.integers(0, 2_000)
claims = st.lists(st.tuples(st.sampled_from(["2026-01-01", "2026-01-02", "2026-01-03"]), parts, parts, parts))


@given(
    amount=st.integers(0, 20_000),
    open_parts=claims,
    order=st.sampled_from(["367", "497"]),
    pick=st.integers(0, 9),
)
def test_sums_are_exact_and_the_order_is_kept(
    amount: int, open_parts: list[tuple[str, int, int, int]], order: Order, pick: int
) -> None:
    items = [item(number, *parts) for number, parts in enumerate(open_parts)]
    paid = allocate(amount, items, order, designated=pick)
    by_account = {(row.claim_id, row.account): row.amount for row in paid.rows}
    assert len(by_account) == len(paid.rows)
    assert sum(by_account.values()) + paid.rest == amount
    assert all(part > 0 for part in by_account.values())
    assert paid.rest == max(0, amount - sum(each.total for each in items))
    for each in items:
        left = [each.open(account) - by_account.get((each.claim_id, account), 0) for account in ORDERS[order]]
        assert min(left) >= 0
        for earlier, account in zip(left, ORDERS[order][1:], strict=False):
            assert earlier == 0 or (each.claim_id, account) not in by_account
    settled = {
        each.claim_id: sum(by_account.get((each.claim_id, a), 0) for a in ORDERS[order]) for each in items
    }
    for first in items:
        for second in items:
            before = first.claim_id == pick or (second.claim_id != pick and first.due_date < second.due_date)
            if before and first is not second and settled[second.claim_id]:
                assert settled[first.claim_id] == first.total


def test_the_pack_says_in_which_order_a_claim_is_settled() -> None:
    de = load("DE")
    assert order_of(de, date(2026, 1, 1), consumer_loan=False) == "367"
    assert order_of(de, date(2026, 1, 1), consumer_loan=True) == "497"
    assert order_of(load("UK"), date(2026, 1, 1), consumer_loan=True) == "367"
    assert order_row(load("US"), date(2026, 1, 1), consumer_loan=False).disputed_excluded
    assert not order_row(de, date(2026, 1, 1), consumer_loan=False).disputed_excluded
    with pytest.raises(NoRate):
        order_of(de, date(2001, 12, 31), consumer_loan=False)


def test_due_debts_come_first_then_the_least_secured_the_most_burdensome_and_the_oldest() -> None:
    day = date(2026, 3, 1)
    later = OpenItem("not due", date(2026, 3, 2), 0, 0, 100)
    secured = OpenItem("secured", date(2026, 1, 1), 0, 0, 100, security=1)
    heavy = OpenItem("heavy", date(2026, 2, 1), 0, 0, 100, burden=1)
    old = OpenItem("old", date(2026, 1, 5), 0, 0, 100)
    young = OpenItem("young", date(2026, 1, 6), 0, 0, 100)
    for order in permutations([later, secured, heavy, old, young]):
        spread = allocate(450, order, on=day)
        assert [row.claim_id for row in spread.rows] == ["heavy", "old", "young", "secured", "not due"]
        assert spread.rows[-1].amount == 50
    assert allocate(50, [later, secured]).rows[0].claim_id == "not due"
    assert allocate(50, [later, secured], on=date(2026, 3, 2)).rows[0].claim_id == "not due"
    assert allocate(50, [later, secured], on=day).rows[0].claim_id == "secured"
