"""Every row of every pack is dated, sourced and checked; rows of one's own keep to the same rules."""

import re
import tomllib
from dataclasses import fields, replace
from datetime import date, timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest

from kulanz.kernel.errors import InputError
from kulanz.law.accrual import rate_index
from kulanz.law.figures.interest import DayCount, Party
from kulanz.law.interest import Movement, accrue
from kulanz.law.packs import AddedRow, ContactLimits, NoRate, Pack, jurisdictions, load, merged, parse
from kulanz.law.rates import Terms, base_on, check_known, day_count_of, default_rate, known_days, rounding_of
from kulanz.law.reading import TABLES

DE = load("DE")
NEXT = {"valid_from": "2027-01-01", "percent": "1.77", "source": "Bundesbank", "verified": True}
UNTIL = date(2027, 6, 30)


def raw(code: str = "DE") -> dict[str, Any]:
    return tomllib.loads((files("kulanz.law") / "packs" / f"{code.lower()}.toml").read_text("utf-8"))


def with_base(**changes: Any) -> Pack:
    return merged(DE, [AddedRow("base_rates", NEXT | changes, UNTIL)])


@pytest.mark.parametrize("code", jurisdictions())
@pytest.mark.parametrize("table", TABLES)
def test_every_row_says_since_when_from_where_and_whether_it_was_seen(code: str, table: str) -> None:
    pack = load(code)
    rows = getattr(pack, table)
    for row in rows:
        assert type(row.valid_from) is date
        assert row.source.strip()
        assert row.verified in (True, False)
        assert row.valid_from <= pack.end_of(table)
    assert [row.valid_from for row in rows] == sorted(row.valid_from for row in rows)


@pytest.mark.parametrize("code", jurisdictions())
@pytest.mark.parametrize("table", TABLES)
def test_a_field_that_nothing_reads_is_refused_wherever_it_stands(code: str, table: str) -> None:
    document = raw(code)
    for number, row in enumerate(document.get(table, []), start=1):
        row["surprise"] = 1
        with pytest.raises(InputError, match=rf"unknown fields \({code} {table}, row {number}\): surprise"):
            parse(document)
        del row["surprise"]


def test_every_table_of_the_file_is_a_field_of_the_pack() -> None:
    assert set(TABLES) <= {field.name for field in fields(Pack)}


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("valid_from", None, r"\(DE default_rates, row 1\): valid_from: a day"),
        ("valid_from", 20_000, "valid_from: a day such as 2026-01-01"),
        ("valid_from", "2026-02-30", "valid_from: "),
        ("verified", "yes", "verified: true or false"),
        ("verified", 1, "verified: true or false"),
        ("source", "  ", "source: it must say where"),
        ("percent", "five", "percent: "),
        ("percent", float("nan"), "percent: "),
        ("party", "robot", "party: "),
        ("over", "moon", "over: "),
    ],
)
def test_a_row_that_does_not_fit_is_named_with_its_field(field: str, value: object, says: str) -> None:
    document = raw()
    document["default_rates"][0][field] = value
    with pytest.raises(InputError, match=says):
        parse(document)


@pytest.mark.parametrize(
    "field", ["valid_from", "source", "verified", "percent", "party", "over", "paragraph"]
)
def test_a_row_that_lacks_a_field_is_named(field: str) -> None:
    document = raw()
    del document["default_rates"][0][field]
    with pytest.raises(
        InputError, match=rf"does not fit \(DE default_rates, row 1\): {field}: Field required"
    ):
        parse(document)


@pytest.mark.parametrize(
    ("table", "field"),
    [("contact", "hours_between"), ("contact", "per_7_days"), ("postal_regions", "regions")],
)
def test_a_compact_row_that_lacks_a_field_is_named_too(table: str, field: str) -> None:
    document = raw()
    del document[table][0][field]
    with pytest.raises(InputError, match=rf"lacks a field \(DE {table}, row 1\): {field}"):
        parse(document)


def test_a_table_or_an_end_that_is_missing_is_named() -> None:
    with pytest.raises(InputError, match="law pack DE has tables that nothing reads: tips"):
        parse(raw() | {"tips": []})
    document = raw()
    del document["known_until"]["default_rates"]
    with pytest.raises(InputError, match="does not say until when its table default_rates is known"):
        parse(document)


def test_the_base_rate_needs_a_row_for_each_half_year() -> None:
    document = raw()
    shipped = document["base_rates"][0]["percent"]
    del shipped["2017-07-01"]
    with pytest.raises(InputError, match=r"base_rates of DE is not complete: 2017-07-01 has no row"):
        parse(document)
    shipped["2017-07-01"] = "-0.88"
    assert parse(document) == DE
    shipped["2023-06-01"] = "3.12"
    with pytest.raises(InputError, match=r"2023-06-01: the base rate changes on 1 January and 1 July only"):
        parse(document)
    del shipped["2023-06-01"]
    document["known_until"]["base_rates"] = date(2026, 12, 31) + timedelta(days=1)
    with pytest.raises(InputError, match="2027-01-01 has no row"):
        parse(document)


def test_next_half_years_base_rate_holds_from_its_day_until_the_new_end() -> None:
    pack = with_base()
    assert base_on(pack, date(2026, 12, 31)).percent == Decimal("1.52")
    assert base_on(pack, date(2027, 1, 1)).percent == Decimal("1.77")
    assert base_on(pack, UNTIL).percent == Decimal("1.77")
    with pytest.raises(NoRate) as caught:
        base_on(pack, date(2027, 7, 1))
    assert caught.value.on == date(2027, 7, 1)
    assert "kulanz law rows add" in str(caught.value)
    with pytest.raises(NoRate):
        base_on(DE, date(2027, 1, 1))
    assert [row for row in pack.base_rates if row.valid_from < date(2027, 1, 1)] == list(DE.base_rates)


def test_a_row_of_the_same_day_takes_the_place_of_the_shipped_one() -> None:
    """The shipped rate of July 2026 was not seen at its source; the operator has seen it."""
    seen = {"valid_from": "2026-07-01", "percent": "1.62", "source": "Bundesbank", "verified": True}
    pack = merged(DE, [AddedRow("base_rates", seen)])
    assert len(pack.base_rates) == len(DE.base_rates)
    assert base_on(pack, date(2026, 7, 1)).percent == Decimal("1.62")
    assert pack.end_of("base_rates") == date(2026, 12, 31)
    moves, first = [Movement(date(2026, 7, 1), 100_000)], date(2026, 7, 1)
    terms = Terms(Party.CONSUMER, date(2026, 1, 1))
    assert [c.what for c in accrue(moves, first, first, pack, terms).caveats] == ["day count"]
    assert [c.what for c in accrue(moves, first, first, DE, terms).caveats] == ["base rate", "day count"]


def test_rows_for_another_party_stand_beside_each_other() -> None:
    row = {
        "valid_from": "2014-07-29",
        "party": "business",
        "over": "nothing",
        "percent": "7",
        "paragraph": "own",
        "source": "own",
        "verified": True,
    }
    pack = merged(DE, [AddedRow("default_rates", row)])
    assert default_rate(pack, Terms(Party.BUSINESS, date(2014, 7, 29))).percent == 7
    assert default_rate(pack, Terms(Party.BUSINESS, date(2014, 7, 28))).percent == 8
    assert default_rate(pack, Terms(Party.BUSINESS, date(2010, 1, 1), date(2016, 7, 1))).percent == 9
    assert default_rate(pack, Terms(Party.CONSUMER, date(2014, 7, 29))).percent == 5


def test_later_rows_of_ones_own_win_over_earlier_ones() -> None:
    corrected = [AddedRow("base_rates", NEXT, UNTIL), AddedRow("base_rates", NEXT | {"percent": "1.87"})]
    assert base_on(merged(DE, corrected), UNTIL).percent == Decimal("1.87")


@pytest.mark.parametrize(
    ("added", "says"),
    [
        (AddedRow("tips", NEXT), "'tips' is no table of a law pack that takes further rows.*base_rates"),
        (AddedRow("postal_regions", NEXT), "'postal_regions' is no table"),
        (AddedRow("base_rates", NEXT), r"from 2027-01-01 on, after the end of the table.*known_until"),
        (AddedRow("base_rates", NEXT, date(2026, 12, 30)), "known until 2026-12-31; it cannot end earlier"),
        (AddedRow("base_rates", NEXT, date(2027, 7, 1)), "2027-07-01 has no row"),
        (
            AddedRow("base_rates", NEXT | {"valid_from": "2027-07-01"}, date(2027, 12, 31)),
            "2027-01-01 has no row",
        ),
        (AddedRow("base_rates", NEXT | {"valid_from": "2026-10-01"}), "2026-10-01: the base rate changes"),
        (AddedRow("base_rates", NEXT | {"percent": {}}), "holds no figure"),
        (
            AddedRow("base_rates", NEXT | {"known_until": "2027-06-30"}),
            r"unknown fields \(DE base_rates, row 1\)",
        ),
        (AddedRow("contact", NEXT), r"lacks a field \(DE contact, row 1\)"),
        (
            AddedRow(
                "calls",
                {
                    "valid_from": "2026-01-01",
                    "per_7_days": 1,
                    "days_after_talk": 7,
                    "source": "own",
                    "verified": True,
                },
            ),
            "known_until",
        ),
    ],
)
def test_a_row_of_ones_own_that_does_not_fit_is_refused(added: AddedRow, says: str) -> None:
    with pytest.raises(InputError, match=re.compile(says, re.DOTALL)):
        merged(DE, [added])


def test_a_table_that_a_pack_did_not_have_begins_with_its_own_end() -> None:
    row = {
        "valid_from": "2026-01-01",
        "per_7_days": 1,
        "days_after_talk": 7,
        "source": "own",
        "verified": True,
    }
    pack = merged(DE, [AddedRow("calls", row, date(2027, 12, 31))])
    assert pack.calls_on(date(2025, 12, 31)) is None
    calls = pack.calls_on(date(2027, 12, 31))
    assert calls is not None
    assert calls.per_7_days == 1
    with pytest.raises(NoRate):
        pack.calls_on(date(2028, 1, 1))
    assert DE.end_of("calls") == date.min
    with pytest.raises(NoRate):
        DE.in_force(pack.calls, date(2026, 1, 1), "calls")


def test_elsewhere_a_base_rate_may_change_on_any_day_and_opens_what_was_missing() -> None:
    uk, terms = load("UK"), Terms(Party.BUSINESS, date(2026, 1, 1))
    rule = default_rate(uk, terms)
    with pytest.raises(NoRate, match="base_rates rule of UK"):
        rate_index(uk, rule, DayCount.ACT_365)
    with pytest.raises(NoRate, match="default interest of UK for a consumer for 2026-01-01"):
        default_rate(uk, Terms(Party.CONSUMER, date(2026, 1, 1)))
    row = {"valid_from": "2026-02-05", "percent": "3.75", "source": "own", "verified": True}
    pack = merged(uk, [AddedRow("base_rates", row, date(2026, 12, 31))])
    day = date(2026, 2, 5)
    found = accrue([Movement(day, 100_000)], day, day, pack, terms)
    assert found.rows[0].rate == Decimal("11.75")
    assert rate_index(pack, rule, DayCount.ACT_365).first == day
    with pytest.raises(NoRate):
        accrue([Movement(day, 1)], day - timedelta(days=1), day, pack, terms)


def test_a_rule_is_known_from_its_first_day_to_the_end_of_its_tables() -> None:
    german = default_rate(DE, Terms(Party.CONSUMER, date(2024, 1, 1)))
    assert known_days(DE, german) == (date(2002, 1, 1), date(2026, 12, 31))
    shorter = replace(DE, known_until=(*DE.known_until, ("default_rates", date(2026, 3, 31))))
    assert known_days(shorter, german) == (date(2002, 1, 1), date(2026, 3, 31))
    swiss = load("CH")
    fixed = default_rate(swiss, Terms(Party.CONSUMER, date(2024, 1, 1)))
    assert known_days(swiss, fixed) == (date(1912, 1, 1), date(2030, 12, 31))
    check_known(DE, german, date(2002, 1, 1), date(2026, 12, 31))
    check_known(swiss, fixed, date(1912, 1, 1), date(2030, 12, 31))


@pytest.mark.parametrize(
    ("code", "first", "last", "missing", "table"),
    [
        ("DE", date(2001, 12, 31), date(2002, 1, 1), date(2001, 12, 31), "base_rates"),
        ("DE", date(2026, 12, 1), date(2027, 3, 1), date(2027, 1, 1), "base_rates"),
        ("DE", date(2028, 2, 1), date(2028, 3, 1), date(2028, 2, 1), "base_rates"),
        ("CH", date(1911, 12, 31), date(1912, 1, 1), date(1911, 12, 31), "default_rates"),
        ("CH", date(2030, 12, 31), date(2031, 1, 2), date(2031, 1, 1), "default_rates"),
    ],
)
def test_no_rate_names_the_first_day_without_one(
    code: str, first: date, last: date, missing: date, table: str
) -> None:
    pack, terms = load(code), Terms(Party.CONSUMER, date(2024, 1, 1))
    with pytest.raises(NoRate) as caught:
        accrue([Movement(first, 100)], first, last, pack, terms)
    assert (caught.value.on, caught.value.what) == (missing, f"{table} rule of {code}")


def test_a_day_count_of_ones_own_holds_for_debts_of_its_time() -> None:
    row = {"valid_from": "2026-04-01", "day_count": "act/365", "source": "own", "verified": True}
    pack = merged(DE, [AddedRow("day_counts", row)])
    assert day_count_of(pack, Terms(Party.CONSUMER, date(2026, 3, 31))) is DayCount.ACT_ACT
    assert day_count_of(pack, Terms(Party.CONSUMER, date(2026, 4, 1))) is DayCount.ACT_365
    agreed = Terms(Party.CONSUMER, date(2026, 3, 31), day_count=DayCount.THIRTY_360)
    assert day_count_of(pack, agreed) is DayCount.THIRTY_360
    with pytest.raises(NoRate, match="day_counts"):
        day_count_of(DE, Terms(Party.CONSUMER, date(2031, 1, 1)))


@pytest.mark.parametrize("code", jurisdictions())
def test_rounding_is_stated_and_never_that_of_cash(code: str) -> None:
    """333.33 at 5 % for the 73 days to 14 March 2023 are 3.3333: 3.33, where Swiss cash would have 3.35."""
    rounding = rounding_of(load(code), Terms(Party.CONSUMER, date(2024, 1, 1)))
    assert rounding.rule == "half_up"
    assert "rounded once" in rounding.source
    if code == "CH":
        assert "five-centime rounding of cash is not applied" in rounding.source
        first, last = date(2023, 1, 1), date(2023, 3, 14)
        found = accrue(
            [Movement(first, 33_333)], first, last, load("CH"), Terms(Party.CONSUMER, date(2022, 1, 1))
        )
        assert found.total == 333
        assert found.rounding == rounding


def test_the_nine_points_are_verified_for_new_contracts_and_not_for_old_ones_that_went_on() -> None:
    new = default_rate(DE, Terms(Party.BUSINESS, date(2014, 7, 29), date(2016, 7, 1)))
    old = default_rate(DE, Terms(Party.BUSINESS, date(2014, 7, 28), date(2016, 7, 1)))
    assert (new.percent, new.verified) == (9, True)
    assert (old.percent, old.verified) == (9, False)
    assert "Art. 229 section 34" in old.source


def test_no_total_rate_of_the_german_table_falls_to_zero() -> None:
    lowest = min(row.percent for row in DE.base_rates)
    assert lowest + min(row.percent for row in DE.default_rates) > 0


def test_days_may_be_written_as_in_toml_or_in_json() -> None:
    pack = merged(
        DE, [AddedRow("base_rates", NEXT | {"valid_from": date(2027, 1, 1), "percent": 1.77}, UNTIL)]
    )
    assert pack == with_base()
    with pytest.raises(InputError, match="valid_from"):
        with_base(valid_from="2027-01-01T12:00:00")


def test_messages_name_everything_that_is_wrong() -> None:
    document = raw()
    document["default_rates"][0] |= {"tip": 1, "more": 2}
    with pytest.raises(InputError) as caught:
        parse(document)
    assert str(caught.value) == ("A row of the law has unknown fields (DE default_rates, row 1): more, tip.")
    document = raw()
    document["contact"][0] |= {"weekday": [8], "hours_between": "often"}
    with pytest.raises(InputError) as caught:
        parse(document)
    assert "(DE contact, row 1): weekday.1: Field required; limits.hours_between: Input should be" in str(
        caught.value
    )
    with pytest.raises(InputError, match=r"nothing reads: more, tips\.$"):
        parse(raw() | {"tips": [], "more": []})
    document = raw()
    document["holidays"]["planet"] = "Mars"
    with pytest.raises(InputError, match=r"\(DE holidays\): planet"):
        parse(document)
    document = raw()
    document["basis"]["payment"]["planet"] = "Mars"
    with pytest.raises(InputError, match=r"\(DE basis\.payment\): planet"):
        parse(document)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"verified": 0}, "verified: true or false is needed."),
        ({"source": ""}, "source: it must say where the figure was seen."),
        ({"valid_from": 0}, "valid_from: a day such as 2026-01-01 is needed."),
    ],
)
def test_what_every_row_says_of_itself_is_taken_as_written(change: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as caught:
        merged(DE, [AddedRow("base_rates", NEXT | change, UNTIL)])
    assert str(caught.value) == f"A row of the law does not fit (DE base_rates, row 1): {says}"


def test_a_row_that_begins_on_the_last_day_of_its_table_is_taken() -> None:
    row = {"valid_from": "2030-12-31", "day_count": "act/365", "source": "own", "verified": True}
    assert len(merged(DE, [AddedRow("day_counts", row)]).day_counts) == 2
    same_end = AddedRow("day_counts", row, date(2030, 12, 31))
    assert merged(DE, [same_end]).end_of("day_counts") == date(2030, 12, 31)
    with pytest.raises(InputError) as caught:
        merged(DE, [AddedRow("day_counts", row | {"valid_from": "2031-01-01"})])
    assert str(caught.value) == (
        "The row for day_counts holds from 2031-01-01 on, after the end of the table. "
        "Say until when the table is known (known_until)."
    )


def test_the_tables_that_take_rows_are_named() -> None:
    with pytest.raises(InputError, match="choose one of contact, calls, base_rates, default_rates, "):
        merged(DE, [AddedRow("tips", NEXT)])


def test_several_half_years_may_share_one_row_and_its_source() -> None:
    both = NEXT | {"percent": {"2027-01-01": "1.77", "2027-07-01": "2.02"}}
    del both["valid_from"]
    pack = merged(DE, [AddedRow("base_rates", both, date(2027, 12, 31))])
    assert [base_on(pack, day).percent for day in (UNTIL, date(2027, 7, 1))] == [
        Decimal("1.77"),
        Decimal("2.02"),
    ]


def test_a_wish_that_the_law_overtook_stays_harmless_and_one_that_it_never_allowed_is_refused() -> None:
    row = {
        "valid_from": "2026-05-01",
        "weekday": [9, 17],
        "hours_between": 72,
        "per_7_days": 1,
        "source": "own",
        "limits_source": "own",
        "verified": True,
    }
    pack = merged(DE, [AddedRow("contact", row)])
    old_wish = pack.tightened(ContactLimits(hours_between=60, per_7_days=2))
    assert old_wish.contact_on(date(2026, 4, 30)).limits.hours_between == 60
    assert old_wish.contact_on(date(2026, 5, 1)).limits.hours_between == 72
    assert old_wish.contact_on(date(2026, 5, 1)).limits.per_7_days == 1
    with pytest.raises(InputError, match="hours_between would loosen"):
        pack.tightened(ContactLimits(hours_between=47, per_7_days=1))
