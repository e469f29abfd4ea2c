"""mabwiser: linear policies on NumPy. It knows no vetoes and returns no probabilities: it takes what scores best."""

import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
from mabwiser.mab import MAB, LearningPolicy

from engine.data import Floats, Indices, Singles
from engine.results import Decided, Learned
from engine.scene import Scene, cpu_seconds

ROWS = {8: 20_000, 48: 10_000, 200: 5_000}
POLICIES = {
    "LinUCB": LearningPolicy.LinUCB(alpha=1.0),
    "LinTS": LearningPolicy.LinTS(alpha=1.0),
    "LinGreedy": LearningPolicy.LinGreedy(epsilon=0.1),
}
EXPLORATIONS = {"LinUCB": "ucb", "LinTS": "thompson", "LinGreedy": "epsilon_greedy"}


class MabwiserLinUcb:
    """LinUCB with the package's own defaults but alpha; the first batch is drawn uniformly, as it needs a past."""

    def __init__(self, actions: int, seed: int, alpha: float = 1.0) -> None:
        self._model = MAB(list(range(actions)), LearningPolicy.LinUCB(alpha=alpha), seed=seed, n_jobs=1)
        self._actions = actions
        self._draw = np.random.Generator(np.random.Philox(seed))
        self._fitted = False

    def choose(self, contexts: Singles, ids: Indices) -> tuple[Indices, Floats | None]:
        if not self._fitted:
            return self._draw.integers(0, self._actions, len(contexts)), None
        return np.array(self._model.predict(with_intercept(contexts)), dtype=np.intp).reshape(-1), None

    def wait(self, contexts: Singles, actions: Indices) -> None:
        pass

    def learn(self, contexts: Singles, actions: Indices, rewards: Floats, chances: Floats | None) -> None:
        if not len(actions):
            return
        learn = self._model.partial_fit if self._fitted else self._model.fit
        learn(actions, rewards, with_intercept(contexts))
        self._fitted = True


def with_intercept(contexts: Singles) -> Floats:
    """float64[n, d + 1]: mabwiser's regressions have no constant of their own."""
    return np.concatenate([np.ones((len(contexts), 1)), contexts.astype(np.float64)], axis=1)


def decide(scene: Scene, rows: int = 0) -> Iterator[Decided]:
    """Batch predictions; the vetoes are not told to it."""
    for name, policy in POLICIES.items():
        x = with_intercept(scene.contexts[: rows or ROWS[scene.actions]])
        model = _taught(policy, scene)
        seconds = cpu_seconds(lambda: model.predict(x), 3)  # noqa: B023 - called at once
        yield Decided(
            engine=f"mabwiser {name}",
            exploration=EXPLORATIONS[name],
            actions=scene.actions,
            features=scene.features,
            rows=len(x),
            per_cpu_s=len(x) / seconds,
            probabilities=False,
            vetoes=False,
        )


def learn(scene: Scene) -> Iterator[Learned]:
    """LinUCB by partial_fit, which inverts each action's matrix anew."""
    model = _taught(POLICIES["LinUCB"], scene)
    x = with_intercept(scene.past_contexts)
    actions, rewards = scene.past_actions, scene.past_rewards
    seconds = cpu_seconds(lambda: model.partial_fit(actions, rewards, x), 3)
    yield Learned(
        engine="mabwiser LinUCB",
        model="ridge regression per action",
        actions=scene.actions,
        features=scene.features,
        rows=len(x),
        per_cpu_s=len(x) / seconds,
        one_update_us=1e6 * cpu_seconds(lambda: model.partial_fit(actions[:1], rewards[:1], x[:1]), 20),
        refresh_ms=0.0,
        file_bytes=len(pickle.dumps(model)),
    )


def _taught(policy: Any, scene: Scene) -> MAB:
    model = MAB(list(range(scene.actions)), policy, seed=1, n_jobs=1)
    model.fit(scene.past_actions, scene.past_rewards, with_intercept(scene.past_contexts))
    return model
