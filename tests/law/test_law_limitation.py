"""When a claim becomes time-barred, against dates worked out by hand from the statute."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulanz.kernel.errors import InputError
from kulanz.law.limitation import Facts, Suspended, Suspension, last_days, limitation, rule_of, shortest
from kulanz.law.packs import NoRate, load

DE = load("DE")
ORDER, TALKS = Suspension.PAYMENT_ORDER, Suspension.NEGOTIATION


def last(arose: date, *restarts: date, suspensions: tuple[Suspended, ...] = (), titled: date | None = None):
    return limitation(DE, Facts(arose, restarts, suspensions, titled)).last


@pytest.mark.parametrize("arose", [date(2022, 1, 1), date(2022, 5, 3), date(2022, 12, 31)])
def test_three_years_run_from_the_end_of_the_year(arose: date) -> None:
    found = limitation(DE, Facts(arose))
    assert found.last == date(2025, 12, 31)
    assert not found.barred(date(2025, 12, 31))
    assert found.barred(date(2026, 1, 1))
    assert found.steps[0].source == "BGB sections 195, 199"
    assert found.caveats == ()


def test_a_part_payment_starts_three_years_anew_from_its_own_day() -> None:
    assert last(date(2020, 5, 3), date(2022, 3, 1)) == date(2025, 3, 1)
    assert last(date(2020, 5, 3), date(2023, 12, 31)) == date(2026, 12, 31)
    assert last(date(2020, 5, 3), date(2022, 3, 1), date(2025, 3, 1)) == date(2028, 3, 1)
    assert last(date(2020, 5, 3), date(2024, 2, 29)) == date(2023, 12, 31)
    assert last(date(2021, 5, 3), date(2024, 2, 29)) == date(2027, 2, 28)


def test_an_early_part_payment_never_shortens_the_time() -> None:
    assert last(date(2020, 5, 3), date(2020, 6, 1)) == date(2023, 12, 31)
    assert last(date(2020, 5, 3), date(2020, 5, 2)) == date(2023, 12, 31)


def test_what_comes_after_limitation_revives_nothing() -> None:
    assert last(date(2020, 5, 3), date(2024, 1, 1)) == date(2023, 12, 31)
    late = Suspended(TALKS, date(2024, 1, 1), date(2024, 6, 1))
    assert last(date(2020, 5, 3), suspensions=(late,)) == date(2023, 12, 31)


def test_a_payment_order_suspends_until_six_months_after_its_end() -> None:
    """1 March to 31 May 2023 plus six months to 30 November: 275 days on top of 31 December 2023."""
    order = Suspended(ORDER, date(2023, 3, 1), date(2023, 5, 31))
    days = (date(2023, 11, 30) - date(2023, 3, 1)).days + 1
    assert days == 275
    assert last(date(2020, 5, 3), suspensions=(order,)) == date(2023, 12, 31) + timedelta(days=275)


def test_negotiations_suspend_and_leave_three_months_at_least() -> None:
    long = Suspended(TALKS, date(2023, 1, 1), date(2023, 6, 30))
    assert last(date(2020, 5, 3), suspensions=(long,)) == date(2023, 12, 31) + timedelta(days=181)
    short = Suspended(TALKS, date(2023, 12, 30), date(2023, 12, 31))
    assert last(date(2020, 5, 3), suspensions=(short,)) == date(2024, 3, 31)


def test_only_days_within_the_running_time_are_suspended() -> None:
    before = Suspended(TALKS, date(2020, 6, 1), date(2020, 6, 30))
    assert last(date(2020, 5, 3), suspensions=(before,)) == date(2023, 12, 31)
    across = Suspended(TALKS, date(2020, 12, 1), date(2021, 1, 10))
    assert last(date(2020, 5, 3), suspensions=(across,)) == date(2024, 1, 10)


def test_a_payment_during_a_suspension_counts_from_its_end() -> None:
    """Section 209 BGB: time during which limitation is suspended is not counted, not in the new period either."""
    talks = Suspended(TALKS, date(2023, 1, 1), date(2023, 6, 30))
    assert last(date(2020, 5, 3), date(2023, 3, 1), suspensions=(talks,)) == date(2026, 6, 30)
    order = Suspended(ORDER, date(2023, 3, 1), date(2023, 5, 31))
    assert last(date(2020, 5, 3), date(2023, 8, 1), suspensions=(order,)) == date(2026, 11, 30)
    assert last(date(2020, 5, 3), date(2023, 12, 1), suspensions=(order,)) == date(2026, 12, 1)
    step = limitation(DE, Facts(date(2020, 5, 3), (date(2023, 3, 1),), (talks,))).steps[-1]
    assert step.text_en == "Payment or acknowledgement on 2023-03-01: 3 years begin anew after 2023-06-30."


def test_while_a_suspension_lasts_nothing_is_barred() -> None:
    running = limitation(DE, Facts(date(2020, 5, 3), (), (Suspended(TALKS, date(2023, 1, 1), None),)))
    assert running.last is None
    assert not running.barred(date(2040, 1, 1))
    assert running.steps[-1].text("de").startswith("Verhandlungen seit 2023-01-01")
    assert "the time rests" in running.steps[-1].text("en")


def test_a_title_lasts_thirty_years_from_its_day() -> None:
    found = limitation(DE, Facts(date(2020, 5, 3), titled=date(2022, 2, 28)))
    assert found.last == date(2052, 2, 28)
    assert found.steps[0].source == "BGB section 197"


def test_breaks_are_unverified_and_say_so() -> None:
    found = limitation(DE, Facts(date(2020, 5, 3), (date(2022, 3, 1),)))
    assert [caveat.what for caveat in found.caveats] == ["suspension and restart"]
    assert [step.on for step in found.steps] == [date(2020, 5, 3), date(2022, 3, 1)]
    assert "2022-03-01" in found.steps[1].text("de")
    untouched = limitation(DE, Facts(date(2020, 5, 3), (date(2024, 3, 1),)))
    assert untouched.caveats == ()


def test_where_there_is_no_rule_there_is_no_guess() -> None:
    with pytest.raises(NoRate, match="limitation_rules"):
        limitation(load("US"), Facts(date(2020, 5, 3)))
    with pytest.raises(NoRate):
        limitation(DE, Facts(date(2001, 12, 31)))
    assert shortest([DE, load("US")]) == 3
    assert shortest([load("US")]) == 1000


def test_a_suspension_has_an_order() -> None:
    with pytest.raises(InputError, match="before it begins"):
        Suspended(TALKS, date(2023, 1, 2), date(2023, 1, 1))
    assert Suspended(TALKS, date(2023, 1, 2), date(2023, 1, 2)).until == date(2023, 1, 2)


EPOCH = date(1970, 1, 1)


@given(
    st.lists(
        st.tuples(
            st.dates(date(2002, 1, 1), date(2026, 12, 31)),
            st.lists(st.integers(-10, 4000), max_size=5),
        ),
        min_size=1,
        max_size=15,
    )
)
@settings(max_examples=200, deadline=None)
def test_the_block_form_equals_the_scalar_form(claims) -> None:
    arose = np.array([(day - EPOCH).days for day, _ in claims], np.int64)
    claim = np.array([i for i, (_, offsets) in enumerate(claims) for _ in offsets], np.int64)
    restart = np.array(
        [arose[i] + o for i, (_, offsets) in enumerate(claims) for o in sorted(offsets)], np.int64
    )
    scalar = [last(day, *[day + timedelta(days=o) for o in offsets]) for day, offsets in claims]
    block = last_days(rule_of(DE, date(2002, 1, 1)), arose, claim, restart)
    assert [EPOCH + timedelta(days=int(d)) for d in block] == scalar
