"""Bytes of unknown origin -> text, saying which encoding they were read in."""

import codecs
import re
from dataclasses import dataclass

from kulanz.kernel.errors import InputError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_TEXT = (
    (b"PK\x03\x04", "an Excel workbook or a ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word document"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)
_SAMPLE = 4_096
_NUL_SHARE_OF_UTF16 = 0.2
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_MAX_CONTROL_SHARE = 0.01
_NOT_ASCII = re.compile("[^\x00-\x7f]")
_DAMAGE = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class Decoded:
    """`damaged` text keeps single bytes that are not UTF-8 as lone surrogates, so that their rows can be named."""

    text: str
    encoding: str
    damaged: bool = False


def decode(content: bytes, encoding: str = "") -> Decoded:
    """Text of `content`, in `encoding` or in the one it appears to have.

    Tried in turn: byte order mark, UTF-16 without one, UTF-8, UTF-8 with a few damaged bytes, Windows-1252,
    Latin-1. Raises InputError for what is not text.
    """
    for magic, what in _NOT_TEXT:
        if content.startswith(magic):
            raise InputError(
                f"This is {what}, not a CSV file. Save the table as 'CSV UTF-8' and import that."
            )
    decoded = _forced(content, encoding) if encoding else _guessed(content)
    controls = len(_CONTROL.findall(decoded.text, 0, 1_000_000))
    if "\x00" in decoded.text or controls > _MAX_CONTROL_SHARE * min(len(decoded.text), 1_000_000):
        raise InputError(
            "This is not a text file: it is full of control characters. Save the table as 'CSV UTF-8'."
        )
    return decoded


def has_damage(text: str) -> bool:
    """Whether bytes stood here that are not UTF-8."""
    return _DAMAGE.search(text) is not None


def readable(text: str) -> str:
    """The text with a replacement character for each damaged byte."""
    return _DAMAGE.sub("\ufffd", text)


def _forced(content: bytes, encoding: str) -> Decoded:
    try:
        return Decoded(content.decode(encoding).removeprefix("\ufeff"), encoding)
    except LookupError:
        raise InputError(
            f"The mapping names the unknown encoding {encoding!r}; write utf-8, cp1252 or utf-16."
        ) from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"The file is not {encoding}, as its mapping says: byte {error.start} does not fit. "
            "Remove the line 'encoding' from the mapping to let it be found out."
        ) from None


def _guessed(content: bytes) -> Decoded:
    name = next((name for mark, name in _MARKS if content.startswith(mark)), "") or _utf16_without_mark(
        content
    )
    if name:
        return _forced(content, name)
    try:
        return Decoded(content.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        return _eight_bit(content)


def _utf16_without_mark(content: bytes) -> str:
    sample = content[:_SAMPLE]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) <= _NUL_SHARE_OF_UTF16 * len(sample) or min(even, odd) > max(even, odd) / 10:
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _eight_bit(content: bytes) -> Decoded:
    utf8 = content.decode("utf-8", errors="surrogateescape")
    broken = len(_DAMAGE.findall(utf8))
    whole = len(_NOT_ASCII.findall(utf8)) - broken
    if whole > broken:
        return Decoded(utf8, "utf-8", damaged=True)
    for name in ("cp1252", "latin-1"):
        try:
            return Decoded(content.decode(name), name)
        except UnicodeDecodeError:
            continue
    raise AssertionError("latin-1 decodes every byte")
