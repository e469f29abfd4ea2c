"""Counter-based random numbers: Philox4x32-10 (Salmon et al., SC 2011), vectorised over ids.

The key is the seed, the counter is (id, stream, word): a number depends on nothing but these, so a case draws
the same whichever block it stands in and in whatever order the blocks are worked on.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

_WORD = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL = 0x9E3779B9, 0xBB67AE85
_ROUNDS = 10

Words = NDArray[np.uint64]


class Stream(IntEnum):
    """What a random number is for; two purposes never share numbers."""

    DECISION = 1
    HOLDOUT = 2
    CUSTOMER = 3
    PLANT = 4
    REACTION = 5
    BY_ITSELF = 6


def philox4x32(
    counter: tuple[Words, Words, Words, Words], key: tuple[int, int]
) -> tuple[Words, Words, Words, Words]:
    """Ten rounds over four counter words and two key words, each below 2**32 (in uint64 arrays)."""
    a, b, c, d = counter
    for turn in range(_ROUNDS):
        k0 = np.uint64((key[0] + turn * _WEYL[0]) & 0xFFFFFFFF)
        k1 = np.uint64((key[1] + turn * _WEYL[1]) & 0xFFFFFFFF)
        left, right = a * _MULTIPLIERS[0], c * _MULTIPLIERS[1]
        a, b, c, d = (right >> _SHIFT) ^ b ^ k0, right & _WORD, (left >> _SHIFT) ^ d ^ k1, left & _WORD
    return a, b, c, d


def uniforms(seed: int, ids: ArrayLike, stream: Stream, count: int) -> NDArray[np.float64]:
    """float64[n, count], each strictly between 0 and 1, keyed by (seed, id, stream, column)."""
    wide = np.asarray(ids, dtype=np.int64).reshape(-1).view(np.uint64)
    key = seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF
    out = np.empty((len(wide), -(-count // 4) * 4))
    purpose = np.full(len(wide), int(stream), dtype=np.uint64)
    for word in range(out.shape[1] // 4):
        counter = wide & _WORD, wide >> _SHIFT, purpose, np.full(len(wide), word, dtype=np.uint64)
        for column, bits in enumerate(philox4x32(counter, key)):
            out[:, 4 * word + column] = (bits.astype(np.float64) + 0.5) / 2.0**32
    return out[:, :count]
