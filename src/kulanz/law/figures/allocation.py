"""Rows of the order in which a payment settles the parts of a debt."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

Part = Literal["cost", "interest", "principal"]


@dataclass(frozen=True, slots=True)
class AllocationOrder:
    """`debt`: any, or a consumer's loan where that has an order of its own.

    `disputed_excluded`: a payment is never put against a debt that the customer disputes.
    """

    valid_from: date
    debt: Literal["any", "consumer_loan"]
    order: tuple[Part, Part, Part]
    source: str
    verified: bool
    disputed_excluded: bool = False
