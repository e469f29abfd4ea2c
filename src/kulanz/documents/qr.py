"""GiroCode: the EPC069-12 QR code (version 002) from which a banking app fills in a SEPA transfer."""

import io
from dataclasses import dataclass
from typing import Literal

import segno
from schwifty import BIC, IBAN
from schwifty.exceptions import SchwiftyException
from stdnum import iso11649

from kulanz.kernel.errors import InputError
from kulanz.kernel.money import Money

Charset = Literal["utf-8", "iso-8859-1"]
_CHARSET_CODE: dict[Charset, str] = {"utf-8": "1", "iso-8859-1": "2"}
MAX_BYTES = 331
MAX_VERSION = 13
MAX_CENTS = 99_999_999_999


@dataclass(frozen=True, slots=True)
class Transfer:
    """A SEPA transfer. Either `reference` (ISO 11649, RF...) or free `text` of up to 140 characters, or neither."""

    name: str
    iban: str
    amount: Money
    reference: str = ""
    text: str = ""
    bic: str = ""
    purpose: str = ""


def payload(transfer: Transfer, charset: Charset = "utf-8") -> bytes:
    """What the code contains, lines parted by LF; raises InputError where EPC069-12 would be broken."""
    lines = [
        "BCD",
        "002",
        _CHARSET_CODE[charset],
        "SCT",
        _bic(transfer.bic),
        _name(transfer.name),
        _iban(transfer.iban),
        _amount(transfer.amount),
        _purpose(transfer.purpose),
        _reference(transfer.reference),
        _text(transfer.text),
    ]
    if transfer.reference and transfer.text:
        raise InputError("A transfer carries a creditor reference or a text, not both.")
    try:
        data = "\n".join(lines).rstrip("\n").encode(charset)
    except UnicodeEncodeError:
        raise InputError(f"The transfer has characters that {charset} cannot write; use utf-8.") from None
    if len(data) > MAX_BYTES:
        raise InputError(
            f"The transfer takes {len(data)} bytes, a GiroCode holds {MAX_BYTES}: shorten the text."
        )
    return data


def svg(transfer: Transfer, *, title: str = "GiroCode", charset: Charset = "utf-8") -> str:
    """The code as an SVG element for a page: error correction M, dark on white with the quiet zone of 4 modules.

    It scales to the width of its box. Raises InputError as `payload` does.
    """
    code = segno.make(payload(transfer, charset), error="m", boost_error=False, micro=False)
    if not isinstance(code.version, int) or code.version > MAX_VERSION:
        raise InputError("The transfer is too long for a GiroCode: shorten the text.")
    out = io.BytesIO()
    code.save(
        out, kind="svg", xmldecl=False, svgns=True, nl=False, omitsize=True, border=4,
        dark="#000", light="#fff", title=title, svgclass="girocode", lineclass=None,
    )  # fmt: skip
    return out.getvalue().decode()


def _name(name: str) -> str:
    clean = _one_line(name, "name")
    if not 0 < len(clean) <= 70:
        raise InputError("The account holder's name must have 1 to 70 characters.")
    return clean


def _iban(iban: str) -> str:
    try:
        return str(IBAN(iban))
    except SchwiftyException as error:
        raise InputError(f"The IBAN {iban!r} is not valid: {error}") from None


def _bic(bic: str) -> str:
    if not bic:
        return ""
    try:
        return str(BIC(bic))
    except SchwiftyException as error:
        raise InputError(f"The BIC {bic!r} is not valid: {error}") from None


def _amount(amount: Money) -> str:
    if amount.currency != "EUR":
        raise InputError(f"A GiroCode carries euros only, not {amount.currency}.")
    if not 1 <= amount.minor <= MAX_CENTS:
        raise InputError("A GiroCode carries from 0.01 to 999,999,999.99 euros.")
    return f"EUR{amount.decimal:.2f}"


def _purpose(purpose: str) -> str:
    if purpose and not (len(purpose) <= 4 and purpose.isascii() and purpose.isalnum()):
        raise InputError("A purpose code has up to 4 letters or digits, such as GDDS.")
    return purpose.upper()


def _reference(reference: str) -> str:
    if not reference:
        return ""
    if not iso11649.is_valid(reference):
        raise InputError(f"{reference!r} is not a valid creditor reference (ISO 11649).")
    return str(iso11649.compact(reference))


def _text(text: str) -> str:
    clean = _one_line(text, "text")
    if len(clean) > 140:
        raise InputError("The text of a transfer has at most 140 characters.")
    return clean


def _one_line(value: str, what: str) -> str:
    if any(ord(character) < 32 for character in value):
        raise InputError(f"The {what} of a transfer must be on one line.")
    return value.strip()
