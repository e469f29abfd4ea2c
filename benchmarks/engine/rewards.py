"""Rewards on the data sets: every policy on the same permutations, differences paired with the reference's."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np

from engine.chooser import Chooser
from engine.data import Data, Log, bank, hillstrom
from engine.ours import Kulanz
from engine.pairs import REFERENCES, rows
from engine.peers_mabwiser import MabwiserLinUcb
from engine.peers_vw import VowpalWabbit
from engine.pictures import digits, digits_pixels, segment
from engine.references import BetaThompson, LinearThompson, Uniform
from engine.replay import play
from engine.results import Rewarded

DELAY = 10_000
PROCESSES = 2
LOADERS: dict[str, Callable[[], Data]] = {
    "hillstrom": hillstrom,
    "bank": bank,
    "digits": digits,
    "digits_pixels": digits_pixels,
    "segment": segment,
}


@dataclass(frozen=True, slots=True)
class Task:
    """One policy on one permutation of one data set."""

    data: str
    policy: str
    delay: int
    seed: int
    permutation: int


def policies(data: Data, delay: int) -> dict[str, Callable[[int], Chooser]]:
    """The makers (from a seed) of the policies that are tried on these data, by name."""
    actions, features = len(data.names), data.contexts.shape[1]
    arms = [f"|a {action}" for action in range(actions)]
    found: dict[str, Callable[[int], Chooser]] = {
        "kulanz": lambda seed: Kulanz(actions, features, seed),
        "linear_ts": lambda seed: LinearThompson(actions, features, seed),
        "uniform": lambda seed: Uniform(actions, seed),
        "vw_squarecb": lambda seed: VowpalWabbit(arms, seed, "--squarecb"),
        "vw_bag": lambda seed: VowpalWabbit(arms, seed, "--bag 5"),
        "mabwiser_linucb": lambda seed: MabwiserLinUcb(actions, seed),
        "mabwiser_linucb_0.1": lambda seed: MabwiserLinUcb(actions, seed, 0.1),
    }
    if not delay:
        found["vw_epsilon"] = lambda seed: VowpalWabbit(arms, seed, "--epsilon 0.05")
    if isinstance(data, Log):
        found["beta_ts"] = lambda seed: BetaThompson(actions, seed)
    return found


def measure(names: list[str], permutations: int, seed: int) -> Iterator[list[Rewarded]]:
    """The rows of one data set and delay after the other."""
    with ProcessPoolExecutor(PROCESSES) as pool:
        for name in names:
            for delay in (0, DELAY) if REFERENCES[name] == "beta_ts" else (0,):
                tried = list(policies(loaded(name), delay))
                tasks = [
                    Task(name, each, delay, seed, turn) for each in tried for turn in range(permutations)
                ]
                means = np.array(list(pool.map(_play, tasks))).reshape(len(tried), permutations)
                yield rows(name, delay, dict(zip(tried, means, strict=True)))


@cache
def loaded(name: str) -> Data:
    return LOADERS[name]()


def _play(task: Task) -> float:
    data = loaded(task.data)
    order = np.random.default_rng([task.seed, task.permutation]).permutation(len(data.contexts))
    make = policies(data, task.delay)[task.policy]
    return play(make(task.permutation), data, order, task.delay)
