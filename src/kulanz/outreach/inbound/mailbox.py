"""A mailbox over IMAP4rev1 (RFC 3501): what is unseen is fetched, kept, and only then marked seen.

A crash between keeping and marking means that a mail is fetched again, and it is kept once by its digest. Mails are
never moved or deleted. The mailbox is for Kulanz alone: what somebody else has read there is not read again.
"""

import imaplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import structlog

from kulanz.kernel.errors import InputError, KulanzError
from kulanz.outreach.inbound.reading import LARGEST

log = structlog.get_logger()
TIMEOUT = 30.0
AT_ONCE = 500
"""Mails of one visit; the others wait for the next."""
_PORTS = {"imap": 143, "imap+tls": 143, "imaps": 993}
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class MailboxDownError(KulanzError):
    """The mailbox cannot be opened or broke off. What was kept until then stays kept."""


@dataclass(frozen=True, slots=True)
class Collected:
    """`failed` mails stay unseen and are tried again at the next visit."""

    kept: int = 0
    failed: int = 0


def collect(url: str, keep: Callable[[bytes], object], *, limit: int = AT_ONCE) -> Collected:
    """Hand every unseen mail to `keep`, which commits it. Raises MailboxDownError, and InputError for a wrong `url`.

    `url`: imaps://user:password@host/folder, imap+tls:// for STARTTLS, imap:// on this machine only. At most LARGEST
    bytes of a mail are fetched, and one more where it has more.
    """
    kept = failed = 0
    try:
        with _opened(urlsplit(url)) as box:
            for uid in _unseen(box):
                if kept >= limit:
                    break
                if _kept(box, uid, keep):
                    _ask(box.uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen)"))
                    kept += 1
                else:
                    failed += 1
    except (imaplib.IMAP4.error, OSError) as error:
        raise MailboxDownError(f"The mailbox broke off after {kept} mails: {type(error).__name__}.") from None
    return Collected(kept, failed)


def _kept(box: imaplib.IMAP4, uid: str, keep: Callable[[bytes], object]) -> bool:
    """One mail that cannot be kept stands in no other's way, at this visit or the next."""
    raw = _raw(box, uid)
    if raw is None:
        return False
    try:
        keep(raw)
    except Exception as error:  # noqa: BLE001 - whatever it is, the mails behind it are read
        log.error("mail_not_kept", uid=uid, why=type(error).__name__)
        return False
    return True


@contextmanager
def _opened(address: SplitResult) -> Iterator[imaplib.IMAP4]:
    user, password = unquote(address.username or ""), unquote(address.password or "")
    folder = unquote(address.path.strip("/")) or "INBOX"
    if not (user + password + folder).isascii():
        raise InputError(
            "Name, password and folder of a mailbox are written in ASCII (a folder in modified UTF-7)."
        )
    box = _connected(address)
    try:
        box.login(user, password)
        _ask(box.select('"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'))
        yield box
    finally:
        with suppress(imaplib.IMAP4.error, OSError):
            box.logout()
        with suppress(OSError):
            box.shutdown()


def _connected(address: SplitResult) -> imaplib.IMAP4:
    if address.scheme not in _PORTS or not address.hostname:
        raise InputError(
            "A mailbox is imaps://user:password@host/folder, imap+tls:// or, on this machine, imap://."
        )
    host, port = address.hostname, address.port or _PORTS[address.scheme]
    if address.scheme == "imaps":
        return imaplib.IMAP4_SSL(host, port, ssl_context=ssl.create_default_context(), timeout=TIMEOUT)
    if address.scheme == "imap" and host not in _LOOPBACK:
        raise InputError(
            "A password does not travel unencrypted: use imaps:// or imap+tls:// for another machine."
        )
    box = imaplib.IMAP4(host, port, timeout=TIMEOUT)
    if address.scheme == "imap+tls":
        box.starttls(ssl.create_default_context())
    return box


def _unseen(box: imaplib.IMAP4) -> list[str]:
    [found] = _ask(box.uid("SEARCH", "UNSEEN"))[:1] or [b""]
    return [uid for uid in (found or b"").decode("ascii", "replace").split() if uid.isdigit()]


def _raw(box: imaplib.IMAP4, uid: str) -> bytes | None:
    """The mail's bytes without marking it; None where it is gone."""
    found = _ask(box.uid("FETCH", uid, f"(BODY.PEEK[]<0.{LARGEST + 1}>)"))
    return next((bytes(each[1]) for each in found if isinstance(each, tuple)), None)


def _ask(answer: tuple[str, list[Any]]) -> list[Any]:
    """The data of an answer; raises imaplib's error where the server said no."""
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error(status)
    return data
