"""Columns whose values are texts or words from a closed list."""

import re
from collections.abc import Sequence

from kulanz.intake.problems import Problems, shown
from kulanz.intake.words import meanings, squeezed
from kulanz.kernel.errors import InputError
from kulanz.law.packs import jurisdictions

LENGTHS = {"number": 64, "customer_number": 64, "name": 200, "email": 254, "postal_code": 12, "product": 100}
"""Most characters that are stored of a text."""
_NEEDED = ("number", "customer_number", "name")
_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]{2,}")
_SHORTENED = re.compile(r"\d([.,]\d+)?E\+\d+", re.IGNORECASE)
_CHOICES = {"kind": "invoice or credit note", "customer_kind": "person or business"}


def read_codes(
    field: str, values: Sequence[str], standard: str, rows: Sequence[int], problems: Problems
) -> list[str]:
    """The code that each value means, `standard` for an empty one; raises InputError for an unknown standard."""
    if standard and code_of(field, standard) != standard:
        raise InputError(f"{standard!r} is not a {_spoken(field)} known here; {_expected(field)}.")
    known = {value: code_of(field, value) if value else standard for value in dict.fromkeys(values)}
    unknown = {value for value, code in known.items() if value and not code}
    if unknown:
        faults = {
            index: f"{shown(value)!r} is not known; {_expected(field)}"
            for index, value in enumerate(values)
            if value in unknown
        }
        problems.add_faults(field, rows, values, faults)
    return [known[value] for value in values]


def code_of(field: str, value: str) -> str:
    """The code that a written value means ("Deutschland" -> "DE"); empty when it is not known."""
    word = squeezed(re.split("[-_]", value)[0] if field == "language" else value)
    code = meanings(field).get(word, "")
    if field == "jurisdiction" and not code and value.upper() in jurisdictions():
        return value.upper()
    return code


def check_texts(field: str, values: Sequence[str], rows: Sequence[int], problems: Problems) -> None:
    """Report texts that are missing, too long or of the wrong form."""
    faults = {index: fault for index, value in enumerate(values) if (fault := _text_fault(field, value))}
    problems.add_faults(field, rows, values, faults)


def _text_fault(field: str, value: str) -> str:
    if not value:
        return f"the {_spoken(field)} is empty" if field in _NEEDED else ""
    if len(value) > LENGTHS[field]:
        return f"it has {len(value)} characters; the limit is {LENGTHS[field]}"
    if field == "email" and not _EMAIL.fullmatch(value):
        return f"{shown(value)!r} is not an e-mail address"
    if field in ("number", "customer_number") and _SHORTENED.fullmatch(value):
        return (
            f"a spreadsheet has shortened this number to {value}; format the column as text and export anew"
        )
    return ""


def _spoken(field: str) -> str:
    return field.replace("_", " ")


def _expected(field: str) -> str:
    if field == "jurisdiction":
        return f"write one of {', '.join(jurisdictions())}"
    return f"write {_CHOICES[field]}" if field in _CHOICES else "write its ISO code"
