"""Pure decisions about claims: their state, derived from sums, holds and the law's calendar, and what may change it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum


class ClaimState(StrEnum):
    """What a claim is to the people who look at it; always derived, never stored."""

    OPEN = "open"
    PART_PAID = "part_paid"
    PAID = "paid"
    CREDITED = "credited"
    DISPUTED = "disputed"
    ON_PLAN = "on_plan"
    ON_HOLD = "on_hold"
    HANDED_OVER = "handed_over"
    WRITTEN_OFF = "written_off"
    TIME_BARRED = "time_barred"
    REOPENED = "reopened"


@dataclass(frozen=True, slots=True)
class Sums:
    """One claim in minor units. `opened`: as invoiced, negative for a credit note. `open_amount`: owed now.

    `received`: settled by payments, `returned`: put back by returned ones, `written_off` and `transferred`: what was
    given up in the books or handed to an agency, less what came back.
    """

    opened: int
    open_amount: int
    received: int = 0
    returned: int = 0
    written_off: int = 0
    transferred: int = 0


def claim_state(sums: Sums, *, holds: Collection[str], barred: bool = False) -> ClaimState:
    """The state of one claim from its sums, the reasons of its case's active holds and whether it is time-barred.

    With nothing owed, where it went decides; with something owed, what stops it comes before how much of it is paid.
    """
    if sums.open_amount <= 0:
        return _settled(sums)
    if barred or holds:
        return ClaimState.TIME_BARRED if barred else _held(holds)
    if sums.returned > 0 and sums.received <= sums.returned:
        return ClaimState.REOPENED
    return ClaimState.PART_PAID if sums.open_amount < sums.opened else ClaimState.OPEN


def _held(holds: Collection[str]) -> ClaimState:
    if "dispute" in holds:
        return ClaimState.DISPUTED
    return ClaimState.ON_PLAN if "plan" in holds else ClaimState.ON_HOLD


def _settled(sums: Sums) -> ClaimState:
    if sums.transferred > 0:
        return ClaimState.HANDED_OVER
    if sums.written_off > 0:
        return ClaimState.WRITTEN_OFF
    if sums.opened > 0 and sums.received > sums.returned:
        return ClaimState.PAID
    return ClaimState.CREDITED


OWING = frozenset({ClaimState.OPEN, ClaimState.PART_PAID, ClaimState.REOPENED})
"""Something is owed and may be asked for."""
HELD = frozenset({ClaimState.DISPUTED, ClaimState.ON_PLAN, ClaimState.ON_HOLD})
STOPPED = HELD | {ClaimState.TIME_BARRED}
"""Something is owed, and nobody asks for it."""
SETTLED = frozenset(ClaimState) - OWING - STOPPED
"""Nothing is owed."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What one cause may do to a claim's state: from one of `before` to one of `after`, or leave it as it is.

    `first`: the states in which a new claim may begin by it.
    """

    before: frozenset[ClaimState] = frozenset()
    after: frozenset[ClaimState] = frozenset()
    first: frozenset[ClaimState] = frozenset()


_S = ClaimState
_ALL = frozenset(ClaimState)


def _effect(before: Collection[ClaimState], *after: ClaimState, first: Collection[ClaimState] = ()) -> Effect:
    return Effect(frozenset(before), frozenset(after), frozenset(first))


_NOTHING = Effect()
_RESTS = _effect(OWING, _S.ON_HOLD)

EFFECTS: Mapping[str, Effect] = {
    "journal:opened": _effect([], first=[_S.OPEN]),
    "journal:credit_note": _effect(OWING | STOPPED, _S.PART_PAID, _S.CREDITED, _S.PAID, first=[_S.CREDITED]),
    "journal:offset": _effect(_ALL, _S.PART_PAID, _S.CREDITED, _S.PAID, _S.REOPENED, _S.OPEN),
    "journal:interest": _effect(_ALL, _S.OPEN, _S.PART_PAID, _S.REOPENED),
    "journal:cost": _effect(_ALL, _S.OPEN, _S.PART_PAID, _S.REOPENED),
    "journal:payment": _effect(OWING | STOPPED, _S.PART_PAID, _S.PAID),
    "journal:payment_return": _effect(SETTLED | OWING | STOPPED, _S.REOPENED, _S.PART_PAID),
    "journal:refund": _NOTHING,
    "journal:waiver": _effect(OWING | STOPPED, _S.PART_PAID, _S.PAID, _S.CREDITED),
    "journal:discount": _effect(_ALL, _S.PART_PAID, _S.PAID, _S.CREDITED, _S.OPEN, _S.REOPENED),
    "journal:write_off": _effect(OWING | STOPPED, _S.WRITTEN_OFF, _S.PART_PAID),
    "journal:recovery": _effect([_S.WRITTEN_OFF], _S.WRITTEN_OFF, _S.PAID),
    "journal:transfer": _effect(OWING | STOPPED | {_S.HANDED_OVER}, _S.HANDED_OVER, *OWING),
    "journal:reallocation": _effect(_ALL, _S.OPEN, _S.PART_PAID, _S.PAID, _S.REOPENED),
    "journal:correction": _effect(_ALL, *(OWING | SETTLED)),
    "hold:dispute": _effect(OWING | {_S.ON_PLAN, _S.ON_HOLD}, _S.DISPUTED),
    "hold:plan": _effect(OWING | {_S.ON_HOLD}, _S.ON_PLAN),
    "hold:hardship": _RESTS,
    "hold:insolvency": _RESTS,
    "hold:represented": _RESTS,
    "hold:deceased": _RESTS,
    "hold:minor": _RESTS,
    "hold:moratorium": _RESTS,
    "hold:vulnerable": _RESTS,
    "hold:question": _RESTS,
    "hold:promise": _RESTS,
    "hold:payment_pending": _RESTS,
    "hold:manual": _RESTS,
    "event:claim.opened": _NOTHING,
    "event:claim.defaulted": _NOTHING,
    "event:fee.charged": _NOTHING,
    "event:payment.booked": _NOTHING,
    "event:payment.returned": _NOTHING,
    "event:hold.placed": _NOTHING,
    "event:claim.credited": _NOTHING,
    "event:claim.waived": _NOTHING,
    "event:claim.discounted": _NOTHING,
    "event:claim.discount_revoked": _NOTHING,
    "event:claim.written_off": _NOTHING,
    "event:claim.transferred": _NOTHING,
    "event:claim.recalled": _NOTHING,
    "event:claim.recovered": _NOTHING,
    "event:credit.refunded": _NOTHING,
    "event:ledger.corrected": _NOTHING,
    "event:ledger.sealed": _NOTHING,
    "event:hold.lifted": _effect(HELD, *OWING, *HELD),
    "time:hold ended": _effect(HELD, *OWING, *HELD),
    "time:limitation": _effect(OWING | STOPPED, _S.TIME_BARRED),
    "fact:limitation restarted": _effect([_S.TIME_BARRED], *OWING, *HELD),
}
"""Every cause there is, and what it may do. While a claim is stopped its state shows the stop, whatever is booked; an
event whose journal or hold stands in the table of its own changes nothing more."""


def may_lead_to(cause: str, before: ClaimState | None, after: ClaimState) -> bool:
    """Whether a claim in state `before` (None: new) may be in `after` once `cause` has happened.

    What may leave a claim owing may leave it stopped as well: by a hold that is in force, or by limitation.
    """
    effect = EFFECTS[cause]
    if before is None:
        return _reaches(effect.first, after)
    return before == after or (before in effect.before and _reaches(effect.after, after))


def _reaches(targets: Collection[ClaimState], after: ClaimState) -> bool:
    return after in targets or (after in STOPPED and not OWING.isdisjoint(targets))
