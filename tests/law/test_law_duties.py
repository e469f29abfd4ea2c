"""What must be said, to whom and when."""

from datetime import date

import pytest

from kulanz.kernel.errors import InputError
from kulanz.law.duties import BureauFacts, Facts, Occasion, bureau_notice, fill, required
from kulanz.law.figures.interest import Party
from kulanz.law.packs import jurisdictions, load

DE = load("DE")
TODAY = date(2026, 9, 1)
EIGHT = [
    "rdg_creditor",
    "rdg_ground",
    "rdg_interest",
    "rdg_above_statutory",
    "rdg_costs",
    "rdg_vat",
    "rdg_authority",
]


def codes(
    *occasions: Occasion, collector: bool = True, party: Party = Party.CONSUMER, code: str = "DE", on=TODAY
):
    return [duty.code for duty in required(load(code), Facts(collector, party, frozenset(occasions)), on)]


def test_a_collectors_first_demand_on_a_private_person_has_eight_items() -> None:
    first = codes(Occasion.FIRST_DEMAND, Occasion.TRACED_ADDRESS)
    assert first == [*EIGHT[:6], "rdg_traced", EIGHT[6]]
    assert len(first) == 8
    assert codes(Occasion.FIRST_DEMAND) == EIGHT
    sources = {d.code: d.source for d in DE.duties}
    assert [sources[code][-1] for code in first] == list("12345678")


def test_creditors_businesses_and_later_demands_owe_none_of_them() -> None:
    assert codes(Occasion.FIRST_DEMAND, collector=False) == []
    assert codes(Occasion.FIRST_DEMAND, party=Party.BUSINESS) == []
    assert codes() == []
    assert codes(Occasion.FIRST_DEMAND, on=date(2021, 9, 30)) == []


@pytest.mark.parametrize("code", jurisdictions())
def test_every_electronic_message_shows_the_way_out(code: str) -> None:
    for collector in (True, False):
        assert codes(Occasion.ELECTRONIC, collector=collector, code=code) == ["opt_out"]
    (duty,) = required(load(code), Facts(False, Party.CONSUMER, frozenset({Occasion.ELECTRONIC})), TODAY)
    owed = fill(duty, {"preferences": "https://pay.example/p/x/preferences/"}, "en")
    assert (owed.text, owed.needles) == ("", ("https://pay.example/p/x/preferences/",))


@pytest.mark.parametrize("code", jurisdictions())
def test_a_plan_names_its_cost_and_an_acknowledgement_its_price(code: str) -> None:
    plan, warning = codes(Occasion.PLAN, Occasion.ACKNOWLEDGEMENT, collector=False, code=code)
    assert (plan, warning) == ("plan_cost", "acknowledgement")


def test_a_collectors_plan_has_a_rule_of_its_own() -> None:
    assert codes(Occasion.PLAN) == ["rdg_plan_cost"]


def test_programs_say_that_they_are_programs() -> None:
    assert codes(Occasion.CHAT, on=date(2026, 8, 2)) == ["machine"]
    assert codes(Occasion.CHAT, on=date(2026, 8, 1)) == []
    assert codes(Occasion.CHAT, code="AT", on=date(2026, 8, 2)) == ["machine"]
    assert codes(Occasion.CHAT, code="AT", on=date(2026, 8, 1)) == []
    for code in ("CH", "UK", "US"):
        assert codes(Occasion.CHAT, code=code) == ["machine"]
    assert codes(Occasion.REFUSAL, collector=False) == ["human_path"]


def test_the_united_states_want_a_validation_notice_of_thirty_days() -> None:
    assert codes(Occasion.FIRST_DEMAND, code="US") == ["validation"]
    (duty,) = required(load("US"), Facts(True, Party.CONSUMER, frozenset({Occasion.FIRST_DEMAND})), TODAY)
    told = fill(
        duty, {"client": "Lindenhof", "ground": "R-1", "interest": "none", "costs": "none"}, "en"
    ).text
    assert "Within 30 days" in told
    assert "We act for Lindenhof. Ground: R-1. Interest: none. Costs: none." in told
    assert codes(Occasion.FIRST_DEMAND, code="US", on=date(2021, 11, 29)) == []


def test_a_value_that_is_not_known_is_named() -> None:
    duty = next(duty for duty in DE.duties if duty.code == "rdg_authority")
    with pytest.raises(InputError, match=r"authority_contact.*section 13a\(1\) no\. 8"):
        fill(duty, {"authority": "Amtsgericht", "authority_contact": ""}, "de")
    owed = fill(duty, {"authority": "Amtsgericht", "authority_contact": "x@y.example"}, "de")
    assert owed.text == "Zuständige Aufsichtsbehörde: Amtsgericht, x@y.example."
    assert owed.needles == (owed.text,)
    assert fill(duty, {"authority": "Amtsgericht", "authority_contact": "x"}, "tr").text.startswith(
        "Supervisory"
    )
    with pytest.raises(InputError, match="preferences"):
        fill(next(d for d in DE.duties if d.code == "opt_out"), {}, "de")


DUE = date(2026, 6, 1)
REMINDED = (date(2026, 6, 10), date(2026, 6, 20))


def facts(**changes: object) -> BureauFacts:
    base: dict[str, object] = {"due": DUE, "reminded": REMINDED, "bureau_announced": True, "disputed": False}
    return BureauFacts(**(base | changes))  # type: ignore[arg-type]


def test_a_credit_bureau_is_told_only_after_two_reminders_four_weeks_and_notice() -> None:
    assert bureau_notice(facts(), date(2026, 7, 8)) == ()
    for changed, day, words in (
        (facts(), date(2026, 7, 7), "four weeks"),
        (facts(reminded=REMINDED[:1]), date(2026, 7, 8), "two reminders"),
        (facts(reminded=(date(2026, 5, 1), date(2026, 6, 10))), date(2026, 7, 8), "two reminders"),
        (facts(reminded=(DUE, date(2026, 6, 10))), date(2026, 7, 8), "two reminders"),
        (facts(bureau_announced=False), date(2026, 7, 8), "announced"),
        (facts(disputed=True), date(2026, 7, 8), "disputed"),
    ):
        ((german, english),) = bureau_notice(changed, day)
        assert words in english
        assert german != english
    assert len(bureau_notice(facts(reminded=()), date(2026, 7, 8))) == 2
