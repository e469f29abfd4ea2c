"""What each reason for a hold stops by itself, and what two of them stop together."""

import pytest

from kulanz.law.holds import REACHES_BACK, HoldEffects, effects_of
from kulanz.law.vetoes import HOUSE, HoldReason

KIND = (True, True, True)
WAITING = (True, False, True)


def stops(reason: HoldReason | str) -> tuple[bool, bool, bool]:
    found = effects_of(reason)
    return found.contact, found.interest, found.fees


def test_every_reason_stops_contact_and_fees_and_the_grave_ones_interest_as_well() -> None:
    """A reason that is added without a decision fails here."""
    assert {reason.value: stops(reason) for reason in HoldReason} == {
        "dispute": WAITING,
        "hardship": KIND,
        "insolvency": KIND,
        "represented": WAITING,
        "deceased": KIND,
        "minor": KIND,
        "moratorium": KIND,
        "vulnerable": KIND,
        "question": WAITING,
        "promise": WAITING,
        "plan": WAITING,
        "payment_pending": WAITING,
        "manual": WAITING,
    }
    assert stops("minor") == KIND
    with pytest.raises(ValueError, match="weather"):
        effects_of("weather")


def test_a_house_rule_is_named_as_one_and_statutes_are_not() -> None:
    assert (effects_of("dispute").source, effects_of("dispute").verified) == (HOUSE, True)
    assert "Breathing Space" in effects_of("moratorium").source
    insolvency = effects_of(HoldReason.INSOLVENCY)
    assert "InsO" in insolvency.source
    assert not insolvency.verified


def test_what_begins_before_the_creditor_hears_of_it_reaches_back() -> None:
    assert sorted(REACHES_BACK) == ["deceased", "insolvency", "moratorium"]


@pytest.mark.parametrize("field", ["contact", "interest", "fees"])
def test_two_holds_stop_what_either_of_them_stops(field: str) -> None:
    none = {"contact": False, "interest": False, "fees": False}
    one, nothing = HoldEffects(**none | {field: True}), HoldEffects(**none)
    for both in (one | nothing, nothing | one, one | one):
        assert {name: getattr(both, name) for name in none} == none | {field: True}
    assert nothing | nothing == nothing


def test_of_two_holds_the_first_one_gives_the_reason() -> None:
    first = HoldEffects(contact=True, interest=False, fees=False, source="a letter", verified=False)
    both = first | effects_of("hardship")
    assert both == HoldEffects(contact=True, interest=True, fees=True, source="a letter", verified=False)
