"""The conversation with a customer about one case, as both sides see it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kulanz.outreach.compose import subject_of
from kulanz.outreach.models import Answer, ArchivedMessage, InboundMessage, Message

SHOWN = 100
"""The newest of each kind."""
_IN_THREAD = (InboundMessage.State.WAITING, InboundMessage.State.DONE)


@dataclass(frozen=True, slots=True)
class Said:
    """One turn. `who`: the customer, our team, or `sent` for a message of which only the subject stands here.

    `verified` False: a mail from an address that is not known to be the customer's. `files` are names of attachments
    that were not kept.
    """

    at: datetime
    who: Literal["customer", "team", "sent"]
    text: str
    channel: str = ""
    author: str = ""
    verified: bool = True
    shortened: bool = False
    files: tuple[str, ...] = ()
    waiting: bool = False
    inbound_id: int = 0
    """Of what the customer wrote."""


def thread(case_id: int) -> tuple[Said, ...]:
    """Oldest first. Mails that machines wrote are not in it."""
    newest_first = [*_ours(case_id), *_theirs(case_id), *_sent(case_id)]
    newest_first.reverse()
    return tuple(sorted(newest_first, key=lambda said: said.at))


def _theirs(case_id: int) -> Iterator[Said]:
    rows = InboundMessage.objects.filter(case_id=case_id, state__in=_IN_THREAD).order_by("-id")[:SHOWN]
    for row in rows:
        yield Said(
            row.received_at, "customer", row.text or row.subject, row.channel, row.sender, row.verified,
            row.shortened, tuple(row.files), row.state == InboundMessage.State.WAITING, row.id,
        )  # fmt: skip


def _ours(case_id: int) -> Iterator[Said]:
    for row in Answer.objects.filter(case_id=case_id).order_by("-id")[:SHOWN]:
        yield Said(row.written_at, "team", row.text, "email" if row.mailed else "portal", row.author)


def _sent(case_id: int) -> Iterator[Said]:
    """Answers stand in the thread themselves, not as mails that carried them."""
    rows = (
        ArchivedMessage.objects.filter(message__case_id=case_id, message__state=Message.State.SENT)
        .exclude(message__stage="answer")
        .select_related("message")
        .order_by("-message_id")[:SHOWN]
    )
    for row in rows:
        yield Said(row.message.sent_at, "sent", subject_of(row), row.message.channel)
