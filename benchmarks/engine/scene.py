"""What the speed part decides and learns, the same for every engine, and the clock."""

import resource
from collections.abc import Callable
from dataclasses import dataclass
from time import process_time

import numpy as np

from engine.data import Bools, Floats, Indices, Singles

VETOED = 0.2
PAST = 20_000


@dataclass(frozen=True, slots=True)
class Scene:
    """Cases to decide, contexts float32[n, d] with allowed bool[n, K] (a fifth vetoed, never a whole row), and a
    past of uniformly drawn actions intp[m] with rewards float64[m] of 0 or 1.
    """

    contexts: Singles
    allowed: Bools
    past_contexts: Singles
    past_actions: Indices
    past_rewards: Floats

    @property
    def actions(self) -> int:
        return int(self.allowed.shape[1])

    @property
    def features(self) -> int:
        return int(self.contexts.shape[1])

    def first(self, rows: int) -> "Scene":
        """The same with fewer cases."""
        return Scene(
            self.contexts[:rows],
            self.allowed[:rows],
            self.past_contexts,
            self.past_actions,
            self.past_rewards,
        )


def make(actions: int, features: int, rows: int, past: int = PAST, seed: int = 1) -> Scene:
    """Normal contexts; the chance of a reward is logistic in the context, with weights of each action's own."""
    draw = np.random.default_rng([seed, actions, features])
    contexts = draw.standard_normal((rows, features), dtype=np.float32)
    allowed = draw.random((rows, actions)) >= VETOED
    allowed[np.arange(rows), draw.integers(0, actions, rows)] = True
    past_contexts = draw.standard_normal((past, features), dtype=np.float32)
    past_actions = draw.integers(0, actions, past)
    weights = draw.standard_normal((actions, features)) / np.sqrt(features)
    score = (past_contexts * weights[past_actions]).sum(axis=1) - 1.0
    rewards = (draw.random(past) < 1.0 / (1.0 + np.exp(-score))).astype(np.float64)
    return Scene(contexts, allowed, past_contexts, past_actions.astype(np.intp), rewards)


def cpu_seconds(work: Callable[[], object], times: int = 5) -> float:
    """The least CPU time of several runs, user and system, with all threads and ended child processes."""
    work()
    return min(_once(work) for _ in range(times))


def score_products(scene: Scene, block: int = 8192) -> float:
    """Decisions per CPU second if contexts times weights (float32) were all there is to do."""
    weights = np.random.default_rng(1).standard_normal((scene.features, scene.actions), dtype=np.float32)
    out = np.empty((min(block, len(scene.contexts)), scene.actions), dtype=np.float32)

    def multiply() -> None:
        for start in range(0, len(scene.contexts), block):
            rows = scene.contexts[start : start + block]
            np.matmul(rows, weights, out=out[: len(rows)])

    return len(scene.contexts) / cpu_seconds(multiply)


def _once(work: Callable[[], object]) -> float:
    children, own = _children(), process_time()
    work()
    return process_time() - own + _children() - children


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
