"""Every figure has a date and a source, and what is missing is never guessed."""

from dataclasses import replace
from datetime import date

import pytest

from kulanz.kernel.errors import InputError
from kulanz.law.basis import PostingKind, basis, basis_of
from kulanz.law.packs import ContactLimits, NoRate, jurisdictions, load


def test_five_jurisdictions_have_a_pack() -> None:
    assert jurisdictions() == ("AT", "CH", "DE", "UK", "US")
    assert load("de") == load("DE")


def test_an_unknown_jurisdiction_names_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"no law pack for 'FR'.*DE"):
        load("FR")


@pytest.mark.parametrize("code", ["AT", "CH", "DE", "UK", "US"])
def test_every_row_is_dated_sourced_and_inside_its_table(code: str) -> None:
    pack = load(code)
    rows = [*pack.contact, *pack.calls, *pack.bases, *pack.postal_regions]
    assert all(row.source.strip() and row.verified in (True, False) for row in [*rows, pack.holidays])
    assert all(type(row.valid_from) is date for row in rows)
    assert all(row.valid_from < dict(pack.known_until)["contact"] for row in pack.contact)
    assert list(pack.contact) == sorted(pack.contact, key=lambda row: row.valid_from)


@pytest.mark.parametrize("code", ["AT", "CH", "DE", "UK", "US"])
@pytest.mark.parametrize("kind", PostingKind)
def test_every_posting_kind_has_a_basis_in_both_languages(code: str, kind: PostingKind) -> None:
    found = basis(load(code), kind)
    assert found.code == f"{code}.{kind}"
    assert basis_of(found.code) == found
    assert found.paragraph
    assert found.text("de-DE") == found.text_de != found.text("en") == found.text_en
    assert "schuldner" not in found.text_de.lower()
    assert "debtor" not in found.text_en.lower()


def test_german_bases_name_the_paragraphs() -> None:
    pack = load("DE")
    paragraphs = {
        PostingKind.PRINCIPAL: "433",
        PostingKind.PAYMENT: "362",
        PostingKind.INTEREST: "288",
        PostingKind.REMINDER_COST: "280, 286",
        PostingKind.WAIVER: "397",
        PostingKind.OVERPAYMENT: "812",
    }
    assert all(number in basis(pack, kind).paragraph for kind, number in paragraphs.items())


def test_an_unknown_posting_kind_is_refused() -> None:
    with pytest.raises(InputError, match="no legal basis"):
        basis(load("DE"), "tip")
    with pytest.raises(InputError, match="no legal basis"):
        basis_of("DE")
    with pytest.raises(InputError, match="no law pack"):
        basis_of("")


def test_past_the_known_days_there_is_no_rule() -> None:
    pack = load("DE")
    assert pack.contact_on(date(2030, 12, 31)).weekday == (8, 20)
    for day in (date(2031, 1, 1), date(1999, 12, 31)):
        with pytest.raises(NoRate) as caught:
            pack.contact_on(day)
        assert (caught.value.on, caught.value.what) == (day, "contact rule of DE")


def test_the_row_in_force_is_taken_by_date() -> None:
    pack = load("US")
    assert "Regulation F" not in pack.contact_on(date(2021, 11, 29)).source
    assert "Regulation F" in pack.contact_on(date(2021, 11, 30)).source
    assert pack.calls_on(date(2021, 11, 29)) is None
    assert load("DE").calls_on(date(2026, 1, 1)) is None


def test_a_creditor_may_tighten_the_limits() -> None:
    own = ContactLimits(hours_between=72, per_7_days=1, earliest=9, latest=18)
    assert load("DE").limits.stricter(own) == own
    assert load("DE").limits.stricter(ContactLimits()) == ContactLimits(48, 2, 8, 20)
    pack = load("DE").tightened(own)
    assert [pack.contact_on(date(2026, 6, 1)).window(day) for day in (0, 5, 6)] == [(9, 18), (9, 18), None]
    assert load("DE").contact_on(date(2026, 6, 1)).window(0) == (8, 20)


@pytest.mark.parametrize(
    ("own", "name"),
    [
        (ContactLimits(hours_between=47), "hours_between"),
        (ContactLimits(per_7_days=3), "per_7_days"),
        (ContactLimits(earliest=7), "earliest"),
        (ContactLimits(latest=21), "latest"),
    ],
)
def test_a_creditor_may_not_loosen_the_limits(own: ContactLimits, name: str) -> None:
    with pytest.raises(InputError, match=name):
        load("DE").limits.stricter(own)
    with pytest.raises(InputError, match=name):
        load("DE").tightened(own)


def test_limits_that_leave_no_hour_are_refused() -> None:
    with pytest.raises(InputError, match="no hour is left"):
        load("DE").tightened(ContactLimits(earliest=12, latest=12))


def test_a_law_that_became_stricter_wins_over_a_creditors_older_wish() -> None:
    pack = load("DE")
    old, law = pack.contact[0], replace(pack.contact[0].limits, hours_between=96)
    two_rows = replace(pack, contact=(replace(old, limits=law), replace(old, valid_from=date(2026, 1, 1))))
    tightened = two_rows.tightened(ContactLimits(hours_between=72))
    assert tightened.contact_on(date(2025, 1, 1)).limits.hours_between == 96
    assert tightened.contact_on(date(2026, 1, 1)).limits.hours_between == 72
