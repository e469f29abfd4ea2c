"""When a chooser hears what its decisions of the year were worth: by a window of days, or step by step."""

from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from kulanz.engine.arrays import Codes, Floats, Indices, Ints, Singles
from kulanz.engine.reward import RewardSettings, reward
from kulanz.engine.simulation.book import COST, HARM, OPEN, PAID_AT, Book
from kulanz.engine.simulation.world import CASE_DAYS


@dataclass(frozen=True, slots=True)
class Lesson:
    """k decisions and what they were worth: contexts float32[k, d], actions int16[k, 4], rewards float64[k], ids
    int64[k] of the cases, days int64[k] of the decisions.
    """

    contexts: Singles
    actions: Codes
    rewards: Floats
    ids: Ints
    days: Ints


def earned(grown: Floats, open_minor: Floats, start: Ints | int, rewards: RewardSettings) -> Floats:
    """Reward float64[k] of what was added to a book's sums, grown float64[k, 4], seen from the moment `start`.

    The discount is linear, so that payments together are worth what their mean moment is worth.
    """
    paid, none = -grown[:, OPEN], np.zeros(len(grown), dtype=np.bool_)
    mean = grown[:, PAID_AT] / np.maximum(paid, 1.0)
    days = np.where(paid > 0, np.maximum(mean - start, 0.0), 0.0)
    worth = reward(paid, open_minor, days, grown[:, COST], none, none, none, settings=rewards)
    return np.asarray(worth - grown[:, HARM])


def whole_life(book: Book, grown: Floats, rows: Indices) -> Floats:
    """As `earned`, but as a share of the case's first amount, seen from its due day: so steps add up to the case.

    Costs count in full: with a limit per case, contacts beyond it would be free.
    """
    settings = replace(book.rewards, horizon_days=CASE_DAYS + 1.0, most_cost=np.inf)
    return earned(grown, book.world.amount_minor[rows].astype(np.float64), book.world.due_day[rows], settings)


class Windows:
    """A decision is paid once, `horizon_days` later, for all that happened to its case until then."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._waiting: deque[tuple[int, Indices, Singles, Codes, Floats]] = deque()

    def closing(self, day: int, rows: Indices) -> Lesson | None:
        """What has become known on the morning of `day`, before cases `rows` are decided."""
        horizon = self._book.rewards.horizon_days
        if not self._waiting or self._waiting[0][0] != day - horizon:
            return None
        decided, ids, contexts, actions, before = self._waiting.popleft()
        worth = earned(self._book.sums[ids] - before, before[:, OPEN], decided, self._book.rewards)
        return Lesson(contexts, actions, worth, ids, np.full(len(ids), decided))

    def note(self, day: int, rows: Indices, contexts: Singles, actions: Codes, before: Floats) -> None:
        """Decisions of today, with the book's sums from before they were carried out."""
        self._waiting.append((day, rows, contexts, actions, before))


class Steps:
    """A decision is paid when its case is decided again or over, for what happened in between."""

    def __init__(self, book: Book, features: int) -> None:
        n = len(book.world)
        self._book = book
        self._days = np.full(n, -1)
        self._contexts = np.zeros((n, features), dtype=np.float32)
        self._actions = np.zeros((n, 4), dtype=np.int16)
        self._before = np.zeros((n, 4))

    def closing(self, day: int, rows: Indices) -> Lesson | None:
        known = self._book.closed.copy()
        known[rows] = True
        ids = np.flatnonzero(known & (self._days >= 0))
        if not len(ids):
            return None
        worth = whole_life(self._book, self._book.sums[ids] - self._before[ids], ids)
        lesson = Lesson(self._contexts[ids], self._actions[ids], worth, ids, self._days[ids])
        self._days[ids] = -1
        return lesson

    def note(self, day: int, rows: Indices, contexts: Singles, actions: Codes, before: Floats) -> None:
        self._days[rows] = day
        self._contexts[rows], self._actions[rows], self._before[rows] = contexts, actions, before
