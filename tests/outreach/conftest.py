"""An SMTP server that keeps what it takes, and messages ready to be sent."""

import asyncio
import email
import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import transaction

from kulanz.claims.models import Case
from kulanz.contact.facts import StageSet
from kulanz.kernel import clock as kernel_clock
from kulanz.outreach.actions import NewMessages, queue_block
from kulanz.outreach.models import Message
from kulanz.payments import links

STAGE = StageSet(
    stage="reminder_1",
    demanding=True,
    channels=("email",),
    tones=("friendly", "factual", "firm"),
    offers=("none", "later"),
    window_hours=72,
    min_amount=100,
)
Queue = Callable[..., Message]


@dataclass
class Sink:
    """Takes mail, except for addresses that begin with refused, later, content or breaks.

    Each Message-ID is appended to `record` before the server answers, as a mail server writes to disk.
    """

    record: Path
    host: str = "127.0.0.1"
    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    sessions: int = 0
    delay: float = 0
    """Seconds before and after a message is kept, as a real network has."""

    @property
    def wire_ids(self) -> list[str]:
        return self.record.read_text().split() if self.record.exists() else []

    async def handle_RCPT(  # noqa: N802 - named by aiosmtpd
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("refused"):
            return "550 5.1.1 no such user"
        if address.startswith("later"):
            return "451 4.7.1 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if envelope.rcpt_tos[0].startswith("content"):
            return "554 5.7.1 not this one"
        assert isinstance(envelope.content, bytes)
        mail = email.message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        await asyncio.sleep(self.delay)
        with self.record.open("a") as record:
            record.write(f"{mail['Message-ID']}\n")
        self.mails.append(mail)
        self.recipients.append(envelope.rcpt_tos)
        await asyncio.sleep(self.delay)
        if envelope.rcpt_tos[0].startswith("breaks"):
            assert server.transport is not None
            server.transport.abort()
        return "250 OK"


class _Counting(SMTP):
    """Keeps count of open connections."""

    def connection_made(self, transport: Any) -> None:
        self.event_handler.sessions += 1
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.event_handler.sessions -= 1


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _Counting(self.handler, hostname="sink.example")


@pytest.fixture
def sink(tmp_path: Path, settings: Any) -> Iterator[Sink]:
    """A mail server on a free port, into which Django's mail goes."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    taken = Sink(tmp_path / "wire_ids", port=port)
    controller = _Controller(taken, hostname=taken.host, port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = taken.host, taken.port
    settings.EMAIL_USE_SSL = settings.EMAIL_USE_TLS = False
    try:
        yield taken
    finally:
        controller.stop()


@pytest.fixture
def queue() -> Queue:
    """Puts one demanding message of a case into the outbox, due now."""
    return queue_message


def queue_message(case: Case, decision: int = 1, **changes: Any) -> Message:
    now = kernel_clock.now()
    fields: dict[str, Any] = {
        "case_id": np.array([case.id]),
        "customer_id": np.array([case.customer_id]),
        "stage": ["reminder_1"],
        "channel": ["email"],
        "tone": ["friendly"],
        "offer": ["none"],
        "not_before": [now],
        "expires_at": [now + timedelta(hours=2)],
        "decision_id": np.array([decision]),
        "allowed": [json.dumps(STAGE.to_data())],
    }
    with transaction.atomic():
        fields["link_id"] = links.create_block(fields["case_id"], now + timedelta(days=60))
        [message_id] = queue_block(NewMessages(**(fields | changes)))
    found: Message = Message.objects.get(id=message_id)
    return found
