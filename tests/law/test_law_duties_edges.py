"""What a filled duty hands on, and the reasons against a credit bureau in both languages."""

from dataclasses import replace
from datetime import date

import pytest

from kulanz.kernel.errors import InputError
from kulanz.law.duties import BureauFacts, Owed, bureau_notice, fill
from kulanz.law.packs import load

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
