"""The port that every way to pay implements. `kulanz.testing.payment_conformance` says whether it does so rightly."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from kulanz.kernel.errors import KulanzError


class ProviderError(KulanzError):
    """The provider could not be reached or refused the request; no money moved through it."""


class SignatureError(KulanzError):
    """A call that claims to come from the provider is not signed by it, or is too old."""


class UnsupportedError(KulanzError):
    """This way to pay has no such step."""


@dataclass(frozen=True, slots=True)
class Payee:
    """Who gets the money, as far as a method needs to know."""

    account_holder: str
    iban: str
    bic: str
    currency: str


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be paid. `amount` is in minor units; `idempotency_key` makes a repeated order the same order."""

    payee: Payee
    amount: int
    currency: str
    reference: str
    client_reference: str
    idempotency_key: str
    return_url: str
    webhook_url: str
    language: str
    with_mandate: bool = False
    """Also ask for a mandate to collect later instalments, where the method can."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """The customer goes on at the provider's page."""

    provider_reference: str
    url: str


@dataclass(frozen=True, slots=True)
class Instructions:
    """The customer transfers the money on their own, with these details."""

    account_holder: str
    iban: str
    bic: str
    reference: str
    amount: int
    currency: str


class NoticeKind(StrEnum):
    """What became of an order at the provider. Reinstated: money that was taken back is there again (a dispute won)."""

    OPEN = "open"
    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    REINSTATED = "reinstated"


@dataclass(frozen=True, slots=True)
class Notice:
    """One fact from the provider. `amount` in minor units is what was paid, or taken back in all so far; `at` when.

    `client_reference` repeats the order's, so that a notice finds its order even when it overtakes the answer, or when
    the call does not name the order itself (`provider_reference` empty).
    """

    event_id: str
    kind: NoticeKind
    provider_reference: str
    client_reference: str
    amount: int
    currency: str
    at: datetime


class PaymentMethod(Protocol):
    """A way to pay. Steps that a method does not have raise UnsupportedError."""

    @property
    def code(self) -> str:
        """Stable, lower case, at most 20 characters: stored with every payment and part of the webhook's address."""

    @property
    def origins(self) -> tuple[str, ...]:
        """Origins (scheme, host, port) of the pages a customer may be sent to."""

    def title(self, language: str) -> str:
        """What a customer knows it by, on the button: German for `de`, English else (the page translates)."""

    def available(self, payee: Payee) -> bool:
        """Whether this payee can be paid this way."""

    def begin(self, order: Order) -> Redirect | Instructions:
        """Ask for the payment; the same idempotency key again gives the same answer. Raises ProviderError."""

    def status(self, provider_reference: str) -> Notice:
        """What the provider knows now. Raises ProviderError."""

    def notices(self, body: bytes, headers: Mapping[str, str], now: datetime) -> tuple[Notice, ...]:
        """The facts in a call from the provider; header names in lower case. Raises SignatureError."""

    def refund(self, provider_reference: str, amount: int, idempotency_key: str) -> None:
        """Give money back, in minor units; the provider confirms it by a RETURNED notice. Raises ProviderError."""
