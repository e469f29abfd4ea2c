"""Vowpal Wabbit's explorers on the real logs, through its Python API."""

from collections.abc import Sequence

import numpy as np
import vowpalwabbit

from engine.data import Bools, Floats, Indices, Singles


class VowpalWabbit:
    """Action-dependent features: the context is shared by all actions and crossed with the action (`-q sa`).

    It decides and learns row by row, from its own text format; `arms` are the actions' lines in it.
    """

    def __init__(self, arms: Sequence[str], seed: int, exploration: str) -> None:
        # Its seed 0 stands for none.
        options = f"--cb_explore_adf {exploration} -q sa --quiet --random_seed {seed + 1}"
        self._model = vowpalwabbit.Workspace(options)
        self._arms = np.array(arms)
        self._draw = np.random.Generator(np.random.Philox(seed))

    def choose(
        self, contexts: Singles, ids: Indices, allowed: Bools | None = None
    ) -> tuple[Indices, Floats | None]:
        actions, chances = np.empty(len(contexts), dtype=np.intp), np.empty(len(contexts))
        for row, line in enumerate(shared_lines(contexts)):
            may = np.flatnonzero(allowed[row]) if allowed is not None else np.arange(len(self._arms))
            found = np.array(self._model.predict([line, *self._arms[may].tolist()]))
            below = found.cumsum() < self._draw.random() * found.sum()
            at = min(int(below.sum()), len(may) - 1)
            actions[row], chances[row] = may[at], found[at] / found.sum()
        return actions, chances

    def wait(self, contexts: Singles, actions: Indices) -> None:
        pass

    def learn(self, contexts: Singles, actions: Indices, rewards: Floats, chances: Floats | None) -> None:
        """The cost is the reward's negative; the example names every action, allowed or not."""
        assert chances is not None
        told = zip(shared_lines(contexts), actions.tolist(), rewards.tolist(), chances.tolist(), strict=True)
        for line, action, reward, chance in told:
            arms = self._arms.tolist()
            arms[action] = f"0:{-reward:g}:{chance:.6g} {arms[action]}"
            self._model.learn([line, *arms])


def shared_lines(contexts: Singles) -> list[str]:
    """One line of text per row; zeros are left out, as its sparse format does."""
    return ["shared |s " + named(row) for row in contexts.tolist()]


def named(row: list[float]) -> str:
    return " ".join(f"{at}:{value:.5g}" for at, value in enumerate(row) if value)
