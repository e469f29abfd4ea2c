"""The rules that a policy has to beat: uniform, one Beta per action, one linear Thompson sampler per action.

All of them choose among all actions, or among those of a row of `allowed` bool[n, K] where that is given.
"""

import numpy as np

from engine.data import Bools, Floats, Indices, Singles


class Uniform:
    """Every action with the same probability."""

    def __init__(self, actions: int, seed: int) -> None:
        self._actions = actions
        self._draw = np.random.Generator(np.random.Philox(seed))

    def choose(
        self, contexts: Singles, ids: Indices, allowed: Bools | None = None
    ) -> tuple[Indices, Floats | None]:
        draws = self._draw.random((len(contexts), self._actions))
        count = self._actions if allowed is None else allowed.sum(axis=1)
        return best(draws, allowed), np.broadcast_to(1.0 / count, len(contexts))

    def wait(self, contexts: Singles, actions: Indices) -> None:
        pass

    def learn(self, contexts: Singles, actions: Indices, rewards: Floats, chances: Floats | None) -> None:
        pass


class BetaThompson(Uniform):
    """Beta(1, 1) per action, without contexts (Chapelle, Li 2011).

    A reward between 0 and 1 counts as won with that chance (Agrawal, Goyal 2012); others are cut to it.
    """

    def __init__(self, actions: int, seed: int) -> None:
        super().__init__(actions, seed)
        self._wins, self._losses = np.ones(actions), np.ones(actions)

    def choose(
        self, contexts: Singles, ids: Indices, allowed: Bools | None = None
    ) -> tuple[Indices, Floats | None]:
        draws = self._draw.beta(self._wins, self._losses, (len(contexts), self._actions))
        return best(draws, allowed), None

    def learn(self, contexts: Singles, actions: Indices, rewards: Floats, chances: Floats | None) -> None:
        won = self._draw.random(len(rewards)) < rewards
        self._wins += np.bincount(actions[won], minlength=self._actions)
        self._losses += np.bincount(actions[~won], minlength=self._actions)


class LinearThompson(Uniform):
    """Ridge regression per action, prior N(0, I), draws scaled by v (Agrawal, Goyal 2013); with an intercept.

    The actions' posteriors are independent, so drawing each score from its own normal is drawing the weights.
    """

    def __init__(self, actions: int, features: int, seed: int, v: float = 0.1) -> None:
        super().__init__(actions, seed)
        self._v = v
        self._gram = np.tile(np.eye(features + 1), (actions, 1, 1))
        self._moment = np.zeros((actions, features + 1))
        self._inverse = self._gram.copy()
        self._weights = self._moment.copy()

    def choose(
        self, contexts: Singles, ids: Indices, allowed: Bools | None = None
    ) -> tuple[Indices, Floats | None]:
        x = _with_intercept(contexts)
        spread = np.sqrt(np.stack([((x @ each) * x).sum(axis=1) for each in self._inverse], axis=1))
        noise = self._draw.standard_normal(spread.shape)
        return best(x @ self._weights.T + self._v * spread * noise, allowed), None

    def learn(self, contexts: Singles, actions: Indices, rewards: Floats, chances: Floats | None) -> None:
        x = _with_intercept(contexts)
        for action in np.unique(actions).tolist():
            rows = x[actions == action]
            self._gram[action] += rows.T @ rows
            self._moment[action] += rows.T @ rewards[actions == action]
            self._inverse[action] = np.linalg.inv(self._gram[action])
            self._weights[action] = self._inverse[action] @ self._moment[action]


def best(scores: Floats, allowed: Bools | None) -> Indices:
    open_scores = scores if allowed is None else np.where(allowed, scores, -np.inf)
    return np.asarray(open_scores.argmax(axis=1))


def _with_intercept(contexts: Singles) -> Floats:
    return np.concatenate([np.ones((len(contexts), 1)), contexts.astype(np.float64)], axis=1)
