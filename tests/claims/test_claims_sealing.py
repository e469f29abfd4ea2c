"""Any changed byte of the ledger is found."""

import random
from datetime import date

import pytest
from django.db import connection, transaction

from kulanz.claims import adjusting, sealing
from kulanz.claims.actions import book_payment
from kulanz.claims.adjusting import Cause
from kulanz.claims.checks import check_ledger
from kulanz.claims.guards import LEDGER_GUARDS
from kulanz.claims.models import Claim, Journal
from kulanz.claims.sealing import check_chain, seal
from kulanz.events import sealer as events
from kulanz.events.guards import EVENT_GUARDS
from kulanz.tenancy.scope import scope

DAY = date(2026, 3, 3)


def seal_all() -> int:
    sealed = 0
    while block := seal(limit=4):
        sealed += block
    return sealed


@pytest.fixture
def ledger(creditor, make_case) -> int:
    """Journals of several kinds on three cases, all sealed; returns how many."""
    for number in range(3):
        case = make_case(f"K{number}", 10000 + number)
        claim = Claim.objects.get(case=case)
        book_payment(case.id, 3000, value_date=DAY, key=f"p{number}", method="transfer")
        adjusting.credit(claim.id, 500, Cause(f"c{number}", DAY, "agent:1"))
        adjusting.write_off(claim.id, Cause(f"o{number}", DAY, "agent:1"))
    sealed = seal_all()
    events.seal()
    return sealed


def test_journals_are_numbered_without_gaps_in_blocks(ledger, make_case) -> None:
    assert ledger == Journal.objects.count()
    assert sorted(Journal.objects.values_list("sequence", flat=True)) == list(range(1, ledger + 1))
    found = check_chain()
    assert (found.sealed, found.unsealed, found.broken, found.missing, found.whole) == (
        ledger,
        0,
        (),
        0,
        True,
    )
    make_case("K9")
    assert check_chain().unsealed == 1
    assert check_ledger().clean
    assert (seal(), seal()) == (1, 0)


def test_each_creditor_has_a_chain_of_its_own(ledger, other_creditor, make_case) -> None:
    with scope(other_creditor.id):
        make_case("K1")
        assert seal() == 1
        assert (check_chain().sealed, check_chain().whole) == (1, True)
    assert check_chain().sealed == ledger


def test_the_database_lets_only_the_sealer_fill_in_what_is_empty(ledger, make_case) -> None:
    for statement in (
        "UPDATE claims_journal SET sequence = 99 WHERE sequence = 1",
        "UPDATE claims_journal SET digest = NULL",
        "UPDATE claims_journal SET cause = 'x'",
    ):
        with (
            pytest.raises(Exception, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    make_case("K9")
    with (
        pytest.raises(Exception, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE claims_journal SET sequence = 99, value_date = '2020-01-01' WHERE sequence IS NULL"
        )


JOURNAL = (
    "id",
    "creditor_id",
    "key",
    "kind",
    "case_id",
    "value_date",
    "booked_at",
    "cause",
    "details",
    "sequence",
    "digest",
)
POSTING = ("id", "creditor_id", "journal_id", "case_id", "claim_id", "account", "amount", "basis")


def _one(rng: random.Random, table: str) -> str:
    place = rng.randrange(10**6)
    return f"(SELECT id FROM {table} ORDER BY id LIMIT 1 OFFSET {place} % (SELECT COUNT(*) FROM {table}))"


def _sealed(number: int) -> str:
    return f"(SELECT id FROM claims_journal WHERE sequence = {number})"


def _field(rng: random.Random) -> list[str]:
    """As little as can be: the next day or second, another last letter, one bit or one unit more."""
    table = rng.choice(["claims_journal", "claims_posting"])
    column = rng.choice(JOURNAL if table == "claims_journal" else POSTING)
    digest = bytearray(Journal.objects.get(sequence=rng.randint(1, 12)).digest)
    digest[rng.randrange(32)] ^= 1 << rng.randrange(8)
    postgres = connection.vendor == "postgresql"
    other = {
        "value_date": "value_date + 1" if postgres else "date(value_date, '+1 day')",
        "booked_at": "booked_at + interval '1 second'" if postgres else "datetime(booked_at, '+1 second')",
        "details": f"""'{{"x":{rng.randint(1, 99)}}}'""",
        "digest": f"'\\x{digest.hex()}'" if postgres else f"x'{digest.hex()}'",
        "amount": f"amount + {rng.choice([-1, 1])}",
        "claim_id": f"COALESCE(claim_id, 0) + {rng.choice([-1, 1])}",
        "cause": f"cause || '{rng.choice('xyz')}'",
    }
    for name in ("key", "kind", "account", "basis"):
        other[name] = f"substr({name}, 1, length({name}) - 1) || '{rng.choice('XYZ')}'"
    value = other.get(column, f"{column} + {rng.randint(1000, 9999)}")
    return [f"UPDATE {table} SET {column} = {value} WHERE id = {_one(rng, table)}"]


def _gone(rng: random.Random) -> list[str]:
    table = rng.choice(["claims_journal", "claims_posting"])
    return [f"DELETE FROM {table} WHERE id = {_one(rng, table)}"]


def _end_cut_off(rng: random.Random) -> list[str]:
    gone = f"(SELECT id FROM claims_journal WHERE sequence > {rng.randrange(12)})"
    return [
        f"DELETE FROM claims_posting WHERE journal_id IN {gone}",
        f"DELETE FROM claims_journal WHERE id IN {gone}",
    ]


def _doubled(rng: random.Random) -> list[str]:
    columns, row = ", ".join(POSTING[1:]), _one(rng, "claims_posting")
    return [f"INSERT INTO claims_posting ({columns}) SELECT {columns} FROM claims_posting WHERE id = {row}"]


def _exchanged(rng: random.Random) -> list[str]:
    first, second = map(_sealed, rng.sample(range(1, 13), 2))
    return [
        f"UPDATE claims_posting SET journal_id = -1 WHERE journal_id = {first}",
        f"UPDATE claims_posting SET journal_id = {first} WHERE journal_id = {second}",
        f"UPDATE claims_posting SET journal_id = {second} WHERE journal_id = -1",
    ]


def _unsealed(rng: random.Random) -> list[str]:
    column = rng.choice(["sequence", "digest", "sequence = NULL, digest"])
    return [f"UPDATE claims_journal SET {column} = NULL WHERE id = {_one(rng, 'claims_journal')}"]


def _event(rng: random.Random) -> list[str]:
    row = _one(rng, "events_event")
    return [
        rng.choice(
            [
                f"UPDATE events_event SET payload = '{{}}' WHERE id = {row}",
                f"DELETE FROM events_event WHERE id = {row}",
            ]
        )
    ]


WAYS = (_gone, _end_cut_off, _doubled, _exchanged, _unsealed, _event)


def _tampers(rng: random.Random) -> list[str]:
    """One change of one field, every fourth time of whole rows."""
    return rng.choice(WAYS if rng.random() < 0.25 else (_field,))(rng)


def test_a_thousand_tampers_are_a_thousand_found(ledger) -> None:
    LEDGER_GUARDS.remove(connection)
    EVENT_GUARDS.remove(connection)
    rng, unseen, done = random.Random(4), [], 0
    with connection.cursor() as cursor:
        _without_keys(cursor)
        while done < 1000:
            tamper = _tampers(rng)
            cursor.execute("SAVEPOINT tamper")
            for statement in tamper:
                cursor.execute(statement)
            done += 1
            if check_ledger().clean:
                unseen.append(tamper)
            cursor.execute("ROLLBACK TO SAVEPOINT tamper")
            cursor.execute("RELEASE SAVEPOINT tamper")
        assert check_ledger().clean
        _with_keys(cursor)
    assert (done, unseen) == (1000, [])
    EVENT_GUARDS.install(connection)
    LEDGER_GUARDS.install(connection)


def _without_keys(cursor) -> None:
    """Whoever tampers does not mind foreign keys."""
    cursor.execute(
        "SET session_replication_role = replica"
        if connection.vendor == "postgresql"
        else "PRAGMA defer_foreign_keys = ON"
    )


def _with_keys(cursor) -> None:
    if connection.vendor == "postgresql":
        cursor.execute("SET session_replication_role = DEFAULT")


def test_the_block_size_of_the_check_does_not_matter(ledger) -> None:
    assert check_chain(block=1) == check_chain(block=1000)
    assert sealing.BLOCK > 1
