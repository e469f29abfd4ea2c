"""`kulanz law`: the packs as a calculator, for people and as JSON."""

import json

import pytest
from typer.testing import CliRunner

from kulanz.cli.commands import app
from kulanz.kernel.errors import InputError
from kulanz.law.packs import NoRate

pytestmark = pytest.mark.django_db
INTEREST = ["interest", "--principal", "1500", "--from", "2009-09-15", "--to", "2012-02-17"]
PUBLISHED = [*INTEREST, "--party", "business", "--inclusive", "both", "--contract-date", "2009-08-01"]


def law(*words: str) -> str:
    done = CliRunner().invoke(app, ["law", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def document(*words: str):
    return json.loads(law(*words, "--json"))


def test_the_published_calculation() -> None:
    found = document(*PUBLISHED, "--jurisdiction", "DE")
    assert found["total"] == "297.50"
    assert found["day_count"] == "act/act"
    assert [(row["from"], row["to"], row["days"], row["rate"], row["amount"]) for row in found["rows"]] == [
        ("2009-09-15", "2009-12-31", 108, "8.12", "36.0395"),
        ("2010-01-01", "2010-06-30", 181, "8.12", "60.3995"),
        ("2010-07-01", "2010-12-31", 184, "8.12", "61.4005"),
        ("2011-01-01", "2011-06-30", 181, "8.12", "60.3995"),
        ("2011-07-01", "2011-12-31", 184, "8.37", "63.2910"),
        ("2012-01-01", "2012-02-17", 48, "8.12", "15.9738"),
    ]
    assert "297.50 EUR" in law(*PUBLISHED)


def test_movements_and_a_lower_rate() -> None:
    words = [
        *INTEREST,
        "--contract-date",
        "2009-08-01",
        "--movement",
        "2009-10-01=-1500.00",
        "--max-rate",
        "4",
    ]
    found = document(*words)
    assert [(row["days"], row["rate"]) for row in found["rows"]] == [(16, "4")]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([*INTEREST, "--contract-date", "yesterday"], "--contract-date: 'yesterday' is not an ISO date"),
        ([*PUBLISHED, "--movement", "x"], "--movement"),
        ([*PUBLISHED, "--movement", "2010-01-01=many"], "--movement"),
        ([*PUBLISHED, "--day-count", "act/1"], "is no day count"),
        ([*PUBLISHED, "--max-rate", "x"], "--max-rate"),
        ([*PUBLISHED, "--jurisdiction", "FR"], "no law pack"),
        (["fees", "--principal", "x", "--on", "2026-01-01"], "--principal"),
        (
            ["fees", "--principal", "1", "--on", "2026-01-01", "--role", "collector", "--disputed", "x"],
            "--disputed",
        ),
        (["allocate", "--amount", "1", "--claim", "A"], "--claim"),
        (["allocate", "--amount", "1", "--claim", "A;2026-01-01;tip=4"], "--claim"),
        (["allocate", "--amount", "1", "--claim", "A;soon;principal=4"], "--claim"),
        (["limitation", "--arose", "2020-01-01", "--negotiation", "2021"], "--negotiation"),
        (["contact", "--at", "noon"], "--at"),
        (["contact", "--at", "2026-03-03T10:00", "--jurisdiction", "US"], "--timezone"),
        (["rows", "add", "--jurisdiction", "DE", "--table", "base_rates", "--row", "{"], "--row"),
        (["rows", "add", "--jurisdiction", "DE", "--table", "base_rates", "--row", "[]"], "--row"),
        (["rows", "add", "--jurisdiction", "DE", "--table", "tips", "--row", "{}"], "no table of a law pack"),
    ],
)
def test_a_mistake_is_named_with_its_option(words: list[str], says: str) -> None:
    with pytest.raises(InputError, match=says):
        CliRunner().invoke(app, ["law", *words], catch_exceptions=False)


def test_a_payment_settles_costs_first() -> None:
    words = [
        "allocate",
        "--amount",
        "20",
        "--claim",
        "A;2026-01-05;principal=80;interest=2;cost=5",
        "--on",
        "2026-02-01",
    ]
    found = document(*words)
    assert [(row["account"], row["amount"]) for row in found["rows"]] == [
        ("cost", "5.00"),
        ("interest", "2.00"),
        ("principal", "13.00"),
    ]
    assert found["source"].startswith("BGB section 367")
    loan = document(*words, "--consumer-loan")
    assert [row["account"] for row in loan["rows"]] == ["cost", "principal"]
    assert "credit: 0.00 EUR" in law(*words)
    assert "Unverified" in law(*words, "--jurisdiction", "CH")


def test_when_a_claim_is_barred() -> None:
    words = ["limitation", "--arose", "2020-05-03", "--part-payment", "2022-03-01", "--on", "2025-03-02"]
    found = document(*words)
    assert (found["last_day"], found["barred"]) == ("2025-03-01", True)
    assert len(found["steps"]) == 2
    assert "time-barred" in law(*words)
    more = [
        "--negotiation",
        "2022-01-01..2022-01-31",
        "--payment-order",
        "2023-01-01..",
        "--on",
        "2040-01-01",
    ]
    assert "not time-barred" in law("limitation", "--arose", "2020-05-03", *more)
    titled = document("limitation", "--arose", "2020-05-03", "--titled-on", "2021-01-01")
    assert titled["last_day"] == "2051-01-01"


def test_may_somebody_be_contacted() -> None:
    christmas = document(
        "contact",
        "--at",
        "2026-12-25T10:00",
        "--postal-code",
        "10115",
        "--last",
        "2026-12-23T18:00",
        "--contacts-7d",
        "1",
    )
    assert [veto["code"] for veto in christmas["vetoes"]] == ["too_soon", "public_holiday"]
    assert christmas["region"] == "DE-BE"
    assert "public_holiday" in law("contact", "--at", "2026-12-25T10:00")
    assert "allowed" in law("contact", "--at", "2026-03-03T10:00")
    call = ["contact", "--at", "2026-03-03T10:00", "--jurisdiction", "US", "--timezone", "America/New_York"]
    call += ["--channel", "call"]
    assert document(*call, "--calls-7d", "7")["vetoes"][0]["source"].startswith("12 CFR 1006.14(b)(2)")
    assert document(*call, "--calls-7d", "6")["allowed"]
    assert not document(*call, "--last-talk", "2026-02-26T12:00")["allowed"]


def test_a_row_of_ones_own_holds_from_its_date_on() -> None:
    words = ["interest", "--principal", "100", "--from", "2026-12-30", "--to", "2027-01-31"]
    words += ["--contract-date", "2026-01-01"]
    with pytest.raises(NoRate):
        CliRunner().invoke(app, ["law", *words], catch_exceptions=False)
    row = '{"valid_from": "2027-01-01", "percent": "1.77", "source": "Bundesbank", "verified": true}'
    law(
        "rows",
        "add",
        "--jurisdiction",
        "de",
        "--table",
        "base_rates",
        "--row",
        row,
        "--known-until",
        "2027-06-30",
    )
    assert [r["rate"] for r in document(*words)["rows"]] == ["6.52", "6.77"]
    assert json.loads(law("rows", "list", "--json"))[0]["row"]["percent"] == "1.77"
    assert "base_rates" in law("rows", "list")
    assert "Nothing was added" in law("rows", "list", "--jurisdiction", "CH")
    with pytest.raises(InputError, match="cannot end earlier"):
        CliRunner().invoke(
            app,
            [
                "law",
                "rows",
                "add",
                "--jurisdiction",
                "DE",
                "--table",
                "base_rates",
                "--row",
                row,
                "--known-until",
                "2026-01-01",
            ],
            catch_exceptions=False,
        )
