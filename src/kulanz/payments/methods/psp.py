"""Online payment through a provider's hosted page, over the HTTP API that `kulanz.testing.psp` documents and serves."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

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
)

_MAX_BODY = 64 * 1024
_UNREADABLE = "The payment provider's answer cannot be read."


class Psp:
    """`base_url` is the provider's API; `transport` replaces the network, for example httpx.WSGITransport."""

    code = "psp"

    def __init__(
        self,
        base_url: str,
        api_key: str,
        webhook_secret: str,
        *,
        transport: httpx.BaseTransport | None = None,
        timeout: float = 10.0,
    ) -> None:
        self._secret = webhook_secret
        self._url = base_url.rstrip("/")
        self._client = httpx.Client(
            base_url=self._url,
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=timeout,
            transport=transport,
        )

    @property
    def origins(self) -> tuple[str, ...]:
        parts = urlsplit(self._url)
        return (f"{parts.scheme}://{parts.netloc}",)

    def title(self, language: str) -> str:
        return "Online"

    def available(self, payee: Payee) -> bool:
        return bool(payee.currency)

    def begin(self, order: Order) -> Redirect:
        answer = self._call(
            "POST",
            "/v1/checkouts",
            {
                "amount": order.amount,
                "currency": order.currency,
                "description": order.reference,
                "payee": order.payee.account_holder,
                "client_reference": order.client_reference,
                "return_url": order.return_url,
                "webhook_url": order.webhook_url,
                "language": order.language,
            },
            order.idempotency_key,
        )
        try:
            return Redirect(_text(answer, "id"), _text(answer, "url"))
        except (KeyError, ValueError):
            raise ProviderError(_UNREADABLE) from None

    def status(self, provider_reference: str) -> Notice:
        answer = self._call("GET", f"/v1/checkouts/{quote(provider_reference, safe='')}")
        try:
            return _notice(f"status:{provider_reference}", answer, _text(answer, "updated_at"))
        except (KeyError, TypeError, ValueError):
            raise ProviderError(_UNREADABLE) from None

    def notices(self, body: bytes, headers: Mapping[str, str], now: datetime) -> tuple[Notice, ...]:
        if len(body) > _MAX_BODY:
            raise SignatureError("The call is too long to come from the provider.")
        signature.check(body, self._secret, headers.get(signature.HEADER, ""), now)
        try:
            event = json.loads(body)
            return (_notice(_text(event, "id"), event["checkout"], _text(event, "created_at")),)
        except (KeyError, TypeError, ValueError):
            raise SignatureError("The call is signed, but its body cannot be read.") from None

    def refund(self, provider_reference: str, amount: int, idempotency_key: str) -> None:
        path = f"/v1/checkouts/{quote(provider_reference, safe='')}/return"
        self._call("POST", path, {"reason": "refund", "amount": amount}, idempotency_key)

    def _call(
        self, verb: str, path: str, body: dict[str, Any] | None = None, key: str | None = None
    ) -> dict[str, Any]:
        headers = {} if key is None else {"Idempotency-Key": key}
        try:
            answer = self._client.request(verb, path, json=body, headers=headers)
            answer.raise_for_status()
            found = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderError(f"The payment provider did not answer as expected: {error}") from error
        if not isinstance(found, dict):
            raise ProviderError(_UNREADABLE)
        return found


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data[name]
    if not isinstance(value, str) or not value:
        raise ValueError(name)
    return value


def _notice(event_id: str, checkout: Mapping[str, Any], at: str) -> Notice:
    amount = checkout["amount"]
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise TypeError("amount")
    moment = datetime.fromisoformat(at)
    if moment.tzinfo is None:
        raise ValueError("created_at")
    return Notice(
        event_id=event_id,
        kind=NoticeKind(checkout["state"]),
        provider_reference=_text(checkout, "id"),
        client_reference=str(checkout.get("client_reference", "")),
        amount=amount,
        currency=_text(checkout, "currency"),
        at=moment,
    )
