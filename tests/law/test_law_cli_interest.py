"""`kulanz law interest` and `kulanz law rows`: every figure shown, every mistake named."""

import json

import pytest
from click.testing import Result
from typer.testing import CliRunner

from kulanz.cli.commands import app
from kulanz.kernel.errors import InputError
from kulanz.law.packs import NoRate

pytestmark = pytest.mark.django_db
YEAR = ["--principal", "1000", "--from", "2023-01-01", "--to", "2023-12-31", "--contract-date", "2022-05-01"]
ROW = '{"valid_from": "2027-01-01", "percent": "1.77", "source": "Bundesbank", "verified": true}'


def law(*words: str) -> Result:
    return CliRunner().invoke(app, ["law", *words], catch_exceptions=False, env={"COLUMNS": "160"})


def interest(*words: str) -> dict[str, object]:
    done = law("interest", *words, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, object] = json.loads(done.stdout)
    return found


def refused(*words: str) -> str:
    with pytest.raises((InputError, NoRate)) as caught:
        law(*words)
    return str(caught.value)


def test_the_document_names_rule_day_count_ends_and_what_was_not_seen() -> None:
    """1,000.00 in 2023: 181 days at 1.62 + 5 and 184 at 3.12 + 5 of 365: 32.8279 + 40.9337 = 73.76."""
    found = interest(*YEAR)
    assert (found["total"], found["currency"], found["day_count"]) == ("73.76", "EUR", "act/act")
    assert found["inclusive"] == "both"
    assert found["rule"] == {
        "paragraph": "§ 288 Abs. 1 BGB",
        "percent": "5",
        "source": "BGB section 288(1)",
        "verified": True,
    }
    assert found["rows"] == [
        {
            "from": "2023-01-01",
            "to": "2023-06-30",
            "days": 181,
            "principal": "1000.00",
            "base": "1.62",
            "rate": "6.62",
            "amount": "32.8279",
        },
        {
            "from": "2023-07-01",
            "to": "2023-12-31",
            "days": 184,
            "principal": "1000.00",
            "base": "3.12",
            "rate": "8.12",
            "amount": "40.9337",
        },
    ]
    assert [caveat["what"] for caveat in found["caveats"]] == ["day count"]  # type: ignore[index,attr-defined]


def test_the_table_shows_the_calculation_to_people() -> None:
    done = law("interest", *YEAR)
    for words in (
        "73.76 EUR, both days included; rounded once, half up",
        "§ 288 Abs. 1 BGB (BGB section 288(1)); day count act/act.",
        "Unverified: day count",
        "40.9337",
        "8.12 %",
    ):
        assert words in done.output
    for rule, says in (
        ("start", "last day left out"),
        ("end", "first day"),
        ("none", "first and last day left out"),
    ):
        assert says in law("interest", *YEAR, "--inclusive", rule).output


def test_ends_and_day_counts_by_name() -> None:
    """At 4 %: 365 days of 365 and 360 of 360 are 40.00; without the last day 364 of 365 are 39.89."""
    low = [*YEAR, "--max-rate", "4"]
    assert interest(*low)["total"] == "40.00"
    assert interest(*low, "--inclusive", "start")["total"] == "39.89"
    assert interest(*low, "--inclusive", "none")["total"] == "39.78"
    thirty = interest(*low, "--day-count", "30/360")
    assert (thirty["total"], thirty["day_count"], thirty["caveats"]) == ("40.00", "30/360", [])


def test_currencies_keep_their_own_decimals() -> None:
    """Switzerland, 5 % of 365/365: 50.00 francs; a thousand yen bear 50, a thousand dinars 50.000."""
    swiss = interest(*YEAR, "--jurisdiction", "CH")
    assert (swiss["total"], swiss["currency"], swiss["rows"][0]["base"]) == ("50.00", "CHF", None)  # type: ignore[index]
    yen = interest(*YEAR, "--jurisdiction", "CH", "--currency", "JPY")
    assert (yen["total"], yen["rows"][0]["amount"]) == ("50", "50.00")  # type: ignore[index]
    assert interest(*YEAR, "--jurisdiction", "CH", "--currency", "KWD")["total"] == "50.000"


def test_payments_in_between_may_be_several() -> None:
    """1,000.00 for 31 days, 400.00 for 28, nothing after: (31 x 1,000 + 28 x 400) x 6.62 % / 365 = 7.6538."""
    found = interest(*YEAR, "--movement", "2023-02-01=-600", "--movement", "2023-03-01=-400.00")
    assert [(row["days"], row["principal"]) for row in found["rows"]] == [(31, "1000.00"), (28, "400.00")]  # type: ignore[attr-defined]
    assert found["total"] == "7.65"


def test_the_day_of_performance_decides_for_contracts_that_go_on() -> None:
    words = [*YEAR[:6], "--party", "business", "--contract-date", "2010-01-01"]
    rates = {
        day: interest(*words, "--performed-on", day)["rows"][0]["rate"]  # type: ignore[index]
        for day in ("2016-06-30", "2016-07-01")
    }
    assert rates == {"2016-06-30": "9.62", "2016-07-01": "10.62"}
    assert interest(*words, "--performed-on", "2016-07-01")["caveats"][0]["what"] == "default interest rate"  # type: ignore[index]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--from", "2023-02-30"], "--from: '2023-02-30' is not an ISO date such as 2026-03-31"),
        (["--to", "31.12.2023"], "--to: '31.12.2023' is not an ISO date"),
        (["--to", "2022-12-31"], "before it begins"),
        (["--performed-on", "x"], "--performed-on"),
        (["--principal", "1000.001"], "--principal"),
        (["--principal", "0"], "--principal: an amount above zero"),
        (["--principal", "-5"], "--principal: an amount above zero"),
        (["--currency", "XYZ"], "ISO 4217"),
        (["--max-rate", "-1"], "below zero"),
        (["--max-rate", "NaN"], "percentage such as 4.5"),
        (["--max-rate", "Infinity"], "percentage such as 4.5"),
        (["--jurisdiction", "FR"], "choose one of AT, CH, DE, UK, US"),
        (["--jurisdiction", "UK"], "no default interest of UK for a consumer"),
        (["--jurisdiction", "UK", "--party", "business"], "no base_rates rule of UK"),
        (["--jurisdiction", "AT", "--party", "business"], "no base_rates rule of AT"),
        (["--jurisdiction", "US"], "no default interest of US"),
        (["--to", "2027-01-01"], "no base_rates rule of DE for 2027-01-01"),
    ],
)
def test_a_mistake_says_what_to_do(words: list[str], says: str) -> None:
    assert says in refused("interest", *YEAR, *words)


def test_the_last_known_day_still_has_a_rate() -> None:
    assert law("interest", *YEAR, "--to", "2026-12-31").exit_code == 0


def test_a_row_of_ones_own_needs_to_say_until_when() -> None:
    add = ["rows", "add", "--jurisdiction", "de", "--table", "base_rates", "--row", ROW]
    assert "known_until" in refused(*add)
    assert "--known-until" in refused(*add, "--known-until", "soon")
    assert law("rows", "list").output.strip() == "Nothing was added to the pack of DE."
    assert law(*add, "--known-until", "2027-06-30").output.strip() == "Added to base_rates of DE."
    listed = json.loads(law("rows", "list", "--json").stdout)
    assert [(row["table"], row["row"]["known_until"]) for row in listed] == [("base_rates", "2027-06-30")]
    assert "no base_rates rule of DE for 2027-07-01" in refused("interest", *YEAR, "--to", "2027-07-01")
    assert interest(*YEAR, "--from", "2027-01-01", "--to", "2027-06-30")["rows"][0]["rate"] == "6.77"  # type: ignore[index]
