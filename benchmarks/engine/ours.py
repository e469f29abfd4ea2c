"""Kulanz as the benchmarks' chooser: the policy with its default settings."""

import numpy as np

from engine.data import Floats, Indices, Singles
from kulanz.engine import ActionSpace, Allowed, Feature, FeatureSpec, Policy, Settings
from kulanz.engine.arrays import Codes
from kulanz.engine.learners import KernelName


class Kulanz:
    """A flat space of actions, every one of them allowed."""

    def __init__(self, actions: int, features: int, seed: int) -> None:
        self._policy = flat_policy(actions, features)
        self._actions = actions
        self._seed = seed

    def choose(self, contexts: Singles, ids: Indices) -> tuple[Indices, Floats | None]:
        allowed = Allowed.flat(np.ones((len(contexts), self._actions), dtype=np.bool_))
        found = self._policy.decide(contexts, allowed, seed=self._seed, ids=ids.astype(np.int64))
        return found.actions[:, 0].astype(np.intp), found.propensity

    def wait(self, contexts: Singles, actions: Indices) -> None:
        self._policy.pend(contexts, codes(actions))

    def learn(self, contexts: Singles, actions: Indices, rewards: Floats, chances: Floats | None) -> None:
        self._policy.pend(contexts, codes(actions), weight=-1.0)
        self._policy.learn(contexts, codes(actions), rewards)


def flat_policy(
    actions: int, features: int, settings: Settings | None = None, kernel: KernelName = "numpy"
) -> Policy:
    """A policy over actions without structure, whose contexts are ready to use."""
    space = ActionSpace.flat(f"action {at}" for at in range(actions))
    return Policy(space, spec(features), settings=settings, kernel=kernel)


def spec(features: int) -> FeatureSpec:
    return FeatureSpec(tuple(Feature(f"feature {at}") for at in range(features)))


def codes(actions: Indices) -> Codes:
    """int16[n, 4] with the actions in the first factor."""
    out = np.zeros((len(actions), 4), dtype=np.int16)
    out[:, 0] = actions
    return out
