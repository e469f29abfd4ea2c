"""Odd minor units, empty claims and what is refused, worked out by hand."""

from datetime import date

import pytest

from kulanz.kernel.errors import InputError
from kulanz.law.allocation import Allocation, OpenItem, allocate

DAY = date(2026, 1, 1)


def test_the_odd_cent_goes_to_the_largest_remainder_not_to_the_largest_claim() -> None:
    """50 over 200 and 100: 33.33 and 16.67; the second has the larger remainder."""
    large, small = OpenItem(1, DAY, 0, 0, 200), OpenItem(2, DAY, 0, 0, 100)
    assert [(row.claim_id, row.amount) for row in allocate(50, [large, small]).rows] == [(1, 33), (2, 17)]


def test_a_claim_with_nothing_open_takes_nothing() -> None:
    settled = OpenItem(1, DAY, 0, 0, 0)
    assert allocate(100, [settled]) == Allocation((), 100)
    assert allocate(100, [settled, OpenItem(2, date(2026, 1, 2), 0, 0, 100)]).rest == 0


@pytest.mark.parametrize("part", ["cost", "interest", "principal"])
def test_no_part_of_a_claim_may_be_negative(part: str) -> None:
    parts = {"cost": 5, "interest": 5, "principal": 5} | {part: -1}
    with pytest.raises(InputError) as refused:
        allocate(10, [OpenItem(1, DAY, **parts)])
    assert str(refused.value) == (
        "An open part of a claim is negative; set its credit off before allocating."
    )


def test_what_is_refused_says_what_to_do() -> None:
    item = OpenItem(1, DAY, 0, 0, 100)
    for amount, items, words in (
        (-1, [item], "A payment to allocate is not negative; post a return instead."),
        (1, [item, item], "A claim is named twice; hand in one open item per claim."),
    ):
        with pytest.raises(InputError) as refused:
            allocate(amount, items)
        assert str(refused.value) == words
