"""`kulanz law fees`: own dunning and collectors, as a table and as JSON."""

import json

import pytest
from typer.testing import CliRunner

from kulanz.cli.commands import app
from kulanz.kernel.errors import InputError
from kulanz.law.packs import NoRate

pytestmark = pytest.mark.django_db
FEES = ["law", "fees", "--principal", "500", "--on", "2025-06-01"]
COLLECTOR = [*FEES, "--role", "collector"]


def shown(*words: str) -> str:
    done = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def rows(*words: str):
    return json.loads(shown(*words, "--json"))["fees"]


def amounts(*words: str) -> list[tuple[str, str]]:
    return [(row["name"], row["amount"]) for row in rows(*words)]


def test_own_dunning() -> None:
    assert amounts(*FEES, "--party", "business", "--letter-cost", "0.76", "--return-cost", "3.00") == [
        ("digital reminder", "0.00"),
        ("reminder by letter", "0.76"),
        ("lump sum", "40.00"),
        ("returned debit", "3.00"),
    ]
    first = [*FEES, "--letter-cost", "0.76", "--first-reminder", "--kind", "reminder_cost"]
    assert amounts(*first) == [("digital reminder", "0.00"), ("reminder by letter", "0.00")]
    assert "first creates default" in rows(*first)[1]["formula"]


def test_the_lump_sum_of_an_older_contract_goes_by_the_day_of_performance() -> None:
    lump = [*FEES, "--party", "business", "--contract-date", "2010-01-01", "--kind", "lump_sum"]
    assert amounts(*lump) == [("lump sum", "0.00")]
    assert amounts(*lump, "--performed-on", "2016-06-30") == [("lump sum", "0.00")]
    assert amounts(*lump, "--performed-on", "2016-07-01") == [("lump sum", "40.00")]


def test_a_collectors_table() -> None:
    """0.5, 0.9 and 1.3 of 51.50 with a fifth each; the deal: 0.7 of the 51.50 for 250.00."""
    assert [amount for _, amount in amounts(*COLLECTOR)] == [
        "25.75", "5.15", "46.35", "9.27", "66.95", "13.39", "36.05",
    ]  # fmt: skip
    assert amounts(*COLLECTOR, "--disputed", "1.5")[0] == ("collection, disputed", "77.25")
    table = shown(*COLLECTOR)
    assert "0.9 x 51.50" in table
    assert "Unverified" in table
    row = rows(*COLLECTOR)[2]
    assert (row["kind"], row["cap"], row["inputs"]["value"]) == ("collection_cost", "46.35", "500.00")
    assert row["caveats"][0]["what"] == "collection cost"


def test_the_june_of_2025_changes_the_small_claims_fee() -> None:
    small = ["law", "fees", "--principal", "50", "--role", "collector", "--kind", "collection_cost"]
    assert {row["amount"] for row in rows(*small, "--on", "2025-05-31")} == {"30.00"}
    assert {row["amount"] for row in rows(*small, "--on", "2025-06-01")} == {"30.50"}


def test_other_countries() -> None:
    vienna = [*COLLECTOR, "--jurisdiction", "AT"]
    assert amounts(*vienna) == [("first reminder", "24.71"), ("further reminder", "27.62")]
    assert "Unverified" in shown(*vienna)
    swiss = json.loads(
        shown(*FEES, "--jurisdiction", "CH", "--party", "business", "--letter-cost", "1", "--json")
    )
    assert (swiss["currency"], {row["amount"] for row in swiss["fees"]}) == ("CHF", {"0.00"})
    for code in ("CH", "UK", "US"):
        with pytest.raises(NoRate, match=code):
            shown(*COLLECTOR, "--jurisdiction", code)


def test_past_the_known_time_the_missing_table_is_named() -> None:
    with pytest.raises(NoRate, match="collection_rules rule of DE"):
        shown("law", "fees", "--principal", "5", "--on", "2031-01-01", "--role", "collector")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--letter-cost", "x"], "--letter-cost"),
        (["--letter-cost", "2.50"], r"about 0\.76"),
        (["--return-cost", "-1"], "not below zero"),
        (["--performed-on", "then"], "--performed-on"),
        (["--jurisdiction", "FR"], "no law pack"),
        (["--role", "collector", "--disputed", "3"], r"between 0\.5 and 2\.5"),
    ],
)
def test_a_mistake_is_named(words: list[str], says: str) -> None:
    with pytest.raises(InputError, match=says):
        shown(*FEES, *words)
