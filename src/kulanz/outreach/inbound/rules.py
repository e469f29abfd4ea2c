"""Which mails were written by people, decided over plain values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

LONGEST = 20_000
"""Characters of a mail that are kept; what customers type on their page is far shorter."""
PER_DAY = 30
"""So many messages of a case within a day are read as written by a person; more look like a machine."""

_MACHINES = re.compile(r"(mailer-daemon|postmaster|mail-daemon)(?=@|$)", re.IGNORECASE)
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
_MARKS = ("x-autoreply", "x-autorespond", "x-auto-reply-from", "list-id", "list-unsubscribe")
MARKING = ("auto-submitted", "precedence", "return-path", *_MARKS)
"""The headers by which machines say what they are."""
_AWAY = re.compile(
    r"\s*(?:automatische antwort|abwesenheits(?:notiz|nachricht)|out of (?:the )?office"
    r"|automatic reply|auto(?:-|matic )?reply"
    r"|réponse automatique|absence du bureau|respuesta automática|fuera de la oficina|automatyczna odpowiedź"
    r"|odpowiedź automatyczna|otomatik yanıt|رد تلقائي)\s*[:.\-]",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as read. `headers`: those in MARKING that it has; `refers_to` the message ids it answers to,
    the nearest first; `recipients` every address it was sent or delivered to."""

    message_id: str = ""
    sender: str = ""
    recipients: tuple[str, ...] = ()
    refers_to: tuple[str, ...] = ()
    subject: str = ""
    text: str = ""
    shortened: bool = False
    files: tuple[str, ...] = ()
    report: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


def is_automatic(mail: Mail, own: frozenset[str]) -> bool:
    """Out-of-office notes, bounces, newsletters, and mails from one of our `own` addresses (lower case)."""
    given = mail.headers
    return (
        mail.report
        or given.get("auto-submitted", "no").partition(";")[0].strip().lower() not in {"", "no"}
        or given.get("precedence", "").strip().lower() in _BULK
        or given.get("return-path", "-").strip() == "<>"
        or any(mark in given for mark in _MARKS)
        or _MACHINES.match(mail.sender) is not None
        or mail.sender in own
        or _AWAY.match(mail.subject) is not None
    )
