"""What early signs (opened, clicked, promised) say about a reward that is not known yet.

A surrogate index (Prentice 1989; Athey, Chetty, Imbens and Kang 2019): the mean final reward of those that showed
the same signs after the same time, shrunk by credibility (Buehlmann and Straub 1970): all rows -> pattern of
signs -> pattern and time. How much such a figure may count depends on how far the actions differ in what the
signs do not show.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from kulanz.engine.arrays import Bools, Floats, Indices
from kulanz.engine.delay import WEIGHT_STEP, Credit
from kulanz.kernel.errors import InputError

MOST_PROXIES = 8
_REWARD_STEP = 2.0**-14


@dataclass(slots=True)
class Surrogate:
    """Sums over matured rows, float64[E, G, 2^p] per time bucket, arm and pattern: count, sum of rewards, of squares.

    A matured row teaches once for each moment at which it might have been asked: with the signs it had shown
    by then. `starts`: the elapsed time (days, as a rule) at which each of the E buckets begins. An arm is what
    may change the reward past the signs: an action, or a group of actions such as channel and tone. Rewards
    count in steps of 2**-14, so that -1 takes a row out exactly.
    """

    proxies: tuple[str, ...]
    starts: tuple[float, ...]
    count: Floats
    total: Floats
    square: Floats

    @classmethod
    def empty(cls, proxies: tuple[str, ...], starts: tuple[float, ...], *, arms: int = 1) -> Self:
        if not 1 <= len(proxies) <= MOST_PROXIES or len(set(proxies)) != len(proxies):
            raise InputError(f"A surrogate needs 1 to {MOST_PROXIES} early signs, none of them twice.")
        if not starts or not np.isfinite(starts).all() or (np.diff(starts) <= 0).any():
            raise InputError("The times at which a surrogate looks must be finite and rising.")
        if arms < 1:
            raise InputError("A surrogate needs at least one arm.")
        shape = len(starts), arms, 1 << len(proxies)
        return cls(tuple(proxies), tuple(starts), np.zeros(shape), np.zeros(shape), np.zeros(shape))

    def learn(
        self,
        signs: Bools,
        elapsed: Floats,
        rewards: Floats,
        *,
        arms: "Indices | int" = 0,
        weight: float = 1.0,
    ) -> None:
        """Count matured rows: signs bool[n, p] as they stood at `elapsed` float64[n], final reward, arm int[n].

        `weight` -1 takes rows out. Raises InputError for shapes that disagree, values that are not finite, times
        before the first bucket, or more taken out than was learned; nothing is learned then.
        """
        bucket, pattern = self._placed(signs, elapsed)
        gain = np.round(np.asarray(rewards, dtype=np.float64) / _REWARD_STEP) * _REWARD_STEP
        if gain.shape != bucket.shape or not (np.isfinite(weight) and np.isfinite(gain).all()):
            raise InputError("A surrogate learns from one finite reward per row, counted by a finite weight.")
        arm = np.broadcast_to(np.asarray(arms, dtype=np.intp), bucket.shape)
        if ((arm < 0) | (arm >= self.count.shape[1])).any():
            raise InputError(f"Arms are numbered from 0 to {self.count.shape[1] - 1}.")
        at = np.asarray(np.ravel_multi_index((bucket, arm, pattern), self.count.shape), dtype=np.intp)
        count = self.count + weight * self._summed(at, np.ones(len(at)))
        if count.min() < -1e-9:
            raise InputError("More rows are taken out than were ever learned; check which rows are reversed.")
        self.count = count
        self.total = self.total + weight * self._summed(at, gain)
        self.square = self.square + weight * self._summed(at, gain**2)

    def predict(self, signs: Bools, elapsed: Floats, *, waiting: int | None = None) -> Credit:
        """Expected final reward float64[n] of rows that have not matured, and what such a row may count for.

        `waiting`: how many rows count provisionally at the same time (these, if not given). The weight depends on
        the time alone: rows with good signs must not count for more than others. NaN and 0 before anything
        matured.
        """
        bucket, pattern = self._placed(signs, elapsed)
        trust = np.round(self.trust(len(bucket) if waiting is None else waiting) / WEIGHT_STEP) * WEIGHT_STEP
        return Credit(self.means()[bucket, pattern], trust[bucket])

    def means(self) -> Floats:
        """Shrunk mean reward float64[E, 2^p]; for each time, their mean over the learned rows is the rows' own."""
        count, total, square = (sums.sum(axis=1) for sums in (self.count, self.total, self.square))
        if count.sum() <= 0:
            return np.full(count.shape, np.nan)
        within = _within(count, total, square)
        pooled = np.full((1, 1), total.sum() / count.sum())
        by_pattern = _shrunk(count.sum(axis=0)[None, :], total.sum(axis=0)[None, :], pooled, within)
        cells = _shrunk(count.T, total.T, by_pattern.T, within).T
        off = (total - count * cells).sum(axis=1, keepdims=True)
        return np.asarray(cells + _ratio(off, count.sum(axis=1, keepdims=True)))

    def explained(self) -> Floats:
        """Share float64[E] of the rewards' variance that the signs explain: omega squared (Hays 1963), 0 on average
        where they explain nothing; 0 for a time without rows.
        """
        count, total, square = (sums.sum(axis=1) for sums in (self.count, self.total, self.square))
        n = count.sum(axis=1)
        mean = _ratio(total.sum(axis=1), n)
        between = (count * (_ratio(total, count) - mean[:, None]) ** 2).sum(axis=1)
        inside = np.maximum(square - _ratio(total**2, count), 0.0).sum(axis=1)
        patterns = (count > 0).sum(axis=1)
        noise = _noise(between + inside, inside, n, patterns)
        return np.clip(_ratio(between - (patterns - 1) * noise, between + inside + noise), 0.0, 1.0)

    def trust(self, waiting: int) -> Floats:
        """What a provisional row may count for at each time, float64[E] within 0..1.

        W rows of an arm with predictions of variance v, and a variance t of the arms' effects past the signs
        (estimated, plus its standard error), tell as much about that arm as s / (t + v / W) real rows with
        rewards of variance s. Nothing of t can be seen with one arm: the explained share then.
        """
        if self.count.shape[1] == 1:
            return self.explained()
        means = np.nan_to_num(self.means())[:, None, :]
        by_arm = self.count.sum(axis=2)
        rows = by_arm.sum(axis=1)
        past_signs = _ratio((self.total - self.count * means).sum(axis=2), by_arm)
        between = (by_arm * past_signs**2).sum(axis=1)
        missed = (self.square - 2.0 * means * self.total + self.count * means**2).sum(axis=(1, 2))
        arms = (by_arm > 0).sum(axis=1)
        noise = _noise(missed, np.maximum(missed - between, 0.0), rows, arms)
        size = rows - _ratio((by_arm**2).sum(axis=1), rows)
        error = noise * np.sqrt(2.0 * np.maximum(arms - 1.0, 0.0))
        effects = _ratio(np.maximum(between - (arms - 1) * noise, 0.0) + error, size)
        mean = _ratio(self.total.sum(axis=(1, 2)), rows)
        spread = _ratio((self.count * (means - mean[:, None, None]) ** 2).sum(axis=(1, 2)), rows)
        variance = np.maximum(_ratio(self.square.sum(axis=(1, 2)), rows) - mean**2, 0.0)
        known = _ratio(variance, spread + effects * waiting / self.count.shape[1])
        return np.where(size > 0, np.minimum(known, 1.0), 0.0)

    def to_json(self) -> dict[str, Any]:
        sums = {name: getattr(self, name).tolist() for name in ("count", "total", "square")}
        return {"proxies": list(self.proxies), "starts": list(self.starts), **sums}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        count, total, square = (np.array(data[name]) for name in ("count", "total", "square"))
        return cls(tuple(data["proxies"]), tuple(data["starts"]), count, total, square)

    def _placed(self, signs: Bools, elapsed: Floats) -> tuple[Indices, Indices]:
        """Time bucket and pattern of each row."""
        signs, elapsed = np.asarray(signs), np.asarray(elapsed, dtype=np.float64)
        if signs.dtype != np.bool_ or signs.shape != (*elapsed.shape, len(self.proxies)) or elapsed.ndim != 1:
            raise InputError(
                f"Early signs are truth values of shape [n, {len(self.proxies)}], one time per row."
            )
        if not (elapsed >= self.starts[0]).all():
            raise InputError(f"No sign counts before the time {self.starts[0]}, and every row needs a time.")
        bucket = np.searchsorted(self.starts, elapsed, side="right") - 1
        return bucket, np.asarray(signs @ (1 << np.arange(len(self.proxies))), dtype=np.intp)

    def _summed(self, at: Indices, values: Floats) -> Floats:
        sums = np.bincount(at, values, self.count.size)
        return np.asarray(sums.reshape(self.count.shape), dtype=np.float64)


def _within(count: Floats, total: Floats, square: Floats) -> float:
    """Variance of rewards within a cell, all cells together."""
    inside = np.maximum(square - _ratio(total**2, count), 0.0).sum()
    n, rewards = count.sum(), total.sum()
    around = max(float(square.sum() - rewards**2 / n), 0.0)
    return float(_noise(around, inside, n, (count > 0).sum()))


def _noise(around: "Floats | float", inside: Floats, n: Floats, cells: Indices) -> Floats:
    """Variance within cells: sum of squares over degrees of freedom, and one more at the variance of all rows.

    That one keeps two rows that happen to agree from passing for certainty.
    """
    overall = around / np.maximum(n - 1.0, 1.0)
    return np.asarray((inside + overall) / (np.maximum(n - cells, 0.0) + 1.0))


def _shrunk(count: Floats, total: Floats, prior: Floats, within: float) -> Floats:
    """Means of cells float64[parents, cells], drawn towards their parent's `prior` float64[parents, 1].

    A cell counts n / (n + within / between); the variance between cells is estimated over all parents.
    """
    mean, rows = _ratio(total, count), count.sum(axis=1, keepdims=True)
    centre = _ratio(total.sum(axis=1, keepdims=True), rows)
    spare = int((count > 0).sum()) - int((rows > 0).sum())
    size = float((rows - _ratio((count**2).sum(axis=1, keepdims=True), rows)).sum())
    beyond = float((count * (mean - centre) ** 2).sum()) - spare * within
    between = max(beyond / size, 0.0) if size > 0 else 0.0
    share = _ratio(count * between, count * between + within)
    return np.asarray(share * mean + (1.0 - share) * prior)


def _ratio(one: Floats, other: Floats) -> Floats:
    """0 where there is nothing to divide by."""
    return np.divide(
        one, other, out=np.zeros(np.broadcast_shapes(one.shape, other.shape)), where=other > 1e-12
    )
