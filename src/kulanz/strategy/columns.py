"""What a run reads about a block of cases beside claims and contact: earlier decisions, messages and reactions.

Blocks are ranges of case ids. The creditor's id is compared behind a unary plus, so that SQLite takes the index on
the case and not the one on the creditor.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Model
from numpy.typing import NDArray

from kulanz.claims.models import Claim, Hold, Journal, Posting
from kulanz.kernel.database import is_postgres, read_columns
from kulanz.outreach.models import DeliveryEvent, Message
from kulanz.payments.models import PaymentLink
from kulanz.strategy.models import Decision, Run
from kulanz.tenancy.scope import creditor_id

Ints = NDArray[np.int64]
NEVER = 0


def epoch(column: str) -> str:
    """SQL for a stored datetime as whole epoch seconds, 0 for NULL."""
    if is_postgres():
        return f"COALESCE(CAST(FLOOR(EXTRACT(EPOCH FROM {column})) AS BIGINT), 0)"
    return f"COALESCE(CAST(strftime('%%s', {column}) AS INTEGER), 0)"


def table(model: type[Model]) -> str:
    return model._meta.db_table


@dataclass(frozen=True, slots=True)
class LastDecisions:
    """The newest decision of each case. Epoch seconds, 0 where there is none; stage is "" then; `channel` -1 waited."""

    decided: Ints
    matures: Ints
    channel: Ints
    stage: NDArray[Any]


@dataclass(frozen=True, slots=True)
class Messages:
    """Demanding messages that are queued or went out, one row each, ordered by case.

    `row` int64[m] is the place of the case in the block, `sent` epoch seconds (0: still queued), and the rest bool[m].
    """

    row: Ints
    stage: NDArray[Any]
    sent: Ints
    opened: NDArray[np.bool_]
    clicked: NDArray[np.bool_]
    bounced: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Conduct:
    """share_late float64[n] (NaN: nothing paid yet), promise_broken and disputed bool[n]."""

    share_late: NDArray[np.float64]
    promise_broken: NDArray[np.bool_]
    disputed: NDArray[np.bool_]


def last_decisions(case_id: Ints) -> LastDecisions:
    """`case_id` ascending."""
    sql = f"""SELECT d.case_id, {epoch("d.matures_at")} AS matures, {epoch("r.at")} AS decided, d.channel, d.stage
        FROM {table(Decision)} d JOIN {table(Run)} r ON r.id = d.run_id
        WHERE +d.creditor_id = %s AND d.id IN
          (SELECT MAX(id) FROM {table(Decision)} WHERE case_id >= %s AND case_id <= %s GROUP BY case_id)"""  # noqa: S608
    rows = _of_block(sql, case_id)
    n = len(case_id)
    found = LastDecisions(
        np.zeros(n, np.int64), np.zeros(n, np.int64), np.full(n, -1, np.int64), np.full(n, "", object)
    )
    for name in ("decided", "matures", "channel", "stage"):
        getattr(found, name)[rows["row"]] = rows[name]
    return found


def messages(case_id: Ints) -> Messages:
    """`case_id` ascending."""
    sql = f"""SELECT m.id, m.case_id, m.stage, {epoch("m.sent_at")} AS sent,
          CASE WHEN l.opened_at IS NULL THEN 0 ELSE 1 END AS visited
        FROM {table(Message)} m LEFT JOIN {table(PaymentLink)} l ON l.id = m.link_id
        WHERE +m.creditor_id = %s AND m.case_id >= %s AND m.case_id <= %s AND m.kind = 'demanding'
          AND m.state IN ('queued', 'sending', 'sent', 'unknown')"""  # noqa: S608
    rows = _of_block(sql, case_id)
    ids = rows["id"]
    told = _delivery(case_id) if len(ids) else {}
    return Messages(
        row=rows["row"],
        stage=rows["stage"],
        sent=rows["sent"],
        opened=np.isin(ids, told.get("opened", [])),
        clicked=np.isin(ids, told.get("clicked", [])) | (rows["visited"] == 1),
        bounced=np.isin(ids, told.get("bounced", [])),
    )


def conduct(case_id: Ints, paid_total: Ints, now: int) -> Conduct:
    """`case_id` ascending; `paid_total` minor units ever received, to spare the read where there is nothing."""
    sql = f"""SELECT case_id, MAX(CASE WHEN reason = 'promise' AND {epoch("until_at")} BETWEEN 1 AND %s
            THEN 1 ELSE 0 END) AS broken, MAX(CASE WHEN reason = 'dispute' THEN 1 ELSE 0 END) AS disputed
        FROM {table(Hold)} WHERE +creditor_id = %s AND case_id >= %s AND case_id <= %s
          AND reason IN ('promise', 'dispute') GROUP BY case_id"""  # noqa: S608
    rows = _of_block(sql, case_id, now)
    broken, disputed = np.zeros((2, len(case_id)), np.bool_)
    broken[rows["row"]] = rows["broken"] == 1
    disputed[rows["row"]] = rows["disputed"] == 1
    share = np.full(len(case_id), np.nan)
    if paid_total.any():
        late = _paid_late(case_id)
        share[late["row"]] = late["late"] / late["paid"]
    return Conduct(share, broken, disputed)


def _paid_late(case_id: Ints) -> dict[str, NDArray[Any]]:
    sql = f"""SELECT case_id, COUNT(*) AS paid, SUM(late) AS late FROM (
          SELECT p.case_id, p.claim_id, MAX(CASE WHEN j.value_date > c.due_date THEN 1 ELSE 0 END) AS late
          FROM {table(Posting)} p JOIN {table(Journal)} j ON j.id = p.journal_id
            JOIN {table(Claim)} c ON c.id = p.claim_id
          WHERE +p.creditor_id = %s AND p.case_id >= %s AND p.case_id <= %s AND p.account = 'principal'
            AND p.amount < 0 AND j.kind = 'payment' GROUP BY p.case_id, p.claim_id) claims
        GROUP BY case_id"""  # noqa: S608
    return _of_block(sql, case_id)


def _delivery(case_id: Ints) -> dict[str, Ints]:
    sql = f"""SELECT DISTINCT m.case_id, e.message_id, e.kind FROM {table(Message)} m
        JOIN {table(DeliveryEvent)} e ON e.message_id = m.id
        WHERE +m.creditor_id = %s AND m.case_id >= %s AND m.case_id <= %s
          AND e.kind IN ('opened', 'clicked', 'bounced')"""  # noqa: S608
    rows = _of_block(sql, case_id)
    return {kind: rows["message_id"][rows["kind"] == kind] for kind in ("opened", "clicked", "bounced")}


def _of_block(sql: str, case_id: Ints, *first: Any) -> dict[str, NDArray[Any]]:
    """The rows whose case is in the block; `row` is its place there."""
    rows = read_columns(sql, [*first, creditor_id(), int(case_id[0]), int(case_id[-1])])
    place = np.searchsorted(case_id, rows["case_id"])
    inside = case_id[np.minimum(place, len(case_id) - 1)] == rows["case_id"]
    return {name: values[inside] for name, values in rows.items()} | {"row": place[inside]}
