"""Reply addresses that say which case an answer belongs to: name+k<case>-<code>@host.

The code is 128 bits of HMAC in lower-case letters and digits, since mail servers may change the case of an address.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator

from django.conf import settings

from kulanz.tenancy.scope import creditor_id

_TAG = re.compile(r"\+k(\d{1,18})-([a-z2-7]{26})@")
_LONGEST_NAME = 64


def tagged(address: str, case_id: int) -> str:
    """The address with the case's tag; as it is where the name before the @ would get too long (RFC 5321)."""
    name, _, host = address.rpartition("@")
    long = f"{name}+k{case_id}-{_code(case_id, settings.SECRET_KEY)}"
    return f"{long}@{host}" if len(long) <= _LONGEST_NAME else address


def case_of(addresses: Iterable[str]) -> int | None:
    """The case of the creditor in scope that a genuine tag in lower-case `addresses` names; retired secrets count."""
    for address in addresses:
        for found in _TAG.finditer(address):
            case_id, code = int(found[1]), found[2]
            if any(hmac.compare_digest(_code(case_id, secret), code) for secret in _secrets()):
                return case_id
    return None


def _secrets() -> Iterator[str]:
    yield settings.SECRET_KEY
    yield from map(str, settings.SECRET_KEY_FALLBACKS)


def _code(case_id: int, secret: str) -> str:
    key = hashlib.sha256(b"kulanz reply address\0" + secret.encode()).digest()
    digest = hmac.digest(key, f"{creditor_id()}:{case_id}".encode(), "sha256")[:16]
    return base64.b32encode(digest).decode().rstrip("=").lower()
