"""Offers decided: sums, limits and days. Expected values are worked out by hand."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.payments.offers.rules import (
    Discounts,
    OfferTerms,
    Owing,
    days,
    discounts,
    instalments,
    proposal,
    to_give_up,
)
from kulanz.payments.plans.rules import PlanTerms, decide, schedule

DAY = date(2026, 3, 3)
OPEN = OfferTerms(discounts=True, on_principal=True)


def owing(due: int, charges: int = 0, age: int = 40, *, old: bool = False, lately: bool = False) -> Owing:
    return Owing(*(np.array([value]) for value in (due, charges, age)), np.array([old]), np.array([lately]))


def off(found: Discounts) -> int | None:
    return int(found.off[0]) if found.possible[0] else None


@pytest.mark.parametrize(
    ("what", "terms", "expected"),
    [
        (owing(10_000), OPEN, 1_000),
        (owing(9_999), OPEN, 999),
        (owing(80_000), OPEN, 5_000),
        (owing(10_000), OfferTerms(), None),
        (owing(10_000), OfferTerms(discounts=True), None),
        (owing(10_000, 450), OfferTerms(discounts=True), 450),
        (owing(10_000, 3_000), OfferTerms(discounts=True), 1_000),
        (owing(10_000, age=29), OPEN, None),
        (owing(10_000, age=30), OPEN, 1_000),
        (owing(10_000, old=True), OPEN, None),
        (owing(10_000, lately=True), OPEN, None),
        (owing(999), OPEN, None),
        (owing(1_000), OPEN, 100),
        (owing(0), OPEN, None),
    ],
)
def test_a_discount_stays_within_every_limit(what: Owing, terms: OfferTerms, expected: int | None) -> None:
    assert off(discounts(what, terms)) == expected


@given(
    due=st.integers(0, 10**9),
    charges=st.integers(0, 10**9),
    share=st.integers(0, 90),
    most=st.integers(0, 10**6),
    least=st.integers(0, 10**4),
    principal=st.booleans(),
)
def test_a_discount_never_takes_more_than_allowed_and_leaves_something_to_pay(
    due: int, charges: int, share: int, most: int, least: int, principal: bool
) -> None:
    terms = OfferTerms(
        discounts=True, share=share, max_discount=most, min_discount=least, on_principal=principal
    )
    found = off(discounts(owing(due, min(charges, due)), terms))
    if found is not None:
        assert max(1, least) <= found <= most
        assert 100 * found <= share * due
        assert found < due
        assert principal or found <= charges


@pytest.mark.parametrize(
    ("open_amount", "plan", "rate"),
    [
        (10_000, PlanTerms(), 2_000),
        (60_000, PlanTerms(), 10_000),
        (60_001, PlanTerms(), 10_500),
        (12_000, PlanTerms(min_rate=5_000), 6_000),
        (60_000, PlanTerms(max_months=3), 20_000),
        (4_000, PlanTerms(), 2_000),
        (3_999, PlanTerms(), None),
        (4_100, PlanTerms(), 2_500),
        (60_000, PlanTerms(offered=False), None),
        (60_000, PlanTerms(max_amount=59_999), None),
        (60_000, PlanTerms(max_months=1), None),
        (60_000, PlanTerms(rhythms=()), None),
    ],
)
def test_a_plan_is_offered_where_the_creditors_rules_accept_it(
    open_amount: int, plan: PlanTerms, rate: int | None
) -> None:
    found = instalments(np.array([open_amount]), OfferTerms(), plan)
    assert (int(found.rate[0]) if found.possible[0] else None) == rate


@given(
    open_amount=st.integers(1, 10**7),
    min_rate=st.integers(1, 10**5),
    months=st.integers(1, 36),
    window=st.integers(2, 90),
    valid=st.integers(3, 30),
    asked=st.integers(0, 40),
)
def test_every_offered_plan_is_accepted_as_long_as_the_offer_stands(
    open_amount: int, min_rate: int, months: int, window: int, valid: int, asked: int
) -> None:
    plan = PlanTerms(min_rate=min_rate, max_months=months, start_within_days=window, max_amount=10**7)
    terms = OfferTerms(valid_days=valid)
    found = instalments(np.array([open_amount]), terms, plan)
    told = days("plan", DAY, terms, plan)
    taken = DAY + timedelta(days=asked)
    if found.possible[0] and taken <= told.until:
        offered = proposal(int(found.rate[0]), told.day)
        assert decide(offered, plan, taken, open_amount).accepted
        rates = schedule(open_amount, offered)
        assert sum(rate.amount for rate in rates) == open_amount
        assert 2 <= len(rates) <= 6


def test_an_offer_ends_before_the_day_that_it_names() -> None:
    terms, plan = OfferTerms(), PlanTerms()
    assert (days("discount", DAY, terms, plan).until, days("plan", DAY, terms, plan).day) == (
        date(2026, 3, 17),
        date(2026, 3, 18),
    )
    later = days("later", DAY, OfferTerms(later_days=10), plan)
    assert (later.day, later.until) == (date(2026, 3, 13), date(2026, 3, 12))
    early = days("plan", DAY, terms, PlanTerms(start_within_days=5))
    assert (early.day, early.until) == (date(2026, 3, 8), date(2026, 3, 7))


@pytest.mark.parametrize(
    ("left", "full", "changed", "received", "expected"),
    [
        (1_500, 10_000, 0, 8_500, 1_500),
        (1_560, 10_000, 60, 8_500, 1_560),
        (21_500, 10_000, 20_000, 8_500, 21_500),
        (21_500, 10_000, 0, 8_500, 1_500),
        (1_000, 10_000, -500, 8_500, 1_000),
        (0, 10_000, 0, 10_000, 0),
        (500, 10_000, 0, 12_000, 0),
    ],
)
def test_no_more_is_given_up_than_was_agreed(
    left: int, full: int, changed: int, received: int, expected: int
) -> None:
    assert to_give_up(left, full, changed, received) == expected
