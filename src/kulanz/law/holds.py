"""What a hold stops by itself, per reason, and where that comes from."""

from dataclasses import dataclass

from kulanz.law.vetoes import HOUSE, HoldReason


@dataclass(frozen=True, slots=True)
class HoldEffects:
    """What rests while a hold is in force; `source` says why, `verified` whether that was seen in its source."""

    contact: bool
    interest: bool
    fees: bool
    source: str = HOUSE
    verified: bool = True

    def __or__(self, other: "HoldEffects") -> "HoldEffects":
        """What either of the two stops; the reason stays that of the first."""
        return HoldEffects(
            self.contact or other.contact,
            self.interest or other.interest,
            self.fees or other.fees,
            self.source,
            self.verified,
        )


_WAITING = HoldEffects(contact=True, interest=False, fees=True)
_KIND = HoldEffects(contact=True, interest=True, fees=True)

_EFFECTS = {
    HoldReason.DISPUTE: _WAITING,
    HoldReason.HARDSHIP: _KIND,
    HoldReason.INSOLVENCY: HoldEffects(
        contact=True,
        interest=True,
        fees=True,
        source="Sections 87 and 39(1) no. 1 InsO: interest from the opening on ranks last; house rule not to charge it",
        verified=False,
    ),
    HoldReason.REPRESENTED: _WAITING,
    HoldReason.DECEASED: _KIND,
    HoldReason.MINOR: _KIND,
    HoldReason.MORATORIUM: HoldEffects(
        contact=True,
        interest=True,
        fees=True,
        source="Breathing Space (England and Wales): no contact, interest or fees from its start",
    ),
    HoldReason.VULNERABLE: _KIND,
    HoldReason.QUESTION: _WAITING,
    HoldReason.PROMISE: _WAITING,
    HoldReason.PLAN: _WAITING,
    HoldReason.PAYMENT_PENDING: _WAITING,
    HoldReason.MANUAL: _WAITING,
}

REACHES_BACK = frozenset({HoldReason.MORATORIUM, HoldReason.INSOLVENCY, HoldReason.DECEASED})
"""Reasons that begin when the thing happened, not when the creditor heard of it."""


def effects_of(reason: HoldReason | str) -> HoldEffects:
    """What a hold for this reason stops unless its creditor says otherwise; raises ValueError for no such reason."""
    return _EFFECTS[HoldReason(reason)]
