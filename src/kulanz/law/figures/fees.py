"""Rows of cost and fees: what a reminder, a collector or an instalment deal may cost. Amounts are minor units."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal


@dataclass(frozen=True, slots=True)
class ReminderCost:
    """What the creditor's own reminder may cost. `documented`: the real outside cost of a letter, where default has
    begun before; `accepted` and `refused` are amounts that a court has taken and struck down, for orientation."""

    valid_from: date
    letter: Literal["documented", "none"]
    source: str
    verified: bool
    accepted: int | None = None
    refused: int | None = None


@dataclass(frozen=True, slots=True)
class LumpSum:
    """A sum owed by businesses in default, for debts that arose on `valid_from` or later; with `performed_from`
    instead for older continuing contracts, as far as they were performed from that day on."""

    valid_from: date
    amount: int
    source: str
    verified: bool
    performed_from: date | None = None


@dataclass(frozen=True, slots=True)
class FeeStep:
    """Beyond the step before, each `per` begun of the value adds `fee`, up to `up_to` (None: without end)."""

    per: int
    fee: int
    up_to: int | None = None


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """A full (1.0) fee by the value: `fee` up to `up_to`, then step by step."""

    valid_from: date
    up_to: int
    fee: int
    steps: tuple[FeeStep, ...]
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class CollectionRule:
    """A registered collector's factors on the schedule, and the share and cap of expenses."""

    valid_from: date
    prompt: Decimal
    average: Decimal
    difficult: Decimal
    disputed_from: Decimal
    disputed_to: Decimal
    expenses_share: Decimal
    expenses_cap: int
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class ValueBase:
    """What the value of a schedule counts of a claim."""

    valid_from: date
    counts: Literal["principal"]
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class ReturnCost:
    """The bank's own charge for a returned debit may be asked for, as documented and without any surcharge."""

    valid_from: date
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class SmallClaimFee:
    """The whole fee of an undisputed claim up to a value."""

    valid_from: date
    up_to: int
    fee: int
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class SettlementRule:
    """The fee for an instalment deal: `factor` on the schedule at `share` of the claim."""

    valid_from: date
    share: Decimal
    factor: Decimal
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class OrdinanceBand:
    """Caps of an ordinance on a collector's reminders for claims up to `up_to` (None: all larger ones).

    The bands of one `valid_from` belong together: a later day replaces all of them.
    """

    valid_from: date
    first: int
    further: int
    source: str
    verified: bool
    up_to: int | None = None
