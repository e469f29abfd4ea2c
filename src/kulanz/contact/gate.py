"""The gate: what may be done for each case, decided before any policy is asked, and again for the message that is sent.

Three layers, in this order: the case (holds, amount, stage), the channel (address, consent), the moment (caps, hours).
The first two are the same functions for a block and for one row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from kulanz.contact.facts import HOLDS, NO_HOLD, Bools, CaseFacts, CreditorRules, StageSet
from kulanz.contact.tables import Moments, StageTables, moments, stage_tables
from kulanz.engine import ActionSpace, Allowed
from kulanz.kernel.errors import InputError
from kulanz.law.contact import call_ok, cap_veto, may_send
from kulanz.law.vetoes import HoldReason, Veto, VetoCode, source, veto_of_hold

__all__ = ["CaseFacts", "CreditorRules", "Gated", "StageSet", "check", "gate", "hold_reason"]

Vetoes = dict[VetoCode, Bools]
CALL = "call"


@dataclass(frozen=True, slots=True)
class Gated:
    """What is allowed, and why the rest is not.

    `vetoes` holds each code that occurred, with the cases, bool[n], from which it took something that the stage allows
    and that no earlier layer had taken. Codes of one layer stand side by side.
    """

    allowed: Allowed
    vetoes: Vetoes


def gate(
    facts: CaseFacts,
    stages: Sequence[StageSet],
    stage_index: NDArray[np.int16],
    space: ActionSpace,
    rules: CreditorRules,
    at: datetime,
    offers: Bools | None = None,
) -> Gated:
    """The allowed actions of each case at `at` (aware). Waiting is always allowed.

    `facts` has the channels of `space` in its order; `stage_index` int16[n] points into `stages`, -1 where the case is
    in none. `offers` bool[n, O]: which offers of `space` the creditor allows for each case, None: all. A slot is the
    next one to start, if it starts within the stage's window. Of several cases of one customer
    only one may be contacted: one in a demanding stage first, then the one with the larger open amount. Raises
    InputError where the arguments do not fit together, NoRate where the law pack has no rule for a day.
    """
    _check_shapes(facts, stages, stage_index, space)
    tables = stage_tables(stages, space, rules, at)
    times = moments(facts, tables.starts, rules, tables.demanding[stage_index])
    stage_slots, stage_channels = tables.slots[stage_index], tables.channels[stage_index]
    demanding = tables.demanding[stage_index]
    vetoes = _case_vetoes(
        facts, _Stage(tables.possible, tables.min_amount, tables.demanding).at(stage_index), rules
    )
    free = ~np.logical_or.reduce([np.zeros(len(facts), np.bool_), *vetoes.values()])
    wanted = stage_channels & free[:, None]
    usable = wanted.copy()
    for code, stops in _channel_vetoes(facts, space.channels, rules).items():
        _note(vetoes, code, (wanted & stops).any(axis=1))
        usable &= ~stops
    _note_moments(vetoes, times, tables, stage_index, usable.any(axis=1))
    slots = stage_slots & times.ok
    calls = _call_slots(facts, space.channels, tables.starts, rules)
    if calls is not None:
        number = space.channels.index(CALL)
        silent = usable[:, number] & ~(slots & calls).any(axis=1)
        _note(vetoes, VetoCode.CALLED_ENOUGH, silent & slots.any(axis=1))
        usable[:, number] &= ~silent
    sendable = usable.any(axis=1) & slots.any(axis=1)
    tone_offers = tables.tone_offers[stage_index]
    if offers is not None:
        of_stage = tables.offers(offers.shape[1])[stage_index]
        left = of_stage & offers
        _note(vetoes, VetoCode.OFFER_LIMITS, (left != of_stage).any(axis=1) & sendable)
        sendable &= left.any(axis=1)
        tone_offers = _within(tone_offers, offers)
    rival = _rivals(facts, sendable, demanding)
    _note(vetoes, VetoCode.CUSTOMER_CONTACTED, rival)
    usable &= (sendable & ~rival)[:, None]
    allowed = _allowed(usable, slots, tone_offers)
    if calls is not None:
        by_channel = allowed.channel_slot.reshape(len(facts), len(space.channels), -1)
        by_channel[:, space.channels.index(CALL)] &= calls
    return Gated(allowed, vetoes)


def check(facts: CaseFacts, channel: str, stage: StageSet, rules: CreditorRules, at: datetime) -> Veto | None:
    """The same gate for one message that would leave now: the first reason against it, None where it may go.

    `facts` holds one case and the one channel. Reasons that pass with time (too many, too soon, hours) come last.
    """
    possible = np.array([channel in stage.channels and bool(stage.tones) and bool(stage.offers)])
    asks = _Stage(possible, np.array([stage.min_amount]), np.array([stage.demanding]))
    reasons = _case_vetoes(facts, asks, rules)
    reasons |= {code: stops[:, 0] for code, stops in _channel_vetoes(facts, (channel,), rules).items()}
    first = next((code for code, stops in reasons.items() if stops[0]), None)
    if first is not None:
        return _veto(first, int(facts.hold[0]))
    pack, now = rules.tightened, np.array([int(at.timestamp())], np.int64)
    if channel == CALL and not call_ok(pack, facts.last_talk, facts.calls_7d, now)[0, 0]:
        return _veto(VetoCode.CALLED_ENOUGH, NO_HOLD)
    if stage.demanding and now[0] < facts.returns_at[0]:
        return _veto(VetoCode.RETURNING, NO_HOLD)
    last = int(facts.last_contact[0])
    last_at = datetime.fromtimestamp(last, UTC) if last else None
    return cap_veto(pack, last_at, int(facts.contacts_7d[0]), at) or may_send(
        pack, at, rules.timezone, facts.region[0]
    )


def hold_reason(code: int) -> HoldReason | None:
    """The reason behind an entry of `CaseFacts.hold`."""
    return None if code == NO_HOLD else HOLDS[code]


def _veto(code: VetoCode, hold: int) -> Veto:
    reason = hold_reason(hold)
    return Veto(
        code, source(code), (("reason", reason.value),) if reason and code is VetoCode.ON_HOLD else ()
    )


@dataclass(frozen=True, slots=True)
class _Stage:
    """What the stages of cases ask, one row per case; `possible`: anything at all."""

    possible: Bools
    min_amount: NDArray[np.int64]
    demanding: Bools

    def at(self, index: NDArray[np.int16]) -> "_Stage":
        return _Stage(self.possible[index], self.min_amount[index], self.demanding[index])


def _call_slots(
    facts: CaseFacts, channels: Sequence[str], starts: NDArray[np.int64], rules: CreditorRules
) -> Bools | None:
    """The slots that the caps on calls leave, bool[n, S]; None where there are no calls or no caps."""
    if CALL not in channels or not rules.tightened.calls:
        return None
    return call_ok(rules.tightened, facts.last_talk, facts.calls_7d, starts)


def _case_vetoes(facts: CaseFacts, stage: _Stage, rules: CreditorRules) -> Vetoes:
    """Reasons against any contact about a case, the weightiest first; only those that occur."""
    vetoes: Vetoes = {}
    _note(vetoes, VetoCode.NOTHING_OPEN, facts.open_amount <= 0)
    for hold in np.unique(facts.hold):
        if hold != NO_HOLD:
            _note(vetoes, veto_of_hold(HOLDS[hold]), facts.hold == hold)
    _note(vetoes, VetoCode.MINOR, facts.minor)
    polite = ~stage.demanding if rules.polite_when_barred else np.zeros(len(facts), np.bool_)
    _note(vetoes, VetoCode.TIME_BARRED, facts.barred & ~polite)
    _note(vetoes, VetoCode.NOT_IN_STAGE, ~stage.possible)
    _note(vetoes, VetoCode.AMOUNT_TOO_SMALL, (facts.open_amount < stage.min_amount) & (facts.open_amount > 0))
    _note(vetoes, VetoCode.MESSAGE_PENDING, facts.pending)
    return vetoes


def _channel_vetoes(facts: CaseFacts, channels: Sequence[str], rules: CreditorRules) -> Vetoes:
    """Reasons against a channel, bool[n, C] each."""
    off = np.array([channel not in rules.channels_on for channel in channels])
    return {
        VetoCode.CHANNEL_OFF: np.broadcast_to(off, facts.has_point.shape),
        VetoCode.OPTED_OUT: facts.opted_out,
        VetoCode.NO_CONSENT: facts.no_consent & ~facts.opted_out,
        VetoCode.NO_CONTACT_POINT: ~facts.has_point,
        VetoCode.BOUNCED: facts.bounced & facts.has_point,
    }


def _note(vetoes: Vetoes, code: VetoCode, rows: Bools) -> None:
    if rows.any():
        vetoes[code] = vetoes[code] | rows if code in vetoes else rows


def _note_moments(
    vetoes: Vetoes, times: Moments, tables: StageTables, stage_index: NDArray[np.int16], rows: Bools
) -> None:
    for number in np.unique(times.hours[times.hours > 0]):
        in_window = ((times.hours == number)[:, None, :] & tables.slots).any(axis=2)
        _note(vetoes, _numbered(number), in_window[times.region, stage_index] & rows)
    for number in np.unique(times.caps[times.caps > 0]):
        in_window_of_case = ((times.caps == number) & tables.slots[stage_index]).any(axis=1)
        _note(vetoes, _numbered(number), in_window_of_case & rows)


def _numbered(number: int) -> VetoCode:
    code = VetoCode.numbered(int(number))
    assert code is not None, "0 is no reason"
    return code


def _rivals(facts: CaseFacts, sendable: Bools, demanding: Bools) -> Bools:
    """Cases that step back because another case of the same customer may be contacted."""
    rivals = np.zeros(len(facts), np.bool_)
    if len(np.unique(facts.customer_id)) == len(facts):
        return rivals
    order = np.lexsort((facts.case_id, -facts.open_amount, ~demanding, ~sendable, facts.customer_id))
    customers = facts.customer_id[order]
    rivals[order[1:]] = customers[1:] == customers[:-1]
    return rivals & sendable


def _within(tone_offers: Bools, offers: Bools) -> Bools:
    """bool[n, T * O] without the offers, bool[n, O], that are not allowed."""
    n, width = offers.shape
    left: Bools = tone_offers.reshape(n, -1, width) & offers[:, None, :]
    return left.reshape(n, -1)


def _allowed(usable: Bools, slots: Bools, tone_offers: Bools) -> Allowed:
    return Allowed(
        wait=np.ones(len(usable), np.bool_),
        channel_slot=_products(usable, slots),
        channel_tone_offer=_products(usable, tone_offers),
    )


def _products(left: Bools, right: Bools) -> Bools:
    """bool[n, a * b] from bool[n, a] and bool[n, b]."""
    pairs: Bools = left[:, :, None] & right[:, None, :]
    return pairs.reshape(len(left), left.shape[1] * right.shape[1])


def _check_shapes(
    facts: CaseFacts, stages: Sequence[StageSet], stage_index: NDArray[np.int16], space: ActionSpace
) -> None:
    if facts.has_point.shape != (len(facts), len(space.channels)):
        raise InputError("The facts were read for other channels than those of the action space.")
    if stage_index.shape != (len(facts),) or (
        len(facts) and not -1 <= stage_index.min() <= stage_index.max() < len(stages)
    ):
        raise InputError("Every case needs the index of one of the stages, or -1.")
