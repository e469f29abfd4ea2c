"""What a journal stores, column by column, and what makes it another one under the same key."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.db import connection

from kulanz.claims import ledger
from kulanz.claims.ledger import Entry, EntryBlock, Line
from kulanz.claims.models import Account, Case, Claim, Journal, Posting
from kulanz.kernel import clock
from kulanz.kernel.errors import ConflictError, InputError
from kulanz.kernel.money import MAX_MINOR
from kulanz.tenancy.scope import scope

DAY = date(2026, 3, 3)


@pytest.fixture
def claim(creditor, make_case) -> Claim:
    return Claim.objects.get(case=make_case())


@pytest.fixture
def entry(claim: Claim) -> Entry:
    lines = (
        Line(Account.COST, 250, claim.id, "reminder_cost"),
        Line(Account.EARNED, -200, claim.id, "reminder_cost"),
        Line(Account.SUSPENSE, -50, None, "correction"),
    )
    details = {"formula": "2.50", "after": [1, 2]}
    return Entry("letter:1", Journal.Kind.COST, claim.case_id, DAY, lines, "agent:7", details)


def journal_rows() -> list[tuple[Any, ...]]:
    return list(
        Journal.objects.exclude(kind="opened")
        .order_by("id")
        .values_list(
            "id", "creditor_id", "key", "kind", "case_id", "value_date", "booked_at", "cause", "details"
        )
    )


def posting_rows(journal: int) -> list[tuple[Any, ...]]:
    return list(
        Posting.objects.filter(journal_id=journal)
        .order_by("id")
        .values_list("creditor_id", "case_id", "claim_id", "account", "amount", "basis")
    )


def test_a_journal_is_stored_as_it_was_handed_in(creditor, claim: Claim, entry: Entry) -> None:
    journal = ledger.post(entry)
    me, case = creditor.id, claim.case_id
    assert journal_rows() == [
        (
            journal,
            me,
            "letter:1",
            "cost",
            case,
            DAY,
            clock.now(),
            "agent:7",
            {"formula": "2.50", "after": [1, 2]},
        )
    ]
    assert posting_rows(journal) == [
        (me, case, claim.id, "cost", 250, "reminder_cost"),
        (me, case, claim.id, "earned", -200, "reminder_cost"),
        (me, case, None, "suspense", -50, "correction"),
    ]
    assert ledger.posted("letter:1") == journal
    assert ledger.posted("letter:2") is None


@pytest.mark.skipif("connection.vendor == 'postgresql'", reason="jsonb keeps no text")
def test_details_are_the_same_text_whatever_the_order_of_their_names(entry: Entry) -> None:
    ledger.post(replace(entry, details={"b": 1, "a": {"d": 2, "c": 3}}))
    with connection.cursor() as cursor:
        cursor.execute("SELECT details FROM claims_journal WHERE key = 'letter:1'")
        assert cursor.fetchone()[0] == '{"a":{"c":3,"d":2},"b":1}'


def test_nothing_said_is_stored_as_nothing(entry: Entry) -> None:
    ledger.post(Entry(entry.key, entry.kind, entry.case_id, DAY, entry.lines))
    ((*_, cause, details),) = journal_rows()
    assert (cause, details) == ("", {})


def test_the_same_journal_again_is_the_one_there_is(entry: Entry, claim: Claim, make_case) -> None:
    first = ledger.post(entry)
    assert ledger.post(replace(entry, lines=entry.lines[::-1])) == first
    assert ledger.post(replace(entry, cause="someone else", details={})) == first
    other_case = make_case("K2").id
    cost, earned, suspense = entry.lines
    for other in (
        replace(entry, kind=Journal.Kind.CORRECTION),
        replace(entry, case_id=other_case),
        replace(entry, value_date=date(2026, 3, 4)),
        replace(entry, lines=(replace(cost, amount=251), replace(earned, amount=-201), suspense)),
        replace(entry, lines=(replace(cost, account=Account.COST_RETURN), earned, suspense)),
        replace(entry, lines=(replace(cost, claim_id=None), earned, suspense)),
        replace(entry, lines=(cost, earned, replace(suspense, claim_id=claim.id))),
        replace(entry, lines=(replace(cost, basis="lump_sum"), earned, suspense)),
    ):
        with pytest.raises(ConflictError) as refused:
            ledger.post(other)
        assert str(refused.value) == "letter:1 was posted before with other content; nothing was changed."
    assert len(journal_rows()) == 1
    assert len(posting_rows(first)) == 3


def test_a_key_is_the_creditors_own(entry: Entry, other_creditor, make_case) -> None:
    mine = ledger.post(entry)
    with scope(other_creditor.id):
        assert ledger.posted("letter:1") is None
        case: Case = make_case("K1")
        lines = (
            Line(Account.COST, 1, None, "reminder_cost"),
            Line(Account.EARNED, -1, None, "reminder_cost"),
        )
        theirs = ledger.post(replace(entry, case_id=case.id, lines=lines))
        assert ledger.posted("letter:1") == theirs != mine


def test_amounts_reach_to_the_largest_one_and_no_further(entry: Entry) -> None:
    def of(debit: Any, credit: Any) -> Entry:
        lines = (
            Line(Account.COST, debit, None, "reminder_cost"),
            Line(Account.EARNED, credit, None, "reminder_cost"),
        )
        return replace(entry, lines=lines)

    assert ledger.post(of(MAX_MINOR, -MAX_MINOR))
    for debit, credit in ((MAX_MINOR + 1, -MAX_MINOR - 1), (True, -1)):
        with pytest.raises(InputError, match=r"^The journal letter:1 holds an amount .*beyond the largest"):
            ledger.post(of(debit, credit))
    for lines in ((), (Line(Account.COST, 0, None, "reminder_cost"),), of(1, -2).lines, of(2, -1).lines):
        with pytest.raises(InputError) as refused:
            ledger.post(replace(entry, key="letter:9", lines=lines))
        assert str(refused.value) == "The journal letter:9 does not balance and was not posted."


def test_accounts_and_bases_are_those_that_are_known(entry: Entry) -> None:
    cost, earned, suspense = entry.lines
    for lines, unknown in (
        ((replace(cost, account="costs"), earned, suspense), "costs"),
        ((cost, replace(earned, basis="reminder"), suspense), "reminder"),
        ((replace(cost, account="}"), replace(earned, basis=""), suspense), ", }"),
    ):
        with pytest.raises(InputError) as refused:
            ledger.post(replace(entry, lines=lines))
        assert str(refused.value) == f"The journal letter:1 names unknown accounts or bases: {unknown}."
    assert journal_rows() == []


def test_a_block_is_stored_row_by_row(creditor, claim: Claim, make_case) -> None:
    other = Claim.objects.get(case=make_case("K2"))
    block = EntryBlock(
        keys=["i:1", "i:2"],
        kinds=["interest", "cost"],
        case_ids=[claim.case_id, other.case_id],
        claim_ids=[claim.id, other.id],
        value_dates=[DAY, date(2026, 3, 4)],
        debit_account=Account.INTEREST,
        credit_account=Account.EARNED,
        amounts=[12, 34],
        bases=["interest", "lump_sum"],
        cause="claims",
        details=['{"to":"2026-03-02"}', "{}"],
    )
    first, second = ledger.post_block(block)
    me, now = creditor.id, clock.now()
    assert journal_rows() == [
        (first, me, "i:1", "interest", claim.case_id, DAY, now, "claims", {"to": "2026-03-02"}),
        (second, me, "i:2", "cost", other.case_id, date(2026, 3, 4), now, "claims", {}),
    ]
    assert posting_rows(first) == [
        (me, claim.case_id, claim.id, "interest", 12, "interest"),
        (me, claim.case_id, claim.id, "earned", -12, "interest"),
    ]
    assert posting_rows(second) == [
        (me, other.case_id, other.id, "interest", 34, "lump_sum"),
        (me, other.case_id, other.id, "earned", -34, "lump_sum"),
    ]
    (third,) = ledger.post_block(
        replace(
            block,
            **{
                name: getattr(block, name)[:1]
                for name in ("kinds", "case_ids", "claim_ids", "value_dates", "amounts", "bases")
            },
            keys=["i:3"],
            cause="",
            details=(),
        )
    )
    assert journal_rows()[-1][-2:] == ("", {})
    assert third == journal_rows()[-1][0]
