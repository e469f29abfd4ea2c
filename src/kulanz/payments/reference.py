"""The creditor reference (ISO 11649) that a customer writes on a transfer."""

from stdnum import iso11649
from stdnum.iso7064 import mod_97_10

from kulanz.kernel.errors import InputError

_DIGITS = 10


def reference(case_id: int) -> str:
    """The case's reference, 14 or more characters without spaces: RF, two check digits and the case id."""
    body = f"{case_id:0{_DIGITS}d}"
    return f"RF{mod_97_10.calc_check_digits(body + 'RF')}{body}"


def spaced(reference: str) -> str:
    """In blocks of four, as people read it."""
    return str(iso11649.format(reference))


def case_of(text: str) -> int:
    """The case id in a reference, spaces and lower case allowed; raises InputError for a wrong one."""
    if not iso11649.is_valid(text):
        raise InputError(f"{text!r} is not a valid creditor reference: its check digits do not fit.")
    body = str(iso11649.compact(text))[4:]
    if not body.isdecimal():
        raise InputError(f"{text!r} is a creditor reference of another system.")
    return int(body)
