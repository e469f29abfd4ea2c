"""What this room keeps about customers."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from kulanz.claims.kept import OF_CASE
from kulanz.claims.personal.registry import Column, Kept
from kulanz.outreach.compose import unpack, without_secrets
from kulanz.outreach.models import Answer, ArchivedMessage, DeliveryEvent, InboundMessage, Message

_KEY = "a technical key that keeps the same message from being written twice"


def _words(row: ArchivedMessage, _language: str) -> Mapping[str, Any]:
    kept = unpack(row)
    sent = row.message.sent_at
    return {
        "at": sent.isoformat() if sent else None,
        "channel": row.message.channel,
        "subject": kept.subject,
        "text": without_secrets(kept.text),
    }


TABLES = (
    Kept(
        Message,
        "customer_id",
        _("Messages to you"),
        (
            Column("created_at", _("Written"), "moment"),
            Column("kind", _("Kind"), "message_kind"),
            Column("channel", _("Channel"), "channel"),
            Column("stage", _("Step"), "stage"),
            Column("state", _("State"), "message_state"),
            Column("sent_at", _("Sent"), "moment"),
        ),
        without={"key": _KEY, "lease_until": "lasts only while a message is being handed over"},
        events=(
            "message.clicked",
            "message.delivered",
            "message.failed",
            "message.sent",
            "message.stopped",
            "message.unknown",
        ),
    ),
    Kept(
        ArchivedMessage,
        "message__customer_id",
        _("What the messages said"),
        (
            Column("at", _("Sent"), "moment"),
            Column("subject", _("Subject")),
            Column("text", _("Text")),
        ),
        without={
            "content": "the compressed form of the text that stands beside it",
            "layout_id": "names the look of the mail, which is the same for everybody",
        },
        related=("message", "layout"),
        further=_words,
    ),
    Kept(DeliveryEvent, "message__customer_id", _("What became of the messages")),
    Kept(
        InboundMessage,
        OF_CASE,
        _("What you wrote"),
        (
            Column("received_at", _("When"), "moment"),
            Column("channel", _("Channel"), "channel"),
            Column("subject", _("Subject")),
            Column("text", _("Text")),
            Column("files", _("Attachments (not kept)")),
        ),
        without={"key": _KEY},
        events=("message.assigned", "message.received", "message.set_aside"),
    ),
    Kept(
        Answer,
        OF_CASE,
        _("What we answered"),
        (Column("written_at", _("When"), "moment"), Column("text", _("Text"))),
        without={"author": "the login of a member of staff, whose data it is"},
    ),
)
