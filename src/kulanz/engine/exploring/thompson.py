"""The chance of being the best under independent normals: Thompson sampling with its propensities."""

import numpy as np
from numpy.typing import NDArray

from kulanz.engine.arrays import Singles
from kulanz.engine.exploring.normal import bell, upper_tail
from kulanz.engine.exploring.scratch import Scratch

HALVINGS = 6
"""The grid has 2^6 steps: their ratio takes square roots alone, which are rounded alike everywhere."""

REACH = np.float32(6.0)
START = np.float32(0.5)
_HALF, _ONE = np.float32(0.5), np.float32(1.0)
FAR = np.float32(1e30)


def best_of_normals(gaps: Singles, spreads: Singles, may: NDArray[np.uint8], scratch: Scratch) -> Singles:
    """p_a = integral of density_a(x) prod_{b != a} Phi_b(x) dx, float32[K, B]; 0 where may uint8[K, B] is 0
    (the gap is inf there).

    Means are -gaps. No x below low = max_a (mean_a - 6 s_a) matters, and whatever matters of an option of
    spread s lies within 12 s above it, so a grid that grows geometrically from `low` resolves wide and narrow
    options alike: the trapezoidal rule in log(x - low). Error below 1e-5 while the spreads of the options
    that reach `low` differ by less than a factor of 1,000. Columns are scaled to sum to 1.
    """
    low, above, ratio = _grid(gaps, spreads, scratch)
    p: Singles = scratch("p", gaps.shape)
    z: Singles = scratch("z", gaps.shape)
    p[...] = 0.0
    for _ in range(2**HALVINGS + 1):
        np.add(gaps, low + above, out=z)
        np.divide(z, spreads, out=z)
        np.add(p, _density_of_best(z, above, scratch), out=p)
        above *= ratio
    np.divide(p, spreads, out=p)
    np.multiply(p, may, out=p)
    np.divide(p, np.add.reduce(p, axis=0), out=p)
    return p


def _grid(gaps: Singles, spreads: Singles, scratch: Scratch) -> tuple[Singles, Singles, Singles]:
    """float32[B] each: where the grid starts, its first step above that, and how each step grows."""
    wide = np.multiply(spreads, REACH, out=scratch("z", gaps.shape))
    low = -np.minimum.reduce(gaps + wide, axis=0)
    high = -np.minimum.reduce(gaps - wide, axis=0)
    within = np.where(wide - gaps > low, spreads, FAR)
    first = START * np.minimum.reduce(within, axis=0)
    ratio = (high - low) / first
    for _ in range(HALVINGS):
        ratio = np.sqrt(ratio)
    return low, first, ratio


def _density_of_best(z: Singles, weight: Singles, scratch: Scratch) -> Singles:
    """weight prod Phi(z_b) phi(z_a) / Phi(z_a), without the constant; every Phi is at least Phi(-6)."""
    above = np.copysign(_ONE, z, out=scratch("above", z.shape))
    np.abs(z, out=z)
    density: Singles = scratch("density", z.shape)
    density[...] = bell(z, scratch)
    below = upper_tail(z, scratch)
    np.multiply(below, above, out=below)
    np.add(above, _ONE, out=above)
    np.multiply(above, _HALF, out=above)
    np.subtract(above, below, out=below)
    np.divide(density, below, out=density)
    np.multiply(density, np.multiply.reduce(below, axis=0) * weight, out=density)
    return density
