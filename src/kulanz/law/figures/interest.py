"""Rows of default interest: base rates, what the law adds to them or fixes, and how days are counted."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Literal


class Party(StrEnum):
    """Who owes; a consumer where either side of the contract is one."""

    CONSUMER = "consumer"
    BUSINESS = "business"


class DayCount(StrEnum):
    """How a period becomes a share of a year. Tools differ in this, so every result names its own.

    act/act: each day is 1/365, in leap years 1/366 of the year it lies in. act/365: each day is 1/365. 30/360: every
    month has 30 days, the 31st counts as the 30th (30E/360, the Eurobond rule).
    """

    ACT_ACT = "act/act"
    ACT_365 = "act/365"
    THIRTY_360 = "30/360"


@dataclass(frozen=True, slots=True)
class BaseRate:
    """The base rate from a day on, percent a year."""

    valid_from: date
    percent: Decimal
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class DefaultRate:
    """Default interest for debts that arose on `valid_from` or later: percent a year, over the base rate or fixed.

    `performed_from`: older continuing contracts come under the row too, for what is performed on that day or later.
    """

    valid_from: date
    party: Party
    over: Literal["base", "nothing"]
    percent: Decimal
    paragraph: str
    source: str
    verified: bool
    performed_from: date | None = None

    def covers(self, party: Party, arose: date, performed: date) -> bool:
        later = self.performed_from is not None and performed >= self.performed_from
        return self.party is party and (arose >= self.valid_from or later)


@dataclass(frozen=True, slots=True)
class DayCountRule:
    """The day count that a jurisdiction's default interest takes unless another is agreed."""

    valid_from: date
    day_count: DayCount
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class RoundingRule:
    """How an unrounded total becomes minor units: half up, once, at the end."""

    valid_from: date
    rule: Literal["half_up"]
    source: str
    verified: bool
