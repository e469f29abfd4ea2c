"""Every reason can be said, in two languages, kindly, and keeps its number."""

import pytest

from kulanz.law.vetoes import HoldReason, Veto, VetoCode, sentence, source, veto_of_hold

NUMBERS = {
    1: "outside_hours",
    2: "sunday",
    3: "public_holiday",
    4: "too_soon",
    5: "too_many",
    6: "opted_out",
    7: "no_consent",
    8: "no_contact_point",
    9: "bounced",
    10: "disputed",
    11: "on_hold",
    12: "minor",
    13: "insolvency",
    14: "represented",
    15: "deceased",
    16: "time_barred",
    17: "not_in_stage",
    18: "channel_off",
    19: "nothing_open",
    20: "customer_contacted",
    21: "message_pending",
    22: "amount_too_small",
    23: "returning",
    24: "called_enough",
    25: "offer_limits",
}


def test_numbers_of_stored_codes_never_move() -> None:
    assert {code.number: code.value for code in VetoCode} == NUMBERS
    assert [VetoCode.numbered(number) for number in range(26)] == [None, *VetoCode]
    with pytest.raises(IndexError):
        VetoCode.numbered(26)


@pytest.mark.parametrize("code", VetoCode)
def test_every_code_has_a_sentence_in_both_languages_and_a_source(code: VetoCode) -> None:
    german, english = sentence(code, "de"), sentence(code, "en")
    assert german != english
    for text in (german, english):
        assert text.endswith(".")
        assert "{" not in text
        assert "debtor" not in text.lower()
        assert "schuldner" not in text.lower()
    assert source(code)


def test_sentences_take_their_values() -> None:
    assert sentence("too_soon", "de", hours=72) == "Der letzte Kontakt liegt weniger als 72 Stunden zurück."
    assert sentence("too_soon", "en") == "The last contact was less than 48 hours ago."
    assert sentence("on_hold", "de-AT", reason=HoldReason.PLAN) == "Der Fall ruht: Ratenplan läuft."
    assert sentence("on_hold", "tr", reason="hardship") == "The case is on hold: financial hardship."
    assert Veto(VetoCode.SUNDAY, "x").sentence("en") == "Nobody is contacted on a Sunday."


def test_every_hold_stops_contact_under_a_code() -> None:
    own = {HoldReason(name) for name in ("dispute", "insolvency", "represented", "deceased", "minor")}
    assert {reason for reason in HoldReason if veto_of_hold(reason) is not VetoCode.ON_HOLD} == own
    assert veto_of_hold("dispute") is VetoCode.DISPUTED
    assert len({sentence("on_hold", "de", reason=reason) for reason in HoldReason}) == len(HoldReason)
    with pytest.raises(ValueError, match="whim"):
        veto_of_hold("whim")
