"""Protected income: rows of the published tables, arithmetic of the statutes, and what must hold for any income."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.kernel.errors import InputError
from kulanz.law.packs import NoRate, jurisdictions, load
from kulanz.law.protection import debt_advice, protection

DE, US = load("DE"), load("US")
SPRING = date(2026, 3, 1)
incomes = st.decimals(0, 20_000, places=2)
people = st.integers(0, 8)


def seizable(income: str, maintained: int = 0, on: date = SPRING) -> Decimal:
    return protection(DE, on, Decimal(income), maintained).seizable


@pytest.mark.parametrize(
    ("income", "maintained", "expected"),
    [
        ("1559.99", 0, "0.00"),
        ("1560.00", 0, "3.50"),  # 70 % of 1,560 - 1,555.00
        ("1569.99", 0, "3.50"),  # incomes of one step of 10 euros are equal
        ("2150.00", 1, "4.89"),  # 50 % of 2,150 - 2,140.23 = 4.885
        ("4766.99", 0, "2243.50"),  # 70 % of 4,760 - 1,555
        ("5000.00", 0, "2476.51"),  # and all of what is above 4,766.99
        ("3800.00", 5, "35.56"),  # 10 % of 3,800 - 3,444.39
        ("3800.00", 9, "35.56"),  # a sixth person does not count
    ],
)
def test_section_850c_from_july_2025(income, maintained, expected) -> None:
    assert seizable(income, maintained) == Decimal(expected)


def test_each_july_has_its_own_notice() -> None:
    assert seizable("1500", on=date(2024, 6, 30)) == Decimal("68.40")  # 70 % of 1,500 - 1,402.28 = 68.404
    assert seizable("1500", on=date(2024, 7, 1)) == Decimal("5.78")  # 70 % of 1,500 - 1,491.75 = 5.775
    assert seizable("1500", on=date(2025, 7, 1)) == 0


def test_a_year_without_a_notice_has_no_figure() -> None:
    with pytest.raises(NoRate, match="2026-07-01"):
        seizable("1500", on=date(2026, 7, 1))


def test_federal_law_of_the_united_states_keeps_three_quarters_or_thirty_hours_pay() -> None:
    def taken(income: str) -> Decimal:
        return protection(US, SPRING, Decimal(income), 0).seizable

    assert [taken("942.50"), taken("1000"), taken("2000")] == [0, Decimal("57.50"), 500]
    assert protection(US, SPRING, Decimal(0), 0).caveats[0].what == "protected income"


@pytest.mark.parametrize("code", ["AT", "CH", "UK"])
def test_where_no_figure_is_known_none_is_given(code) -> None:
    with pytest.raises(NoRate):
        protection(load(code), SPRING, Decimal(1000), 0)


@given(incomes, incomes, people)
def test_protected_and_seizable_are_the_whole_income_and_grow_with_it(one, other, maintained) -> None:
    low, high = (protection(DE, SPRING, income, maintained) for income in sorted((one, other)))
    for each in (low, high):
        assert each.protected + each.seizable == each.income
        assert min(each.protected, each.seizable) >= 0
    assert low.seizable <= high.seizable


@given(incomes, people)
def test_who_maintains_more_people_keeps_more(income, maintained) -> None:
    assert protection(DE, SPRING, income, maintained + 1).seizable <= seizable(str(income), maintained)


@pytest.mark.parametrize(("income", "maintained"), [("-1", 0), ("1", -1)])
def test_less_than_nothing_is_refused(income, maintained) -> None:
    with pytest.raises(InputError, match="0 or more"):
        seizable(income, maintained)


def test_every_country_has_somebody_who_advises() -> None:
    for code in jurisdictions():
        found = debt_advice(load(code), SPRING)
        assert found
        assert all(row.url.startswith("https://") for row in found)
    assert debt_advice(DE, date(2031, 1, 1)) == ()
    assert debt_advice(DE, date(2019, 12, 31)) == ()
