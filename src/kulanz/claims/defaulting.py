"""When default begins: a day is set once per claim, with its cause; interest runs from that day on.

What the claim itself tells is enough for two causes: instalments and loans fall due by the calendar of their contract,
and businesses are in default 30 days after due date and invoice, which is taken to have arrived by the due date. For
everybody else a reminder must have arrived.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from kulanz.claims import settling
from kulanz.claims.bearing import lock_cases
from kulanz.claims.interest import party_of
from kulanz.claims.models import Claim
from kulanz.claims.offsetting import last_taken
from kulanz.claims.settling import as_date
from kulanz.events.log import Happened, record_many
from kulanz.kernel.errors import InputError, NotFoundError
from kulanz.law.default import Facts, begins
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import creditor_id

BY_CALENDAR = (Claim.Kind.LOAN, Claim.Kind.INSTALMENT)
AT_ONCE = 1000
UNPROVEN = frozenset({"letter"})
"""Channels on which a message that was sent has not arrived yet for all that is known."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """A claim whose default begins on `day`, its first day; `cause` at most 40 characters."""

    claim_id: int
    case_id: int
    day: date
    cause: str


def set_default(claim_id: int, day: date, cause: str) -> bool:
    """Let a claim be in default from `day` on, its first day; False where it is in default already.

    `cause`: a code of `law.default`, and what set it, at most 40 characters. Payments since that day are spread anew
    where interest is charged. Raises NotFoundError for another creditor's claim, InputError for a credit note or a day
    that is not after the due date.
    """
    claim: Claim | None = Claim.objects.filter(id=claim_id).first()
    if claim is None:
        raise NotFoundError("There is no such claim.")
    if claim.kind == Claim.Kind.CREDIT_NOTE or day <= claim.due_date:
        raise InputError("A claim is in default at the earliest on the day after it fell due.")
    return bool(_begin([Beginning(claim_id, claim.case_id, day, cause)]))


def begin_by_law(day: date) -> int:
    """Set what began before `day` without a reminder, for claims with principal open; returns how many."""
    done, after = 0, 0
    while True:
        rows = _open_without_default("l.id > %s AND l.due_date < %s", [after, day])
        if not rows:
            return done
        starts = [
            Beginning(claim, case, start.day, str(start.cause))
            for claim, case, due, kind, customer in rows
            if (start := begins(_facts(due, kind, customer))).day is not None and start.day < day
        ]
        done += _begin(starts)
        after = rows[-1][0]


def begin_by_reminder(events: Sequence[Happened]) -> None:
    """As a task after demanding messages: claims that were due when one arrived are in default from the next day on."""
    zone = ZoneInfo(Creditor.objects.values_list("timezone", flat=True).get(id=creditor_id()))
    for event in events:
        if not event.payload.get("demanding") or event.payload["channel"] in UNPROVEN:
            continue
        arrived = event.at.astimezone(zone).date()
        starts = [
            Beginning(claim, case, start.day, f"{start.cause}:{event.subject_id}")
            for claim, case, due, _, customer in _open_without_default(
                "l.case_id = %s", [int(event.payload["case"])]
            )
            if (start := begins(Facts(party_of(customer), due, reminded=arrived))).day
        ]
        _begin(starts)


def _facts(due: date, kind: str, customer: str) -> Facts:
    return Facts(party_of(customer), due, due_by_calendar=kind in BY_CALENDAR, invoice_received=due)


def _open_without_default(which: str, params: Sequence[date | int]) -> list[tuple[int, int, date, str, str]]:
    """Claims with principal open and no default yet: id, case, due date, kind, the customer's kind; by id."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT l.id, l.case_id, l.due_date, l.kind, c.kind FROM claims_claim l
            JOIN claims_case k ON k.id = l.case_id JOIN claims_customer c ON c.id = k.customer_id
            WHERE l.creditor_id = %s AND l.default_from IS NULL AND l.kind <> 'credit_note' AND {which}
              AND (SELECT SUM(p.amount) FROM claims_posting p WHERE p.case_id = l.case_id AND p.claim_id = l.id
                AND p.account = 'principal') > 0
            ORDER BY l.id LIMIT {AT_ONCE}""",  # noqa: S608 - `which` is written here
            [creditor_id(), *params],
        )
        return [(claim, case, as_date(due), kind, customer) for claim, case, due, kind, customer in cursor]


def _begin(starts: Sequence[Beginning]) -> int:
    """Set each start where there is none yet, and spread anew what was paid since; returns how many were set."""
    if not starts:
        return 0
    with transaction.atomic():
        cases = sorted({start.case_id for start in starts})
        lock_cases(cases)
        unset = set(
            Claim.objects.filter(id__in=[start.claim_id for start in starts], default_from=None).values_list(
                "id", flat=True
            )
        )
        new = [start for start in starts if start.claim_id in unset]
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE claims_claim SET default_from = %s, default_cause = %s WHERE id = %s",
                [(start.day, start.cause[:40], start.claim_id) for start in new],
            )
        record_many(
            "claim.defaulted",
            [start.claim_id for start in new],
            [{"case": s.case_id, "from": s.day.isoformat(), "cause": s.cause} for s in new],
        )
        first = {start.case_id: start.day for start in sorted(new, key=lambda start: start.day, reverse=True)}
        for case_id, last in last_taken(sorted(first)).items():
            if last > first[case_id]:
                settling.settle(case_id, "default")
    return len(new)
