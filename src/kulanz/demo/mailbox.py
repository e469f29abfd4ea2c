"""The embedded mailbox: a mail backend that delivers into the database instead of to the world."""

import zlib
from collections.abc import Sequence
from email.utils import parseaddr

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from kulanz.demo.models import ReceivedMail
from kulanz.kernel import clock
from kulanz.kernel.database import insert_columns
from kulanz.tenancy.scope import creditor_id


class MailboxBackend(BaseEmailBackend):
    """Stores each message as it would go over the wire."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for email in email_messages:
            wire = email.message()
            insert_columns(
                ReceivedMail,
                {
                    "creditor_id": creditor_id(),
                    "recipient": [parseaddr(email.to[0])[1]],
                    "subject": str(email.subject)[:300],
                    "message_id": str(wire["Message-ID"] or "")[:120],
                    "received_at": clock.now(),
                    "source": zlib.compress(wire.as_bytes(), 1),
                },
            )
        return len(email_messages)
