"""Values of waiting and acting as weights: linear in the scaled state, plus one weight per cell."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from kulanz.engine.arrays import Bools, Floats, Indices, Singles
from kulanz.kernel.errors import InputError

WAITING = 0


@dataclass(frozen=True, slots=True)
class Basis:
    """From states to rows of a regression: an intercept, scaled features, and the cell that a state is in.

    centre, scale, low, high float64[d]; states are clipped to [low, high], the range of the log. edges: the
    borders of each feature's buckets, or nothing at all for no cells. A value on a border is above it.
    """

    centre: Floats
    scale: Floats
    low: Floats
    high: Floats
    edges: tuple[tuple[float, ...], ...]

    @classmethod
    def of(cls, states: Floats, edges: tuple[tuple[float, ...], ...]) -> Self:
        if not len(states):
            zero = np.zeros(states.shape[1])
            return cls(zero, zero + 1.0, zero, zero, edges)
        spread = states.std(axis=0)
        return cls(
            states.mean(axis=0),
            np.where(spread > 0, spread, 1.0),
            states.min(axis=0),
            states.max(axis=0),
            edges,
        )

    @property
    def cells(self) -> int:
        return int(np.prod([len(borders) + 1 for borders in self.edges], dtype=np.int64))

    def rows(self, states: NDArray[Any]) -> "Rows":
        """Raises InputError for states that are not finite, or not float[n, d]."""
        found = np.asarray(states, dtype=np.float64)
        if found.ndim != 2 or found.shape[1] != len(self.centre) or not np.isfinite(found).all():
            raise InputError(f"States must be finite and of the shape [n, {len(self.centre)}].")
        clipped = np.clip(found, self.low, self.high)
        linear = np.concatenate([np.ones((len(found), 1)), (clipped - self.centre) / self.scale], axis=1)
        cell = np.zeros(len(found), dtype=np.intp)
        for feature, borders in enumerate(self.edges):
            cell = cell * (len(borders) + 1) + np.searchsorted(borders, clipped[:, feature], side="right")
        return Rows(linear, cell, self.cells if self.edges else 0)


@dataclass(frozen=True, slots=True)
class Rows:
    """linear float64[n, 1 + d], cell int[n], and the number of cell columns (0: no buckets)."""

    linear: Floats
    cell: Indices
    cells: int

    def of(self, index: Indices | Bools) -> "Rows":
        return Rows(self.linear[index], self.cell[index], self.cells)

    def times(self, weights: Floats) -> Floats:
        """float64[n, A] for weights float64[1 + d + cells, A]."""
        width = self.linear.shape[1]
        found = self.linear @ weights[:width]
        return found + weights[width:][self.cell] if self.cells else found

    def moments(self, targets: Floats) -> Floats:
        """Sum of row x target, float64[1 + d + cells]."""
        cells = np.bincount(self.cell, targets, self.cells)[: self.cells]
        return np.concatenate([targets @ self.linear, cells])

    def gram(self, weights: Floats) -> Floats:
        """Sum of weight x row x row', float64[1 + d + cells, 1 + d + cells]."""
        weighted = self.linear * weights[:, None]
        if not self.cells:
            return np.asarray(weighted.T @ self.linear)
        cross = np.array([np.bincount(self.cell, column, self.cells) for column in weighted.T])
        counts = np.diag(np.bincount(self.cell, weights, self.cells))
        return np.block([[weighted.T @ self.linear, cross], [cross.T, counts]])


@dataclass(frozen=True, slots=True)
class QValues:
    """What was fitted: reward of a step and its continuation, weights float64[1 + d + cells, A] each.

    tried bool[cells, A] (one cell without buckets): whether the log holds an action there. Not `converged`:
    values still moved when the iterations were used up.
    """

    basis: Basis
    reward: Floats
    continuation: Floats
    tried: Bools
    iterations: int
    converged: bool

    def offset(self, states: NDArray[Any]) -> Singles:
        """float32[n]: continuation of waiting less that of acting, to add to the score of waiting.

        Acting is the acting option of most value. 0 where the log holds no waiting or no acting in the
        state's cell: there the policy decides by its own scores. Raises InputError for states that are not
        finite, or not float[n, d].
        """
        rows = self.basis.rows(states)
        tried = self.tried[rows.cell]
        ahead = rows.times(self.continuation)
        value = np.where(tried[:, 1:], (rows.times(self.reward) + ahead)[:, 1:], -np.inf)
        acting = value.argmax(axis=1) + 1
        found = ahead[:, WAITING] - ahead[np.arange(len(ahead)), acting]
        known = tried[:, WAITING] & tried[:, 1:].any(axis=1)
        return np.where(known, found, 0.0).astype(np.float32)

    def values(self, states: NDArray[Any]) -> Floats:
        """Q float64[n, A]: reward of this step and of all later ones, discounted."""
        return self.basis.rows(states).times(self.reward + self.continuation)

    def to_json(self) -> dict[str, Any]:
        plain = asdict(self)
        plain["basis"] = {
            name: np.asarray(value).tolist() for name, value in plain["basis"].items() if name != "edges"
        }
        plain["basis"]["edges"] = [list(borders) for borders in self.basis.edges]
        for name in ("reward", "continuation", "tried"):
            plain[name] = getattr(self, name).tolist()
        return plain

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        basis = dict(data["basis"])
        edges = tuple(tuple(borders) for borders in basis.pop("edges"))
        arrays = {name: np.array(data[name], dtype=np.float64) for name in ("reward", "continuation")}
        return cls(
            basis=Basis(**{name: np.array(value) for name, value in basis.items()}, edges=edges),
            **arrays,
            tried=np.array(data["tried"], dtype=np.bool_),
            iterations=data["iterations"],
            converged=data["converged"],
        )
