"""The loops of the compiled kernel: a tile of cases as in `explore`, `normal` and `thompson`, then whole
blocks.

Cases stand next to each other in memory and every inner loop runs across them, so that the compiler turns it
into vector instructions; operations keep NumPy's order and none are fused, which gives the same bits. All
loops are in one file because numba's files on disk are renewed when this one changes, not when an imported
one does.
"""

from typing import Any

import numpy as np

from kulanz.engine.draws import LOW_WORD, MULTIPLIERS, SCALE, SHIFT
from kulanz.engine.exploring.explore import KINDS, LARGE, STRIPE
from kulanz.engine.exploring.jit import jit
from kulanz.engine.exploring.normal import HALF_LOG2_E, LEAN, LEAST_POWER, POWER, TAIL, TO_INTEGER
from kulanz.engine.exploring.thompson import FAR, HALVINGS, REACH, START

TILE = 128
"""Eight vectors of 16; the rows of a tile stay in the first-level cache."""

GAUSSIAN_GAP, INVERSE_GAP, THOMPSON, GREEDY, UNIFORM = range(len(KINDS))
ROWS = 15
BEST, COUNT, TIED, WIDEST, OTHERS, STRIPED, FACTOR, SPARE, WHOLE, LOSS, EDGE, NIL, LOW, ABOVE, RATIO = range(
    ROWS
)
"""The rows of a tile's working memory. NIL stays 0 while all is finite and sums to 1."""

NODES = 2**HALVINGS + 1
_ZERO, _HALF_ONE, _ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
_MINUS_INF = np.float32(-np.inf)
_NEARLY = np.float32(1e-4)
T0, T1, T2, T3, T4, T5, T6, T7, T8 = TAIL
P0, P1, P2, P3, P4, P5 = POWER


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
    """The second half of `normal.upper_tail`; `out` in memory of its own, or the loop does not vectorise."""
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
def _gaussian_gap(spreads: Any, first: int, width: int, gaps: Any, p: Any, rows: Any, row_bits: Any) -> None:
    widest, odds, z, tail = rows[WIDEST], rows[OTHERS], rows[FACTOR], rows[SPARE]
    options = spreads.shape[0]
    for k in range(options):
        spread, gap, row = spreads[k, first : first + width], gaps[k], p[k]
        for i in range(width):
            z[i] = gap[i] / np.sqrt(spread[i] * spread[i] + widest[i] * widest[i])
        _bells(z, width, rows[WHOLE], row_bits[WHOLE], rows[EDGE], row_bits[EDGE])
        _tails_of(rows[EDGE], z, width, tail)
        for i in range(width):
            row[i] = tail[i] / (_ONE - tail[i])
        _add_striped(row, k, options, width, rows, OTHERS)
    for i in range(width):
        odds[i] = _ONE / odds[i]
    for k in range(options):
        row = p[k]
        for i in range(width):
            row[i] *= odds[i]


@jit
def _inverse_gap(gamma: Any, width: int, gaps: Any, p: Any, more: Any, rows: Any) -> None:
    count, tied, others, share = rows[COUNT], rows[TIED], rows[OTHERS], rows[SPARE]
    for k in range(gaps.shape[0]):
        gap, inverse = gaps[k], more[k]
        for i in range(width):
            inverse[i] = _ONE / (gap[i] * gamma + count[i])
        _add_striped(inverse, k, gaps.shape[0], width, rows, OTHERS)
    for i in range(width):
        share[i] = (_ONE - max(others[i] - tied[i] * (_ONE / count[i]), _ZERO)) / tied[i]
    for k in range(gaps.shape[0]):
        gap, inverse, row = gaps[k], more[k], p[k]
        for i in range(width):
            row[i] = share[i] if gap[i] == _ZERO else inverse[i]


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
def _thompson_node(spreads: Any, first: int, width: int, gaps: Any, densities: Any, working: Any) -> None:
    """Densities times the product of all Phi at one node of the grid; the next node."""
    (ratios, ratio_bits), (rows, row_bits) = densities, working
    low, above, product, sign = rows[LOW], rows[ABOVE], rows[FACTOR], rows[STRIPED]
    z, tail = rows[SPARE], rows[EDGE]
    product[:] = _ONE
    for k in range(len(spreads)):
        spread, gap, ratio = spreads[k, first : first + width], gaps[k], ratios[k]
        for i in range(width):
            value = (gap[i] + (low[i] + above[i])) / spread[i]
            sign[i] = np.copysign(_ONE, value)
            z[i] = abs(value)
        _bells(z, width, rows[WHOLE], row_bits[WHOLE], ratio, ratio_bits[k])
        _tails_of(ratio, z, width, tail)
        for i in range(width):
            below = (sign[i] + _ONE) * _HALF_ONE - tail[i] * sign[i]
            ratio[i] = ratio[i] / below
            product[i] *= below
    for i in range(width):
        product[i] *= above[i]
        above[i] *= rows[RATIO, i]


@jit
def _thompson(
    spreads: Any, may: Any, first: int, width: int, gaps: Any, p: Any, densities: Any, working: Any
) -> None:
    rows = working[0]
    product, total = rows[FACTOR], rows[OTHERS]
    _thompson_grid(spreads, first, width, gaps, rows)
    p[:], total[:] = _ZERO, _ZERO
    for _ in range(NODES):
        _thompson_node(spreads, first, width, gaps, densities, working)
        for k in range(len(spreads)):
            row, ratio = p[k], densities[0][k]
            for i in range(width):
                row[i] += ratio[i] * product[i]
    for k in range(len(spreads)):
        row, spread, stands = p[k], spreads[k, first : first + width], may[k, first : first + width]
        for i in range(width):
            row[i] = row[i] / spread[i] * np.float32(stands[i])
            total[i] += row[i]
    for k in range(len(spreads)):
        row = p[k]
        for i in range(width):
            row[i] /= total[i]


@jit
def _hold_cap(floor: Any, caps: Any, may: Any, first: int, width: int, gaps: Any, p: Any, rows: Any) -> None:
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
def _weigh(block: Any, first: int, width: int, how: Any, caps: Any, memory: Any) -> None:
    """Probabilities of one tile, float32[K, TILE] from row ROWS of the working memory on.

    block: means, spreads, may; how: kind, gamma, floor; memory: float32[ROWS + 3 K, TILE] and its int32 view.
    """
    (means, spreads, may), (kind, gamma, floor), (work, bits) = block, how, memory
    options = len(means)
    rows, row_bits = work[:ROWS], bits[:ROWS]
    p, gaps = work[ROWS : ROWS + options], work[ROWS + options : ROWS + 2 * options]
    more, more_bits = work[ROWS + 2 * options :], bits[ROWS + 2 * options :]
    _find_gaps(means, may, first, width, gaps, rows)
    if len(spreads):
        _find_widest(spreads, first, width, gaps, rows)
    if kind == GAUSSIAN_GAP:
        _gaussian_gap(spreads, first, width, gaps, p, rows, row_bits)
    elif kind == INVERSE_GAP:
        _inverse_gap(gamma, width, gaps, p, more, rows)
    elif kind == THOMPSON:
        _thompson(spreads, may, first, width, gaps, p, (more, more_bits), (rows, row_bits))
    else:
        _evenly(kind == GREEDY, may, first, width, gaps, p, rows)
    if len(caps):
        _hold_cap(floor, caps, may, first, width, gaps, p, rows)
    if floor > _ZERO:
        _hold_floor(floor, may, first, width, p, rows)
    if len(caps):
        _find_loss(False, may, first, width, gaps, p, rows)


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
        nil[i] += _ZERO if np.abs(edge[i] - _ONE) < _NEARLY else _ONE
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
def _report(
    means: Any, spreads: Any, first: int, width: int, p: Any, rows: Any, choice: Any, outs: Any
) -> None:
    for i in range(width):
        k, column = choice[first + i], first + i
        outs[0, column] = p[k, i]
        outs[1, column] = means[k, column]
        outs[2, column] = rows[BEST, i]
        outs[5, column] = rows[LOSS, i]
        if len(spreads):
            outs[3, column] = spreads[k, column]
            outs[4, column] = rows[WIDEST, i]


@jit
def run(
    block: Any, how: Any, caps: Any, memory: Any, uniform: Any, choice: Any, outs: Any, table: Any
) -> bool:
    """A block (means, spreads, may), tile by tile: fills choice intp[B] where there are numbers to draw with,
    outs float32[6, B] in the order of `Chosen` where there are choices, table float32[K, B] with the
    probabilities where it has rows. Spreads and caps have no rows where there are none.

    False where an input is not finite or probabilities do not sum to 1.
    """
    means, spreads, _ = block
    options, columns = means.shape
    rows, p = memory[0][:ROWS], memory[0][ROWS : ROWS + options]
    fine = True
    for first in range(0, columns, TILE):
        width = min(TILE, columns - first)
        _weigh(block, first, width, how, caps, memory)
        if len(uniform):
            _draw(p, uniform, first, width, rows, choice)
        if len(choice):
            _report(means, spreads, first, width, p, rows, choice, outs)
        for k in range(table.shape[0]):
            table[k, first : first + width] = p[k, :width]
        for i in range(width):
            fine &= rows[NIL, i] == _ZERO
    return fine


@jit
def best(table: Any, variances: Any, may: Any, value: Any, variance: Any) -> None:
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
def below(table: Any, variances: Any, may: Any, channel: Any, means: Any, spread: Any, stands: Any) -> None:
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
def singles(ids: Any, purpose: Any, keys: Any, out: Any) -> None:
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
