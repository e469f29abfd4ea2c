"""Choosers that come with the year: nothing at all, the plain dunning ladder, chance, and a policy of Kulanz."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kulanz.engine.actions import WAIT, Allowed
from kulanz.engine.arrays import Bools, Codes, Floats, Indices, Ints, Singles
from kulanz.engine.draws import Stream, uniforms
from kulanz.engine.policy import Policy
from kulanz.engine.simulation.book import permitted
from kulanz.engine.simulation.records import FEATURES
from kulanz.engine.simulation.world import SPACE

_KEYS = 1024


def decision_ids(ids: Ints, day: int) -> Ints:
    """One id per case and day, to key a draw with."""
    return np.asarray(ids, dtype=np.int64) * _KEYS + day


def column(contexts: Singles, name: str) -> Floats:
    """One feature of the year's contexts in its own unit."""
    at = FEATURES.names.index(name)
    return np.asarray(contexts[:, at] * FEATURES.features[at].scale + FEATURES.features[at].centre)


class Unteachable:
    """A chooser that learns nothing."""

    def learn(self, contexts: Singles, actions: Codes, rewards: Floats, *, ids: Ints, days: Ints) -> None:
        pass


class Waiting(Unteachable):
    """Never contacts anybody."""

    def choose(self, day: int, contexts: Singles, allowed: Allowed, ids: Ints) -> Codes:
        return _all_wait(len(ids))


@dataclass(frozen=True)
class Ladder(Unteachable):
    """The static dunning ladder: one step per age in `ages`, one channel, mornings, one tone per step.

    A step falls on the first allowed day from its age on; a step that is not allowed at all is left out.
    """

    ages: Sequence[int] = (3, 10, 20, 30)
    tones: Sequence[int] = (0, 1, 2, 3)
    channel: int = 0

    def choose(self, day: int, contexts: Singles, allowed: Allowed, ids: Ints) -> Codes:
        step = np.rint(column(contexts, "contacts")).astype(np.intp)
        age = np.rint(column(contexts, "days_past_due"))
        due = np.flatnonzero(age >= np.array([*self.ages, np.inf])[np.minimum(step, len(self.ages))])
        action = np.zeros((len(due), 4), dtype=np.int16)
        action[:, 0], action[:, 2] = self.channel, np.array(self.tones)[step[due]]
        may = permitted(allowed, due, action)
        out = _all_wait(len(ids))
        out[due[may]] = action[may]
        return out


@dataclass(frozen=True)
class Random(Unteachable):
    """Waits with chance 1 - `acts`; else a uniform channel, then slot, then tone and offer of what is allowed."""

    seed: int
    acts: float = 0.5

    def choose(self, day: int, contexts: Singles, allowed: Allowed, ids: Ints) -> Codes:
        u = uniforms(self.seed, decision_ids(ids, day), Stream.DECISION, 4)
        row = np.arange(len(ids))
        when = allowed.channel_slot.reshape(len(ids), len(SPACE.channels), SPACE.slots)
        how = allowed.channel_tone_offer.reshape(len(ids), len(SPACE.channels), SPACE.tone_offers)
        channel = _uniform(np.asarray(when.any(axis=2) & how.any(axis=2)), u[:, 1])
        slot = _uniform(when[row, channel], u[:, 2])
        tone, offer = np.divmod(_uniform(how[row, channel], u[:, 3]), len(SPACE.offers))
        out = np.stack([channel, slot, tone, offer], axis=1).astype(np.int16)
        out[(u[:, 0] >= self.acts) | ~allowed.may_act(SPACE)] = WAIT
        return out


class PolicyChooser:
    """A policy of this engine; it learns in batches, every `every` days that bring lessons."""

    def __init__(self, policy: Policy, seed: int, *, every: int = 1) -> None:
        self.policy = policy
        self.seed = seed
        self.every = every
        self._lessons: list[tuple[Singles, Codes, Floats]] = []

    def choose(self, day: int, contexts: Singles, allowed: Allowed, ids: Ints) -> Codes:
        keys = decision_ids(ids, day)
        return self.policy.decide(contexts, allowed, seed=self.seed, ids=keys).actions

    def learn(self, contexts: Singles, actions: Codes, rewards: Floats, *, ids: Ints, days: Ints) -> None:
        self._lessons.append((contexts, actions, rewards))
        if len(self._lessons) >= self.every:
            self.policy.learn(*(np.concatenate(columns) for columns in zip(*self._lessons, strict=True)))
            self._lessons = []


def _uniform(allowed: Bools, u: Floats) -> Indices:
    """One of the allowed entries of each row, all alike; 0 where there is none."""
    wanted = np.floor(u * allowed.sum(axis=1))
    return np.asarray(np.argmax(np.cumsum(allowed, axis=1) > wanted[:, None], axis=1))


def _all_wait(n: int) -> Codes:
    return np.full((n, 4), WAIT, dtype=np.int16)
