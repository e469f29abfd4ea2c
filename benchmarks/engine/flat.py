"""One flat set of actions in place of the year's factors: to wait, and every combination."""

from typing import Protocol

import numpy as np

from engine.data import Bools, Floats, Indices, Singles
from kulanz.engine import Allowed
from kulanz.engine.actions import WAIT
from kulanz.engine.arrays import Codes, Ints
from kulanz.engine.simulation.world import SPACE

SIZES = (len(SPACE.channels), SPACE.slots, len(SPACE.tones), len(SPACE.offers))
ACTIONS = 1 + int(np.prod(SIZES))


class FlatPolicy(Protocol):
    """What this room's references and peers have in common when some actions are vetoed."""

    def choose(
        self, contexts: Singles, ids: Indices, allowed: Bools | None = None
    ) -> tuple[Indices, Floats | None]: ...

    def learn(self, contexts: Singles, actions: Indices, rewards: Floats, chances: Floats | None) -> None: ...


class FlatChooser:
    """Lets a policy over a flat set of actions play the year; it keeps the chances that it drew with."""

    def __init__(self, policy: FlatPolicy) -> None:
        self.policy = policy
        self._chances: dict[tuple[int, int], float] = {}

    def choose(self, day: int, contexts: Singles, allowed: Allowed, ids: Ints) -> Codes:
        actions, chances = self.policy.choose(contexts, ids, flat_mask(allowed))
        if chances is not None:
            self._chances |= {(case, day): p for case, p in zip(ids.tolist(), chances.tolist(), strict=True)}
        return to_codes(actions)

    def learn(self, contexts: Singles, actions: Codes, rewards: Floats, *, ids: Ints, days: Ints) -> None:
        decisions = zip(ids.tolist(), days.tolist(), strict=True)
        chances = np.array([self._chances.pop(each) for each in decisions]) if self._chances else None
        self.policy.learn(contexts, from_codes(actions), rewards, chances)


def flat_mask(allowed: Allowed) -> Bools:
    """bool[n, 1 + combinations]; to wait stays open where nothing else is."""
    n, channels = len(allowed), SIZES[0]
    when = allowed.channel_slot.reshape(n, channels, -1, 1)
    how = allowed.channel_tone_offer.reshape(n, channels, 1, -1)
    acts = (when & how).reshape(n, -1)
    return np.concatenate([(allowed.wait | ~acts.any(axis=1))[:, None], acts], axis=1)


def to_codes(actions: Indices) -> Codes:
    """int16[n, 4] of flat numbers: 0 waits, then channel, slot, tone, offer with the last one running fastest."""
    codes = np.stack(np.unravel_index(np.maximum(actions - 1, 0), SIZES), axis=1)
    return np.where(actions[:, None] == 0, WAIT, codes).astype(np.int16)


def from_codes(codes: Codes) -> Indices:
    """The inverse of to_codes."""
    numbers = np.ravel_multi_index(tuple(np.maximum(codes, 0).astype(np.intp).T), SIZES) + 1
    return np.where(codes[:, 0] == WAIT, 0, numbers)
