"""Schedules, the creditor's rules and the nearest offer, as plain values."""

from datetime import date, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.kernel.errors import InputError
from kulanz.payments.plans.rules import (
    Cost,
    PlanTerms,
    Proposal,
    Reason,
    Rhythm,
    decide,
    due_days,
    most_rates,
    nearest,
    put_off,
    schedule,
    start_window,
)

TODAY = date(2026, 3, 3)
MONTHLY = Proposal(Rhythm.MONTHLY, date(2026, 3, 15), rate=3000)
TERMS = PlanTerms()

rhythms = st.sampled_from(list(Rhythm))
days = st.dates(date(2024, 1, 1), date(2030, 12, 31))


def proposed(rhythm, first_on, rate, count, pay_day):
    by_rate = rate is not None
    return Proposal(
        rhythm,
        first_on,
        rate if by_rate else None,
        None if by_rate else count,
        pay_day if rhythm is Rhythm.SALARY_DAY else None,
    )


proposals = st.builds(
    proposed,
    rhythms,
    days,
    st.one_of(st.none(), st.integers(1, 2_000_000)),
    st.integers(1, 700),
    st.integers(1, 31),
)
terms = st.builds(
    PlanTerms,
    min_rate=st.integers(0, 50_000),
    max_months=st.integers(0, 60),
    start_within_days=st.integers(0, 90),
    rhythms=st.lists(rhythms, min_size=1, unique=True).map(tuple),
    max_amount=st.just(10**12),
)


def rates(total: int, proposal: Proposal) -> list[tuple[str, int]]:
    return [(rate.due_on.isoformat(), rate.amount) for rate in schedule(total, proposal)]


def test_one_hundred_in_rates_of_thirty_leaves_ten_for_the_last() -> None:
    assert rates(10_000, MONTHLY) == [
        ("2026-03-15", 3000),
        ("2026-04-15", 3000),
        ("2026-05-15", 3000),
        ("2026-06-15", 1000),
    ]


def test_one_hundred_in_three_rates_puts_the_odd_cent_last() -> None:
    fortnightly = Proposal(Rhythm.FORTNIGHTLY, date(2026, 3, 6), count=3)
    assert rates(10_000, fortnightly) == [("2026-03-06", 3333), ("2026-03-20", 3333), ("2026-04-03", 3334)]


def test_the_thirty_first_is_the_last_day_of_shorter_months_and_comes_back() -> None:
    from_january = Proposal(Rhythm.MONTHLY, date(2028, 1, 31), count=4)
    assert [day for day, _ in rates(4000, from_january)] == [
        "2028-01-31",
        "2028-02-29",
        "2028-03-31",
        "2028-04-30",
    ]


@pytest.mark.parametrize(
    ("first_on", "pay_day", "due"),
    [
        (date(2026, 3, 10), 15, ["2026-03-15", "2026-04-15", "2026-05-15"]),
        (date(2026, 3, 16), 15, ["2026-04-15", "2026-05-15", "2026-06-15"]),
        (date(2026, 3, 15), 15, ["2026-03-15", "2026-04-15", "2026-05-15"]),
        (date(2027, 2, 1), 31, ["2027-02-28", "2027-03-31", "2027-04-30"]),
        (date(2026, 12, 30), 29, ["2027-01-29", "2027-02-28", "2027-03-29"]),
    ],
)
def test_on_salary_day_the_first_rate_is_the_next_such_day(first_on, pay_day, due) -> None:
    proposal = Proposal(Rhythm.SALARY_DAY, first_on, count=3, pay_day=pay_day)
    assert [day for day, _ in rates(3000, proposal)] == due


@given(total=st.integers(1, 1_000_000), proposal=proposals)
def test_the_rates_are_exactly_the_debt_and_fall_due_one_after_the_other(total, proposal) -> None:
    try:
        found = schedule(total, proposal)
    except InputError:
        assert (proposal.count or 0) > min(total, 600) or (proposal.rate and total // proposal.rate > 600)
        return
    assert sum(rate.amount for rate in found) == total
    assert all(rate.amount > 0 for rate in found)
    assert [rate.number for rate in found] == list(range(1, len(found) + 1))
    assert all(a.due_on < b.due_on for a, b in pairwise(found))
    assert found[0].due_on >= proposal.first_on
    assert len({rate.amount for rate in found[:-1]}) <= 1
    if proposal.rate:
        assert all(rate.amount == proposal.rate for rate in found[:-1])
        assert found[-1].amount <= proposal.rate
    else:
        assert len(found) == proposal.count


@given(total=st.integers(1, 1_000_000), proposal=proposals, terms=terms)
def test_what_is_accepted_keeps_every_rule_and_the_nearest_offer_is_accepted(total, proposal, terms) -> None:
    decision = decide(proposal, terms, TODAY, total)
    offered = proposal if decision.accepted else decision.nearest
    assert offered is not None
    assert decide(offered, terms, TODAY, total).accepted
    first, last = start_window(terms, TODAY)
    assert first <= offered.first_on <= last
    assert offered.rhythm in terms.rhythms
    found = schedule(total, offered)
    assert all(rate.amount >= min(terms.min_rate, total) for rate in found[:-1])
    assert len(found) <= most_rates(offered, terms)
    if decision.accepted:
        assert nearest(proposal, terms, TODAY, total) in (proposal, _capped(proposal, total))


def _capped(proposal: Proposal, total: int) -> Proposal:
    """A rate above the debt is the debt."""
    return Proposal(
        proposal.rhythm, proposal.first_on, total if proposal.rate else None, proposal.count, proposal.pay_day
    )


@pytest.mark.parametrize(
    ("proposal", "owed", "reason", "offered"),
    [
        (MONTHLY, 10_000, Reason.ACCEPTED, None),
        (MONTHLY, 0, Reason.NOTHING_OWED, None),
        (MONTHLY, 500_001, Reason.NEEDS_PERSON, None),
        (MONTHLY, 36_000, Reason.ACCEPTED, None),
        # 12 rates fit into 12 months; 360.01 in rates of 30.00 would be 13, 30.01 each are 12
        (MONTHLY, 36_001, Reason.TOO_LONG, Proposal(Rhythm.MONTHLY, date(2026, 3, 15), rate=3001)),
        (
            Proposal(Rhythm.MONTHLY, date(2026, 3, 15), rate=1999),
            10_000,
            Reason.RATE_TOO_SMALL,
            Proposal(Rhythm.MONTHLY, date(2026, 3, 15), rate=2000),
        ),
        (
            Proposal(Rhythm.MONTHLY, date(2026, 3, 15), count=6),
            10_000,
            Reason.RATE_TOO_SMALL,
            Proposal(Rhythm.MONTHLY, date(2026, 3, 15), count=5),
        ),
        (
            Proposal(Rhythm.MONTHLY, date(2026, 3, 15), count=13),
            100_000,
            Reason.TOO_LONG,
            Proposal(Rhythm.MONTHLY, date(2026, 3, 15), count=12),
        ),
        (
            Proposal(Rhythm.MONTHLY, date(2026, 4, 4), rate=3000),
            10_000,
            Reason.TOO_LATE,
            Proposal(Rhythm.MONTHLY, date(2026, 4, 3), rate=3000),
        ),
        (
            Proposal(Rhythm.MONTHLY, date(2026, 3, 3), rate=3000),
            10_000,
            Reason.TOO_EARLY,
            Proposal(Rhythm.MONTHLY, date(2026, 3, 4), rate=3000),
        ),
    ],
)
def test_the_decision_says_why_and_what_would_do(proposal, owed, reason, offered) -> None:
    decision = decide(proposal, TERMS, TODAY, owed)
    assert (decision.reason, decision.nearest) == (reason, offered)


def test_a_rhythm_that_is_not_offered_becomes_the_usual_one() -> None:
    weekly = Proposal(Rhythm.WEEKLY, date(2026, 3, 15), rate=3000)
    only = PlanTerms(rhythms=(Rhythm.FORTNIGHTLY, Rhythm.MONTHLY))
    assert decide(weekly, only, TODAY, 10_000).reason is Reason.RHYTHM
    assert decide(weekly, only, TODAY, 10_000).nearest == MONTHLY


def test_where_plans_are_off_only_a_person_can_help() -> None:
    for off in (PlanTerms(offered=False), PlanTerms(rhythms=())):
        decision = decide(MONTHLY, off, TODAY, 10_000)
        assert (decision.reason, decision.nearest) == (Reason.NOT_OFFERED, None)


def test_all_of_a_small_debt_is_never_too_little() -> None:
    assert decide(Proposal(Rhythm.MONTHLY, date(2026, 3, 15), rate=1500), TERMS, TODAY, 1500).accepted


def test_the_cost_counts_for_the_length_of_the_plan() -> None:
    assert Cost(36_000, fee=10, interest=5).total == 36_015
    assert decide(MONTHLY, TERMS, TODAY, 36_000, total=36_015).reason is Reason.TOO_LONG


def test_a_pause_puts_a_rate_off_by_a_month_and_keeps_its_day() -> None:
    assert put_off(date(2026, 2, 28), Rhythm.MONTHLY, 31) == date(2026, 3, 31)
    assert put_off(date(2026, 12, 15), Rhythm.SALARY_DAY, 15) == date(2027, 1, 15)
    assert put_off(date(2026, 3, 6), Rhythm.WEEKLY, 6) == date(2026, 4, 3)


def test_a_proposal_that_cannot_be_spread_is_refused_with_a_reason() -> None:
    for wrong in (
        Proposal(Rhythm.MONTHLY, TODAY, rate=0),
        Proposal(Rhythm.MONTHLY, TODAY, count=0),
        Proposal(Rhythm.MONTHLY, TODAY, count=601),
        Proposal(Rhythm.MONTHLY, TODAY, rate=1),
        Proposal(Rhythm.SALARY_DAY, TODAY, rate=5000),
        Proposal(Rhythm.SALARY_DAY, TODAY, rate=5000, pay_day=32),
    ):
        with pytest.raises(InputError):
            schedule(10_000, wrong)
    with pytest.raises(InputError):
        schedule(0, MONTHLY)


def test_weeks_are_weeks_across_the_change_of_clocks() -> None:
    found = list(islice(due_days(Proposal(Rhythm.WEEKLY, date(2026, 3, 22), rate=1)), 3))
    assert [b - a for a, b in pairwise(found)] == [timedelta(days=7)] * 2
