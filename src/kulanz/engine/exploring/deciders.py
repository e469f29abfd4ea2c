"""What flat and factored deciders share: the interface, the kernels that do the arithmetic, blocks and masks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from kulanz.engine.arrays import Bools, Indices, Ints, Singles
from kulanz.engine.draws import Stream, singles
from kulanz.engine.exploring.explore import (
    Bits,
    Explorer,
    at,
    closed,
    draw,
    expected_loss,
    options,
    probabilities,
    widest,
)
from kulanz.engine.exploring.scratch import Scratch
from kulanz.kernel.errors import InputError

LANES = 16
PRODUCT = 512
"""Score products are padded to a multiple of these rows: BLAS then gives a row the same bits in any block."""

CELLS = 131072
"""Cells of a table that is worked on as a whole: of a handful, most stays in a second-level cache of 2 MB."""

LARGEST_BLOCK = 8192
STRIP = 512
"""Columns of 64 rows each that are turned at a time."""


By = Singles | Indices
"""Numbers float32[B] within (0, 1] to draw with, or what was chosen before, intp[B]."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One choice of B cases among K: means float32[K, B], spreads float32[K, B] (sd) where the explorer needs
    them, may uint8[K, B] with a 1 in every column.
    """

    means: Singles
    spreads: Singles | None
    may: Bits


@dataclass(frozen=True, slots=True)
class Chosen:
    """choice intp[B], its propensity and mean, the best allowed mean: float32[B]. The spreads of both are
    there where the stage has spreads, the expected loss where the explorer has a cap.
    """

    choice: Indices
    propensity: Singles
    score: Singles
    best_score: Singles
    spread: Singles | None
    best_spread: Singles | None
    loss: Singles | None


class Kernel(Protocol):
    """The arithmetic of one stage. Every kernel gives the same bits; they differ in speed alone."""

    def probabilities(self, stage: Stage, explorer: Explorer, cap: Singles | None = None) -> Singles:
        """float32[K, B], columns summing to 1; valid until the kernel is used again."""
        ...

    def choose(self, stage: Stage, explorer: Explorer, by: By, cap: Singles | None = None) -> Chosen:
        """The draw, or what is said of a choice made before; `cap` float32[B] takes the place of the
        explorer's.
        """
        ...

    def best(self, table: Singles, variances: Singles, may: Bits) -> tuple[Singles, Singles]:
        """Per channel the best allowed cell's value and its variance (the widest of a tie): float32[C, B]
        both.

        table float32[C, cells, B], variances float32[C, cells], may uint8[C, cells, B]; -inf where none is
        allowed.
        """
        ...

    def below(
        self, table: Singles, variances: Singles, may: Bits, channel: Indices
    ) -> tuple[Singles, Singles, Bits]:
        """Means, variances, may [cells, B] of each case's channel intp[B]; the first cell stands open where
        none is.
        """
        ...

    def singles(self, seed: int, ids: Ints, stream: Stream, count: int) -> Singles:
        """`draws.singles`."""
        ...


def is_numbers(by: By) -> bool:
    return by.dtype == np.float32


class NumpyKernel:
    def __init__(self) -> None:
        self._scratch = Scratch()

    def probabilities(self, stage: Stage, explorer: Explorer, cap: Singles | None = None) -> Singles:
        found = options(stage.means, stage.spreads, stage.may, self._scratch)
        return probabilities(found, explorer, self._scratch, cap)

    def choose(self, stage: Stage, explorer: Explorer, by: By, cap: Singles | None = None) -> Chosen:
        found = options(stage.means, stage.spreads, stage.may, self._scratch)
        p = probabilities(found, explorer, self._scratch, cap)
        choice = draw(p, cast(Singles, by), self._scratch) if is_numbers(by) else cast(Indices, by)
        loss = None if explorer.cap is None else expected_loss(p, found, self._scratch)
        spread, best_spread = None, None
        if found.spreads is not None:
            spread, best_spread = at(found.spreads, choice), widest(found, self._scratch)
        score = at(stage.means, choice)
        return Chosen(choice, at(p, choice), score, found.best, spread, best_spread, loss)

    def best(self, table: Singles, variances: Singles, may: Bits) -> tuple[Singles, Singles]:
        value, variance = np.empty((2, len(table), table.shape[2]), dtype=np.float32)
        for c, cells in enumerate(table):
            masked = np.add(cells, closed(may[c], self._scratch), out=self._scratch("gaps", cells.shape))
            np.maximum.reduce(masked, axis=0, out=value[c])
            ties = np.equal(masked, value[c], out=self._scratch("ties", cells.shape, np.bool_))
            wide = np.multiply(ties, variances[c][:, None], out=masked)
            np.maximum.reduce(wide, axis=0, out=variance[c])
        return value, variance

    def below(
        self, table: Singles, variances: Singles, may: Bits, channel: Indices
    ) -> tuple[Singles, Singles, Bits]:
        cells, width = table.shape[1:]
        at = channel * (cells * width) + np.arange(width) + np.arange(0, cells * width, width)[:, None]
        open_cells = np.take(may, at)
        open_one(open_cells)
        return np.take(table, at), variances.T[:, channel], open_cells

    def singles(self, seed: int, ids: Ints, stream: Stream, count: int) -> Singles:
        return singles(seed, ids, stream, count)


def new_kernel(name: Literal["numpy", "compiled"]) -> Kernel:
    """A kernel with working memory of its own, so that threads can decide at the same time."""
    if name == "numpy":
        return NumpyKernel()
    if name == "compiled":
        from kulanz.engine.exploring import compiled  # noqa: PLC0415 - an extra, loaded when asked for

        compiled.verify()
        return compiled.CompiledKernel()
    raise InputError(f"No kernel is called {name}; choose numpy or compiled.")


def rows_of_block(options: int) -> int:
    """Rows of a block whose working tables have that many entries per row."""
    return min(max(CELLS // options // PRODUCT, 1) * PRODUCT, LARGEST_BLOCK)


def blocks(n: int, rows: int) -> Iterator[slice]:
    return (slice(first, min(first + rows, n)) for first in range(0, n, rows))


def padded(rows: int, multiple: int = LANES) -> int:
    return -(-rows // multiple) * multiple


def may_of(mask: Bools, width: int, scratch: Scratch) -> tuple[Bits, Bools]:
    """mask bool[b, K] as uint8[K, width], and bool[b]: nothing is allowed. Where so, and in the padding, the
    first option stands open, so that every column has one.
    """
    rows, k = mask.shape
    may: Bits = scratch("may", (k, width), np.uint8)
    may[:, rows:] = 1
    turn(mask.view(np.uint8), may)
    return may, open_one(may)[:rows]


def open_one(may: Bits) -> Bools:
    """Opens the first option of columns that have none, and says which these were: bool[B]."""
    nothing = np.bitwise_or.reduce(may, axis=0) == 0
    may[0] |= nothing
    return np.asarray(nothing)


def turn(rows: NDArray[Any], table: NDArray[Any]) -> None:
    """rows [n, K] into the first n columns of table [K, B], in strips that stay in the cache."""
    strip = max(STRIP // rows.shape[1], 1) * 64
    for first in range(0, len(rows), strip):
        last = min(first + strip, len(rows))
        table[:, first:last] = rows[first:last].T


def turn_back(table: Singles, rows: Singles) -> None:
    """The first n columns of table float32[K, B] into rows float32[n, K]."""
    columns = table[:, : len(rows)]
    for first in range(0, len(table), LANES):
        rows[:, first : first + LANES] = columns[first : first + LANES].T


def widened(row: Singles, width: int, filling: float) -> Singles:
    """float32[width]: `row`, and `filling` behind it."""
    if len(row) == width:
        return row
    out = np.full(width, filling, dtype=np.float32)
    out[: len(row)] = row
    return out


def trimmed(table: Singles, width: int) -> Singles:
    """The first columns, next to each other in memory."""
    return table if table.shape[1] == width else np.ascontiguousarray(table[:, :width])
