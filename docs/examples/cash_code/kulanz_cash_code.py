"""Pay at a till: the provider makes a code, the customer shows it in a shop and pays in cash.

The provider ("Tillcode") is invented; its API has the shape that such providers have. Set TILLCODE_URL, TILLCODE_PAGES,
TILLCODE_KEY and TILLCODE_SECRET to switch the method on.
"""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from kulanz.payments import signature
from kulanz.payments.methods.port import (
    Notice,
    NoticeKind,
    Order,
    Payee,
    ProviderError,
    Redirect,
    SignatureError,
    UnsupportedError,
)

HEADER = "tillcode-signature"
MOST = 99_999
"""Shops take less than 1,000 euros per code."""
_KINDS = {
    "open": NoticeKind.OPEN,
    "paid": NoticeKind.PAID,
    "expired": NoticeKind.CANCELLED,
    "voided": NoticeKind.RETURNED,
}
_TITLES = {"de": "Bar im Geschäft"}


class CashCode:
    """`pages`: the origin of the pages that show a code; `transport` replaces the network in tests."""

    code = "cash_code"

    def __init__(
        self, url: str, pages: str, key: str, secret: str, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.origins = (pages.rstrip("/"),)
        self._secret = secret
        self._http = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=10, transport=transport
        )

    def title(self, language: str) -> str:
        return _TITLES.get(language, "Cash in a shop")

    def available(self, payee: Payee) -> bool:
        return payee.currency == "EUR"

    def begin(self, order: Order) -> Redirect:
        if order.amount > MOST:
            raise ProviderError(
                "Shops take less than 1,000 euros per code; pay a part or choose another way."
            )
        body = {
            "cents": order.amount,
            "purpose": order.reference,
            "client_reference": order.client_reference,
            "return_url": order.return_url,
            "webhook_url": order.webhook_url,
            "language": order.language,
        }
        answer = self._call("POST", "/codes", body, {"Idempotency-Key": order.idempotency_key})
        try:
            number = str(answer["number"])
            return Redirect(number, f"{self.origins[0]}/{quote(number, safe='')}")
        except KeyError:
            raise ProviderError("Tillcode's answer names no code.") from None

    def status(self, provider_reference: str) -> Notice:
        answer = self._call("GET", f"/codes/{quote(provider_reference, safe='')}")
        try:
            return _notice(f"status:{provider_reference}", answer)
        except (KeyError, TypeError, ValueError):
            raise ProviderError("Tillcode's answer cannot be read.") from None

    def notices(self, body: bytes, headers: Mapping[str, str], now: datetime) -> tuple[Notice, ...]:
        signature.check(body, self._secret, headers.get(HEADER, ""), now)
        try:
            event = json.loads(body)
            return (_notice(str(event["event"]), event["code"]),)
        except (KeyError, TypeError, ValueError):
            raise SignatureError("The call is signed, but its body cannot be read.") from None

    def refund(self, provider_reference: str, amount: int, idempotency_key: str) -> None:
        raise UnsupportedError("A till gives no money back; send it by bank transfer.")

    def _call(
        self,
        verb: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        try:
            answer = self._http.request(verb, path, json=body, headers=headers)
            answer.raise_for_status()
            found = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderError(f"Tillcode did not answer as expected: {error}") from error
        if not isinstance(found, dict):
            raise ProviderError("Tillcode's answer cannot be read.")
        return found


def _notice(event_id: str, code: Mapping[str, Any]) -> Notice:
    at = datetime.fromisoformat(code["at"])
    if at.tzinfo is None:
        raise ValueError("at")
    return Notice(
        event_id=event_id,
        kind=_KINDS[code["state"]],
        provider_reference=str(code["number"]),
        client_reference=str(code["client_reference"]),
        amount=int(code["cents"]),
        currency="EUR",
        at=at,
    )


def configured() -> CashCode | None:
    """The entry point: None where the method is not set up."""
    names = ("TILLCODE_URL", "TILLCODE_PAGES", "TILLCODE_KEY", "TILLCODE_SECRET")
    url, pages, key, secret = (os.environ.get(name, "") for name in names)
    return CashCode(url, pages, key, secret) if url and pages and key and secret else None
