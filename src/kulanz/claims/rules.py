"""Pure decisions about claims: their state, derived from balances and holds."""

from collections.abc import Collection
from enum import StrEnum


class ClaimState(StrEnum):
    """What a claim is to the people who look at it; always derived, never stored."""

    OPEN = "open"
    PART_PAID = "part_paid"
    PAID = "paid"
    CREDITED = "credited"
    DISPUTED = "disputed"
    ON_HOLD = "on_hold"
    REOPENED = "reopened"


def claim_state(
    *, opened: int, open_amount: int, received: int, returned: int, holds: Collection[str]
) -> ClaimState:
    """The state of one claim from its sums in minor units and the reasons of its case's active holds.

    `received` counts what payments settled on it, `returned` what returned payments put back.
    """
    if open_amount <= 0:
        return ClaimState.PAID if opened > 0 and received > returned else ClaimState.CREDITED
    if "dispute" in holds:
        return ClaimState.DISPUTED
    if holds:
        return ClaimState.ON_HOLD
    if returned and received <= returned:
        return ClaimState.REOPENED
    return ClaimState.PART_PAID if open_amount < opened else ClaimState.OPEN
