"""Capability links: whoever holds the token may act for one case, until the link expires or is revoked."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from numpy.typing import NDArray

from kulanz.events.log import record
from kulanz.kernel import clock
from kulanz.kernel.database import insert_columns, reserve_ids, stored_datetime
from kulanz.kernel.errors import KulanzError, NotFoundError
from kulanz.payments.models import PaymentLink
from kulanz.tenancy.scope import creditor_id

_ID_BYTES = 8
_MAC_BYTES = 16
_REVOKED = 2
TOKEN_LENGTH = (_ID_BYTES + _MAC_BYTES) * 4 // 3
OPENED_AGAIN = timedelta(hours=1)
"""Openings of one link within this time count as one."""


class ExpiredError(KulanzError):
    """The link was genuine, but its time is over or it was revoked."""

    def __init__(self, creditor: int, *, revoked: bool) -> None:
        super().__init__("This link has expired. Ask the sender for a new one.")
        self.creditor_id = creditor
        self.revoked = revoked


@dataclass(frozen=True, slots=True)
class OpenLink:
    """What a token gives access to: one case at one creditor."""

    link_id: int
    case_id: int
    creditor_id: int
    opened_lately: bool
    methods: tuple[str, ...] = ()
    """The ways to pay that the page offers, in this order; empty: all."""


def create_block(
    case_ids: NDArray[np.int64], expires_at: datetime, methods: Sequence[tuple[str, ...]] | None = None
) -> NDArray[np.int64]:
    """One link per case of the creditor in scope, inside the caller's transaction; returns their ids.

    `methods`: per case the ways to pay that its page offers, in this order; none or an empty tuple: all.
    """
    ids = reserve_ids(PaymentLink, len(case_ids))
    insert_columns(
        PaymentLink,
        {
            "id": ids,
            "creditor_id": creditor_id(),
            "case_id": case_ids,
            "expires_at": expires_at,
            "revoked_at": None,
            "created_at": clock.now(),
            "opened_at": None,
            "methods": "" if methods is None else [" ".join(each) for each in methods],
        },
    )
    return ids


def token(link_id: int) -> str:
    """32 URL-safe characters: the link's id and 128 bits of HMAC-SHA256 over it."""
    return _token(link_id, settings.SECRET_KEY)


def url(link_id: int) -> str:
    """The address of the customer's page."""
    return f"{settings.PUBLIC_URL}/p/{token(link_id)}/"


def resolve(token: str, *, expired_ok: bool = False) -> OpenLink:
    """What `token` opens; needs no tenant scope, because the token itself says whose it is.

    Raises NotFoundError for a forged or unknown token and ExpiredError for a revoked or, unless `expired_ok`, an
    expired one.
    """
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, case_id, creditor_id, CASE WHEN opened_at > %s THEN 1 ELSE 0 END,"
            " CASE WHEN revoked_at IS NOT NULL THEN 2 WHEN expires_at <= %s THEN 1 ELSE 0 END, methods"
            " FROM payments_paymentlink WHERE id = %s",
            [stored_datetime(now - OPENED_AGAIN), stored_datetime(now), _link_id(token)],
        )
        row = cursor.fetchone()
    if row is None:
        raise NotFoundError("This link is not valid. Check that the whole address was copied.")
    if row[4] > expired_ok:
        raise ExpiredError(row[2], revoked=row[4] == _REVOKED)
    return OpenLink(row[0], row[1], row[2], bool(row[3]), tuple(row[5].split()))


def revoke(link_id: int) -> None:
    """End a link of the creditor in scope now; raises NotFoundError for any other."""
    if not PaymentLink.objects.filter(id=link_id).exists():
        raise NotFoundError("There is no such link.")
    PaymentLink.objects.filter(id=link_id, revoked_at=None).update(revoked_at=clock.now())


def note_opened(link: OpenLink) -> bool:
    """Record that the customer looked at the page, at most once an hour; returns whether it was recorded."""
    if link.opened_lately:
        return False
    now = clock.now()
    with transaction.atomic():
        rows = PaymentLink.objects.filter(id=link.link_id).exclude(opened_at__gt=now - OPENED_AGAIN)
        if not rows.update(opened_at=now):
            return False
        record("link.opened", link.case_id, {"link": link.link_id})
    return True


def _link_id(token: str) -> int:
    """The id inside a genuine token, else 0, which no link has; retired secrets count. Compares in constant time."""
    if len(token) != TOKEN_LENGTH or not token.isascii():
        return 0
    try:
        raw = base64.b64decode(token, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return 0
    link_id = int.from_bytes(raw[:_ID_BYTES], "big")
    if link_id >= 1 << 63:
        return 0
    matches = [hmac.compare_digest(_token(link_id, secret), token) for secret in _secrets()]
    return link_id if any(matches) else 0


def _secrets() -> Iterator[str]:
    yield settings.SECRET_KEY
    yield from map(str, settings.SECRET_KEY_FALLBACKS)


def _token(link_id: int, secret: str) -> str:
    body = link_id.to_bytes(_ID_BYTES, "big")
    key = hashlib.sha256(b"kulanz payment link\0" + secret.encode()).digest()
    mac = hmac.digest(key, body, "sha256")[:_MAC_BYTES]
    return base64.urlsafe_b64encode(body + mac).decode()
