"""Credit before dunning: credit notes and what was paid too much settle open claims before anybody is asked."""

from collections.abc import Sequence
from datetime import date

from django.db import transaction

from kulanz.claims import settling
from kulanz.claims.actions import lock_case
from kulanz.claims.models import OWED, Account
from kulanz.kernel.database import in_clause, read_columns
from kulanz.tenancy.scope import creditor_id

TAKEN = (Account.RECEIVED, Account.WAIVED, Account.DISCOUNTED, Account.WRITTEN_OFF, Account.TRANSFERRED)
"""Accounts that show that something was taken from what was open."""


def offset(case_id: int, cause: str = "offset") -> int:
    """Set the credit of a case off against its open claims, as a payment would be spread; returns the journals posted.

    Nothing is posted where nothing is to be set off. Raises NotFoundError for another creditor's case.
    """
    with transaction.atomic():
        lock_case(case_id)
        return settling.settle(case_id, cause)


def offset_opened(case_ids: Sequence[int], days: Sequence[date]) -> int:
    """Set off in the cases whose new claims meet credit, or are older than what was paid; in the caller's transaction.

    One row per new claim: its case and value date. Returns the number of cases changed.
    """
    first: dict[int, date] = {}
    for case_id, day in zip(case_ids, days, strict=True):
        first[case_id] = min(day, first.get(case_id, day))
    cases = sorted(first)
    meeting = _credit_beside_debt(in_clause("p.case_id", cases))
    late = {case for case, day in last_taken(cases).items() if day > first[case]}
    return sum(bool(offset(case_id, "opened")) for case_id in sorted(meeting | late))


def _credit_beside_debt(inside: str) -> set[int]:
    accounts = (*OWED, Account.CREDIT)
    marks = ", ".join(["%s"] * len(accounts))
    found = read_columns(
        "SELECT b.case_id FROM (SELECT p.case_id, p.claim_id, SUM(p.amount) AS owed FROM claims_posting p"  # noqa: S608
        f" WHERE p.creditor_id = %s AND p.account IN ({marks}) AND {inside} GROUP BY p.case_id, p.claim_id) b"
        " GROUP BY b.case_id HAVING MIN(b.owed) < 0 AND MAX(b.owed) > 0",
        [creditor_id(), *accounts],
    )
    return set(found["case_id"].tolist())


def last_taken(case_ids: Sequence[int]) -> dict[int, date]:
    """Case -> the last value date on which something was paid on it, taken from it or set off; others are left out."""
    marks = ", ".join(["%s"] * len(TAKEN))
    found = read_columns(
        "SELECT p.case_id, MAX(j.value_date) AS day FROM claims_posting p JOIN claims_journal j"  # noqa: S608
        f" ON j.id = p.journal_id WHERE p.creditor_id = %s"
        f" AND (p.account IN ({marks}) OR j.kind = 'offset') AND {in_clause('p.case_id', case_ids)}"
        " GROUP BY p.case_id",
        [creditor_id(), *TAKEN],
    )
    days = (date.fromisoformat(str(day)[:10]) for day in found["day"])
    return dict(zip(found["case_id"].tolist(), days, strict=True)) if len(found["case_id"]) else {}
