"""The standard normal in single precision, from additions, multiplications, divisions and integer shifts
alone.

These are rounded the same way everywhere (IEEE 754), so stored scores lead to the same draw on every
processor, and in the compiled kernel as in NumPy; the exp of a library differs in its last bits.
"""

import numpy as np

from kulanz.engine.arrays import Singles
from kulanz.engine.exploring.scratch import Scratch


def _single(*coefficients: float) -> tuple[np.float32, ...]:
    return tuple(np.float32(c) for c in coefficients)


LEAN = np.float32(0.28)
TAIL = _single(
    0.025919641408390728,
    -0.09832430786301655,
    0.10007358180623974,
    -0.012977058933393359,
    0.07594164682412348,
    0.08275767539242274,
    0.10321395464091189,
    0.11169084828217352,
    0.11170406389322589,
)
"""Minimax fit of Q(z) exp(z^2/2) / t in t = 1 / (1 + LEAN z), z >= 0, highest power first: 9e-8 relative."""

POWER = _single(
    0.001327647174853119,
    0.009675541332496969,
    0.05550713274252539,
    0.24022119723888688,
    0.693146967064298,
    1.0,
)
"""Minimax fit of 2^f, |f| <= 1/2, highest power first: 8e-8 relative."""

HALF_LOG2_E = np.float32(-0.7213475204444817)
LEAST_POWER = np.float32(-100.0)
"""2^-100 leaves room for what follows: numbers below 1e-38 would be computed a hundred times slower."""
TO_INTEGER = np.float32(12582912.0)
"""1.5 * 2^23: the low bits of its sum with a small number are the nearest integer."""

_ONE = np.float32(1.0)


def bell(z: Singles, scratch: Scratch) -> Singles:
    """exp(-z^2/2), relative error below 1e-6 near the centre and 1e-5 far out; not below 2^-100."""
    x, whole = scratch("power", z.shape), scratch("whole", z.shape)
    np.multiply(z, z, out=x)
    np.multiply(x, HALF_LOG2_E, out=x)
    np.maximum(x, LEAST_POWER, out=x)
    np.add(x, TO_INTEGER, out=whole)
    nearest = scratch("bell", z.shape)
    np.subtract(whole, TO_INTEGER, out=nearest)
    np.subtract(x, nearest, out=x)
    value = _polynomial(POWER, x, nearest)
    exponent = np.left_shift(whole.view(np.int32), 23, out=whole.view(np.int32))
    np.add(value.view(np.int32), exponent, out=value.view(np.int32))
    return value


def upper_tail(z: Singles, scratch: Scratch) -> Singles:
    """Q(z) = P(N > z) for z >= 0 in place (inf gives 0), with the relative error of `bell`."""
    value = bell(z, scratch)
    t, factor = scratch("whole", z.shape), scratch("power", z.shape)
    np.multiply(z, LEAN, out=t)
    np.add(t, _ONE, out=t)
    np.divide(_ONE, t, out=t)
    np.multiply(value, t, out=value)
    return np.multiply(value, _polynomial(TAIL, t, factor), out=z)


def _polynomial(coefficients: tuple[np.float32, ...], x: Singles, out: Singles) -> Singles:
    np.multiply(x, coefficients[0], out=out)
    np.add(out, coefficients[1], out=out)
    for coefficient in coefficients[2:]:
        np.multiply(out, x, out=out)
        np.add(out, coefficient, out=out)
    return out
