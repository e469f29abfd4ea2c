"""Counter-based random numbers: Philox4x32-10 (Salmon et al., SC 2011), vectorised over ids.

The key is the seed, the counter is (id, stream, word): a number depends on nothing but these, so a case draws
the same whichever block it stands in and in whatever order the blocks are worked on.
"""

from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

LOW_WORD = np.uint64(0xFFFFFFFF)
SHIFT = np.uint64(32)
MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL = 0x9E3779B9, 0xBB67AE85
_ROUNDS = 10
SCALE = 2.0**-32
_BLOCK = 8192

Words = NDArray[np.uint64]


class Stream(IntEnum):
    """What a random number is for; two purposes never share numbers."""

    DECISION = 1
    HOLDOUT = 2
    CUSTOMER = 3
    PLANT = 4
    REACTION = 5
    BY_ITSELF = 6
    BUDGET = 7


def philox4x32(
    counter: tuple[Words, Words, Words, Words], key: tuple[int, int]
) -> tuple[Words, Words, Words, Words]:
    """Ten rounds over four counter words and two key words, each below 2**32 (in uint64 arrays)."""
    a, b, c, d = (word.copy() for word in counter)
    left, right = np.empty_like(a), np.empty_like(a)
    for k0, k1 in round_keys(key):
        np.multiply(a, MULTIPLIERS[0], out=left)
        np.multiply(c, MULTIPLIERS[1], out=right)
        np.right_shift(right, SHIFT, out=a)
        np.bitwise_xor(a, b, out=a)
        np.bitwise_xor(a, k0, out=a)
        np.right_shift(left, SHIFT, out=c)
        np.bitwise_xor(c, d, out=c)
        np.bitwise_xor(c, k1, out=c)
        np.bitwise_and(right, LOW_WORD, out=b)
        np.bitwise_and(left, LOW_WORD, out=d)
    return a, b, c, d


def round_keys(key: tuple[int, int]) -> Words:
    """uint64[10, 2]: the two key words of each round."""
    turns = np.arange(_ROUNDS, dtype=np.uint64)[:, None]
    return (np.array(key, dtype=np.uint64) + turns * np.array(_WEYL, dtype=np.uint64)) & LOW_WORD


def uniforms(seed: int, ids: ArrayLike, stream: Stream, count: int) -> NDArray[np.float64]:
    """float64[n, count], each strictly between 0 and 1, keyed by (seed, id, stream, column)."""
    wide = np.asarray(ids, dtype=np.int64).reshape(-1).view(np.uint64)
    out = np.empty((count, len(wide)))
    for first in range(0, len(wide), _BLOCK):
        part = slice(first, first + _BLOCK)
        _fill(seed, wide[part], stream, out[:, part])
    return np.ascontiguousarray(out.T)


def singles(seed: int, ids: ArrayLike, stream: Stream, count: int) -> NDArray[np.float32]:
    """The same numbers as `uniforms`, float32[count, n] within (0, 1]: the uppermost 2**-25 round up to 1."""
    wide = np.asarray(ids, dtype=np.int64).reshape(-1).view(np.uint64)
    out = np.empty((count, len(wide)), dtype=np.float32)
    for first in range(0, len(wide), _BLOCK):
        part = slice(first, first + _BLOCK)
        _fill(seed, wide[part], stream, out[:, part])
    return out


def _fill(seed: int, ids: Words, stream: Stream, out: NDArray[np.floating[Any]]) -> None:
    key = seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF
    purpose = np.full(len(ids), int(stream), dtype=np.uint64)
    for first in range(0, len(out), 4):
        word = np.full(len(ids), first // 4, dtype=np.uint64)
        bits = philox4x32((ids & LOW_WORD, ids >> SHIFT, purpose, word), key)
        for column, words in zip(out[first : first + 4], bits, strict=False):
            number = words.astype(np.float64)
            number += 0.5
            np.multiply(number, SCALE, out=column, casting="same_kind")
