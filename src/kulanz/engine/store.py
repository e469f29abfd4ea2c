"""One blob of named arrays and a JSON header, and the file that holds it; nothing in it is ever executed.

Layout: magic, length of the compressed body (8 bytes, little endian), SHA-256 of the compressed body, the
compressed body. The body is a zlib stream of: length of the header (8 bytes), header (JSON: format, meta,
arrays), the arrays' bytes one after the other. Format 1 has floats only, format 2 whole numbers and truth
values as well; both are read.

The version is the hash of the body before compression, because two zlib libraries may squeeze the same body
into different bytes.
"""

import hashlib
import json
import os
import tempfile
import zlib
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kulanz.kernel.errors import InputError

MAGIC = b"KULANZ-POLICY\n"
FORMAT = 2
MAX_BYTES = 1 << 30
SUFFIX = ".kulanz"
_KINDS = ("<f8", "<f4", "<i8", "<i4", "|b1")
_START = len(MAGIC) + 40
_DAMAGED = "The policy file is damaged; load another copy or the version before it."


class PolicyFileError(InputError):
    """The bytes are no policy of this version of Kulanz, or the file cannot be read or written."""


def pack(meta: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> bytes:
    """Equal content gives equal bytes. Raises InputError for arrays of other kinds than `_KINDS`."""
    index, parts = [], []
    for name, array in sorted(arrays.items()):
        kind = array.dtype.newbyteorder("<").str
        if kind not in _KINDS:
            raise InputError(f"A policy cannot store the array {name} of type {array.dtype}.")
        index.append({"name": name, "kind": kind, "shape": list(array.shape)})
        parts.append(np.ascontiguousarray(array, dtype=kind).tobytes())
    header = json.dumps({"format": FORMAT, "meta": meta, "arrays": index}, sort_keys=True).encode()
    squeezed = zlib.compress(b"".join([len(header).to_bytes(8, "little"), header, *parts]), 1)
    digest = hashlib.sha256(squeezed).digest()
    return MAGIC + len(squeezed).to_bytes(8, "little") + digest + squeezed


def unpack(blob: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Raises PolicyFileError for what is damaged, too large, or written by a newer version."""
    body = _body(blob)
    length = int.from_bytes(body[:8], "little")
    try:
        header = json.loads(body[8 : 8 + length])
        found, meta, index = header["format"], header["meta"], header["arrays"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise PolicyFileError(_DAMAGED) from error
    sound = isinstance(found, int) and found > 0 and isinstance(meta, dict) and isinstance(index, list)
    if not sound:
        raise PolicyFileError(_DAMAGED)
    if found > FORMAT:
        raise PolicyFileError(
            f"The policy file has format {found}, this Kulanz reads up to {FORMAT}; update Kulanz."
        )
    return meta, _arrays(index, memoryview(body)[8 + length :])


def version_of(blob: bytes) -> str:
    """Short hash of what `pack` was given; raises PolicyFileError for a damaged blob."""
    return hashlib.sha256(_body(blob)).hexdigest()[:12]


def save(blob: bytes, folder: Path | str) -> Path:
    """Write what `pack` gave as `policy-<version>.kulanz`: the whole file or none, and never half of it.

    A file of the same version is replaced by the same content. Raises PolicyFileError when the blob is no
    policy or the folder cannot be written.
    """
    path = Path(folder) / _name(blob)
    try:
        _replace(path, blob)
    except OSError as error:
        raise PolicyFileError(f"The policy cannot be written to {folder}: {error.strerror}.") from error
    return path


def load(path: Path | str) -> bytes:
    """The blob that `save` wrote.

    Raises PolicyFileError when the file cannot be read, is too large, damaged, no policy, newer than this
    Kulanz, or does not hold the version that its name says.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PolicyFileError(_too_large())
        blob = path.read_bytes()
    except OSError as error:
        raise PolicyFileError(f"The policy file {path} cannot be read: {error.strerror}.") from error
    unpack(blob)
    if path.name != _name(blob):
        raise PolicyFileError(
            f"The policy file {path.name} holds {_name(blob)}; it was renamed or exchanged. Give it that name."
        )
    return blob


def _body(blob: bytes) -> bytes:
    if not blob.startswith(MAGIC):
        raise PolicyFileError("This is not a policy file; choose one that Kulanz has written.")
    size = int.from_bytes(blob[len(MAGIC) : len(MAGIC) + 8], "little")
    digest, squeezed = blob[len(MAGIC) + 8 : _START], blob[_START:]
    if len(squeezed) != size or hashlib.sha256(squeezed).digest() != digest:
        raise PolicyFileError(_DAMAGED)
    opener = zlib.decompressobj()
    try:
        body = opener.decompress(squeezed, MAX_BYTES)
    except zlib.error as error:
        raise PolicyFileError(_DAMAGED) from error
    if not opener.eof:
        raise PolicyFileError(_too_large() if len(body) == MAX_BYTES else _DAMAGED)
    if opener.unused_data:
        raise PolicyFileError(_DAMAGED)
    return body


def _arrays(index: list[Any], data: memoryview) -> dict[str, NDArray[Any]]:
    out: dict[str, NDArray[Any]] = {}
    start = 0
    for item in index:
        name, kind, shape = _entry(item)
        end = start + prod(shape) * np.dtype(kind).itemsize
        if name in out or end > len(data):
            raise PolicyFileError(_DAMAGED)
        flat = np.frombuffer(data[start:end], dtype=np.uint8 if kind == "|b1" else kind)
        try:
            out[name] = (flat != 0 if kind == "|b1" else flat.copy()).reshape(shape)
        except (ValueError, OverflowError) as error:
            raise PolicyFileError(_DAMAGED) from error
        start = end
    if start != len(data):
        raise PolicyFileError(_DAMAGED)
    return out


def _entry(item: Any) -> tuple[str, str, list[int]]:
    if not isinstance(item, dict) or set(item) != {"name", "kind", "shape"}:
        raise PolicyFileError(_DAMAGED)
    name, kind, shape = item["name"], item["kind"], item["shape"]
    if kind not in _KINDS:
        raise PolicyFileError(f"The policy file holds an unknown kind of array: {kind}.")
    whole = isinstance(shape, list) and all(type(size) is int and size >= 0 for size in shape)
    if not isinstance(name, str) or not whole or len(shape) > 32:
        raise PolicyFileError(_DAMAGED)
    return name, kind, shape


def _name(blob: bytes) -> str:
    return f"policy-{version_of(blob)}{SUFFIX}"


def _too_large() -> str:
    return f"The policy file is larger than {MAX_BYTES} bytes; it was not made by Kulanz."


def _replace(path: Path, blob: bytes) -> None:
    """Under another name first: whoever looks at `path` sees the old file or the whole new one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".policy-")
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(blob)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Make the new name survive a power cut as well; only POSIX can open a folder for that."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
