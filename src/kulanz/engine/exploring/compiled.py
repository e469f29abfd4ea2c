"""The compiled kernel: the same bits as the NumPy kernel, sooner. Needs numba; loaded only when asked for."""

from functools import cache
from itertools import product
from typing import Any, cast

import numpy as np

from kulanz.engine.arrays import Indices, Ints, Singles
from kulanz.engine.draws import Stream, round_keys
from kulanz.engine.exploring import compiled_loops as loops
from kulanz.engine.exploring.compiled_loops import INVERSE_GAP, ROWS, TILE, UNIFORM
from kulanz.engine.exploring.deciders import LANES, By, Chosen, NumpyKernel, Stage, is_numbers
from kulanz.engine.exploring.explore import KINDS, STRIPE, UNEVEN, Bits, Explorer, ProbabilityError, check
from kulanz.engine.exploring.scratch import Scratch
from kulanz.kernel.errors import InputError

_NOTHING = np.empty(0, dtype=np.float32)
_NOWHERE = np.empty(0, dtype=np.intp)
DIFFERENT = 'The compiled kernel differs from NumPy here; empty numba\'s cache, or use kernel="numpy".'


class CompiledKernel:
    def __init__(self) -> None:
        self._scratch = Scratch()

    def probabilities(self, stage: Stage, explorer: Explorer, cap: Singles | None = None) -> Singles:
        out: Singles = self._scratch("out", stage.means.shape)
        self._run(stage, explorer, cap, _NOTHING, _NOWHERE, out)
        return out

    def choose(self, stage: Stage, explorer: Explorer, by: By, cap: Singles | None = None) -> Chosen:
        drawn = is_numbers(by)
        choice = np.empty(len(by), dtype=np.intp) if drawn else cast(Indices, by)
        outs = self._run(stage, explorer, cap, by if drawn else _NOTHING, choice, _NOTHING[:, None])
        propensity, score, best, spread, best_spread, loss = outs
        if stage.spreads is None:
            spread = best_spread = None
        return Chosen(
            choice, propensity, score, best, spread, best_spread, loss if explorer.cap is not None else None
        )

    def _run(
        self, stage: Stage, explorer: Explorer, cap: Singles | None, uniform: Any, choice: Any, table: Singles
    ) -> Singles:
        options, columns = stage.means.shape
        outs = np.empty((6, columns), dtype=np.float32)
        work: Singles = self._scratch("work", (ROWS + 3 * options, TILE))
        block, how, caps = _arguments(stage, explorer, cap)
        if not loops.run(block, how, caps, (work, work.view(np.int32)), uniform, choice, outs, table):
            check(stage.means, stage.spreads)
            raise ProbabilityError(UNEVEN)
        return outs

    def best(self, table: Singles, variances: Singles, may: Bits) -> tuple[Singles, Singles]:
        value, variance = np.empty((2, len(table), table.shape[2]), dtype=np.float32)
        loops.best(table, variances, may, value, variance)
        return value, variance

    def below(
        self, table: Singles, variances: Singles, may: Bits, channel: Indices
    ) -> tuple[Singles, Singles, Bits]:
        shape = table.shape[1:]
        means, spread = np.empty((2, *shape), dtype=np.float32)
        stands = np.empty(shape, dtype=np.uint8)
        loops.below(table, variances, may, channel, means, spread, stands)
        return means, spread, stands

    def singles(self, seed: int, ids: Ints, stream: Stream, count: int) -> Singles:
        out = np.empty((count, len(ids)), dtype=np.float32)
        keys = round_keys((seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF))
        loops.singles(np.ascontiguousarray(ids).view(np.uint64), np.uint64(stream), keys, out)
        return out


@cache
def verify() -> None:
    """Once per process: numba's files on disk may outlive a change of what they were compiled from.

    Raises InputError when the compiled code does not give NumPy's bits.
    """
    numbers = np.random.Generator(np.random.Philox(key=1))
    means, spreads = numbers.random((2, STRIPE + 3, LANES), dtype=np.float32)
    means[:, ::2] *= np.float32(50.0)
    may = np.ones(means.shape, dtype=np.uint8)
    may[::3] = 0
    for kind, (floor, cap) in product(KINDS, ((0.0, None), (0.1, 0.1))):
        explorer = Explorer(kind, floor=floor, cap=cap, gamma=9.0)
        stage = Stage(means, spreads + np.float32(0.1) if explorer.needs_spreads else None, may)
        ours, numpys = (kernel.probabilities(stage, explorer) for kernel in (CompiledKernel(), NumpyKernel()))
        if not np.array_equal(ours, numpys):
            raise InputError(DIFFERENT)
    some = np.arange(LANES) << 30
    ours, numpys = (
        kernel.singles(3, some, Stream.DECISION, 5) for kernel in (CompiledKernel(), NumpyKernel())
    )
    if not np.array_equal(ours, numpys):
        raise InputError(DIFFERENT)


def _arguments(stage: Stage, explorer: Explorer, cap: Singles | None) -> tuple[Any, ...]:
    kind = KINDS.index(explorer.kind)
    if kind == INVERSE_GAP and not explorer.gamma:
        kind = UNIFORM
    how = kind, np.float32(explorer.gamma), np.float32(explorer.floor)
    columns = stage.means.shape[1]
    if cap is None:
        cap = np.full(0 if explorer.cap is None else columns, explorer.cap or 0.0, dtype=np.float32)
    spreads = np.empty((0, columns), dtype=np.float32) if stage.spreads is None else stage.spreads
    return (stage.means, spreads, stage.may), how, cap
