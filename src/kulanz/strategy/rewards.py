"""What decisions earned: counted when their outcome has been awaited, and corrected when a payment is taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from kulanz.claims.models import Case, Hold, Journal, Posting
from kulanz.contact.models import Consent
from kulanz.engine import reward
from kulanz.events.log import Happened
from kulanz.kernel import clock
from kulanz.kernel.database import in_clause, insert_columns, read_columns, stored_datetime
from kulanz.outreach.models import Message
from kulanz.payments.offers.models import Offer
from kulanz.strategy import journeys
from kulanz.strategy.columns import epoch, table
from kulanz.strategy.locks import lock
from kulanz.strategy.models import Decision, Journey, Reward, Run, Setback
from kulanz.tenancy.scope import creditor_id

BLOCK = 8192
DAY = 86400
LOOK_BACK_DAYS = 30
"""A decision that matures longer than this before the last one counted is not looked for any more."""

Rows = dict[str, NDArray[Any]]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Outcome:
    """n decisions. value float64[n], paid int64[n] minor units within the window, weight 1, or 0 where the action never
    met its case: all was settled before the message could leave, or it left without the offer that was decided on.
    """

    value: NDArray[np.float64]
    paid: Ints
    weight: Ints


def credit() -> int:
    """Count every decision of the creditor in scope whose outcome has been awaited; returns how many were new."""
    counted = 0
    while True:
        with transaction.atomic():
            lock("rewards")
            rows = _matured()
            if not len(rows["id"]):
                return counted
            outcome = _outcome(rows)
            _write(rows["id"], outcome.value, outcome.paid, outcome.weight)
        counted += len(rows["id"])


def correct(paid_journals: Sequence[int]) -> int:
    """Take back what payments that did not last had earned: the old reward with weight -1, the corrected one with 1.

    Returns how many decisions changed. Runs in the caller's transaction.
    """
    lock("rewards")
    rows = _touched(paid_journals)
    if not len(rows["id"]):
        return 0
    outcome = _outcome(rows)
    changed = (outcome.value != rows["value"]) | (outcome.weight != rows["weight"])
    learned = changed & (rows["weight"] == 1)
    ids = rows["id"]
    _write(ids[learned], rows["value"][learned], rows["paid"][learned], np.full(learned.sum(), -1))
    _write(ids[changed], outcome.value[changed], outcome.paid[changed], outcome.weight[changed])
    return int(changed.sum())


def note_setbacks(events: Sequence[Happened]) -> None:
    """In the transaction of a complaint or a returned payment: remember it where rewards look for it."""
    kinds = {"complaint.made": Setback.Kind.COMPLAINT, "payment.returned": Setback.Kind.PAYMENT_RETURNED}
    insert_columns(
        Setback,
        {
            "creditor_id": creditor_id(),
            "case_id": [event.subject_id for event in events],
            "kind": [kinds[event.type].value for event in events],
            "journal_id": [event.payload.get("paid_journal") for event in events],
            "at": [event.at for event in events],
        },
    )


def on_returned(events: Sequence[Happened]) -> None:
    """As a task after a returned payment: correct the rewards that it had earned."""
    correct([int(event.payload["paid_journal"]) for event in events])


_COLUMNS = f"""d.id, d.case_id, d.open_amount, d.channel, {epoch("d.acts_at")} AS acts, r.journey_id"""
_DECISIONS = f"{table(Decision)} d JOIN {table(Run)} r ON r.id = d.run_id"


def _matured() -> Rows:
    newest = Reward.objects.order_by("-id").values_list("decision__matures_at", flat=True).first()
    since = datetime(1970, 1, 1, tzinfo=UTC) if newest is None else newest - timedelta(days=LOOK_BACK_DAYS)
    sql = f"""SELECT {_COLUMNS} FROM {_DECISIONS}
        WHERE d.creditor_id = %s AND d.matures_at > %s AND d.matures_at <= %s
          AND NOT EXISTS (SELECT 1 FROM {table(Reward)} w WHERE w.decision_id = d.id)
        ORDER BY d.matures_at, d.id LIMIT %s"""  # noqa: S608 - names come from our models
    return read_columns(sql, [creditor_id(), stored_datetime(since), stored_datetime(clock.now()), BLOCK])


def _touched(paid_journals: Sequence[int]) -> Rows:
    """Counted decisions in whose time one of the payments was booked, with their newest reward."""
    sql = f"""SELECT DISTINCT {_COLUMNS}, w.value, w.paid, w.weight
        FROM {table(Journal)} j JOIN {table(Decision)} d ON d.case_id = j.case_id
          JOIN {table(Run)} r ON r.id = d.run_id JOIN {table(Reward)} w ON w.decision_id = d.id
        WHERE {in_clause("j.id", paid_journals)} AND +d.creditor_id = %s
          AND j.booked_at >= r.at AND j.booked_at < d.matures_at
          AND w.id = (SELECT MAX(id) FROM {table(Reward)} WHERE decision_id = d.id)
        ORDER BY d.id"""  # noqa: S608
    return read_columns(sql, [creditor_id()])


def _outcome(rows: Rows) -> Outcome:
    ids = rows["id"]
    money = _money(ids)
    before, paid, moments = (_spread(ids, money["id"], money[name]) for name in ("before", "paid", "moments"))
    still_open = rows["open_amount"] - before
    acted = rows["channel"] >= 0
    value = reward(
        paid,
        np.maximum(still_open, 1),
        moments / np.maximum(paid, 1) / DAY,
        np.where(np.isin(ids, _sent(ids)), _costs(rows), 0),
        np.isin(ids, _complained(ids)),
        np.isin(ids, _opted_out(ids)),
        np.isin(ids, _disputed(ids)),
    )
    never_met = acted & ((still_open <= 0) | np.isin(ids, _without_their_offer(ids)))
    weight = np.where(never_met, 0, 1).astype(np.int64)
    return Outcome(np.where(never_met, 0.0, value), paid, weight)


def _money(ids: Ints) -> Rows:
    """Payments that lasted: `before` the message could leave, `paid` in the window, and its sum of amount x seconds."""
    late = f"({epoch('j.booked_at')} - {epoch('d.acts_at')})"
    inside = "CASE WHEN j.booked_at >= d.acts_at THEN p.amount ELSE 0 END"
    sql = f"""SELECT d.id, CAST(SUM(CASE WHEN j.booked_at < d.acts_at THEN p.amount ELSE 0 END) AS BIGINT) AS before,
          CAST(SUM({inside}) AS BIGINT) AS paid, CAST(SUM({inside} * {late}) AS BIGINT) AS moments
        FROM {_DECISIONS} JOIN {table(Posting)} p ON p.case_id = d.case_id AND p.account = 'received'
          JOIN {table(Journal)} j ON j.id = p.journal_id AND j.kind = 'payment'
        WHERE {in_clause("d.id", ids.tolist())} AND +d.creditor_id = %s
          AND j.booked_at >= r.at AND j.booked_at < d.matures_at
          AND NOT EXISTS (SELECT 1 FROM {table(Setback)} s WHERE s.journal_id = j.id)
        GROUP BY d.id"""  # noqa: S608
    return read_columns(sql, [creditor_id()])


def _sent(ids: Ints) -> Ints:
    return _ids(
        f"""{table(Decision)} d JOIN {table(Message)} m ON m.case_id = d.case_id AND m.decision_id = d.id
        WHERE m.sent_at IS NOT NULL""",
        ids,
    )


def _without_their_offer(ids: Ints) -> Ints:
    """The offer had lapsed when the message left."""
    return _ids(
        f"""{table(Decision)} d JOIN {table(Offer)} o ON o.decision_id = d.id AND o.creditor_id = d.creditor_id
          JOIN {table(Message)} m ON m.case_id = d.case_id AND m.decision_id = d.id
        WHERE o.told_at IS NULL AND m.sent_at IS NOT NULL""",
        ids,
    )


def _complained(ids: Ints) -> Ints:
    return _ids(
        f"""{table(Decision)} d JOIN {table(Setback)} s ON s.case_id = d.case_id
        WHERE s.kind = 'complaint' AND s.at >= d.acts_at AND s.at < d.matures_at""",
        ids,
    )


def _opted_out(ids: Ints) -> Ints:
    return _ids(
        f"""{table(Decision)} d JOIN {table(Case)} k ON k.id = d.case_id
          JOIN {table(Consent)} c ON c.customer_id = k.customer_id
        WHERE c.purpose = 'reminders' AND c.withdrawn_at >= d.acts_at AND c.withdrawn_at < d.matures_at""",
        ids,
    )


def _disputed(ids: Ints) -> Ints:
    return _ids(
        f"""{table(Decision)} d JOIN {table(Hold)} h ON h.case_id = d.case_id
        WHERE h.reason = 'dispute' AND h.from_at >= d.acts_at AND h.from_at < d.matures_at""",
        ids,
    )


def _ids(rest: str, ids: Ints) -> Ints:
    sql = f"SELECT DISTINCT d.id FROM {rest} AND {in_clause('d.id', ids.tolist())} AND +d.creditor_id = %s"  # noqa: S608
    return read_columns(sql, [creditor_id()])["id"]


def _costs(rows: Rows) -> Ints:
    """What the channel of each decision costs, minor units; the place of a waiting one has no meaning."""
    costs = np.zeros(len(rows["id"]), dtype=np.int64)
    for journey in Journey.objects.filter(id__in=np.unique(rows["journey_id"]).tolist()):
        mine = rows["journey_id"] == journey.id
        costs[mine] = np.array(journeys.spec_of(journey).space.channel_costs)[rows["channel"][mine]]
    return costs


def _spread(ids: Ints, found: Ints, values: Ints) -> Ints:
    """The values of the rows that were found, 0 for all others."""
    order = np.argsort(ids)
    out = np.zeros(len(ids), dtype=np.int64)
    out[order[np.searchsorted(ids, found, sorter=order)]] = values
    return out


def _write(ids: Ints, value: NDArray[np.float64], paid: Ints, weight: Ints) -> None:
    columns = {"decision_id": ids, "value": value, "paid": paid, "weight": weight}
    insert_columns(Reward, {**columns, "creditor_id": creditor_id(), "at": clock.now()})
