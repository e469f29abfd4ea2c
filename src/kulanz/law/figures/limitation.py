"""Rows of limitation: how long a claim can be demanded, and what suspends or restarts that time."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class LimitationRule:
    """`years` from the end of the year in which the claim arose; `titled_years` from the day of a title."""

    valid_from: date
    years: int
    titled_years: int
    source: str
    titled_source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class LimitationBreaks:
    """A suspension's days do not count; it lasts `order_months` beyond the end of a payment order's proceedings.

    After negotiations, limitation comes `negotiation_months` after their end at the earliest.
    """

    valid_from: date
    order_months: int
    negotiation_months: int
    suspension_source: str
    restart_source: str
    source: str
    verified: bool
