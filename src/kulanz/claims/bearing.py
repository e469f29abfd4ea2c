"""Columns for the accrual run: claims in default, what was charged on them, and the principal that bears interest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from kulanz.claims.interest import Rests, bearing
from kulanz.kernel.database import in_clause, is_postgres, read_columns
from kulanz.tenancy.scope import creditor_id

Ints = NDArray[np.int64]
Rows = dict[str, NDArray[Any]]
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class InDefault:
    """n claims in default, one row each; days are epoch days, amounts minor units.

    `charged`: interest posted so far. `charged_to`: the newest value date of a posting, -1 where there is none.
    """

    claim_id: Ints
    case_id: Ints
    currency: NDArray[Any]
    jurisdiction: NDArray[Any]
    kind: NDArray[Any]
    contract_day: Ints
    performed_day: Ints
    default_from: Ints
    charged: Ints
    charged_to: Ints

    def __len__(self) -> int:
        return len(self.claim_id)


@dataclass(frozen=True, slots=True)
class Moves:
    """Changes of the principal that bears interest, ascending by claim: `place` in the block, epoch day, amount."""

    place: Ints
    day: Ints
    amount: Ints


def next_cases(day: date, after: int, limit: int) -> Ints:
    """The next cases after case id `after` with a claim in default before `day`, ascending."""
    found = read_columns(
        "SELECT DISTINCT case_id FROM claims_claim WHERE creditor_id = %s AND case_id > %s AND default_from < %s"
        " ORDER BY case_id LIMIT %s",
        [creditor_id(), after, day, limit],
    )
    return found["case_id"]


def lock_cases(cases: Sequence[int]) -> None:
    """Wait for payments on these cases and hold off new ones; SQLite's transactions write one at a time anyway."""
    if is_postgres():
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT 1 FROM claims_case WHERE {in_clause('id', cases)} ORDER BY id FOR UPDATE"  # noqa: S608
            )


def in_default(day: date, first: int, last: int) -> InDefault:
    """Claims of cases `first` to `last` that were in default before `day`."""
    rows = read_columns(
        """SELECT l.id AS claim_id, l.case_id, k.currency, l.jurisdiction, c.kind, l.contract_date,
          COALESCE(l.performed_on, l.contract_date) AS performed_on, l.default_from
        FROM claims_claim l JOIN claims_case k ON k.id = l.case_id JOIN claims_customer c ON c.id = k.customer_id
        WHERE l.creditor_id = %s AND l.case_id >= %s AND l.case_id <= %s AND l.default_from < %s ORDER BY l.id""",
        [creditor_id(), first, last, day],
    )
    charged = read_columns(
        """SELECT p.claim_id, CAST(SUM(p.amount) AS BIGINT) AS amount, MAX(j.value_date) AS day
        FROM claims_posting p JOIN claims_journal j ON j.id = p.journal_id
        WHERE +p.creditor_id = %s AND p.case_id >= %s AND p.case_id <= %s
          AND p.account = 'interest' AND j.kind = 'interest' GROUP BY p.claim_id ORDER BY p.claim_id""",
        [creditor_id(), first, last],
    )
    ids = rows["claim_id"]
    place, known = _places(charged["claim_id"], ids)
    amounts, days = np.zeros(len(ids), np.int64), np.full(len(ids), -1, np.int64)
    amounts[place] = charged["amount"][known]
    days[place] = epoch_days(charged["day"])[known]
    return InDefault(
        claim_id=ids,
        case_id=rows["case_id"],
        currency=rows["currency"],
        jurisdiction=rows["jurisdiction"],
        kind=rows["kind"],
        contract_day=epoch_days(rows["contract_date"]),
        performed_day=epoch_days(rows["performed_on"]),
        default_from=epoch_days(rows["default_from"]),
        charged=amounts,
        charged_to=days,
    )


def principal(claims: InDefault, first: int, last: int, rests: dict[int, Rests]) -> Moves:
    """How the principal of `claims`, all of the cases `first` to `last`, moved by value date.

    Never below zero, and zero on the days on which interest rests; `rests` by case.
    """
    rows = read_columns(
        """SELECT p.claim_id, j.value_date AS day, CAST(SUM(p.amount) AS BIGINT) AS amount
        FROM claims_posting p JOIN claims_journal j ON j.id = p.journal_id
        WHERE +p.creditor_id = %s AND p.case_id >= %s AND p.case_id <= %s AND p.account = 'principal'
        GROUP BY p.claim_id, j.value_date ORDER BY p.claim_id, j.value_date""",
        [creditor_id(), first, last],
    )
    place, known = _places(rows["claim_id"], claims.claim_id)
    days, amounts = epoch_days(rows["day"])[known], rows["amount"][known]
    resting = np.array([case in rests for case in claims.case_id.tolist()], bool)
    plain = ~resting[place]
    parts = [Moves(place[plain], days[plain], _never_below_zero(place[plain], amounts[plain]))]
    for at in np.flatnonzero(resting).tolist():
        here = slice(*np.searchsorted(place, [at, at + 1]))
        parts.append(_rested(at, days[here], amounts[here], rests[int(claims.case_id[at])]))
    joined = [np.concatenate([getattr(part, name) for part in parts]) for name in ("place", "day", "amount")]
    order = np.argsort(joined[0], kind="stable")
    return Moves(*(column[order] for column in joined))


def epoch_days(values: NDArray[Any]) -> Ints:
    """Dates as either database hands them out."""
    return np.array([str(value)[:10] for value in values.tolist()], "datetime64[D]").astype(np.int64)


def _places(wanted: Ints, ids: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Where each of `wanted` stands in `ids` (ascending), and for which that is so."""
    if not len(ids):
        return np.empty(0, np.int64), np.zeros(len(wanted), bool)
    at = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    known = ids[at] == wanted
    return at[known], known


def _never_below_zero(place: Ints, amount: Ints) -> Ints:
    """Changes that keep each claim's running principal at zero or more; rows ascend by claim and day."""
    if not len(amount) or amount.min() >= 0:
        return amount
    running = np.cumsum(amount)
    starts = np.flatnonzero(np.r_[True, np.diff(place) > 0])
    lengths = np.diff(np.r_[starts, len(amount)])
    level = np.maximum(0, running - np.repeat(np.r_[0, running[starts[1:] - 1]], lengths))
    before = np.r_[0, level[:-1]]
    before[starts] = 0
    changes: Ints = level - before
    return changes


def _rested(at: int, days: Ints, amounts: Ints, rests: Rests) -> Moves:
    """One claim's changes where interest rests now and then."""
    dates = [EPOCH + timedelta(days=day) for day in days.tolist()]
    found = bearing(list(zip(dates, amounts.tolist(), strict=True)), rests)
    return Moves(
        np.full(len(found), at, np.int64),
        np.array([(day - EPOCH).days for day, _ in found], np.int64),
        np.array([amount for _, amount in found], np.int64),
    )
