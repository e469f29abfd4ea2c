"""E-mail through Django's mail backend, over one connection per batch."""

import smtplib
import time
from email.utils import format_datetime, formataddr

from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.validators import validate_email

from kulanz.outreach.channels.port import ChannelDownError, Outcome, Outgoing, Result, Sender

IDLE_SECONDS = 5.0
"""After this much silence the connection is tried out before a message is handed over."""


class EmailChannel:
    """SMTP, or whatever KULANZ_MAIL_BACKEND names.

    A backend with a method `was_delivered(wire_id)` is asked for messages of unknown fate; SMTP knows no such
    question.
    """

    code = "email"

    def __init__(self) -> None:
        self._backend: BaseEmailBackend | None = None
        self._used = 0.0

    def open(self) -> None:
        if self._backend is not None:
            return
        backend = get_connection()
        try:
            backend.open()
        except (smtplib.SMTPException, OSError) as error:
            raise ChannelDownError(f"The mail server cannot be reached: {error}") from error
        self._backend, self._used = backend, time.monotonic()

    def close(self) -> None:
        backend, self._backend = self._backend, None
        if backend is not None:
            try:
                backend.close()
            except (smtplib.SMTPException, OSError):
                return

    def send(self, outgoing: Outgoing) -> Result:
        try:
            validate_email(outgoing.recipient)
        except ValidationError:
            return Result(Outcome.REFUSED, "This is not an e-mail address.")
        backend = self._alive()
        try:
            taken = backend.send_messages([message(outgoing, backend)])
        except smtplib.SMTPServerDisconnected as error:
            self.close()
            return Result(Outcome.UNCERTAIN, f"The connection broke off: {error}")
        except smtplib.SMTPException as error:
            return self._refusal(error)
        except OSError as error:
            self.close()
            return Result(Outcome.UNCERTAIN, f"The connection broke off: {error}")
        except ValueError:
            return Result(Outcome.REJECTED, "A name, subject or address cannot stand in a mail's header.")
        self._used = time.monotonic()
        return (
            Result(Outcome.REJECTED, "The mail backend took nothing.")
            if taken == 0
            else Result(Outcome.ACCEPTED)
        )

    def was_delivered(self, wire_id: str) -> bool | None:
        self.open()
        ask = getattr(self._backend, "was_delivered", None)
        return None if ask is None else bool(ask(wire_id))

    def _alive(self) -> BaseEmailBackend:
        """An open backend; an idle SMTP connection that the server has closed is opened anew."""
        smtp = getattr(self._backend, "connection", None)
        if isinstance(smtp, smtplib.SMTP) and time.monotonic() - self._used > IDLE_SECONDS:
            try:
                smtp.noop()
            except (smtplib.SMTPException, OSError):
                self.close()
        self.open()
        assert self._backend is not None
        return self._backend

    def _refusal(self, error: smtplib.SMTPException) -> Result:
        answer: bytes | str
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            code, answer = next(iter(error.recipients.values()))
            outcome = Outcome.REFUSED
        elif isinstance(error, smtplib.SMTPResponseException):
            code, answer = error.smtp_code, error.smtp_error
            outcome = Outcome.REJECTED
        else:
            return Result(Outcome.REJECTED, str(error))
        if code == 421:
            self.close()
        said = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
        return Result(outcome if code >= 500 else Outcome.DEFERRED, f"{code} {said}")


def message(outgoing: Outgoing, backend: BaseEmailBackend | None = None) -> EmailMultiAlternatives:
    """The message with its headers. Names lose line breaks, so nothing in them can become a header."""
    mail = EmailMultiAlternatives(
        subject=_one_line(outgoing.subject),
        body=outgoing.text,
        from_email=_address(outgoing.sender),
        to=[formataddr((_one_line(outgoing.recipient_name), outgoing.recipient))],
        reply_to=[_one_line(outgoing.sender.reply_to)] if outgoing.sender.reply_to else None,
        headers={
            "Message-ID": outgoing.wire_id,
            "Date": format_datetime(outgoing.at),
            "Auto-Submitted": "auto-generated",
            "Content-Language": outgoing.language,
            "List-Unsubscribe": f"<{outgoing.unsubscribe_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
        connection=backend,
    )
    mail.attach_alternative(outgoing.html, "text/html")
    return mail


def _address(sender: Sender) -> str:
    return formataddr((_one_line(sender.name), _one_line(sender.address)))


def _one_line(value: str) -> str:
    """One line of plain words: what reads as an encoded word (RFC 2047) could hold line breaks once it is decoded."""
    return " ".join("".join(c if c.isprintable() else " " for c in value).replace("=?", "= ?").split())
