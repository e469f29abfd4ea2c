"""The arithmetic of `explore`, compiled by numba: the same bits, sooner. Loaded only when asked for.

Cases stand next to each other in memory and every inner loop runs across them, so that the compiler turns it into
vector instructions; operations keep NumPy's order and none are fused.
"""

import importlib
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar, cast

import numpy as np

from kulanz.engine.arrays import Indices, Ints, Singles
from kulanz.engine.deciders import Chosen, Stage
from kulanz.engine.draws import LOW_WORD, MULTIPLIERS, SCALE, SHIFT, Stream, round_keys
from kulanz.engine.explore import HALF, KINDS, LARGE, STRIPE, Bits, Explorer, ProbabilityError, UNEVEN, check
from kulanz.engine.normal import HALF_LOG2_E, LEAN, LEAST_POWER, POWER, TAIL, TO_INTEGER
from kulanz.engine.scratch import Scratch
from kulanz.engine.thompson import FAR, HALVINGS, REACH, START
from kulanz.kernel.errors import InputError

try:
    numba = importlib.import_module("numba")
except ImportError as error:
    raise InputError('The compiled kernel needs numba: install it, or use kernel="numpy".') from error

F = TypeVar("F", bound=Callable[..., Any])
NODES = 2**HALVINGS + 1
TILE = 128
"""Cases of an inner loop: eight vectors of 16; the rows of a tile stay in the first-level cache."""

GAUSSIAN_GAP, INVERSE_GAP, THOMPSON, GREEDY, UNIFORM = range(len(KINDS))
ROWS = 15
BEST, COUNT, TIED, WIDEST, OTHERS, STRIPED, SCALE, SPARE, WHOLE, LOSS, EDGE, NIL, LOW, ABOVE, RATIO = range(ROWS)
"""The rows of a tile's working memory. NIL is 0 while all is finite and sums to 1."""

_ZERO, _HALF_ONE, _ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
_MINUS_INF = np.float32(-np.inf)
T0, T1, T2, T3, T4, T5, T6, T7, T8 = TAIL
P0, P1, P2, P3, P4, P5 = POWER


def jit(function: F) -> F:
    return cast(F, numba.njit(cache=True, error_model="numpy")(function))


@jit
def _find_gaps(means: Any, may: Any, first: int, width: int, gaps: Any, rows: Any) -> None:
    best, count, tied, nil = rows[BEST], rows[COUNT], rows[TIED], rows[NIL]
    best[:], count[:], tied[:], nil[:] = _MINUS_INF, _ZERO, _ZERO, _ZERO
    for k in range(means.shape[0]):
        mean, stands, gap = means[k, first : first + width], may[k, first : first + width], gaps[k]
        for i in range(width):
            value = mean[i] if stands[i] else _MINUS_INF
            gap[i] = value
            nil[i] += mean[i] * _ZERO
            count[i] += np.float32(stands[i])
            best[i] = max(best[i], value)
    for k in range(means.shape[0]):
        gap = gaps[k]
        for i in range(width):
            gap[i] = best[i] - gap[i]
            tied[i] += _ONE if gap[i] == _ZERO else _ZERO


@jit
def _find_widest(spreads: Any, first: int, width: int, gaps: Any, rows: Any) -> None:
    widest, nil, least = rows[WIDEST], rows[NIL], rows[SPARE]
    widest[:], least[:] = _ZERO, _ONE
    for k in range(spreads.shape[0]):
        spread, gap = spreads[k, first : first + width], gaps[k]
        for i in range(width):
            nil[i] += spread[i] * _ZERO
            least[i] = min(least[i], spread[i])
            widest[i] = max(widest[i], spread[i] if gap[i] == _ZERO else _ZERO)
    for i in range(width):
        nil[i] += _ZERO if least[i] > _ZERO else _ONE


@jit
def _bells(z: Any, width: int, whole: Any, bits: Any, out: Any, out_bits: Any) -> None:
    """`normal.bell`; `bits` and `out_bits` are int32 views of `whole` and `out`."""
    for i in range(width):
        x = max(z[i] * z[i] * HALF_LOG2_E, LEAST_POWER)
        whole[i] = x + TO_INTEGER
        f = x - (whole[i] - TO_INTEGER)
        out[i] = ((((P0 * f + P1) * f + P2) * f + P3) * f + P4) * f + P5
    for i in range(width):
        out_bits[i] += bits[i] << 23


@jit
def _tails_of(bells: Any, z: Any, width: int, out: Any) -> None:
    """The second half of `normal.upper_tail`."""
    for i in range(width):
        t = _ONE / (z[i] * LEAN + _ONE)
        ratio = (((((((T0 * t + T1) * t + T2) * t + T3) * t + T4) * t + T5) * t + T6) * t + T7) * t + T8
        out[i] = (bells[i] * t) * ratio


@jit
def _add_striped(row: Any, k: int, last: int, width: int, rows: Any, total: int) -> None:
    """Sums as `explore.total` does: the rows of a stripe first, then the stripes."""
    stripe, out = rows[STRIPED], rows[total]
    for i in range(width):
        stripe[i] = row[i] if k % STRIPE == 0 else stripe[i] + row[i]
    if k % STRIPE == STRIPE - 1 or k == last - 1:
        for i in range(width):
            out[i] = stripe[i] if k < STRIPE else out[i] + stripe[i]


@jit
def _gaussian_gap(
    spreads: Any, first: int, width: int, gaps: Any, p: Any, p_bits: Any, rows: Any, row_bits: Any
) -> None:
    count, tied, widest, others, z = rows[COUNT], rows[TIED], rows[WIDEST], rows[OTHERS], rows[SCALE]
    options = spreads.shape[0]
    for k in range(options):
        spread, gap = spreads[k, first : first + width], gaps[k]
        for i in range(width):
            z[i] = gap[i] / np.sqrt(spread[i] * spread[i] + widest[i] * widest[i])
        _bells(z, width, rows[WHOLE], row_bits[WHOLE], p[k], p_bits[k])
        _tails_of(p[k], z, width, p[k])
        _add_striped(p[k], k, options, width, rows, OTHERS)
    for i in range(width):
        left = max(others[i] - tied[i] * HALF, _ZERO)
        beaten = left + (tied[i] - _ONE) * _HALF_ONE
        z[i] = _ONE / max(beaten * (count[i] / max(count[i] - _ONE, _ONE)), _ONE)
        others[i] = left * z[i]


@jit
def _inverse_gap(gamma: Any, width: int, gaps: Any, p: Any, rows: Any) -> None:
    count, tied, others, scale = rows[COUNT], rows[TIED], rows[OTHERS], rows[SCALE]
    for k in range(gaps.shape[0]):
        gap, row = gaps[k], p[k]
        for i in range(width):
            row[i] = _ONE / (gap[i] * gamma + count[i])
        _add_striped(row, k, gaps.shape[0], width, rows, OTHERS)
    for i in range(width):
        others[i] = max(others[i] - tied[i] * (_ONE / count[i]), _ZERO)
        scale[i] = _ONE


@jit
def _share_rest(width: int, gaps: Any, p: Any, rows: Any) -> None:
    """The others by their scale; the best of a tie share what these leave."""
    tied, others, scale, share = rows[TIED], rows[OTHERS], rows[SCALE], rows[SPARE]
    for i in range(width):
        share[i] = (_ONE - others[i]) / tied[i]
    for k in range(gaps.shape[0]):
        gap, row = gaps[k], p[k]
        for i in range(width):
            row[i] = share[i] if gap[i] == _ZERO else row[i] * scale[i]


@jit
def _evenly(of_ties: bool, may: Any, first: int, width: int, gaps: Any, p: Any, rows: Any) -> None:
    number = rows[TIED] if of_ties else rows[COUNT]
    for k in range(gaps.shape[0]):
        gap, row, stands = gaps[k], p[k], may[k, first : first + width]
        for i in range(width):
            inside = gap[i] == _ZERO if of_ties else stands[i] != 0
            row[i] = _ONE / number[i] if inside else _ZERO


@jit
def _find_loss(uniform: bool, may: Any, first: int, width: int, gaps: Any, p: Any, rows: Any) -> None:
    """sum p gap, or sum may gap for `uniform`, into the row LOSS."""
    cost = rows[SPARE]
    for k in range(gaps.shape[0]):
        gap, row, stands = gaps[k], p[k], may[k, first : first + width]
        for i in range(width):
            cost[i] = min(gap[i], LARGE) * (np.float32(stands[i]) if uniform else row[i])
        _add_striped(cost, k, gaps.shape[0], width, rows, LOSS)


@jit
def _thompson_grid(spreads: Any, first: int, width: int, gaps: Any, rows: Any) -> None:
    """`thompson.grid` into the rows LOW, ABOVE and RATIO."""
    low, above, ratio, high = rows[LOW], rows[ABOVE], rows[RATIO], rows[SPARE]
    low[:], high[:], above[:] = _MINUS_INF, _MINUS_INF, FAR
    for k in range(spreads.shape[0]):
        spread, gap = spreads[k, first : first + width], gaps[k]
        for i in range(width):
            wide = spread[i] * REACH
            low[i] = max(low[i], -(gap[i] + wide))
            high[i] = max(high[i], -(gap[i] - wide))
    for k in range(spreads.shape[0]):
        spread, gap = spreads[k, first : first + width], gaps[k]
        for i in range(width):
            reaches = spread[i] * REACH - gap[i] > low[i]
            above[i] = min(above[i], spread[i] if reaches else FAR)
    for i in range(width):
        above[i] = START * above[i]
        ratio[i] = (high[i] - low[i]) / above[i]
    for _ in range(HALVINGS):
        for i in range(width):
            ratio[i] = np.sqrt(ratio[i])


@jit
def _thompson(
    spreads: Any, first: int, width: int, gaps: Any, p: Any, more: Any, more_bits: Any, rows: Any, row_bits: Any
) -> None:
    low, above, ratio, z = rows[LOW], rows[ABOVE], rows[RATIO], rows[SPARE]
    product, tail, total = rows[SCALE], rows[EDGE], rows[OTHERS]
    _thompson_grid(spreads, first, width, gaps, rows)
    p[:] = _ZERO
    for _ in range(NODES):
        product[:] = _ONE
        for k in range(spreads.shape[0]):
            spread, gap, density = spreads[k, first : first + width], gaps[k], more[k]
            sign = rows[STRIPED]
            for i in range(width):
                value = (gap[i] + (low[i] + above[i])) / spread[i]
                sign[i] = np.copysign(_ONE, value)
                z[i] = abs(value)
            _bells(z, width, rows[WHOLE], row_bits[WHOLE], density, more_bits[k])
            _tails_of(density, z, width, tail)
            for i in range(width):
                below = (sign[i] + _ONE) * _HALF_ONE - tail[i] * sign[i]
                density[i] = density[i] / below
                product[i] *= below
        for i in range(width):
            product[i] *= above[i]
            above[i] *= ratio[i]
        for k in range(spreads.shape[0]):
            row, density = p[k], more[k]
            for i in range(width):
                row[i] += density[i] * product[i]
    total[:] = _ZERO
    for k in range(spreads.shape[0]):
        row, spread = p[k], spreads[k, first : first + width]
        for i in range(width):
            row[i] /= spread[i]
            total[i] += row[i]
    for k in range(spreads.shape[0]):
        row = p[k]
        for i in range(width):
            row[i] /= total[i]


@jit
def _hold_cap(
    floor: Any, caps: Any, may: Any, first: int, width: int, gaps: Any, p: Any, rows: Any
) -> None:
    loss, forced, count, tied, kept = rows[LOSS], rows[OTHERS], rows[COUNT], rows[TIED], rows[SPARE]
    _find_loss(True, may, first, width, gaps, p, rows)
    for i in range(width):
        forced[i] = floor * loss[i] / count[i]
    _find_loss(False, may, first, width, gaps, p, rows)
    for i in range(width):
        left = max(caps[first + i] - forced[i], _ZERO)
        lost = (_ONE - floor) * loss[i]
        kept[i] = left / lost if lost > left else _ONE
    for k in range(gaps.shape[0]):
        gap, row = gaps[k], p[k]
        for i in range(width):
            row[i] = row[i] * kept[i] + ((_ONE - kept[i]) / tied[i] if gap[i] == _ZERO else _ZERO)


@jit
def _hold_floor(floor: Any, may: Any, first: int, width: int, p: Any, rows: Any) -> None:
    count = rows[COUNT]
    most = _ONE - floor
    for k in range(p.shape[0]):
        row, stands = p[k], may[k, first : first + width]
        for i in range(width):
            row[i] = row[i] * most + np.float32(stands[i]) * (floor / count[i])


@jit
def _tile(
    means: Any, spreads: Any, may: Any, first: int, width: int, how: Any, caps: Any, work: Any, bits: Any
) -> None:
    """Probabilities of one tile, float32[K, TILE] from row ROWS of `work` on; `how` is (kind, gamma, floor)."""
    options = means.shape[0]
    rows, row_bits = work[:ROWS], bits[:ROWS]
    p, p_bits = work[ROWS : ROWS + options], bits[ROWS : ROWS + options]
    gaps = work[ROWS + options : ROWS + 2 * options]
    more, more_bits = work[ROWS + 2 * options :], bits[ROWS + 2 * options :]
    kind, gamma, floor = how
    _find_gaps(means, may, first, width, gaps, rows)
    if len(spreads):
        _find_widest(spreads, first, width, gaps, rows)
    if kind == GAUSSIAN_GAP:
        _gaussian_gap(spreads, first, width, gaps, p, p_bits, rows, row_bits)
        _share_rest(width, gaps, p, rows)
    elif kind == INVERSE_GAP:
        _inverse_gap(gamma, width, gaps, p, rows)
        _share_rest(width, gaps, p, rows)
    elif kind == THOMPSON:
        _thompson(spreads, first, width, gaps, p, more, more_bits, rows, row_bits)
    else:
        _evenly(kind == GREEDY, may, first, width, gaps, p, rows)
    if len(caps):
        _hold_cap(floor, caps, may, first, width, gaps, p, rows)
    if floor > _ZERO:
        _hold_floor(floor, may, first, width, p, rows)


@jit
def _draw(p: Any, uniform: Any, first: int, width: int, rows: Any, choice: Any) -> None:
    """Choices of one tile."""
    edge, target, nil = rows[EDGE], rows[SPARE], rows[NIL]
    edge[:] = _ZERO
    for k in range(p.shape[0]):
        row = p[k]
        for i in range(width):
            edge[i] += row[i]
    for i in range(width):
        nil[i] += _ZERO if np.abs(edge[i] - _ONE) < np.float32(1e-4) else _ONE
        target[i] = uniform[first + i] * edge[i]
    edge[:] = _ZERO
    chosen = rows[WHOLE]
    chosen[:] = _ZERO
    for k in range(p.shape[0]):
        row = p[k]
        for i in range(width):
            edge[i] += row[i]
            chosen[i] += _ONE if edge[i] < target[i] else _ZERO
    for i in range(width):
        choice[first + i] = min(int(chosen[i]), p.shape[0] - 1)


@jit
def _choose(
    means: Any, spreads: Any, may: Any, how: Any, caps: Any, work: Any, bits: Any, uniform: Any, choice: Any,
    outs: Any,
) -> bool:
    """Fills choice intp[B] and outs float32[6, B] in the order of `Chosen`."""
    options, columns = means.shape
    rows, p = work[:ROWS], work[ROWS : ROWS + options]
    fine = True
    for first in range(0, columns, TILE):
        width = min(TILE, columns - first)
        _tile(means, spreads, may, first, width, how, caps, work, bits)
        if len(caps):
            gaps = work[ROWS + options : ROWS + 2 * options]
            _find_loss(False, may, first, width, gaps, p, rows)
        if len(uniform):
            _draw(p, uniform, first, width, rows, choice)
        for i in range(width):
            fine &= rows[NIL, i] == _ZERO
            k, column = choice[first + i], first + i
            outs[0, column] = p[k, i]
            outs[1, column] = means[k, column]
            outs[2, column] = rows[BEST, i]
            outs[5, column] = rows[LOSS, i]
            if len(spreads):
                outs[3, column] = spreads[k, column]
                outs[4, column] = rows[WIDEST, i]
    return fine


@jit
def _best(table: Any, variances: Any, may: Any, value: Any, variance: Any) -> None:
    channels, cells, columns = table.shape
    for first in range(0, columns, TILE):
        width = min(TILE, columns - first)
        for c in range(channels):
            best, wide = value[c, first : first + width], variance[c, first : first + width]
            best[:], wide[:] = _MINUS_INF, _ZERO
            for cell in range(cells):
                row, stands = table[c, cell, first : first + width], may[c, cell, first : first + width]
                spread = variances[c, cell]
                for i in range(width):
                    mean = row[i] if stands[i] else _MINUS_INF
                    tied = max(wide[i], spread) if mean == best[i] else wide[i]
                    wide[i] = spread if mean > best[i] else tied
                    best[i] = max(best[i], mean)


@jit
def _below(table: Any, variances: Any, may: Any, channel: Any, means: Any, spread: Any, stands: Any) -> None:
    cells, columns = means.shape
    some = np.zeros(columns, dtype=np.uint8)
    for cell in range(cells):
        mean, wide, stand = means[cell], spread[cell], stands[cell]
        for i in range(columns):
            c = channel[i]
            mean[i] = table[c, cell, i]
            wide[i] = variances[c, cell]
            stand[i] = may[c, cell, i]
            some[i] |= stand[i]
    for i in range(columns):
        stands[0, i] |= some[i] ^ 1


@jit
def _singles(ids: Any, purpose: Any, keys: Any, out: Any) -> None:
    """`draws.singles`: Philox4x32-10 per id and block of four columns."""
    for word in range(0, out.shape[0], 4):
        for i in range(len(ids)):
            a, b, c, d = ids[i] & LOW_WORD, ids[i] >> SHIFT, purpose, np.uint64(word // 4)
            for turn in range(keys.shape[0]):
                left, right = a * MULTIPLIERS[0], c * MULTIPLIERS[1]
                a, b = (right >> SHIFT) ^ b ^ keys[turn, 0], right & LOW_WORD
                c, d = (left >> SHIFT) ^ d ^ keys[turn, 1], left & LOW_WORD
            out[word, i] = np.float32((np.float64(a) + 0.5) * SCALE)
            if word + 1 < out.shape[0]:
                out[word + 1, i] = np.float32((np.float64(b) + 0.5) * SCALE)
            if word + 2 < out.shape[0]:
                out[word + 2, i] = np.float32((np.float64(c) + 0.5) * SCALE)
            if word + 3 < out.shape[0]:
                out[word + 3, i] = np.float32((np.float64(d) + 0.5) * SCALE)


@jit
def _probabilities(
    means: Any, spreads: Any, may: Any, how: Any, caps: Any, work: Any, bits: Any, out: Any
) -> bool:
    fine = True
    options, columns = means.shape
    rows, p = work[:ROWS], work[ROWS : ROWS + options]
    for first in range(0, columns, TILE):
        width = min(TILE, columns - first)
        _tile(means, spreads, may, first, width, how, caps, work, bits)
        out[:, first : first + width] = p[:, :width]
        for i in range(width):
            fine &= rows[NIL, i] == _ZERO
    return fine


class CompiledKernel:
    def __init__(self) -> None:
        self._scratch = Scratch()

    def probabilities(self, stage: Stage, explorer: Explorer, cap: Singles | None = None) -> Singles:
        out = self._scratch("out", stage.means.shape)
        if not _probabilities(*_arguments(stage, explorer, cap), *self._memory(len(stage.means)), out):
            _refuse(stage)
        return out

    def choose(
        self, stage: Stage, explorer: Explorer, by: Singles | Indices, cap: Singles | None = None
    ) -> Chosen:
        columns = stage.means.shape[1]
        drawn = by.dtype == np.float32
        uniform = by if drawn else np.empty(0, dtype=np.float32)
        choice = np.empty(columns, dtype=np.intp) if drawn else by
        outs = np.empty((6, columns), dtype=np.float32)
        arguments = _arguments(stage, explorer, cap)
        if not _choose(*arguments, *self._memory(len(stage.means)), uniform, choice, outs):
            _refuse(stage)
        spreads = (None, None) if stage.spreads is None else (outs[3], outs[4])
        return Chosen(choice, *outs[:3], *spreads, None if explorer.cap is None else outs[5])

    def best(self, table: Singles, variances: Singles, may: Bits) -> tuple[Singles, Singles]:
        value, variance = np.empty((2, len(table), table.shape[2]), dtype=np.float32)
        _best(table, variances, may, value, variance)
        return value, variance

    def below(
        self, table: Singles, variances: Singles, may: Bits, channel: Indices
    ) -> tuple[Singles, Singles, Bits]:
        shape = table.shape[1:]
        means, spread = np.empty((2, *shape), dtype=np.float32)
        stands = np.empty(shape, dtype=np.uint8)
        _below(table, variances, may, channel, means, spread, stands)
        return means, spread, stands

    def singles(self, seed: int, ids: Ints, stream: Stream, count: int) -> Singles:
        out = np.empty((count, len(ids)), dtype=np.float32)
        keys = round_keys((seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF))
        _singles(ids.view(np.uint64), np.uint64(stream), keys, out)
        return out

    def _memory(self, options: int) -> tuple[Singles, Any]:
        work = self._scratch("work", (ROWS + 3 * options, TILE))
        return work, work.view(np.int32)


def _refuse(stage: Stage) -> NoReturn:
    check(stage.means, stage.spreads)
    raise ProbabilityError(UNEVEN)


def _arguments(stage: Stage, explorer: Explorer, cap: Singles | None) -> tuple[Any, ...]:
    kind = KINDS.index(explorer.kind)
    if kind == INVERSE_GAP and not explorer.gamma:
        kind = UNIFORM
    how = kind, np.float32(explorer.gamma), np.float32(explorer.floor)
    columns = stage.means.shape[1]
    if cap is None:
        cap = np.full(0 if explorer.cap is None else columns, explorer.cap or 0.0, dtype=np.float32)
    spreads = np.empty((0, columns), dtype=np.float32) if stage.spreads is None else stage.spreads
    return stage.means, spreads, stage.may, how, cap
