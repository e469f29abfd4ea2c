"""What a filled duty hands on, and the reasons against a credit bureau in both languages."""

from dataclasses import replace
from datetime import date

import pytest

from kulanz.kernel.errors import InputError
from kulanz.law.duties import (
    BureauFacts,
    Facts,
    MissingValueError,
    Occasion,
    Owed,
    bureau_notice,
    fill,
    required,
)
from kulanz.law.figures.interest import Party
from kulanz.law.packs import AddedRow, NoRate, jurisdictions, load, merged

DE = load("DE")


def test_an_owed_text_names_its_rule_and_whether_it_was_seen() -> None:
    duty = next(duty for duty in DE.duties if duty.code == "rdg_authority")
    values = {"authority": "Amtsgericht", "authority_contact": "x@y.example"}
    text = "Zuständige Aufsichtsbehörde: Amtsgericht, x@y.example."
    for verified in (True, False):
        owed = fill(replace(duty, verified=verified), values, "de")
        assert owed == Owed("rdg_authority", text, (text,), duty.source, verified)


def test_what_the_layout_shows_is_looked_for_and_not_written_again() -> None:
    duty = next(duty for duty in DE.duties if duty.code == "opt_out")
    shown = replace(duty, text_de="Abmelden: {preferences}", shows=("preferences",))
    owed = fill(shown, {"preferences": "https://pay.example/p"}, "de")
    assert (owed.text, owed.needles) == ("", ("https://pay.example/p",))


def test_every_missing_value_is_named_and_the_way_out() -> None:
    duty = next(duty for duty in DE.duties if duty.code == "rdg_authority")
    with pytest.raises(InputError) as refused:
        fill(duty, {}, "de")
    assert str(refused.value) == (
        f"The message must say authority, authority_contact ({duty.source}), and this is not known. "
        "Complete the creditor's details, then send again."
    )


def test_all_reasons_against_a_credit_bureau_at_once() -> None:
    facts = BureauFacts(date(2026, 6, 1), (date(2026, 6, 10),), bureau_announced=False, disputed=True)
    assert bureau_notice(facts, date(2026, 7, 7)) == (
        (
            "Es gab keine zwei Mahnungen nach Fälligkeit.",
            "There were no two reminders after the due date.",
        ),
        (
            "Die erste Mahnung liegt keine vier Wochen zurück.",
            "The first reminder is less than four weeks old.",
        ),
        ("Die Auskunftei wurde nicht angekündigt.", "The credit bureau was not announced."),
        ("Die Forderung ist bestritten.", "The claim is disputed."),
    )


def test_a_blank_value_is_none() -> None:
    duty = next(duty for duty in DE.duties if duty.code == "rdg_vat")
    with pytest.raises(MissingValueError) as refused:
        fill(duty, {"vat": " \n"}, "de")
    assert refused.value.names == ("vat",)


@pytest.mark.parametrize("code", jurisdictions())
def test_past_the_last_known_day_nobody_knows_what_must_be_said(code: str) -> None:
    facts = Facts(False, Party.CONSUMER, frozenset({Occasion.ELECTRONIC}))
    assert [duty.code for duty in required(load(code), facts, date(2030, 12, 31))] == ["opt_out"]
    with pytest.raises(NoRate, match="duties to inform"):
        required(load(code), facts, date(2031, 1, 1))


def added(**changes: object) -> AddedRow:
    row: dict[str, object] = {
        "valid_from": "2026-10-01",
        "code": "rdg_vat",
        "occasion": "first_demand",
        "role": "collector",
        "party": "consumer",
        "text_de": "USt: {vat}",
        "text_en": "Sales tax: {vat}",
        "source": "RDG section 13a(1) no. 6",
        "verified": True,
    }
    return AddedRow("duties", row | changes)


def test_a_newer_row_of_the_same_duty_takes_its_place_from_its_day_on() -> None:
    pack = merged(DE, [added()])
    facts = Facts(True, Party.CONSUMER, frozenset({Occasion.FIRST_DEMAND}))
    for day, text in ((date(2026, 9, 30), "VAT: {vat}"), (date(2026, 10, 1), "Sales tax: {vat}")):
        assert [duty.text_en for duty in required(pack, facts, day) if duty.code == "rdg_vat"] == [text]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"text_en": " "}, "neither a text in both languages nor a value to show"),
        ({"text_de": "USt: {vat"}, "cannot be filled in"),
        ({"text_de": "USt: {vat.upper}"}, "'vat.upper', which is no value"),
        ({"text_de": "USt: {}"}, "'', which is no value"),
        ({"text_en": "{vat:d}"}, "'vat:d', which is no value"),
        ({"text_en": "{vat!r}"}, "'vat!r', which is no value"),
    ],
)
def test_a_row_that_nobody_could_fill_in_is_refused(changes: dict[str, object], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        merged(DE, [added(**changes)])
