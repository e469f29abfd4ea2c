"""What each kind of damage looks like to the check and to the chain, figure by figure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from django.db import connection

from kulanz.claims import adjusting, checks, sealing
from kulanz.claims.actions import book_payment, return_payment
from kulanz.claims.adjusting import Cause
from kulanz.claims.checks import LedgerCheck, check_ledger
from kulanz.claims.guards import LEDGER_GUARDS
from kulanz.claims.models import Claim, Journal, Posting
from kulanz.claims.sealing import ChainCheck, check_chain, seal, seal_all
from kulanz.events.guards import EVENT_GUARDS
from kulanz.events.models import Event
from kulanz.tenancy.scope import scope

DAY = date(2026, 3, 3)


@pytest.fixture
def cases(creditor, make_case) -> list[int]:
    """Three cases: open, part paid, and paid with the payment returned and a cent of credit."""
    made = [make_case(f"K{n}", 10000).id for n in range(3)]
    book_payment(made[1], 4000, value_date=DAY, key="p1", method="transfer")
    book_payment(made[2], 10001, value_date=DAY, key="p2", method="debit")
    return_payment("p2", value_date=DAY, key="r2")
    book_payment(made[2], 10001, value_date=DAY, key="p3", method="transfer")
    return made


CLEAN = LedgerCheck(journals=7, postings=17, unsealed=7)


@pytest.fixture
def unguarded(cases) -> Iterator[list[int]]:
    """The same for somebody who owns the database."""
    LEDGER_GUARDS.remove(connection)
    EVENT_GUARDS.remove(connection)
    with connection.cursor() as cursor:
        cursor.execute(
            "SET session_replication_role = replica"
            if connection.vendor == "postgresql"
            else "PRAGMA defer_foreign_keys = ON"
        )
        cursor.execute("SAVEPOINT damage")
        yield cases
        cursor.execute("ROLLBACK TO SAVEPOINT damage")
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = DEFAULT")
    EVENT_GUARDS.install(connection)
    LEDGER_GUARDS.install(connection)


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def first_posting(account: str) -> int:
    return int(Posting.objects.filter(account=account).order_by("id").values_list("id", flat=True)[0])


def test_a_ledger_in_order_is_counted_and_clean(cases: list[int]) -> None:
    assert check_ledger() == CLEAN
    assert CLEAN.clean
    for field in ("imbalances", "differences", "broken"):
        assert not replace(CLEAN, **{field: 1}).clean
    assert replace(CLEAN, journals=1, postings=1, sealed=1, unsealed=1, first_broken=1).clean


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_the_size_of_a_block_does_not_matter(cases, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "BLOCK", size)
    assert check_ledger() == CLEAN


def test_another_creditors_ledger_is_its_own(cases, other_creditor, make_case) -> None:
    with scope(other_creditor.id):
        assert check_ledger() == LedgerCheck()
        make_case("K1")
        assert check_ledger() == LedgerCheck(journals=1, postings=2, unsealed=1)
    assert check_ledger() == CLEAN


def test_a_changed_amount_breaks_its_journal_and_what_was_told_of_it(unguarded) -> None:
    run(f"UPDATE claims_posting SET amount = amount + 1 WHERE id = {first_posting('received')}")
    assert check_ledger() == replace(CLEAN, imbalances=1, differences=1)


def test_a_posting_of_another_case_claim_or_creditor_is_a_stray(unguarded, other_creditor) -> None:
    posting = first_posting("invoiced")
    for change, damage in (
        (f"case_id = {unguarded[1]}", (1, 0)),
        (f"claim_id = {Claim.objects.get(case_id=unguarded[1]).id}", (1, 0)),
        ("case_id = 987654", (2, 0)),
        ("journal_id = 987654", (3, 0)),
    ):
        run("SAVEPOINT one")
        run(f"UPDATE claims_posting SET {change} WHERE id = {posting}")
        found = check_ledger()
        assert (found.imbalances, found.differences) == damage, change
        run("ROLLBACK TO SAVEPOINT one")
    run(f"UPDATE claims_posting SET creditor_id = {other_creditor.id} WHERE id = {posting}")
    assert check_ledger().imbalances == 1
    with scope(other_creditor.id):
        assert check_ledger().imbalances == 1


def test_a_journal_without_postings_is_no_journal(unguarded) -> None:
    journal = Journal.objects.get(key="p1").id
    run(f"DELETE FROM claims_posting WHERE journal_id = {journal}")
    found = check_ledger()
    assert (found.journals, found.postings) == (7, 15)
    assert (found.imbalances, found.differences) == (1, 1)


def test_what_the_events_tell_must_be_in_the_ledger(unguarded) -> None:
    gone = Event.objects.filter(type="payment.booked").order_by("id")[0].id
    for statement, differences in (
        (f"DELETE FROM events_event WHERE id = {gone}", 1),
        ("DELETE FROM events_event WHERE type = 'payment.returned'", 1),
        ("DELETE FROM events_event WHERE type = 'payment.booked'", 3),
        ("DELETE FROM events_event WHERE type = 'claim.opened'", 3),
        ("UPDATE events_event SET type = 'payment.booked' WHERE type = 'payment.returned'", 1),
        ("DELETE FROM claims_journal WHERE key = 'open:R-K0'", 2),
        ("DELETE FROM claims_claim WHERE number = 'R-K0'", 1),
    ):
        run("SAVEPOINT one")
        run(statement)
        assert check_ledger().differences == differences, statement
        run("ROLLBACK TO SAVEPOINT one")


def test_more_settled_than_was_ever_owed_is_a_difference(unguarded) -> None:
    """Claim 2 owes 60.00; a payment of the same journal is made larger by 60.01 and balanced again."""
    journal = Journal.objects.get(key="p1").id
    run(
        f"UPDATE claims_posting SET amount = amount - 6001 WHERE journal_id = {journal} AND account = 'principal'"
    )
    run(
        f"UPDATE claims_posting SET amount = amount + 6001 WHERE journal_id = {journal} AND account = 'received'"
    )
    found = check_ledger()
    assert found.imbalances == 0
    assert found.differences == 2, "one account below zero, one payment told otherwise"


@pytest.mark.parametrize("at", [0, 1, 2])
def test_damage_in_any_block_is_counted(unguarded, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "BLOCK", 1)
    posting = Posting.objects.filter(case_id=unguarded[at], account="invoiced").get().id
    run(f"UPDATE claims_posting SET amount = amount + 1 WHERE id = {posting}")
    assert check_ledger() == replace(CLEAN, imbalances=1)


def test_what_runs_decide_on_is_compared_with_the_rows(unguarded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cases owe something. Then twice the debt of one is taken away in a journal that balances."""
    real = checks.case_columns

    def one_more(after: int, size: int):
        found = real(after, size)
        return replace(found, open_amount=found.open_amount + 1)

    monkeypatch.setattr(checks, "case_columns", one_more)
    assert check_ledger() == replace(CLEAN, differences=2)
    with monkeypatch.context() as small:
        small.setattr(checks, "BLOCK", 1)
        assert check_ledger() == replace(CLEAN, differences=2)
    journal = Journal.objects.get(key="open:R-K0").id
    principal = "account = 'principal'"
    other = Claim.objects.get(case_id=unguarded[0]).id
    run(f"UPDATE claims_posting SET account = 'waived' WHERE journal_id = {journal} AND account = 'invoiced'")
    run(
        "INSERT INTO claims_posting (creditor_id, journal_id, case_id, claim_id, account, amount, basis)"
        f" SELECT creditor_id, journal_id, case_id, {other}, account, -2 * amount, basis FROM claims_posting"
        f" WHERE journal_id = {journal} AND {principal}"
    )
    run(
        "INSERT INTO claims_posting (creditor_id, journal_id, case_id, claim_id, account, amount, basis)"
        f" SELECT creditor_id, journal_id, case_id, {other}, 'waived', -2 * amount, basis FROM claims_posting"
        f" WHERE journal_id = {journal} AND account = 'waived'"
    )
    assert check_ledger().differences == 2, "one account below zero, and the one case that still owes"


def test_each_block_that_is_sealed_is_told_to_the_event_log(cases) -> None:
    assert (seal(limit=3), seal(limit=3), seal(limit=3), seal(limit=3)) == (3, 3, 1, 0)
    digests = dict(Journal.objects.values_list("sequence", "digest"))
    told = Event.objects.filter(type="ledger.sealed").order_by("id").values_list("subject_id", "payload")
    assert list(told) == [
        (end, {"journals": n, "digest": bytes(digests[end]).hex()}) for end, n in ((3, 3), (6, 3), (7, 1))
    ]
    assert len({bytes(digest) for digest in digests.values()}) == 7
    assert list(Journal.objects.order_by("id").values_list("sequence", flat=True)) == [1, 2, 3, 4, 5, 6, 7]
    assert check_chain() == ChainCheck(sealed=7, unsealed=0, broken=(), missing=0)


def test_a_chain_goes_on_where_it_ended(cases, make_case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "seal", lambda: seal(2))
    assert seal_all() == 7
    make_case("K9")
    assert check_chain() == ChainCheck(sealed=7, unsealed=1, broken=(), missing=0)
    assert seal_all() == 1
    assert check_ledger() == replace(CLEAN, journals=8, postings=19, unsealed=0, sealed=8)


@pytest.mark.parametrize("block", [1, 2, 3, 7, 8])
def test_a_broken_link_is_named_and_the_rest_follows_from_it(unguarded, block: int) -> None:
    seal(limit=3)
    seal_all()
    run("UPDATE claims_journal SET cause = 'x' WHERE sequence IN (2, 5)")
    assert check_chain(block) == ChainCheck(sealed=7, unsealed=0, broken=(2, 5), missing=0)
    found = check_ledger()
    assert (found.broken, found.first_broken, found.imbalances, found.differences) == (2, 2, 0, 0)


@pytest.mark.parametrize("sequence", [1, 4, 7])
def test_the_chain_covers_the_postings_of_its_journals(unguarded, sequence: int) -> None:
    seal_all()
    (first, *_, last) = Posting.objects.filter(journal__sequence=sequence).order_by("id")
    for change in (
        f"UPDATE claims_posting SET basis = 'waiver' WHERE id = {first.id}",
        f"UPDATE claims_posting SET amount = amount + 1 WHERE id = {last.id}",
        f"DELETE FROM claims_posting WHERE journal_id = {first.journal_id}",
    ):
        run("SAVEPOINT one")
        run(change)
        assert check_chain().broken == (sequence,), change
        run("ROLLBACK TO SAVEPOINT one")
    assert check_chain().whole


def test_a_cent_is_a_debt_and_a_case_too_many_a_difference(
    cases: list[int], make_case, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_case("K9", 1)
    assert check_ledger() == replace(CLEAN, journals=8, postings=19, unsealed=8)
    real = checks.case_columns

    def exchanged(after: int, size: int):
        found = real(after, size)
        return replace(found, case_id=np.where(found.case_id == cases[0], cases[2], found.case_id))

    monkeypatch.setattr(checks, "case_columns", exchanged)
    assert check_ledger().differences == 2, "K0 is missing, K2 owes nothing"


def test_a_gap_and_a_lost_end_are_found(unguarded) -> None:
    seal(limit=3)
    seal_all()
    run("SAVEPOINT one")
    run("DELETE FROM claims_journal WHERE sequence = 4")
    assert check_chain() == ChainCheck(sealed=7, unsealed=0, broken=(5,), missing=0)
    run("ROLLBACK TO SAVEPOINT one")
    run("DELETE FROM claims_journal WHERE sequence >= 6")
    assert check_chain() == ChainCheck(sealed=5, unsealed=0, broken=(), missing=1)
    assert not check_chain().whole
    found = check_ledger()
    assert (found.broken, found.first_broken) == (1, 0)
    run("DELETE FROM claims_journal WHERE sequence >= 1")
    assert check_chain() == ChainCheck(sealed=0, unsealed=0, broken=(), missing=2)


def test_a_digest_that_is_gone_or_exchanged_is_found(unguarded) -> None:
    seal_all()
    run("SAVEPOINT one")
    run("UPDATE claims_journal SET digest = NULL WHERE sequence = 7")
    assert check_chain() == ChainCheck(sealed=7, unsealed=0, broken=(7,), missing=1)
    run("ROLLBACK TO SAVEPOINT one")
    run("UPDATE claims_journal SET sequence = NULL, digest = NULL WHERE sequence = 7")
    assert check_chain() == ChainCheck(sealed=6, unsealed=1, broken=(), missing=1)


def test_the_same_text_is_chained_on_every_database(cases) -> None:
    adjusting.credit(Claim.objects.get(case_id=cases[0]).id, 100, Cause("c", DAY, "agent:1"))
    seal_all()
    journal = Journal.objects.get(key="c")
    lines = [
        [p.id, p.creditor_id, p.case_id, p.claim_id, p.account, p.amount, p.basis]
        for p in Posting.objects.filter(journal=journal).order_by("id")
    ]
    row = (journal.id, "c", "credit_note", cases[0], "2026-03-03", "2026-03-03 08:00:00", "agent:1", "{}")
    sealed = [8, *row, lines]
    postings = [(journal.id, *line) for line in lines]
    assert sealing._content(8, row, postings) == sealed
    with_types = (*row[:4], DAY, journal.booked_at, *row[6:])
    assert sealing._content(8, with_types, postings) == sealed
