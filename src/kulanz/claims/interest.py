"""What the law needs to know of claims in default to work out their interest."""

from collections.abc import Sequence
from datetime import date

from kulanz.claims.replay import Debt, Interest


def interest_of(case_id: int, debts: Sequence[Debt], accrued_to: date | None) -> Interest | None:
    """How the default interest of a case's claims is worked out; None where none is charged."""
    return None
