"""Compiled: draws and tables, block by block."""

from typing import Any

import numpy as np

from kulanz.engine.compiled_tile import BEST, EDGE, LOSS, NIL, ROWS, SPARE, TILE, WHOLE, WIDEST, weigh
from kulanz.engine.draws import LOW_WORD, MULTIPLIERS, SCALE, SHIFT
from kulanz.engine.jit import jit

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
_NEARLY = np.float32(1e-4)
_MINUS_INF = np.float32(-np.inf)


@jit
def draw(p: Any, uniform: Any, first: int, width: int, rows: Any, choice: Any) -> None:
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
def report(
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
    """A block (means, spreads, may), tile by tile: fills choice intp[B] where there are numbers to draw with, outs
    float32[6, B] in the order of `Chosen` where there are choices, table float32[K, B] with the probabilities
    where it has rows. Spreads and caps have no rows where there are none.

    False where an input is not finite or probabilities do not sum to 1.
    """
    means, spreads, _ = block
    options, columns = means.shape
    rows, p = memory[0][:ROWS], memory[0][ROWS : ROWS + options]
    fine = True
    for first in range(0, columns, TILE):
        width = min(TILE, columns - first)
        weigh(block, first, width, how, caps, memory)
        if len(uniform):
            draw(p, uniform, first, width, rows, choice)
        if len(choice):
            report(means, spreads, first, width, p, rows, choice, outs)
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
