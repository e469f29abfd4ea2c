"""From dual prices to one option per case, within every limit without exception."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kulanz.engine.arrays import Bools, Floats, Indices, Ints, Small
from kulanz.engine.budgeting.duals import FALLBACK, Prices, Problem
from kulanz.kernel.errors import InputError

_ROUNDS = 64
_MOVES = 384
_CLOSE = 1e-3
_DUST = 1e-9
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


def assign(values: NDArray[Any], use: NDArray[Any], limits: NDArray[Any], found: Prices) -> Ints:
    """One option per case, int64[n], with the total use within every limit; -1: nothing allowed fits in.

    The mix of `found` says what to do for all but a few cases; then cases are cut where a limit is broken
    (least priced gain first), upgraded where room is left, and exchanged in pairs. Shapes and errors are
    those of `prices`.
    """
    problem = Problem.of(values, use, limits)
    if found.dual.shape != problem.limits.shape:
        raise InputError(f"{len(problem.limits)} limits need as many prices, not {list(found.dual.shape)}.")
    picks = _mixed(problem, found)
    _cut(problem, picks, found.dual)
    _fill(problem, picks, found.dual)
    _exchange(problem, picks, found)
    _cut(problem, picks, found.dual)
    choice = problem.fallback.copy()
    chosen = picks >= 0
    choice[problem.rows[chosen]] = problem.options[picks[chosen]]
    return choice


def admit(use: Floats, room: Floats) -> Bools:
    """bool[m]: which rows of use float64[m, R], taken in order, fit into the room float64[R] that is left.

    Negative entries give room back. Gives up after 64 rows that did not fit; those before stay admitted.
    """
    taken = np.zeros(len(use), dtype=np.bool_)
    room = room.copy()
    left = np.arange(len(use))
    for _ in range(_ROUNDS):
        left = left[(use[left] <= room).all(axis=1)]
        if not len(left):
            break
        total = np.cumsum(use[left], axis=0)
        inside = (total <= room).all(axis=1)
        count = len(left) if inside.all() else int(inside.argmin())
        taken[left[:count]] = True
        room -= total[count - 1]
        left = left[count:]
    return taken


def overrun(use: Floats, limits: Floats) -> Floats:
    """float64[R]: by how much use [m, R] in total breaks each limit; above zero just where it does."""
    over = use.sum(axis=0) - limits
    near = np.isfinite(limits) & (np.abs(over) <= _DUST * np.maximum(limits, 1.0))
    for resource in np.flatnonzero(near):
        over[resource] = math.fsum([*use[:, resource].tolist(), -float(limits[resource])])
    return np.asarray(np.maximum(over, 0.0))


def _mixed(problem: Problem, found: Prices) -> Small:
    """What each case picks, int8[m]: the same at all prices of the mix, or dealt out evenly by its shares."""
    stack = np.full((len(found.mix) + 1, len(problem.rows)), FALLBACK, dtype=np.int8)
    for column, point in zip(stack[:-1], found.mix, strict=True):
        for part, pick, _ in problem.at(point):
            column[part] = pick
    shares = np.append(found.shares, 1.0 - found.shares.sum())
    taken = stack[shares > _DUST]
    picks = taken[0].copy()
    split = np.flatnonzero((taken != taken[0]).any(axis=0))
    split = split[np.lexsort(taken[:, split])]
    turn = np.modf((np.arange(len(split)) + 0.5) * _GOLDEN)[0]
    dealt = np.searchsorted(np.cumsum(shares[shares > _DUST]), turn, side="right")
    picks[split] = taken[np.minimum(dealt, len(taken) - 1), split]
    return np.asarray(picks)


def _cut(problem: Problem, picks: Small, dual: Floats) -> None:
    """Cases fall back until no limit is broken, those with the least priced gain per unit first."""
    use = problem.spent(picks)
    while (over := overrun(use, problem.limits)).any():
        resource = int(np.flatnonzero(over)[0])
        users = np.flatnonzero(use[:, resource] > 0)
        worth = problem.gained(picks[users], users) - use[users] @ dual
        order = users[np.argsort(worth / use[users, resource], kind="stable")]
        enough = int(np.searchsorted(np.cumsum(use[order, resource]), over[resource])) + 1
        picks[order[:enough]] = FALLBACK
        use[order[:enough]] = 0.0


def _fill(problem: Problem, picks: Small, dual: Floats) -> None:
    """Cases change to a better option that still fits in, those with the most priced gain first."""
    for _ in range(_ROUNDS):
        use, gained = problem.spent(picks), problem.gained(picks)
        room = np.maximum(problem.limits - use.sum(axis=0), 0.0)
        rows, option, merit = _upgrades(problem, use, gained, room, dual)
        order = np.argsort(-merit, kind="stable")
        rows, option = rows[order], option[order]
        fits = admit(problem.spent(option, rows) - use[rows], room)
        if not fits.any():
            return
        picks[rows[fits]] = option[fits]


def _upgrades(
    problem: Problem, use: Floats, gained: Floats, room: Floats, dual: Floats
) -> tuple[Indices, Small, Floats]:
    """The cases with room for a better option, of these the one with most priced gain, and that gain."""
    best = np.full(len(gained), -np.inf)
    option = np.full(len(gained), FALLBACK, dtype=np.int8)
    for other, gains in enumerate(problem.gains):
        rows = np.flatnonzero(gains > gained)
        need = problem.spent(np.full(len(rows), other, dtype=np.int8), rows) - use[rows]
        fits = (need <= room).all(axis=1)
        rows, merit = rows[fits], (gains[rows] - gained[rows] - need @ dual)[fits]
        better = merit > best[rows]
        best[rows[better]], option[rows[better]] = merit[better], other
    rows = np.flatnonzero(option != FALLBACK)
    return rows, option[rows], best[rows]


def _exchange(problem: Problem, picks: Small, found: Prices) -> None:
    """Two cases change at a time while that gains and fits in, among the cases that are nearly indifferent.

    Matters where a limit is only a few contacts wide; a plan within 0.1 % of the bound is left as it is.
    """
    if problem.gained(picks).sum() >= (1.0 - _CLOSE) * found.bound:
        return
    core = _nearly_indifferent(problem, found.dual)
    room = problem.limits - problem.spent(picks).sum(axis=0)
    before = picks[core]
    picks[core] = _pairwise(problem.only(core), before, room)
    if overrun(problem.spent(picks), problem.limits).any():
        picks[core] = before


def _nearly_indifferent(problem: Problem, dual: Floats) -> Indices:
    """The cases whose two best options are closest at these prices: few, so that all pairs can be tried."""
    best = np.zeros(len(problem.rows))
    second = np.full(len(best), -np.inf)
    for option in range(len(problem.gains)):
        same = np.full(len(best), option, dtype=np.int8)
        priced = problem.gained(same) - problem.spent(same) @ dual
        second = np.maximum(second, np.minimum(best, priced))
        best = np.maximum(best, priced)
    return np.argsort(best - second, kind="stable")[: max(_MOVES // (len(problem.gains) + 1), 1)]


def _pairwise(core: Problem, picks: Small, room: Floats) -> Small:
    """`picks` after the best pair of changes, again and again while it gains; staying is a change too."""
    picks, cases = picks.copy(), np.arange(len(picks))
    row = np.tile(cases, len(core.gains) + 1)
    option = np.repeat(np.arange(FALLBACK, len(core.gains), dtype=np.int8), len(cases))
    worth, need = core.gained(option, row), core.spent(option, row)
    for _ in range(_ROUNDS):
        gain = worth - core.gained(picks)[row]
        step = need - core.spent(picks)[row]
        fits = row[:, None] != row
        for resource, left in enumerate(room):
            fits &= step[:, None, resource] + step[:, resource] <= left
        both = np.where(fits, gain[:, None] + gain, -np.inf)
        pair = list(divmod(int(both.argmax()), len(row)))
        if not both[pair[0], pair[1]] > 0:
            break
        picks[row[pair]] = option[pair]
        room = room - step[pair].sum(axis=0)
    return picks
