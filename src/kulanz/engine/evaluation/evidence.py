"""What a comparison rests on: terms of a log, or outcomes of two groups drawn at random."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kulanz.engine.arrays import Bools, Floats
from kulanz.engine.evaluation.intervals import checked, mean_interval
from kulanz.engine.evaluation.lift import lift
from kulanz.kernel.errors import InputError


class Evidence(Protocol):
    """Something whose mean is asked for: `Terms` or `Groups`."""

    def rows(self) -> int: ...

    def value(self) -> float | None: ...

    def interval(self, level: float) -> tuple[float, float]: ...

    def within(self, mask: Bools) -> "Evidence": ...


@dataclass(frozen=True, slots=True)
class Terms:
    """One number per row, float64[n], in order of arrival, such as DR terms of the challenger less the
    champion's.

    `low` and `high`: what no such number can ever pass. Where an end is unknown, so is that limit of the
    interval.
    """

    values: Floats
    low: float = -math.inf
    high: float = math.inf

    def rows(self) -> int:
        return len(self.values)

    def value(self) -> float | None:
        return float(np.mean(self.values)) if len(self.values) else None

    def interval(self, level: float) -> tuple[float, float]:
        return mean_interval(self.values, low=self.low, high=self.high, level=level)

    def within(self, mask: Bools) -> "Terms":
        return Terms(self.values[mask], self.low, self.high)


@dataclass(frozen=True, slots=True)
class Groups:
    """Outcomes float64[n] within [low, high] of customers drawn at random to the first group (bool[n]) or to
    the other.

    The difference of the means; `share` is about what share of customers the first group was planned to have.
    """

    outcomes: Floats
    first: Bools
    share: float
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        checked(self.outcomes, self.low, self.high)
        if len(self.outcomes) != len(self.first):
            raise InputError("Every outcome needs to say which group its customer is in.")

    def rows(self) -> int:
        return len(self.outcomes)

    def value(self) -> float | None:
        if self.first.all() or not self.first.any():
            return None
        return float(self.outcomes[self.first].mean() - self.outcomes[~self.first].mean())

    def interval(self, level: float) -> tuple[float, float]:
        width = self.high - self.low
        scaled = (self.outcomes - self.low) / width
        found = lift(scaled[self.first], scaled[~self.first], level, share=1.0 - self.share)
        return width * found.low, width * found.high

    def within(self, mask: Bools) -> "Groups":
        return Groups(self.outcomes[mask], self.first[mask], self.share, self.low, self.high)
