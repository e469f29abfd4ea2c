"""What of each rate is paid, from the money that came in."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from kulanz.payments.plans.standing import Money, RateFacts, RateState, is_broken, stand, to_tell

RATES = [
    RateFacts(1, date(2026, 3, 15), 3000),
    RateFacts(2, date(2026, 4, 15), 3000),
    RateFacts(3, date(2026, 5, 15), 4000),
]
S = RateState


def standing(money, today, *, rates=RATES, owed=None, grace=7):
    total = sum(rate.amount for rate in rates)
    paid = sum(each.amount for each in money)
    return stand(rates, money, total - paid if owed is None else owed, today, grace)


def test_a_payment_above_the_rate_goes_on_to_the_next() -> None:
    now = standing([Money(date(2026, 3, 14), 4500)], date(2026, 3, 20))
    assert [(r.paid, r.state) for r in now.rates] == [(3000, S.PAID), (1500, S.UPCOMING), (0, S.UPCOMING)]
    assert (now.paid, now.rest, now.relief) == (4500, 5500, 0)
    assert now.next is not None
    assert (now.next.number, now.next.rest) == (2, 1500)


def test_the_day_on_which_a_rate_was_complete_follows_from_value_dates() -> None:
    late_first = [Money(date(2026, 3, 16), 1000), Money(date(2026, 3, 10), 2000)]
    now = standing(late_first, date(2026, 3, 20))
    assert now.rates[0].paid_on == date(2026, 3, 16)


def test_a_missing_rate_is_told_after_two_days_and_ends_the_plan_after_its_grace() -> None:
    assert standing([], date(2026, 3, 15)).rates[0].state is S.DUE
    on_the_17th = standing([], date(2026, 3, 17))
    assert on_the_17th.overdue
    assert not to_tell(on_the_17th, date(2026, 3, 17))
    assert [r.number for r in to_tell(standing([], date(2026, 3, 18)), date(2026, 3, 18))] == [1]
    told = [RateFacts(1, date(2026, 3, 15), 3000, told_on=date(2026, 3, 18)), *RATES[1:]]
    last = standing([], date(2026, 3, 25), rates=told)
    assert last.rates[0].grace_until == date(2026, 3, 25)
    assert not is_broken(last, date(2026, 3, 25))
    assert is_broken(standing([], date(2026, 3, 26), rates=told), date(2026, 3, 26))
    assert not is_broken(standing([], date(2026, 6, 26)), date(2026, 6, 26)), "nobody was told yet"


def test_a_payment_within_the_grace_makes_all_well() -> None:
    told = [RateFacts(1, date(2026, 3, 15), 3000, told_on=date(2026, 3, 18)), *RATES[1:]]
    now = standing([Money(date(2026, 3, 25), 3000)], date(2026, 3, 26), rates=told)
    assert now.rates[0].state is S.PAID
    assert not is_broken(now, date(2026, 3, 26))


def test_a_part_of_a_rate_leaves_it_overdue_by_the_rest() -> None:
    now = standing([Money(date(2026, 3, 15), 2999)], date(2026, 3, 16))
    assert [(r.state, r.rest) for r in now.overdue] == [(S.OVERDUE, 1)]


def test_a_returned_payment_makes_its_rate_missing_again() -> None:
    money = [Money(date(2026, 3, 15), 3000), Money(date(2026, 3, 20), -3000)]
    now = standing(money, date(2026, 3, 20))
    assert now.rates[0].state is S.OVERDUE
    assert now.rates[0].paid_on is None
    assert to_tell(now, date(2026, 3, 16), at_once=True)


def test_a_credit_note_shortens_the_plan_from_its_end() -> None:
    now = standing([Money(date(2026, 3, 15), 3000)], date(2026, 3, 20), owed=2000)
    assert [r.amount for r in now.rates] == [3000, 2000, 0]
    assert [r.state for r in now.rates] == [S.PAID, S.UPCOMING, S.PAID]
    assert (now.rest, now.relief) == (2000, 5000)


def test_a_new_invoice_on_the_case_is_no_part_of_the_plan() -> None:
    now = standing([Money(date(2026, 3, 15), 10_000)], date(2026, 3, 20), owed=7777)
    assert now.rest == 0
    assert all(rate.state is S.PAID for rate in now.rates)


@given(
    rates=st.lists(st.integers(1, 9_999), min_size=1, max_size=20),
    money=st.lists(st.integers(-9_999, 9_999), max_size=20),
    other=st.integers(-20_000, 20_000),
    today=st.dates(date(2026, 1, 1), date(2028, 1, 1)),
)
def test_paid_and_rest_are_the_plan_whatever_comes_and_goes(rates, money, other, today) -> None:
    facts = [RateFacts(n, date(2026, (n - 1) % 12 + 1, 1), amount) for n, amount in enumerate(rates, 1)]
    came = [Money(date(2026, 1, 1 + n), amount) for n, amount in enumerate(money)]
    owed = max(0, sum(rates) - sum(money) + other)
    now = stand(facts, came, owed, today, 7)
    assert now.paid + now.rest + now.relief == sum(rates)
    assert min(now.paid, now.rest, now.relief) >= 0
    assert sum(r.amount for r in now.rates) == sum(rates) - now.relief
    assert sum(r.paid for r in now.rates) == now.paid
    assert sum(r.rest for r in now.rates) == now.rest
    paid_so_far = [r.state is S.PAID for r in now.rates]
    assert paid_so_far == sorted(paid_so_far, reverse=True) or now.relief
