"""Pure decisions of a run: in which stage a case is, and what the plain ladder does there."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kulanz.engine import WAIT, ActionSpace, Allowed
from kulanz.strategy.journeys import Stage

NO_STAGE = -1
_NEVER = np.iinfo(np.int64).max

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Codes = NDArray[np.int16]


def stage_of(
    stages: Sequence[Stage], days_past_due: Ints, contacts: NDArray[np.integer], delivered: Bools
) -> Codes:
    """int16[n], index of each case's stage, -1 before the first.

    `contacts` int[n]: demanding contacts delivered since the due date; `delivered` bool[n, stages]: this stage's
    message was among them. An undelivered legal step holds the case, however late it gets.
    """
    reached = np.zeros(len(days_past_due), dtype=np.int16)
    steps_done = np.ones(len(days_past_due), dtype=np.bool_)
    for at, stage in enumerate(stages):
        reached += (days_past_due >= stage.from_days) & (contacts >= stage.after_contacts) & steps_done
        if stage.legal_step:
            steps_done &= delivered[:, at]
    return reached - np.int16(1)


@dataclass(frozen=True, slots=True)
class LadderSlots:
    """When slots begin: `starts` int64[slots], epoch seconds of the next occurrence of each."""

    space: ActionSpace
    starts: Ints


def ladder_actions(
    stages: Sequence[Stage], stage_index: Codes, allowed: Allowed, slots: LadderSlots
) -> Codes:
    """int16[n, 4]: the stage's default where it is allowed, else waiting.

    The earliest allowed slot in the default band, or the earliest of any band; the default channel, or the next one
    in the stage's own order; never another tone or offer.
    """
    actions = np.full((len(stage_index), 4), WAIT, dtype=np.int16)
    for at in np.unique(stage_index):
        stage = stages[int(at)]
        if stage.ladder is not None:
            rows = np.flatnonzero(stage_index == at)
            actions[rows] = _defaults(stage, allowed.rows(rows), slots)
    return actions


def _defaults(stage: Stage, allowed: Allowed, slots: LadderSlots) -> Codes:
    space, default = slots.space, stage.ladder
    actions = np.full((len(allowed), 4), WAIT, dtype=np.int16)
    if default is None or default.tone not in space.tones or default.offer not in space.offers:
        return actions
    tone, offer = space.tones.index(default.tone), space.offers.index(default.offer)
    may_when = allowed.channel_slot.reshape(len(allowed), len(space.channels), space.slots)
    may_how = allowed.channel_tone_offer.reshape(len(allowed), len(space.channels), -1)
    pair = tone * len(space.offers) + offer
    for name in (default.channel, *(c for c in stage.channels if c != default.channel)):
        if name not in space.channels:
            continue
        channel = space.channels.index(name)
        slot = _earliest(may_when[:, channel], default.band, slots)
        fits = (slot >= 0) & may_how[:, channel, pair] & (actions[:, 0] == WAIT)
        actions[fits] = np.stack(
            [np.full(fits.sum(), c, np.int16) for c in (channel, 0, tone, offer)], axis=1
        )
        actions[fits, 1] = slot[fits]
    return actions


def _earliest(may: Bools, band: str, slots: LadderSlots) -> Codes:
    """int16[n]: the first allowed slot of the band, else of any band; -1 where none is allowed."""
    bands = slots.space.bands
    in_band = np.arange(slots.space.slots) % len(bands) == (bands.index(band) if band in bands else -1)
    found = np.full(len(may), WAIT, dtype=np.int16)
    for wanted in (in_band, ~in_band):
        starts = np.where(may & wanted, slots.starts, _NEVER)
        first = starts.argmin(axis=1).astype(np.int16)
        free = (found == WAIT) & (starts.min(axis=1) < _NEVER)
        found[free] = first[free]
    return found
