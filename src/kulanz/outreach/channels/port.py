"""What a provider must do to carry messages. One file per provider; each passes testing.channel_conformance."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from kulanz.kernel.errors import KulanzError


class ChannelDownError(KulanzError):
    """The provider cannot be reached, and surely nothing was handed over."""


class Outcome(StrEnum):
    """What became of a hand-over."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """For good, because of the recipient's address."""
    REJECTED = "rejected"
    """For good, because of the message or the sender."""
    DEFERRED = "deferred"
    """Not taken this time; the same message may be tried again."""
    UNCERTAIN = "uncertain"
    """It may have been taken: never to be tried again unasked."""


@dataclass(frozen=True, slots=True)
class Result:
    """`detail` is the provider's answer without personal data where possible, at most 200 characters are kept."""

    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Sender:
    name: str
    address: str
    reply_to: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One finished message to one recipient.

    `wire_id` is the idempotency key, for e-mail the Message-ID with angle brackets. `unsubscribe_url` takes a
    one-click POST (RFC 8058). `at` is the message's date.
    """

    wire_id: str
    sender: Sender
    recipient_name: str
    recipient: str
    subject: str
    text: str
    html: str
    language: str
    unsubscribe_url: str
    at: datetime


class Channel(Protocol):
    """A provider on one channel. It is opened before and closed after a batch; one instance, one thread."""

    code: str
    """A value of contact.models.Channel."""

    def open(self) -> None:
        """Connect; raises ChannelDownError. Opening twice is harmless."""

    def close(self) -> None:
        """Let go of the connection; never raises, also when not open."""

    def send(self, outgoing: Outgoing) -> Result:
        """Hand over one message. Raises ChannelDownError only while surely nothing was handed over."""

    def was_delivered(self, wire_id: str) -> bool | None:
        """Whether the provider took the message of this id; None where it cannot be asked."""
