"""Arrays as the raw bytes and short texts that decisions store, and back."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kulanz.engine import ActionSpace, Allowed
from kulanz.law.vetoes import VetoCode


def row_bytes(table: NDArray[Any]) -> list[bytes]:
    """One little-endian blob per row."""
    table = np.ascontiguousarray(table, dtype=table.dtype.newbyteorder("<"))
    width = table.shape[1] * table.itemsize
    whole = table.tobytes()
    return [whole[at : at + width] for at in range(0, len(whole), width)] if width else [b""] * len(table)


def float_rows(blobs: Iterable[Any], columns: int) -> NDArray[np.float32]:
    """float32[n, columns] from the blobs of `row_bytes`."""
    return np.frombuffer(b"".join(map(bytes, blobs)), dtype="<f4").reshape(-1, columns)


def packed(allowed: Allowed) -> list[bytes]:
    """The bits wait, channel-slot, channel-tone-offer of each row."""
    bits = [allowed.wait[:, None], allowed.channel_slot, allowed.channel_tone_offer]
    return row_bytes(np.packbits(np.concatenate(bits, axis=1), axis=1))


def unpacked(blobs: Iterable[Any], space: ActionSpace) -> Allowed:
    """The tables behind the blobs of `packed`."""
    columns = space.score_columns
    rows = np.frombuffer(b"".join(map(bytes, blobs)), dtype=np.uint8).reshape(-1, -(-columns // 8))
    bits = np.unpackbits(rows, axis=1, count=columns).astype(np.bool_)
    edge = 1 + space.channel_slots
    return Allowed(bits[:, 0].copy(), bits[:, 1:edge].copy(), bits[:, edge:].copy())


def veto_texts(vetoes: Mapping[VetoCode, NDArray[np.bool_]], n: int) -> list[str]:
    """The codes that touched each row, joined by commas."""
    codes = list(vetoes)
    masks = np.zeros(n, dtype=np.int64)
    for at, code in enumerate(codes):
        masks |= vetoes[code].astype(np.int64) << at
    different, inverse = np.unique(masks, return_inverse=True)
    texts = [
        ",".join(code.value for at, code in enumerate(codes) if mask >> at & 1) for mask in different.tolist()
    ]
    return [texts[at] for at in inverse.tolist()]
