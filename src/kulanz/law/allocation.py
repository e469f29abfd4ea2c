"""How a payment is spread over what is owed: sections 366, 367 and 497(3) BGB."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import groupby
from typing import Generic, Literal, TypeVar

from kulanz.kernel.errors import InputError
from kulanz.law.figures.allocation import AllocationOrder
from kulanz.law.packs import Pack

ClaimId = TypeVar("ClaimId")
Order = Literal["367", "497"]


class Account(StrEnum):
    """The accounts of a claim that a payment settles."""

    COST = "cost"
    INTEREST = "interest"
    PRINCIPAL = "principal"


ORDERS: dict[Order, tuple[Account, ...]] = {
    "367": (Account.COST, Account.INTEREST, Account.PRINCIPAL),
    "497": (Account.COST, Account.PRINCIPAL, Account.INTEREST),
}


@dataclass(frozen=True)
class OpenItem(Generic[ClaimId]):
    """What one claim still owes, in minor units of one currency; no part is negative.

    `security`: how well it is secured, `burden`: how hard it weighs on the customer; higher is more, 0 the usual.
    """

    claim_id: ClaimId
    due_date: date
    cost: int
    interest: int
    principal: int
    security: int = 0
    burden: int = 0

    @property
    def total(self) -> int:
        return self.cost + self.interest + self.principal

    def open(self, account: Account) -> int:
        return {Account.COST: self.cost, Account.INTEREST: self.interest, Account.PRINCIPAL: self.principal}[
            account
        ]


@dataclass(frozen=True)
class AllocationRow(Generic[ClaimId]):
    """`amount` > 0, minor units."""

    claim_id: ClaimId
    account: Account
    amount: int


@dataclass(frozen=True)
class Allocation(Generic[ClaimId]):
    """Rows in the order in which the debts are settled; `rest` is what remains as credit (overpayment)."""

    rows: tuple[AllocationRow[ClaimId], ...]
    rest: int


def allocate(
    amount: int,
    open_by_claim: Sequence[OpenItem[ClaimId]],
    order: Order = "367",
    designated: ClaimId | None = None,
    on: date | None = None,
) -> Allocation[ClaimId]:
    """Spread `amount` (minor units, not negative) over the claims.

    Claims, section 366: the one the payer designated first, then those due on the day `on` (None: all are), of these
    the least secured, the most burdensome, the oldest by due date, and equals in proportion to what is open on them
    (odd minor units go to the largest remainder, then to the claim named first). A designated claim with nothing open
    is passed over. Within a claim: `order` "367" costs, interest, principal; "497" (consumer loans, section 497(3),
    mandatory) costs, principal, interest.

    Raises InputError for a negative amount or open part, or a claim named twice.
    """
    _check(amount, open_by_claim)
    rows: list[AllocationRow[ClaimId]] = []
    rest = amount
    for group in _groups(open_by_claim, designated, on):
        shares = _in_proportion(min(rest, sum(item.total for item in group)), [item.total for item in group])
        for item, share in zip(group, shares, strict=True):
            rows += _within(item, share, order)
        rest -= sum(shares)
    return Allocation(tuple(rows), rest)


def _check(amount: int, items: Sequence[OpenItem[ClaimId]]) -> None:
    if amount < 0:
        raise InputError("A payment to allocate is not negative; post a return instead.")
    if any(min(item.cost, item.interest, item.principal) < 0 for item in items):
        raise InputError("An open part of a claim is negative; set its credit off before allocating.")
    if len({item.claim_id for item in items}) < len(items):
        raise InputError("A claim is named twice; hand in one open item per claim.")


def order_of(pack: Pack, on: date, *, consumer_loan: bool) -> Order:
    """The order within one claim that the pack has for a day; raises NoRate before its first row."""
    row = order_row(pack, on, consumer_loan=consumer_loan)
    return next(name for name, accounts in ORDERS.items() if tuple(a.value for a in accounts) == row.order)


def order_row(pack: Pack, on: date, *, consumer_loan: bool) -> AllocationOrder:
    """The row behind `order_of`: a consumer's loan takes its own where there is one."""
    loans = [row for row in pack.allocation_orders if row.debt == "consumer_loan"]
    others = [row for row in pack.allocation_orders if row.debt == "any"]
    found: AllocationOrder = pack.in_force(
        loans if consumer_loan and loans else others, on, "allocation_orders"
    )
    return found


def _groups(
    items: Sequence[OpenItem[ClaimId]], designated: ClaimId | None, on: date | None
) -> Iterator[list[OpenItem[ClaimId]]]:
    if designated is not None:
        yield [item for item in items if item.claim_id == designated]
    others = [item for item in items if designated is None or item.claim_id != designated]

    def rank(item: OpenItem[ClaimId]) -> tuple[bool, int, int, date]:
        return on is not None and item.due_date > on, item.security, -item.burden, item.due_date

    for _, group in groupby(sorted(others, key=rank), key=rank):
        yield list(group)


def _in_proportion(amount: int, totals: Sequence[int]) -> list[int]:
    """Whole shares of `amount` <= sum(totals), none above its total, by largest remainder."""
    whole = sum(totals)
    if whole == 0:
        return [0] * len(totals)
    shares = [amount * total // whole for total in totals]
    by_remainder = sorted(range(len(totals)), key=lambda i: -(amount * totals[i] % whole))
    for i in by_remainder[: amount - sum(shares)]:
        shares[i] += 1
    return shares


def _within(item: OpenItem[ClaimId], share: int, order: Order) -> Iterator[AllocationRow[ClaimId]]:
    for account in ORDERS[order]:
        part = min(share, item.open(account))
        share -= part
        if part:
            yield AllocationRow(item.claim_id, account, part)
