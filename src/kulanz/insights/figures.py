"""What the dashboard says in numbers. Every amount is a sum of the ledger's postings, minor units.

All functions work for the creditor in scope, in block-wise SQL that runs on SQLite and PostgreSQL alike.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from kulanz.claims.models import BALANCE_SQL, OWED, OWED_SQL
from kulanz.events.models import Event
from kulanz.kernel.database import in_clause, read_columns
from kulanz.tenancy.scope import creditor_id

DAYS = 30


@dataclass(frozen=True, slots=True)
class MoneyIn:
    """Money received less money returned, by value date, in one currency.

    `days` has one amount per day of the window, the last one is today.
    """

    currency: str
    today: int
    window: int
    days: tuple[int, ...]
    first_day: date


@dataclass(frozen=True, slots=True)
class Balance:
    """The ledger of one currency in a few sums.

    due: charged on claims whose due date has come, credit notes subtracted; paid_of_due: what payments settled of it;
    received: all money in, returns subtracted; open: owed now over all cases, no case below 0.
    """

    currency: str
    due: int
    paid_of_due: int
    received: int
    open: int

    @property
    def realised(self) -> float | None:
        """Share of what was due that has been paid; None before anything was due."""
        return self.paid_of_due / self.due if self.due > 0 else None


@dataclass(frozen=True, slots=True)
class Delay:
    """Days from due date to value date of payments that stayed: weighted by money, and the median payment."""

    mean: float
    median: float
    payments: int


@dataclass(frozen=True, slots=True)
class Contacts:
    """Messages that left. `cells` counts demanding ones by (channel, local hour 0-23, tone), `sent` all by channel."""

    cells: dict[tuple[str, int, str], int]
    sent: dict[str, int]

    def by(self, position: int) -> dict[Any, int]:
        """Sums over one part of the key: 0 channel, 1 hour, 2 tone."""
        sums: dict[Any, int] = {}
        for key, count in self.cells.items():
            sums[key[position]] = sums.get(key[position], 0) + count
        return sums

    @property
    def demanding(self) -> int:
        return sum(self.cells.values())


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Cases that got a demanding message: settled by payment without hand-over, handed over, still running.

    `returned` of `paid_customers` (reminded and paid) were invoiced again after their first payment.
    """

    settled: int
    handed_over: int
    running: int
    paid_customers: int
    returned: int


def money_in(today: date, days: int = DAYS) -> tuple[MoneyIn, ...]:
    """Per currency, largest window first; a currency without money in the window is left out."""
    first = today - timedelta(days=days - 1)
    rows = read_columns(
        "SELECT k.currency, j.value_date, CAST(SUM(p.amount) AS BIGINT) AS amount FROM claims_journal j"
        " JOIN claims_posting p ON p.journal_id = j.id AND p.account = 'received'"
        " JOIN claims_case k ON k.id = j.case_id"
        " WHERE j.creditor_id = %s AND j.value_date >= %s AND j.value_date <= %s"
        " AND j.kind IN ('payment', 'payment_return') GROUP BY k.currency, j.value_date",
        [creditor_id(), first, today],
    )
    offsets = (_days(rows["value_date"]) - np.datetime64(first, "D")).astype(np.int64)
    found = []
    for currency in dict.fromkeys(rows["currency"].tolist()):
        mine = rows["currency"] == currency
        sums = np.zeros(days, np.int64)
        np.add.at(sums, offsets[mine], rows["amount"][mine])
        found.append(MoneyIn(currency, int(sums[-1]), int(sums.sum()), tuple(sums.tolist()), first))
    return tuple(sorted(found, key=lambda money: -money.window))


def balances(today: date) -> dict[str, Balance]:
    """Per currency of the ledger; `today` decides which claims are due."""
    sums = read_columns(_SUMS, [today, creditor_id()])
    opened = read_columns(_OPEN, [creditor_id()])
    open_now = dict(zip(opened["currency"].tolist(), opened["amount"].tolist(), strict=True))
    account, kind, amount = sums["account"], sums["kind"], sums["amount"]
    owed = np.isin(account, OWED)
    paying = np.isin(kind, ("payment", "payment_return"))
    given_up = np.isin(kind, ("waiver", "write_off"))
    due = sums["due"] == 1
    result = {}
    for currency in dict.fromkeys(sums["currency"].tolist()):
        mine = sums["currency"] == currency
        result[currency] = Balance(
            currency,
            due=int(amount[mine & owed & due & ~paying & ~given_up].sum()),
            paid_of_due=-int(amount[mine & owed & due & paying].sum()),
            received=int(amount[mine & (account == "received")].sum()),
            open=int(open_now.get(currency, 0)),
        )
    return result


_SUMS = """
SELECT k.currency, j.kind, p.account, CASE WHEN c.due_date <= %s THEN 1 ELSE 0 END AS due,
  CAST(SUM(p.amount) AS BIGINT) AS amount
FROM claims_posting p JOIN claims_journal j ON j.id = p.journal_id JOIN claims_case k ON k.id = p.case_id
LEFT JOIN claims_claim c ON c.id = p.claim_id
WHERE p.creditor_id = %s GROUP BY 1, 2, 3, 4
"""
_OPEN = f"""
SELECT k.currency, CAST(SUM(b.owed) AS BIGINT) AS amount FROM (
  SELECT case_id, SUM(amount) AS owed FROM claims_posting
  WHERE creditor_id = %s AND account IN ({BALANCE_SQL})
  GROUP BY case_id HAVING SUM(amount) > 0
) b JOIN claims_case k ON k.id = b.case_id GROUP BY k.currency
"""  # noqa: S608 - names of accounts


def delay(currency: str) -> Delay | None:
    """None before the first payment on a claim; negative days were paid before the due date."""
    payloads = Event.objects.filter(type="payment.returned").values_list("payload", flat=True)
    returned = [payload["paid_journal"] for payload in payloads]
    kept = f" AND NOT ({in_clause('j.id', returned)})" if returned else ""
    rows = read_columns(
        "SELECT c.due_date, j.value_date, CAST(SUM(-p.amount) AS BIGINT) AS amount,"  # noqa: S608 - integers only
        " COUNT(DISTINCT p.claim_id) AS payments FROM claims_journal j"
        f" JOIN claims_posting p ON p.journal_id = j.id AND p.account IN ({OWED_SQL})"
        " JOIN claims_claim c ON c.id = p.claim_id JOIN claims_case k ON k.id = j.case_id"
        f" WHERE j.creditor_id = %s AND j.kind = 'payment' AND k.currency = %s{kept}"
        " GROUP BY c.due_date, j.value_date",
        [creditor_id(), currency],
    )
    if not len(rows["amount"]):
        return None
    days = (_days(rows["value_date"]) - _days(rows["due_date"])).astype(np.int64)
    amount = rows["amount"].astype(np.float64)
    return Delay(
        mean=float((days * amount).sum() / amount.sum()),
        median=_median(days, rows["payments"]),
        payments=int(rows["payments"].sum()),
    )


def contacts(timezone: str) -> Contacts:
    """Counts of messages that were sent, by the local hour of the IANA `timezone`."""
    rows = read_columns(
        "SELECT channel, kind, tone, SUBSTR(CAST(sent_at AS TEXT), 1, 13) AS hour, COUNT(*) AS n"
        " FROM outreach_message WHERE creditor_id = %s AND state = 'sent' GROUP BY 1, 2, 3, 4",
        [creditor_id()],
    )
    zone = ZoneInfo(timezone)
    cells: dict[tuple[str, int, str], int] = {}
    sent: dict[str, int] = {}
    lists = (rows[name].tolist() for name in ("channel", "kind", "tone", "hour", "n"))
    for channel, kind, tone, hour, n in zip(*lists, strict=True):
        sent[channel] = sent.get(channel, 0) + n
        if kind == "demanding":
            local = datetime.fromisoformat(f"{hour}:00:00+00:00").astimezone(zone).hour
            cells[channel, local, tone] = cells.get((channel, local, tone), 0) + n
    return Contacts(cells, sent)


def cost_per_unit(cost: int, received: int) -> float | None:
    """Contact cost per unit of money that came in (both minor units); None before any came in."""
    return cost / received if received > 0 else None


def outcomes() -> Outcomes:
    """What became of the cases that were reminded, and who came back."""
    creditor = creditor_id()
    cases = read_columns(_OUTCOMES, [creditor] * 2)
    loyal = read_columns(_RETURNED, [creditor] * 2)
    count = {name: int(cases[name][0]) for name in cases}
    return Outcomes(
        settled=count["settled"],
        handed_over=count["handed_over"],
        running=count["reminded"] - count["settled"] - count["handed_over"],
        paid_customers=int(loyal["paid"][0]),
        returned=int(loyal["returned"][0]),
    )


_OUTCOMES = f"""
SELECT COUNT(*) AS reminded,
  COALESCE(SUM(CASE WHEN h.case_id IS NULL AND t.owed <= 0 AND t.received > 0 THEN 1 ELSE 0 END), 0) AS settled,
  COALESCE(SUM(CASE WHEN h.case_id IS NOT NULL THEN 1 ELSE 0 END), 0) AS handed_over
FROM (
  SELECT case_id,
    (SELECT SUM(CASE WHEN p.account IN ({BALANCE_SQL}) THEN p.amount ELSE 0 END)
      FROM claims_posting p WHERE p.case_id = r.case_id) AS owed,
    (SELECT SUM(CASE WHEN p.account = 'received' THEN p.amount ELSE 0 END)
      FROM claims_posting p WHERE p.case_id = r.case_id) AS received
  FROM (SELECT DISTINCT case_id FROM contact_contactlog WHERE creditor_id = %s AND demanding) r
) t
LEFT JOIN (
  SELECT DISTINCT subject_id AS case_id FROM events_event WHERE creditor_id = %s AND type = 'handover.due'
) h ON h.case_id = t.case_id
"""  # noqa: S608 - names of accounts
_RETURNED = """
SELECT COUNT(*) AS paid, COALESCE(SUM(CASE WHEN EXISTS (
    SELECT 1 FROM claims_claim c JOIN claims_case k ON k.id = c.case_id
    WHERE k.customer_id = f.customer_id AND c.kind <> 'credit_note' AND c.contract_date > f.first_paid
  ) THEN 1 ELSE 0 END), 0) AS returned
FROM (
  SELECT k.customer_id, MIN(j.value_date) AS first_paid FROM claims_journal j
  JOIN claims_case k ON k.id = j.case_id WHERE j.creditor_id = %s AND j.kind = 'payment'
    AND k.customer_id IN (SELECT customer_id FROM contact_contactlog WHERE creditor_id = %s AND demanding)
  GROUP BY k.customer_id
) f
"""


def _days(values: NDArray[Any]) -> NDArray[np.datetime64]:
    return np.array([str(value) for value in values], "datetime64[D]")


def _median(values: NDArray[np.int64], counts: NDArray[np.int64]) -> float:
    """The median of `values` repeated `counts` times; between the two middle ones when their number is even."""
    order = np.argsort(values, kind="stable")
    steps = np.cumsum(counts[order])
    total = int(steps[-1])
    low, high = np.searchsorted(steps, [(total - 1) // 2, total // 2], side="right")
    return float(values[order[low]] + values[order[high]]) / 2
