"""From a message row to what is handed over and what is kept."""

import hashlib
import json
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kulanz.claims.queries import statement
from kulanz.contact.models import ContactPoint
from kulanz.documents import layout as layouts
from kulanz.kernel.errors import InputError
from kulanz.outreach import texts
from kulanz.outreach.channels.port import Outgoing, Sender
from kulanz.outreach.models import ArchivedMessage, Layout, Message
from kulanz.outreach.values import values
from kulanz.payments import links
from kulanz.tenancy.models import Brand, Creditor
from kulanz.tenancy.scope import creditor_id

TOKEN = "{token}"  # noqa: S105 - stands where an archived message had its link's token
_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Composed:
    """`content` is for the archive: compressed JSON with subject, text, body and preferences address."""

    outgoing: Outgoing
    layout_id: int
    content: bytes


class Composer:
    """Writes the messages of the creditor in scope; keeps its brand and layouts for as long as it lives."""

    def __init__(self) -> None:
        self.creditor: Creditor = Creditor.objects.get(id=creditor_id())
        brand = Brand.objects.order_by("id").first()
        if brand is None:
            raise InputError(f"{self.creditor.name} has no brand; add one before messages are sent.")
        self.brand: Brand = brand
        self._layouts: dict[str, tuple[layouts.Layout, int]] = {}

    def compose(self, message: Message, recipient: str, at: datetime) -> Composed:
        """The message as it stands at `at`; raises KulanzError where it cannot be written."""
        if message.link_id is None:
            raise InputError("The message has no link for its customer.")
        case = statement(message.case_id)
        url = links.url(message.link_id)
        filled = values(self.creditor, case, url, at, offer=message.offer, data=message.data)
        text = texts.find(message.stage, message.tone, case.language)
        layout, layout_id = self._layout(layouts.text_language(case.language))
        page = layout.page(text.render(filled), filled["preferences"])
        outgoing = Outgoing(
            wire_id=self.wire_id(message),
            sender=Sender(self.brand.sender_name, self.brand.sender_email, self.brand.reply_to),
            recipient_name=case.customer_name,
            recipient=recipient,
            subject=page.subject,
            text=page.text,
            html=page.html,
            language=layouts.text_language(case.language),
            unsubscribe_url=f"{url}unsubscribe/",
            at=at,
        )
        kept = {
            "subject": page.subject,
            "text": page.text,
            "body": page.fragment,
            "preferences": filled["preferences"],
        }
        return Composed(outgoing, layout_id, packed(kept, links.token(message.link_id)))

    def wire_id(self, message: Message) -> str:
        """The Message-ID: the same for the same key, whatever happens in between."""
        digest = hashlib.sha256(f"kulanz:{self.creditor.id}:{message.key}".encode()).hexdigest()
        return f"<{digest[:40]}@{self.brand.sender_email.rpartition('@')[2]}>"

    def _layout(self, language: str) -> tuple[layouts.Layout, int]:
        if language not in self._layouts:
            layout = layouts.layout(layouts.look(self.creditor, self.brand, language))
            row, _ = Layout.objects.get_or_create(
                creditor_id=self.creditor.id, digest=layout.digest, defaults={"html": layout.html}
            )
            self._layouts[language] = layout, row.id
        return self._layouts[language]


def recipient(message: Message) -> str | None:
    """The customer's working address on the message's channel, the oldest first."""
    points = ContactPoint.objects.filter(
        customer_id=message.customer_id, channel=message.channel, state=ContactPoint.State.OK
    )
    found: str | None = points.order_by("id").values_list("value", flat=True).first()
    return found


def packed(kept: dict[str, str], token: str) -> bytes:
    without = {name: value.replace(token, TOKEN) for name, value in kept.items()}
    return zlib.compress(json.dumps(without, ensure_ascii=False).encode(), _LEVEL)


@dataclass(frozen=True, slots=True)
class Archived:
    """A message as it was written; `{token}` stands where the customer's link had its token."""

    wire_id: str
    subject: str
    text: str
    html: str


def unpacked(archived: ArchivedMessage) -> Archived:
    kept: dict[str, Any] = json.loads(zlib.decompress(archived.content))
    html = layouts.insert(archived.layout.html, kept["subject"], kept["body"], kept["preferences"])
    return Archived(archived.wire_id, kept["subject"], kept["text"], html)
