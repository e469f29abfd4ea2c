"""Pure decisions of the page: which message, which days, which colours."""

import re
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulanz.claims.queries import HoldLine
from kulanz.kernel.colour import contrast
from kulanz.portal import brand, rules
from kulanz.portal.rules import Situation, Window

AT = datetime(2026, 3, 3, tzinfo=UTC)


def hold(reason: str) -> HoldLine:
    return HoldLine(1, reason, AT, None)


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ([], Situation.OPEN),
        (["promise"], Situation.PROMISED),
        (["promise", "payment_pending"], Situation.PENDING),
        (["payment_pending", "hardship"], Situation.HELPED),
        (["hardship", "vulnerable", "dispute"], Situation.CARED),
        (["payment_pending", "manual"], Situation.PAUSED),
        (["promise", "dispute", "hardship"], Situation.DISPUTED),
        (["minor"], Situation.PAUSED),
        (["question"], Situation.ASKED),
        (["question", "promise"], Situation.PROMISED),
        (["a reason added later"], Situation.PAUSED),
    ],
)
def test_the_message_that_matters_most_comes_first(reasons, expected):
    assert rules.situation(1, [hold(reason) for reason in reasons], [])[0] == expected
    assert rules.situation(0, [hold(reason) for reason in reasons], [])[0] == Situation.PAID


def test_thirty_days_from_the_first_promise_even_over_a_leap_day():
    assert rules.promise_window(date(2028, 2, 1), None, 0) == Window(date(2028, 2, 2), date(2028, 3, 2))
    assert rules.promise_window(date(2028, 2, 20), date(2028, 2, 1), 1).last == date(2028, 3, 2)
    assert rules.promise_window(date(2028, 3, 2), date(2028, 2, 1), 1).last is None
    assert rules.promise_window(date(2028, 2, 1), None, 3).last is None
    assert rules.promise_window(date(2028, 2, 1), date(2028, 2, 1), 3).last == date(2028, 3, 2)


def test_suggested_days_are_a_week_two_weeks_and_the_first_of_the_month():
    window = rules.promise_window(date(2026, 3, 3), None, 0)
    assert rules.suggestions(window) == (date(2026, 3, 10), date(2026, 3, 17), date(2026, 4, 1))
    january = rules.promise_window(date(2026, 1, 31), None, 0)
    assert rules.suggestions(january) == (date(2026, 2, 1), date(2026, 2, 7), date(2026, 2, 14))


@given(st.dates(date(2020, 1, 1), date(2060, 1, 1)), st.integers(0, 40), st.integers(0, 5))
def test_every_suggestion_may_be_chosen(today, ago, promises):
    promised = None if ago > 30 else date.fromordinal(today.toordinal() - ago)
    window = rules.promise_window(today, promised, promises)
    for day in rules.suggestions(window):
        assert window.last is not None
        assert today < day <= window.last


def test_numbers_and_addresses_are_masked():
    assert rules.masked("4711-0815") == "•••815"
    assert rules.masked("K1") == "•••1"
    assert rules.masked_point("erika@example.org") == "e•••@example.org"
    assert rules.masked_point("+491701234567") == "•••567"


colours = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")


def test_contrast_is_that_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # WebAIM's checker


@settings(deadline=None)  # the first example loads what the others find in memory
@given(colours, colours)
def test_whatever_colours_a_brand_chose_its_texts_can_be_read(primary, on_primary):
    css = brand.sheet(primary, on_primary).css
    themes = re.findall(
        r"--brand:(#\w+);--on-brand:(#\w+);--brand-line:(#\w+);--brand-text:(#\w+);--brand-soft:(#\w+)", css
    )
    assert len(themes) == 2
    for (fill, on, line, text, soft), grounds in zip(
        themes, (("#ffffff", "#f3f5f4"), ("#1b2124", "#12171a")), strict=True
    ):
        assert contrast(fill, on) >= 4.5
        for ground in (*grounds, soft):
            assert contrast(text, ground) >= 4.5
        assert contrast(line, grounds[0]) >= 3


@pytest.mark.parametrize("colour", ["red", "", "#12345", "#1234567", "};body{display:none", "#gggggg"])
def test_unusable_colours_give_way(colour):
    css = brand.sheet(colour, colour).css
    assert css.count("{") == css.count("}") == 3
    assert "display" not in css
