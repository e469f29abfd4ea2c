"""Who stays on the plain ladder for good, so that the policy's lift can be measured."""

import hashlib

from kulanz.engine.arrays import Bools, Ints
from kulanz.engine.draws import Stream, uniforms
from kulanz.kernel.errors import InputError


def in_holdout(ids: Ints, share: float, salt: str) -> Bools:
    """bool[n], fixed by hash of (salt, id); who is in at one share is also in at every larger one."""
    if not 0.0 <= share <= 1.0:
        raise InputError(f"The holdout's share must lie within 0 and 1, not be {share}.")
    seed = int.from_bytes(hashlib.sha256(salt.encode()).digest()[:8], "little")
    return uniforms(seed, ids, Stream.HOLDOUT, 1)[:, 0] < share
