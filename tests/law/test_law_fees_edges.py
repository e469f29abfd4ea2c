"""What every fee says of itself: formula, inputs, source; and what is refused in which words."""

from dataclasses import replace
from datetime import date

import pytest

from kulanz.kernel.errors import InputError
from kulanz.law import fees
from kulanz.law.fees import FeeKind
from kulanz.law.figures.interest import Party
from kulanz.law.packs import AddedRow, load, merged

DE, AT = load("DE"), load("AT")
NEW = date(2025, 6, 1)


def test_a_digital_reminder_says_that_it_is_free_by_the_house() -> None:
    found = fees.reminder(DE, NEW, digital=True, documented=76)
    assert (found.formula, found.inputs, found.caveats) == ("0 (digital)", (), ())
    assert found.source == "House rule: digital reminders cost the customer nothing"


def test_a_country_without_a_rule_is_named() -> None:
    us = load("US")
    assert fees.reminder(us, NEW, digital=False).source == "The pack of US has no rule on reminder costs"
    assert fees.returned(us, NEW, 300).source == ("The pack of US has no rule on the cost of returned debits")


def test_a_rule_that_forbids_letters_says_so() -> None:
    row = {"valid_from": "2026-01-01", "letter": "none", "source": "a later law", "verified": False}
    later = merged(DE, [AddedRow("reminder_costs", row)])
    assert fees.reminder(later, date(2026, 1, 1), digital=False).formula == "0 (no rule allows a charge)"
    first = fees.reminder(later, date(2026, 1, 1), digital=False, causes_default=True)
    assert [(caveat.what, caveat.source) for caveat in first.caveats] == [("reminder cost", "a later law")]


def test_a_letter_beyond_what_courts_accept_is_refused_in_full_words() -> None:
    with pytest.raises(InputError) as refused:
        fees.reminder(DE, NEW, digital=False, documented=250)
    assert str(refused.value) == (
        "2.50 for a letter is more than courts accept (about 0.76); "
        "only real outside cost counts, no wages or overheads."
    )
    row = {
        "valid_from": "2026-01-01",
        "letter": "documented",
        "refused": 250,
        "source": "x",
        "verified": True,
    }
    later = merged(DE, [AddedRow("reminder_costs", row)])
    with pytest.raises(InputError, match=r"\(about 0\.00\)"):
        fees.reminder(later, date(2026, 1, 1), digital=False, documented=250)


def test_a_returned_debit_names_its_rule() -> None:
    found = fees.returned(DE, NEW, 300)
    assert found.source == DE.return_costs[0].source
    assert found.inputs == (("documented", "3.00"),)


def test_an_old_contract_of_a_consumer_carries_the_doubt_of_its_row() -> None:
    consumer = fees.lump_sum(DE, Party.CONSUMER, date(2010, 1, 1), date(2016, 7, 1))
    assert [caveat.what for caveat in consumer.caveats] == ["lump sum"]
    assert consumer.inputs == ()
    assert fees.lump_sum(DE, Party.BUSINESS, NEW).inputs == ()


def test_an_ordinance_shows_its_band_and_which_reminder_it_is() -> None:
    for further, word, amount, said in ((False, "first", 727, "7.27"), (True, "further", 945, "9.45")):
        found = fees.ordinance(AT, 1_801, NEW, further=further)
        assert (found.kind, found.amount, found.formula) == (FeeKind.COLLECTION, amount, said)
        assert found.inputs == (("value", "18.01"), ("reminder", word))
        assert found.source == AT.ordinance_bands[0].source


def test_the_narrowest_band_counts_in_whatever_order_they_are_written() -> None:
    wide, narrow, rest = AT.ordinance_bands[1], AT.ordinance_bands[0], AT.ordinance_bands[-1]
    for bands in ((wide, narrow, rest), (rest, wide, narrow), (narrow, rest, wide)):
        pack = replace(AT, ordinance_bands=bands)
        assert fees.ordinance(pack, 1_800, NEW, further=False).amount == 436
        assert fees.ordinance(pack, 1_801, NEW, further=False).amount == 727
        assert fees.ordinance(pack, 10**9, NEW, further=False).amount == 5087


def test_half_of_one_cent_is_one_cent() -> None:
    assert dict(fees.settlement(DE, 1, NEW).inputs)["value"] == "0.01"


def test_what_is_refused_is_said_in_a_sentence() -> None:
    fee = fees.returned(DE, NEW, 300)
    for refused, words in (
        (lambda: fees.credited(fee, -1), "What is credited is not below zero."),
        (lambda: fees.returned(DE, NEW, -1), "A documented cost is not below zero."),
        (lambda: fees.settlement(DE, 0, NEW), "A fee by value needs a value above zero."),
    ):
        with pytest.raises(InputError) as error:
            refused()
        assert str(error.value) == words
