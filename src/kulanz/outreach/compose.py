"""From a message row to what is handed over and what is kept."""

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from kulanz.contact.queries import creditor_rules
from kulanz.documents import layout as layouts
from kulanz.kernel.errors import InputError
from kulanz.kernel.settings import settings
from kulanz.outreach import informing, texts
from kulanz.outreach.channels.port import Outgoing, Sender
from kulanz.outreach.inbound.tags import tagged
from kulanz.outreach.models import ArchivedMessage, Layout, Message
from kulanz.outreach.reading import Address, CaseView
from kulanz.outreach.values import values
from kulanz.payments import links
from kulanz.tenancy.models import Brand, Creditor
from kulanz.tenancy.scope import creditor_id

TOKEN = "{token}"  # noqa: S105 - stands where an archived message had its link's token
CODE = "{code}"
"""The same for the code of a login."""
_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Composed:
    """`content` is for the archive: compressed JSON with subject, text, body and preferences address.

    `lacking`: codes of duties to inform that are not in the text; such a message must not leave.
    """

    outgoing: Outgoing
    layout_id: int
    content: bytes
    lacking: tuple[str, ...] = ()


class Composer:
    """Writes the messages of the creditor in scope; keeps its brand and layouts for as long as it lives."""

    def __init__(self) -> None:
        self.creditor: Creditor = Creditor.objects.get(id=creditor_id())
        brand = Brand.objects.order_by("id").first()
        if brand is None:
            raise InputError(f"{self.creditor.name} has no brand; add one before messages are sent.")
        self.brand: Brand = brand
        self.contact_rules = creditor_rules(self.creditor)
        self.zone = ZoneInfo(self.creditor.timezone)
        self._informer = informing.Informer(self.creditor)
        self._layouts: dict[str, tuple[layouts.Layout, int]] = {}

    def compose(self, message: Message, case: CaseView, address: Address, at: datetime) -> Composed:
        """The message as it stands at `at`; raises KulanzError where it cannot be written."""
        if message.link_id is None:
            raise InputError("The message has no link for its customer.")
        url, language = links.url(message.link_id), layouts.text_language(case.language)
        filled = values(self.creditor, case, url, at, offer=message.offer, data=message.data)
        text = texts.find(message.stage, message.tone, language)
        layout, layout_id = self._layout(language)
        today = at.astimezone(self.zone).date()
        duties = self._informer.owed(message, case, address, filled, today)
        sentences = tuple(duty.text for duty in duties if duty.text)
        page = layout.page(informing.written(text.render(filled), sentences), filled["preferences"])
        outgoing = Outgoing(
            wire_id=self.wire_id(message),
            sender=Sender(self.brand.sender_name, self.brand.sender_email, self._reply_to(message)),
            recipient_name=case.customer_name,
            recipient=address.value,
            subject=page.subject,
            text=page.text,
            html=page.html,
            language=language,
            unsubscribe_url=f"{url}unsubscribe/",
            at=at,
        )
        kept = {
            "subject": page.subject,
            "text": page.text,
            "body": page.fragment,
            "preferences": filled["preferences"],
        }
        content = pack(kept, {links.token(message.link_id): TOKEN, filled["code"]: CODE})
        return Composed(outgoing, layout_id, content, informing.lacking(page, duties))

    def wire_id(self, message: Message) -> str:
        """The Message-ID: the same for the same key, whatever happens in between."""
        digest = hashlib.sha256(f"kulanz:{self.creditor.id}:{message.key}".encode()).hexdigest()
        return f"<{digest[:40]}@{self.brand.sender_email.rpartition('@')[2]}>"

    def _reply_to(self, message: Message) -> str:
        """Where answers go; with the case's tag where the mail server delivers such addresses."""
        if not settings().reply_plus:
            return self.brand.reply_to
        return tagged(self.brand.reply_to or self.brand.sender_email, message.case_id)

    def _layout(self, language: str) -> tuple[layouts.Layout, int]:
        if language not in self._layouts:
            layout = layouts.layout(layouts.look(self.creditor, self.brand, language))
            row, _ = Layout.objects.get_or_create(
                creditor_id=self.creditor.id, digest=layout.digest, defaults={"html": layout.html}
            )
            self._layouts[language] = layout, row.id
        return self._layouts[language]


@dataclass(frozen=True, slots=True)
class Archived:
    """A message as it was written; `{token}` stands where the customer's link had its token."""

    wire_id: str
    subject: str
    text: str
    html: str


def pack(parts: Mapping[str, str], secrets: Mapping[str, str]) -> bytes:
    """Subject, text, body and preferences address, compressed; what stands in `secrets` is replaced by its value."""
    without = dict(parts)
    for secret, stand_in in secrets.items():
        if secret:
            without = {name: value.replace(secret, stand_in) for name, value in without.items()}
    return zlib.compress(json.dumps(without, ensure_ascii=False).encode(), _LEVEL)


def without_secrets(text: str) -> str:
    """An archived text as its customer reads it: where a link's token or a code stood, only that something did."""
    return text.replace(TOKEN, "…").replace(CODE, "…")


def subject_of(kept: ArchivedMessage) -> str:
    return str(json.loads(zlib.decompress(kept.content))["subject"])


def unpack(kept: ArchivedMessage) -> Archived:
    parts = json.loads(zlib.decompress(kept.content))
    html = layouts.insert(kept.layout.html, parts["subject"], parts["body"], parts["preferences"])
    return Archived(kept.wire_id, parts["subject"], parts["text"], html)
