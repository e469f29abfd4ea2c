"""One blob of named arrays and a JSON header; nothing in it is ever executed.

Layout: magic, length of the compressed body (8 bytes, little endian), SHA-256 of the body, body. The body is
a zlib stream of: length of the header (8 bytes), header (JSON: format, meta, arrays), the arrays' bytes one
after the other.
"""

import hashlib
import json
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kulanz.kernel.errors import InputError

MAGIC = b"KULANZ-POLICY\n"
FORMAT = 1
MAX_BYTES = 1 << 30
_KINDS = ("<f8", "<f4")


class PolicyFileError(InputError):
    """The bytes are no policy of this version of Kulanz."""


def pack(meta: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> bytes:
    """Equal content gives equal bytes."""
    index = []
    body = b""
    for name, array in sorted(arrays.items()):
        kind = "<f4" if array.dtype == np.float32 else "<f8"
        index.append({"name": name, "kind": kind, "shape": list(array.shape)})
        body += np.ascontiguousarray(array, dtype=kind).tobytes()
    header = json.dumps({"format": FORMAT, "meta": meta, "arrays": index}, sort_keys=True).encode()
    squeezed = zlib.compress(len(header).to_bytes(8, "little") + header + body, 1)
    digest = hashlib.sha256(squeezed).digest()
    return MAGIC + len(squeezed).to_bytes(8, "little") + digest + squeezed


def unpack(blob: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Raises PolicyFileError for what is damaged, too large, or written by a newer version."""
    if not blob.startswith(MAGIC):
        raise PolicyFileError("This is not a policy file; choose one that Kulanz has written.")
    at = len(MAGIC)
    size = int.from_bytes(blob[at : at + 8], "little")
    digest, squeezed = blob[at + 8 : at + 40], blob[at + 40 :]
    if len(squeezed) != size or hashlib.sha256(squeezed).digest() != digest:
        raise PolicyFileError("The policy file is damaged; load another copy or the version before it.")
    opener = zlib.decompressobj()
    body = opener.decompress(squeezed, MAX_BYTES)
    if not opener.eof:
        raise PolicyFileError(f"The policy file is larger than {MAX_BYTES} bytes; it was not made by Kulanz.")
    length = int.from_bytes(body[:8], "little")
    header = json.loads(body[8 : 8 + length])
    if header["format"] != FORMAT:
        raise PolicyFileError(
            f"The policy file has format {header['format']}, this Kulanz reads {FORMAT}; update Kulanz."
        )
    return header["meta"], _arrays(header["arrays"], memoryview(body)[8 + length :])


def _arrays(index: list[dict[str, Any]], data: memoryview) -> dict[str, NDArray[Any]]:
    out: dict[str, NDArray[Any]] = {}
    start = 0
    for item in index:
        if item["kind"] not in _KINDS:
            raise PolicyFileError(f"The policy file holds an unknown kind of array: {item['kind']}.")
        count = int(np.prod(item["shape"], dtype=np.int64))
        end = start + count * np.dtype(item["kind"]).itemsize
        out[item["name"]] = np.frombuffer(data[start:end], dtype=item["kind"]).reshape(item["shape"]).copy()
        start = end
    return out
