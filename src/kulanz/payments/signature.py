"""Signatures of webhooks: HMAC-SHA256 over the time and the body, so that an old call cannot be played again."""

import hmac
from datetime import datetime, timedelta

from kulanz.payments.methods.port import SignatureError

HEADER = "kulanz-signature"
WINDOW = timedelta(minutes=5)


def sign(body: bytes, secret: str, at: datetime) -> str:
    """The header's value: `t=<unix seconds>,v1=<hex>`."""
    stamp = str(int(at.timestamp()))
    return f"t={stamp},v1={_mac(body, secret, stamp)}"


def check(body: bytes, secret: str, header: str, now: datetime) -> None:
    """Raises SignatureError unless `header` signs `body` under `secret` within five minutes of `now`."""
    parts = dict(part.strip().partition("=")[::2] for part in header.split(","))
    stamp, mac = parts.get("t", ""), parts.get("v1", "")
    if not secret or not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
        raise SignatureError("The call carries no signature that can be checked.")
    if not hmac.compare_digest(_mac(body, secret, stamp).encode(), mac.encode()):
        raise SignatureError("The call's signature does not fit its body.")
    if abs(int(stamp) - now.timestamp()) > WINDOW.total_seconds():
        raise SignatureError("The call was signed too long ago to be believed.")


def _mac(body: bytes, secret: str, stamp: str) -> str:
    return hmac.digest(secret.encode(), stamp.encode() + b"." + body, "sha256").hex()
