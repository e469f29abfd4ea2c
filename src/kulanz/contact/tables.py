"""The gate's tables: what each stage allows, and which moments the law leaves to each case."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from kulanz.contact.facts import Bools, CaseFacts, CreditorRules, StageSet
from kulanz.engine import ActionSpace
from kulanz.kernel.errors import InputError
from kulanz.law.contact import cap_code, slot_hours_ok, slot_starts
from kulanz.law.vetoes import VetoCode

HOUR = 3600


@dataclass(frozen=True, slots=True)
class StageTables:
    """One row per stage, and a last one that allows nothing, for the index -1.

    channels bool[K, C], slots bool[K, S], tone_offers bool[K, T * O], min_amount int64[K], demanding bool[K];
    starts int64[S], epoch seconds of each slot's next start.
    """

    channels: Bools
    slots: Bools
    tone_offers: Bools
    min_amount: NDArray[np.int64]
    demanding: Bools
    starts: NDArray[np.int64]

    def offers(self, width: int) -> Bools:
        """bool[K, width]: the offers that each stage allows in some tone."""
        return np.asarray(self.tone_offers.reshape(len(self.tone_offers), -1, width).any(axis=1))

    @property
    def possible(self) -> Bools:
        tables = (self.channels, self.slots, self.tone_offers)
        found: Bools = np.logical_and.reduce([table.any(axis=1) for table in tables])
        return found


def stage_tables(
    stages: Sequence[StageSet], space: ActionSpace, rules: CreditorRules, at: datetime
) -> StageTables:
    """Names that the action space does not have are left out."""
    if len(space.weekdays) != 7:
        raise InputError("The gate needs an action space with seven weekdays.")
    starts = slot_starts(at, rules.timezone, _hours(space.bands))
    wait = starts - at.timestamp()
    nothing = StageSet("", False, (), (), (), 0, 0)
    rows = [*stages, nothing]
    return StageTables(
        channels=np.array([_named(space.channels, row.channels) for row in rows]),
        slots=np.array([wait <= row.window_hours * HOUR for row in rows]),
        tone_offers=np.array(
            [
                np.outer(_named(space.tones, row.tones), _named(space.offers, row.offers)).ravel()
                for row in rows
            ]
        ),
        min_amount=np.array([row.min_amount for row in rows], np.int64),
        demanding=np.array([row.demanding for row in rows]),
        starts=starts,
    )


@dataclass(frozen=True, slots=True)
class Moments:
    """Veto numbers per slot, 0 where allowed: hours int8[R, S], caps int8[n, S]. region int64[n]: row of `hours`."""

    hours: NDArray[np.int8]
    region: NDArray[np.int64]
    caps: NDArray[np.int8]

    @property
    def ok(self) -> Bools:
        allowed: Bools = (self.hours == 0)[self.region] & (self.caps == 0)
        return allowed


def moments(facts: CaseFacts, starts: NDArray[np.int64], rules: CreditorRules, demanding: Bools) -> Moments:
    """What hours, Sundays, holidays, frequency caps and holds that ended lately say about each slot.

    `demanding` bool[n]: only a demand waits after a hold.
    """
    pack = rules.tightened
    known: dict[str | None, int] = {}
    region = np.fromiter((known.setdefault(r, len(known)) for r in facts.region), np.int64, len(facts))
    hours = [slot_hours_ok(pack, starts, rules.timezone, name).code for name in known]
    caps = cap_code(pack, facts.last_contact, facts.contacts_7d, starts)
    returning = np.flatnonzero(demanding & (facts.returns_at > starts.min()))
    early = starts[None, :] < facts.returns_at[returning, None]
    caps[returning] = np.where(early, VetoCode.RETURNING.number, caps[returning])
    return Moments(
        hours=np.array(hours, np.int8).reshape(len(known), len(starts)),
        region=region,
        caps=caps,
    )


def _named(names: Sequence[str], wanted: Sequence[str]) -> Bools:
    return np.array([name in wanted for name in names])


def _hours(bands: Sequence[str]) -> tuple[tuple[int, int], ...]:
    try:
        pairs = tuple(tuple(int(hour) for hour in band.split("-")) for band in bands)
        return tuple((start, end) for start, end in pairs)
    except ValueError:
        raise InputError(f"A band is written like 08-10; these are not: {', '.join(bands)}.") from None
