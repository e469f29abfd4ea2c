"""Each step of a limitation in words, with its day and its source."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from kulanz.kernel.errors import InputError
from kulanz.law.limitation import Facts, Step, Suspended, Suspension, last_days, limitation, rule_of
from kulanz.law.packs import load

DE = load("DE")
ROSE = date(2020, 5, 3)


def test_a_title_says_from_when_and_how_long() -> None:
    (step,) = limitation(DE, Facts(ROSE, titled=date(2024, 2, 29))).steps
    assert step == Step(
        date(2024, 2, 29),
        date(2054, 2, 28),
        "Titel vom 2024-02-29: 30 Jahre.",
        "Title of 2024-02-29: 30 years.",
        "BGB section 197",
    )


def test_every_step_of_a_life_is_told_in_order() -> None:
    """A payment on 1 March 2022: 1 March 2025. Negotiations in January 2025: 31 days more, 1 April 2025; but three
    months after their end at least, 30 April 2025. An order since 2 April 2025: the time rests."""
    facts = Facts(
        ROSE,
        (date(2022, 3, 1),),
        (
            Suspended(Suspension.PAYMENT_ORDER, date(2025, 4, 2), None),
            Suspended(Suspension.NEGOTIATION, date(2025, 1, 1), date(2025, 1, 31)),
        ),
    )
    breaks = DE.limitation_breaks[0]
    arose, paid, talks, order = limitation(DE, facts).steps
    assert (arose.on, arose.last) == (ROSE, date(2023, 12, 31))
    assert arose.text("de-AT") == "Entstanden 2020; 3 Jahre ab dem Ende dieses Jahres."
    assert arose.text("tr") == "Arose in 2020; 3 years from the end of that year."
    assert (paid.on, paid.last, paid.source) == (date(2022, 3, 1), date(2025, 3, 1), breaks.restart_source)
    assert paid.text("DE") == "Zahlung oder Anerkenntnis am 2022-03-01: 3 Jahre beginnen neu."
    assert paid.text("en") == "Payment or acknowledgement on 2022-03-01: 3 years begin anew."
    assert talks == Step(
        date(2025, 1, 1),
        date(2025, 4, 30),
        "Verhandlungen ab 2025-01-01: gehemmt.",
        "Negotiations from 2025-01-01: suspended.",
        breaks.suspension_source,
    )
    assert order == Step(
        date(2025, 4, 2),
        None,
        "Mahnverfahren seit 2025-04-02: die Zeit ruht.",
        "Payment order proceedings since 2025-04-02: the time rests.",
        breaks.suspension_source,
    )


def test_a_suspension_that_begins_on_the_day_of_a_payment_counts_from_the_next_day() -> None:
    """Three years from 1 June 2022; of the order, which lasts six months beyond 31 December 2022, the days 2 June 2022
    to 30 June 2023 are added: 29 + 31 + 31 + 30 + 31 + 30 + 31 in 2022 and 181 in 2023 make 394."""
    day = date(2022, 6, 1)
    order = Suspended(Suspension.PAYMENT_ORDER, day, date(2022, 12, 31))
    found = limitation(DE, Facts(ROSE, (day,), (order,)))
    assert [step.on for step in found.steps] == [ROSE, day, day]
    assert found.last == date(2025, 6, 1) + timedelta(days=394)


def test_a_payment_on_the_day_the_claim_arose_is_a_step_that_changes_nothing() -> None:
    found = limitation(DE, Facts(ROSE, (ROSE,)))
    assert [(step.on, step.last) for step in found.steps] == [(ROSE, date(2023, 12, 31))] * 2


def test_a_rule_nobody_has_seen_is_a_doubt_with_and_without_a_title() -> None:
    (rule,) = DE.limitation_rules
    doubtful = replace(DE, limitation_rules=(replace(rule, verified=False),))
    for facts in (Facts(ROSE), Facts(ROSE, titled=date(2022, 2, 28))):
        assert [caveat.what for caveat in limitation(doubtful, facts).caveats] == ["limitation"]
    both = limitation(doubtful, Facts(ROSE, (date(2022, 3, 1),)))
    assert [caveat.what for caveat in both.caveats] == ["limitation", "suspension and restart"]


def test_the_block_form_knows_the_last_day_and_the_leap_day() -> None:
    """Both claims arose in 2021: paid on 31 December 2024, the last day; paid on 29 February 2024."""
    epoch = date(1970, 1, 1)

    def days(*dates: date) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.array([(day - epoch).days for day in dates], dtype=np.int64)

    arose = days(date(2021, 5, 3), date(2021, 5, 3))
    paid = days(date(2024, 12, 31), date(2024, 2, 29))
    found = last_days(rule_of(DE, date(2021, 5, 3)), arose, np.array([0, 1], dtype=np.int64), paid)
    assert found.tolist() == days(date(2027, 12, 31), date(2027, 2, 28)).tolist()


def test_a_suspension_backwards_is_refused_in_a_sentence() -> None:
    with pytest.raises(InputError) as refused:
        Suspended(Suspension.NEGOTIATION, date(2023, 1, 2), date(2023, 1, 1))
    assert str(refused.value) == "A suspension cannot end before it begins."
