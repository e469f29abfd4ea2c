"""What waiting is worth beyond today: fitted Q iteration (Ernst, Geurts, Wehenkel 2005) over logged steps.

Q(s, a) = R(s, a) + C(s, a): the reward of this step, and the continuation C(s, a) = E[discount^days V(next)]
with V(s) = max_a Q(s, a). The policy's own model knows R; this adds what it cannot see. Of two actions, wait
(0) and act (1), waiting is better where R(s, 0) + C(s, 0) > R(s, 1) + C(s, 1): so the policy adds
offset(s) = C(s, 0) - C(s, 1) to the score of waiting, and nothing to the scores of acting.

The rewards of the log must be those that the policy learns from, each counted for one step only: what comes
in between a decision and the next. A reward that looks further ahead would be counted again by C.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from kulanz.engine.arrays import Bools, Floats, Indices
from kulanz.engine.qvalues import WAITING, Basis, QValues, Rows
from kulanz.kernel.errors import InputError

MAX_CELLS = 1024
_LEAST_RIDGE = 1e-6
_LEAST_PROPENSITY = 0.05


@dataclass(frozen=True, slots=True)
class SequentialSettings:
    """discount per day; ridge in rows; edges: for each state feature the borders of its buckets, if any.

    `clipped` fits both halves of the log and takes the lower value of the next state (Fujimoto et al. 2018),
    against the optimism of a maximum over noise. Stops after `iterations`, or when no value moves by more
    than `tolerance` times the largest reward.
    """

    discount: float = 0.98
    ridge: float = 30.0
    edges: tuple[tuple[float, ...], ...] = ()
    clipped: bool = False
    iterations: int = 1000
    tolerance: float = 1e-6

    def __post_init__(self) -> None:
        object.__setattr__(self, "edges", tuple(tuple(map(float, borders)) for borders in self.edges))
        inside = (
            0 <= self.discount <= 1
            and self.ridge >= _LEAST_RIDGE
            and self.tolerance > 0
            and self.iterations > 0
        )
        if not inside:
            raise InputError(
                "Sequential settings: discount within 0..1, ridge of at least 0.000001, "
                "iterations and tolerance above zero."
            )
        if not all(np.isfinite(borders).all() and (np.diff(borders) > 0).all() for borders in self.edges):
            raise InputError("The borders of a feature's buckets must be finite and rising.")
        if self.cells > MAX_CELLS:
            raise InputError(f"The buckets make {self.cells} cells; use fewer, at most {MAX_CELLS}.")

    @property
    def cells(self) -> int:
        """Combinations of buckets; 1 without any."""
        return int(np.prod([len(borders) + 1 for borders in self.edges], dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Steps:
    """A log of n decisions with what came of each, as columns.

    states and next_states float[n, d], actions int[n] (0 wait, 1 and above act), rewards float[n] until the
    next decision, terminal bool[n] (no next decision; next_states may be anything finite), days float[n] to
    the next decision. Optional: propensity float[n] of the action, next_allowed bool[n, A], episodes int[n]
    (which steps belong together).
    """

    states: NDArray[Any]
    actions: NDArray[Any]
    rewards: NDArray[Any]
    next_states: NDArray[Any]
    terminal: NDArray[Any]
    days: NDArray[Any]
    propensity: NDArray[Any] | None = None
    next_allowed: NDArray[Any] | None = None
    episodes: NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.actions)

    def check(self, settings: SequentialSettings) -> None:
        """Raises InputError naming the column, and the first row, that cannot be used."""
        n = len(self)
        if self.states.ndim != 2 or self.next_states.shape != self.states.shape:
            raise InputError("States and next states need the same shape [n, features].")
        if settings.edges and len(settings.edges) != self.states.shape[1]:
            raise InputError(f"{self.states.shape[1]} state features need as many lists of bucket borders.")
        if not np.issubdtype(self.actions.dtype, np.integer):
            raise InputError("Actions must be whole numbers: 0 for waiting, 1 and above for acting.")
        if self.next_allowed is not None and np.max(self.actions, initial=1) >= self.next_allowed.shape[1]:
            raise InputError("The column next_allowed needs one entry per action, at least two.")
        for name in ("states", "rewards", "terminal", "days", "propensity", "next_allowed", "episodes"):
            column = getattr(self, name)
            if column is not None and len(column) != n:
                raise InputError(f"The column {name} has {len(column)} rows, the actions have {n}.")
        rules = (
            ("states", np.isfinite(self.states).all(axis=1)),
            ("next_states", np.isfinite(self.next_states).all(axis=1)),
            ("rewards", np.isfinite(self.rewards)),
            ("days", np.isfinite(self.days) & (self.days >= 0)),
            ("actions", self.actions >= 0),
            (
                "propensity",
                True if self.propensity is None else (self.propensity > 0) & (self.propensity <= 1),
            ),
        )
        for name, good in rules:
            if not np.all(good):
                row = int(np.flatnonzero(~np.asarray(good))[0])
                raise InputError(f"Row {row} of the column {name} is missing, not finite or out of range.")


def fitted_q(steps: Steps, settings: SequentialSettings | None = None) -> QValues:
    """Q of the best policy that the log can tell of, whatever policy wrote it.

    One ridge regression per action; rows weigh 1 / propensity (at most 20) where propensities are given, so
    that all actions are fitted to the same mix of states. Values of next states are taken over the actions
    that are allowed and that the log holds in that cell, and never leave the range that rewards can add up
    to. An empty log gives offset 0 everywhere. Raises InputError for columns that do not fit, or not finite.
    """
    chosen = settings or SequentialSettings()
    steps.check(chosen)
    states = np.asarray(steps.states, dtype=np.float64)
    basis = Basis.of(states, chosen.edges)
    here = basis.rows(states)
    options = max(2, int(np.max(steps.actions, initial=0)) + 1)
    if steps.next_allowed is not None:
        options = max(options, steps.next_allowed.shape[1])
    tried = np.zeros((basis.cells, options), dtype=np.bool_)
    tried[here.cell, steps.actions] = True
    fits = [_Regression(here, steps, options, part, chosen.ridge) for part in _parts(steps, chosen)]
    now, ahead, iterations, converged = _iterate(steps, chosen, _Next.of(steps, chosen, basis, tried), fits)
    return QValues(basis, np.mean(now, axis=0), np.mean(ahead, axis=0), tried, iterations, converged)


@dataclass(frozen=True, slots=True)
class _Next:
    """Where the steps that go on lead to: rows, what is open there bool[m, A], and how much of V counts."""

    going: Indices
    rows: Rows
    open: Bools
    decay: Floats
    range: tuple[float, float]

    @classmethod
    def of(cls, steps: Steps, settings: SequentialSettings, basis: Basis, tried: Bools) -> "_Next":
        going = np.flatnonzero(~np.asarray(steps.terminal, dtype=np.bool_))
        rows = basis.rows(steps.next_states).of(going)
        allowed = np.ones((len(going), tried.shape[1]), dtype=np.bool_)
        if steps.next_allowed is not None:
            allowed[:] = steps.next_allowed[going]
        here, anywhere = allowed & tried[rows.cell], allowed & np.any(tried, axis=0)
        opened = np.where(np.any(here, axis=1, keepdims=True), here, anywhere)
        opened[:, WAITING] |= ~np.any(opened, axis=1)
        decay = settings.discount ** np.asarray(steps.days, dtype=np.float64)[going]
        return cls(going, rows, opened, decay, _range(steps, decay, settings.iterations))

    def values(self, weights: list[Floats]) -> Floats:
        """V float64[m] of the next states, by the lowest of the fits."""
        lowest = np.min([self.rows.times(one).T for one in weights], axis=0)
        return np.asarray(np.clip(np.where(self.open.T, lowest, -np.inf).max(axis=0), *self.range))


class _Regression:
    """Ridge regression of a target on the rows of each action, factorised once; the intercept is free."""

    def __init__(self, here: Rows, steps: Steps, options: int, part: Bools, ridge: float) -> None:
        self.width = here.linear.shape[1] + here.cells
        self.parts: list[tuple[Indices, Rows, Floats, tuple[Floats, bool]] | None] = []
        for option in range(options):
            index = np.flatnonzero(part & (steps.actions == option))
            if not len(index):
                self.parts.append(None)
                continue
            weights = _weights(steps, index)
            gram = here.of(index).gram(weights)
            gram.flat[self.width + 1 :: self.width + 1] += ridge
            self.parts.append((index, here.of(index), weights, cho_factor(gram, lower=True)))

    def solve(self, targets: Floats) -> Floats:
        """Weights float64[p, A] for targets float64[n]; 0 for an action without rows."""
        found = np.zeros((self.width, len(self.parts)))
        for option, part in enumerate(self.parts):
            if part is not None:
                index, rows, weights, factor = part
                found[:, option] = cho_solve(factor, rows.moments(weights * targets[index]))
        return found


def _iterate(
    steps: Steps, settings: SequentialSettings, after: _Next, fits: list[_Regression]
) -> tuple[list[Floats], list[Floats], int, bool]:
    """Reward and continuation weights of each fit, iterations made, and whether values came to rest."""
    rewards = np.asarray(steps.rewards, dtype=np.float64)
    now = [fit.solve(rewards) for fit in fits]
    ahead = [np.zeros_like(weights) for weights in now]
    before, targets = np.zeros(len(after.going)), np.zeros(len(rewards))
    still = settings.tolerance * max(float(np.abs(rewards).max(initial=0.0)), 1e-300)
    for turn in range(1, settings.iterations + 1):
        values = after.values([one + other for one, other in zip(now, ahead, strict=True)])
        targets[after.going] = after.decay * values
        ahead = [fit.solve(targets) for fit in fits]
        if np.abs(values - before).max(initial=0.0) <= still:
            return now, ahead, turn, True
        before = values
    return now, ahead, settings.iterations, False


def _weights(steps: Steps, index: Indices) -> Floats:
    """1 / propensity within bounds, 1 on average."""
    if steps.propensity is None:
        return np.ones(len(index))
    inverse = 1.0 / np.maximum(np.asarray(steps.propensity, dtype=np.float64)[index], _LEAST_PROPENSITY)
    return np.asarray(inverse / inverse.mean())


def _parts(steps: Steps, settings: SequentialSettings) -> list[Bools]:
    """The rows of each fit: all, or halves by episode (by row without episodes) that hold every action."""
    everything = [np.ones(len(steps), dtype=np.bool_)]
    if not settings.clipped:
        return everything
    groups = np.arange(len(steps))
    if steps.episodes is not None:
        groups = np.unique(steps.episodes, return_inverse=True)[1]
    halves = [groups % 2 == half for half in (0, 1)]
    both = np.intersect1d(*(steps.actions[half] for half in halves))
    return halves if len(both) == len(np.unique(steps.actions)) else everything


def _range(steps: Steps, decay: Floats, iterations: int) -> tuple[float, float]:
    """What discounted rewards of the sizes seen can add up to in so many iterations."""
    most = float(decay.max(initial=0.0))
    length = min(1.0 / (1.0 - most), iterations) if most < 1 else iterations
    low, high = float(np.min(steps.rewards, initial=0.0)), float(np.max(steps.rewards, initial=0.0))
    return low * length, high * length
