"""The messages that reached simulated customers, read from the mailbox as they came over the wire."""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from email.parser import BytesHeaderParser
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings
from django.db.models import Count

from kulanz.claims.queries import oldest_open_due
from kulanz.contact.models import ContactLog
from kulanz.demo.models import ReceivedMail
from kulanz.kernel.errors import KulanzError
from kulanz.outreach.models import ArchivedMessage, Message

TONES = ("friendly", "factual", "firm")
FIRST_HOUR, LAST_BAND = 8, 5
_HEADERS = BytesHeaderParser()
_ONE_CLICK = re.compile(r"<(https?://\S+/p/[A-Za-z0-9_-]+/)(unsubscribe/)>")


def band_of(local: datetime) -> int:
    """The band of two hours, 0 to 5, in which a local time lies; what is earlier or later counts to the nearest."""
    return min(LAST_BAND, max(0, (local.hour - FIRST_HOUR) // 2))


@dataclass(frozen=True, slots=True)
class Letter:
    """A demanding message as its reader meets it; from `days_past_due` on: what a person's reaction depends on."""

    case_id: int
    message_id: int
    link: str
    unsubscribe: str
    at: datetime
    days_past_due: int
    weekday: int
    band: int
    tone: int
    offer: str
    contacts: int


class Postman:
    """Brings each message once."""

    def __init__(self, timezone: str) -> None:
        self._zone = ZoneInfo(timezone)
        self._last = 0

    def bring(self) -> list[Letter]:
        """The demanding messages that arrived since the last call and still ask for something."""
        mails = list(ReceivedMail.objects.filter(id__gt=self._last).order_by("id"))
        if not mails:
            return []
        self._last = mails[-1].id
        sent = {
            wire_id: message
            for wire_id, *message in ArchivedMessage.objects.filter(
                wire_id__in=[mail.message_id for mail in mails], message__kind=Message.Kind.DEMANDING
            ).values_list("wire_id", "message_id", "message__case_id", "message__tone", "message__offer")
        }
        mails = [mail for mail in mails if mail.message_id in sent]
        cases = np.array([sent[mail.message_id][1] for mail in mails], np.int64)
        due = oldest_open_due(cases)
        made = _contacts_made(cases.tolist())
        return [
            self._letter(mail, *sent[mail.message_id], due=due, made=made)
            for mail in mails
            if sent[mail.message_id][1] in due
        ]

    def _letter(
        self,
        mail: ReceivedMail,
        message_id: int,
        case_id: int,
        tone: str,
        offer: str,
        *,
        due: dict[int, date],
        made: dict[int, int],
    ) -> Letter:
        local = mail.received_at.astimezone(self._zone)
        link, unsubscribe = _links(bytes(mail.source))
        return Letter(
            case_id=case_id,
            message_id=message_id,
            link=link,
            unsubscribe=unsubscribe,
            at=mail.received_at,
            days_past_due=(local.date() - due[case_id]).days,
            weekday=local.weekday(),
            band=band_of(local),
            tone=TONES.index(tone),
            offer=offer,
            contacts=made.get(case_id, 1) - 1,
        )


def _contacts_made(case_ids: Sequence[int]) -> dict[int, int]:
    rows = ContactLog.objects.filter(case_id__in=case_ids, demanding=True)
    return dict(rows.values_list("case_id").annotate(Count("id")))


def _links(source: bytes) -> tuple[str, str]:
    """The link to the payment page and the one-click address of RFC 8058, which lies below it."""
    headers = _HEADERS.parsebytes(zlib.decompress(source))
    found = _ONE_CLICK.search(str(headers["List-Unsubscribe"] or "").replace("\n ", ""))
    if found is None or not found[1].startswith(settings.PUBLIC_URL):
        raise KulanzError(f"The message {headers['Subject']!r} has no link to the payment page.")
    return found[1], found[1] + found[2]
