"""The installation's own rows of law: kept, merged, and seen at once everywhere."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from kulanz.contact.queries import creditor_rules
from kulanz.kernel import clock
from kulanz.kernel.errors import InputError
from kulanz.law import packs
from kulanz.law.packs import AddedRow, NoRate
from kulanz.law.rates import base_on
from kulanz.tenancy import law
from kulanz.tenancy.models import Creditor, LawRow

pytestmark = pytest.mark.django_db
NEXT = {"valid_from": "2027-01-01", "percent": "1.77", "source": "Bundesbank", "verified": True}
UNTIL = date(2027, 6, 30)
NEW_YEAR = date(2027, 1, 1)


def test_without_rows_of_ones_own_the_shipped_pack_is_used() -> None:
    assert law.pack("DE") is packs.load("DE")
    assert law.rows("DE") == []
    with pytest.raises(InputError, match="no law pack"):
        law.pack("FR")


def test_an_added_row_holds_at_once_and_only_in_its_jurisdiction() -> None:
    with pytest.raises(NoRate):
        base_on(law.pack("DE"), NEW_YEAR)
    with clock.virtual(datetime(2026, 12, 29, 9, tzinfo=UTC)):
        kept = law.add_row("de", AddedRow("base_rates", NEXT, UNTIL), by="olga")
    assert base_on(law.pack("DE"), NEW_YEAR).percent == Decimal("1.77")
    assert base_on(law.pack("de"), UNTIL).percent == Decimal("1.77")
    assert law.pack("CH") == packs.load("CH")
    assert law.rows("de") == [kept]
    assert law.rows("CH") == []
    assert (kept.jurisdiction, kept.table, kept.added_by) == ("DE", "base_rates", "olga")
    assert kept.added_at == datetime(2026, 12, 29, 9, tzinfo=UTC)
    assert kept.row == NEXT | {"known_until": "2027-06-30"}


def test_the_last_of_two_rows_of_one_day_counts() -> None:
    law.add_row("DE", AddedRow("base_rates", NEXT, UNTIL), by="olga")
    law.add_row("DE", AddedRow("base_rates", NEXT | {"percent": "1.87"}), by="olga")
    assert base_on(law.pack("DE"), UNTIL).percent == Decimal("1.87")
    assert law.rows("DE")[1].row["known_until"] is None


def test_a_row_that_does_not_fit_is_not_kept() -> None:
    for table, row, until in (
        ("tips", NEXT, None),
        ("base_rates", NEXT, None),
        ("base_rates", NEXT, date(2026, 6, 30)),
        ("base_rates", NEXT | {"percent": "much"}, UNTIL),
    ):
        with pytest.raises(InputError):
            law.add_row("DE", AddedRow(table, row, until), by="olga")
    with pytest.raises(InputError, match="no law pack"):
        law.add_row("FR", AddedRow("base_rates", NEXT, UNTIL), by="olga")
    assert LawRow.objects.count() == 0


def test_a_row_that_was_rolled_back_is_forgotten() -> None:
    with transaction.atomic():
        law.add_row("DE", AddedRow("base_rates", NEXT, UNTIL), by="olga")
        assert base_on(law.pack("DE"), NEW_YEAR).percent == Decimal("1.77")
        transaction.set_rollback(True)
    with pytest.raises(NoRate):
        base_on(law.pack("DE"), NEW_YEAR)


def test_a_row_with_a_lower_number_that_comes_in_later_is_seen() -> None:
    """Two transactions at once: the one that began first ends last."""
    law.add_row("DE", AddedRow("base_rates", NEXT, UNTIL), by="olga")
    law.pack("DE")
    newest = LawRow.objects.get()
    seen = {"valid_from": "2026-07-01", "percent": "1.62", "source": "Bundesbank", "verified": True}
    earlier = newest.added_at - timedelta(minutes=1)
    LawRow.objects.create(
        id=newest.id - 1, jurisdiction="DE", table="base_rates", row=seen, added_by="ole", added_at=earlier
    )
    assert base_on(law.pack("DE"), date(2026, 7, 1)).percent == Decimal("1.62")


def test_a_row_from_before_an_upgrade_does_not_shorten_the_shipped_table() -> None:
    LawRow.objects.create(
        jurisdiction="DE",
        table="base_rates",
        row=NEXT | {"valid_from": "2026-01-01", "known_until": "2026-06-30"},
        added_by="olga",
        added_at=clock.now(),
    )
    assert law.pack("DE").end_of("base_rates") == date(2026, 12, 31)
    assert base_on(law.pack("DE"), date(2026, 1, 1)).percent == Decimal("1.77")
    assert base_on(law.pack("DE"), date(2026, 7, 1)).percent == Decimal("1.52")


def test_a_pack_costs_one_statement_and_is_the_same_until_a_row_is_added() -> None:
    law.add_row("DE", AddedRow("base_rates", NEXT, UNTIL), by="olga")
    first = law.pack("DE")
    with CaptureQueriesContext(connection) as queries:
        assert law.pack("DE") is first
    assert len(queries) == 1


def test_the_gate_keeps_to_the_operators_stricter_hours_at_once(creditor: Creditor) -> None:
    before = creditor_rules(creditor).tightened.contact_on(date(2026, 6, 1))
    assert (before.window(0), before.window(5)) == ((8, 20), (9, 18))
    row = {
        "valid_from": "2026-05-01",
        "weekday": [9, 17],
        "hours_between": 72,
        "per_7_days": 1,
        "source": "own",
        "limits_source": "own",
        "verified": True,
    }
    law.add_row("DE", AddedRow("contact", row), by="olga")
    rules = creditor_rules(creditor)
    after = rules.tightened.contact_on(date(2026, 6, 1))
    assert (after.window(0), after.window(5), after.limits.hours_between) == ((9, 17), None, 72)
    assert creditor_rules(creditor) is rules
    earlier = rules.tightened.contact_on(date(2026, 4, 30))
    assert (earlier.window(0), earlier.limits.hours_between) == ((8, 20), 48)
