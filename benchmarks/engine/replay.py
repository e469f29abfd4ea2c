"""Playing a policy against data: rejection replay of a randomised log, and one pass where all is known.

Rejection replay (Li, Chu, Langford, Wang 2011): a decision counts where it equals what the log did, which was
drawn uniformly; the mean over the rows that count is unbiased for the policy that learns from those rows alone.
"""

from collections import deque
from collections.abc import Iterator

import numpy as np

from engine.chooser import Chooser
from engine.data import Data, Floats, Indices, Log


def play(chooser: Chooser, data: Data, order: Indices, delay: int = 0) -> float:
    """Mean reward over `order` (rows of the data); an outcome becomes known `delay` rows after its decision."""
    waiting: deque[tuple[int, Indices, Indices, Floats, Floats | None]] = deque()
    total, counted = 0.0, 0
    for end, batch in _batches(order, data.batch):
        actions, chances = chooser.choose(data.contexts[batch], batch)
        hit, rewards = _outcomes(data, batch, actions)
        rows, actions = batch[hit], actions[hit]
        chooser.wait(data.contexts[rows], actions)
        waiting.append((end + delay, rows, actions, rewards, None if chances is None else chances[hit]))
        total, counted = total + float(rewards.sum()), counted + len(rows)
        while waiting and waiting[0][0] <= end:
            _, rows, actions, rewards, chances = waiting.popleft()
            chooser.learn(data.contexts[rows], actions, rewards, chances)
    return total / max(counted, 1)


def constant(data: Data) -> Floats:
    """float64[K]: what always taking the same action brings."""
    if isinstance(data, Log):
        return np.array([data.rewards[data.actions == arm].mean() for arm in range(len(data.names))])
    return np.asarray(data.payoffs.mean(axis=0))


def delay_ceiling(data: Data, delay: int) -> float:
    """What knowing the best constant action brings, from the first outcome on and nothing before."""
    means, n = constant(data), len(data.contexts)
    return float((delay * means.mean() + (n - delay) * means.max()) / n)


def _batches(order: Indices, size: int) -> Iterator[tuple[int, Indices]]:
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        yield start + len(rows), rows


def _outcomes(data: Data, rows: Indices, actions: Indices) -> tuple[Indices, Floats]:
    """Positions that count, and their rewards."""
    if isinstance(data, Log):
        hit = np.flatnonzero(data.actions[rows] == actions)
        return hit, data.rewards[rows[hit]]
    return np.arange(len(rows)), data.payoffs[rows, actions]
