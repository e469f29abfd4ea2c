"""Cards, Apple Pay, Google Pay, PayPal and SEPA debit on Stripe's own hosted page: no card data touches us.

Which of them a customer sees is set in Stripe's dashboard. Source: docs.stripe.com/api, Checkout Sessions, Refunds,
Events and webhook signatures. Needs the extra `kulanz[stripe]`.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kulanz.kernel import clock
from kulanz.kernel.errors import InputError
from kulanz.kernel.money import digits
from kulanz.payments import signature
from kulanz.payments.methods.port import (
    Notice,
    NoticeKind,
    Order,
    Payee,
    ProviderError,
    Redirect,
    SignatureError,
)

if TYPE_CHECKING:
    from stripe import StripeClient

HEADER = "stripe-signature"
OPEN_FOR = timedelta(minutes=30)
"""The shortest that Stripe allows: an old page cannot be paid long after the debt has changed."""
_MAX_BODY = 256 * 1024
_OTHER_UNITS = frozenset({"ISK", "UGX"})
"""Stripe counts these in hundredths although ISO 4217 gives them no decimals."""
_LANGUAGES = frozenset({"de", "en", "fr", "es", "pl", "tr"})
_KINDS = {
    "checkout.session.async_payment_succeeded": NoticeKind.PAID,
    "checkout.session.async_payment_failed": NoticeKind.FAILED,
    "checkout.session.expired": NoticeKind.CANCELLED,
}
_OF_CHARGE = {
    "charge.refunded": NoticeKind.RETURNED,
    "charge.dispute.funds_withdrawn": NoticeKind.RETURNED,
    "charge.dispute.funds_reinstated": NoticeKind.REINSTATED,
}


class StripeCheckout:
    """`base_url` replaces Stripe's API address, `pages` the origin of its hosted pages, for a simulator."""

    code = "stripe"

    def __init__(
        self,
        api_key: str,
        webhook_secret: str,
        *,
        base_url: str = "https://api.stripe.com",
        pages: str = "https://checkout.stripe.com",
        timeout: float = 10.0,
    ) -> None:
        self._secret = webhook_secret
        self._key = api_key
        self._url = base_url
        self._timeout = timeout
        self.origins = (pages,)
        self._made: StripeClient | None = None

    def title(self, language: str) -> str:
        return "Karte, Apple Pay, Google Pay" if language == "de" else "Card, Apple Pay, Google Pay"

    def available(self, payee: Payee) -> bool:
        return payee.currency not in _OTHER_UNITS and digits(payee.currency) in (0, 2)

    def begin(self, order: Order) -> Redirect:
        params = {
            "mode": "payment",
            "client_reference_id": order.client_reference,
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": order.currency.lower(),
                        "unit_amount": order.amount,
                        "product_data": {"name": f"{order.payee.account_holder}, {order.reference}"},
                    },
                }
            ],
            "payment_intent_data": {
                "description": order.reference,
                "metadata": {"client_reference": order.client_reference},
            },
            "success_url": order.return_url,
            "cancel_url": order.return_url,
            "locale": order.language if order.language in _LANGUAGES else "auto",
            "expires_at": int((clock.now() + OPEN_FOR).timestamp()),
        }
        made = self._call("POST", "/v1/checkout/sessions", params, order.idempotency_key)
        return Redirect(_text(made, "id"), _text(made, "url"))

    def status(self, provider_reference: str) -> Notice:
        path = f"/v1/checkout/sessions/{_id(provider_reference)}"
        found = self._call("GET", path, {"expand": ["payment_intent.latest_charge"]})
        charge = (found.get("payment_intent") or {}).get("latest_charge") or {}
        kind = NoticeKind.RETURNED if charge.get("refunded") or charge.get("disputed") else _kind(found)
        at = datetime.fromtimestamp(int(charge.get("created") or found["created"]), UTC)
        return _notice(f"status:{provider_reference}", kind, found, _whole(found, "amount_total"), at)

    def notices(self, body: bytes, headers: Mapping[str, str], now: datetime) -> tuple[Notice, ...]:
        if len(body) > _MAX_BODY:
            raise SignatureError("The call is too long to come from the provider.")
        signature.check(body, self._secret, headers.get(HEADER, ""), now)
        try:
            event = json.loads(body)
            kind, thing = event["type"], event["data"]["object"]
            at = datetime.fromtimestamp(int(event["created"]), UTC)
            event_id = _text(event, "id")
            if kind == "checkout.session.completed":
                return (_notice(event_id, _kind(thing), thing, _whole(thing, "amount_total"), at),)
            if kind in _KINDS:
                return (_notice(event_id, _KINDS[kind], thing, _whole(thing, "amount_total"), at),)
            if kind in _OF_CHARGE:
                session = self._session_of(_text(thing, "payment_intent"))
                moved = _whole(thing, "amount_refunded" if kind == "charge.refunded" else "amount")
                return (_notice(event_id, _OF_CHARGE[kind], session, moved, at),) if session else ()
        except (KeyError, TypeError, ValueError):
            raise SignatureError("The call is signed, but its body cannot be read.") from None
        return ()

    def refund(self, provider_reference: str, amount: int, idempotency_key: str) -> None:
        session = self._call("GET", f"/v1/checkout/sessions/{_id(provider_reference)}")
        intent = session.get("payment_intent")
        if not isinstance(intent, str):
            raise ProviderError("Nothing was paid by this order, so nothing can be given back.")
        self._call("POST", "/v1/refunds", {"payment_intent": intent, "amount": amount}, idempotency_key)

    def _session_of(self, payment_intent: str) -> dict[str, Any] | None:
        """The session that led to a payment: charges and disputes name only their payment intent."""
        found = self._call("GET", "/v1/checkout/sessions", {"payment_intent": payment_intent, "limit": 1})
        return next(iter(found.get("data", [])), None)

    def _call(
        self, verb: str, path: str, params: Mapping[str, Any] | None = None, key: str | None = None
    ) -> dict[str, Any]:
        import stripe  # noqa: PLC0415 - an extra, loaded where it is used

        options: Any = {"idempotency_key": key} if key else {}
        try:
            answer = self._client().raw_request(verb.lower(), path, **options, **(params or {}))
            found = json.loads(answer.body)
        except (stripe.StripeError, ValueError) as error:
            raise ProviderError(f"Stripe did not answer as expected: {error}") from error
        if not isinstance(found, dict):
            raise ProviderError("Stripe's answer cannot be read.")
        return found

    def _client(self) -> "StripeClient":
        if self._made is None:
            try:
                import stripe  # noqa: PLC0415 - an extra, loaded where it is used
            except ImportError:
                raise InputError(
                    "Paying by Stripe needs its package: pip install 'kulanz[stripe]'."
                ) from None
            self._made = stripe.StripeClient(
                self._key,
                base_addresses={"api": self._url},
                max_network_retries=1,
                http_client=stripe.RequestsClient(timeout=self._timeout),
            )
        return self._made


def _kind(session: Mapping[str, Any]) -> NoticeKind:
    if session.get("status") == "expired":
        return NoticeKind.CANCELLED
    if session.get("status") != "complete":
        return NoticeKind.OPEN
    return NoticeKind.PENDING if session.get("payment_status") == "unpaid" else NoticeKind.PAID


def _notice(event_id: str, kind: NoticeKind, session: Mapping[str, Any], amount: int, at: datetime) -> Notice:
    return Notice(
        event_id=event_id,
        kind=kind,
        provider_reference=_text(session, "id"),
        client_reference=str(session.get("client_reference_id") or ""),
        amount=amount,
        currency=_text(session, "currency").upper(),
        at=at,
    )


def _id(text: str) -> str:
    """An id that can stand in an address; raises ProviderError for anything else."""
    if not text or len(text) > 120 or not text.replace("_", "").isalnum() or not text.isascii():
        raise ProviderError("Stripe has no such order.")
    return text


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data[name]
    if not isinstance(value, str) or not value:
        raise ValueError(name)
    return value


def _whole(data: Mapping[str, Any], name: str) -> int:
    value = data[name]
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(name)
    return value
