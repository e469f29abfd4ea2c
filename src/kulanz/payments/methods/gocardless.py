"""Instant bank payment, with a SEPA mandate beside it where one is wanted, on GoCardless's hosted pages.

Source: developer.gocardless.com, Billing Requests, Billing Request Flows, Payments, Refunds and webhook signatures. A
billing request is the order; the payment that it becomes repeats our reference in its metadata. Needs the extra
`kulanz[gocardless]`.
"""

import hmac
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from kulanz.kernel import clock
from kulanz.kernel.errors import InputError
from kulanz.payments.methods.port import (
    Notice,
    NoticeKind,
    Order,
    Payee,
    ProviderError,
    Redirect,
    SignatureError,
)

HEADER = "webhook-signature"
_MAX_BODY = 512 * 1024
_ACTIONS = {
    "confirmed": NoticeKind.PAID,
    "paid_out": NoticeKind.PAID,
    "failed": NoticeKind.FAILED,
    "cancelled": NoticeKind.CANCELLED,
    "charged_back": NoticeKind.RETURNED,
    "late_failure_settled": NoticeKind.RETURNED,
    "chargeback_cancelled": NoticeKind.REINSTATED,
}
_STATES = {
    "pending_customer_approval": NoticeKind.PENDING,
    "pending_submission": NoticeKind.PENDING,
    "submitted": NoticeKind.PENDING,
    "confirmed": NoticeKind.PAID,
    "paid_out": NoticeKind.PAID,
    "cancelled": NoticeKind.CANCELLED,
    "customer_approval_denied": NoticeKind.CANCELLED,
    "failed": NoticeKind.FAILED,
    "charged_back": NoticeKind.RETURNED,
}


class GoCardless:
    """`base_url` replaces GoCardless's API address, `pages` the origin of its hosted pages, for a simulator."""

    code = "gocardless"

    def __init__(
        self,
        access_token: str,
        webhook_secret: str,
        *,
        base_url: str = "https://api.gocardless.com",
        pages: str = "https://pay.gocardless.com",
        timeout: float = 10.0,
    ) -> None:
        self._token = access_token
        self._secret = webhook_secret
        self._url = base_url
        self._timeout = timeout
        self.origins = (pages,)
        self._made: Any = None

    def title(self, language: str) -> str:
        return "Online-Banking" if language == "de" else "Online banking"

    def available(self, payee: Payee) -> bool:
        return payee.currency in ("EUR", "GBP")

    def begin(self, order: Order) -> Redirect:
        marks = {"client_reference": order.client_reference}
        asked: dict[str, Any] = {
            "payment_request": {
                "amount": order.amount,
                "currency": order.currency,
                "description": f"{order.payee.account_holder}, {order.reference}"[:100],
                "metadata": marks,
            },
            "metadata": marks,
        }
        if order.with_mandate:
            asked["mandate_request"] = {"currency": order.currency, "metadata": marks}
        request = self._ask(lambda api, head: api.billing_requests.create(asked, head), order.idempotency_key)
        flow = {
            "redirect_uri": order.return_url,
            "exit_uri": order.return_url,
            "language": order.language,
            "links": {"billing_request": _text(request, "id")},
        }
        made = self._ask(
            lambda api, head: api.billing_request_flows.create(flow, head), f"{order.idempotency_key}-flow"
        )
        return Redirect(_text(request, "id"), _text(made, "authorisation_url"))

    def status(self, provider_reference: str) -> Notice:
        found = self._ask(lambda api, head: api.billing_requests.get(provider_reference, headers=head))
        asked = found["payment_request"]
        payment_id = (asked.get("links") or {}).get("payment")
        kind = NoticeKind.CANCELLED if found.get("status") == "cancelled" else NoticeKind.OPEN
        if payment_id:
            payment = self._ask(lambda api, head: api.payments.get(payment_id, headers=head))
            kind = _STATES.get(str(payment.get("status")), NoticeKind.PENDING)
        return Notice(
            event_id=f"status:{provider_reference}",
            kind=kind,
            provider_reference=provider_reference,
            client_reference=str((found.get("metadata") or {}).get("client_reference", "")),
            amount=int(asked["amount"]),
            currency=str(asked["currency"]),
            at=clock.now(),
        )

    def notices(self, body: bytes, headers: Mapping[str, str], now: datetime) -> tuple[Notice, ...]:
        """GoCardless signs no time: a repeated call is known by its events' ids, which are kept for good."""
        if len(body) > _MAX_BODY:
            raise SignatureError("The call is too long to come from the provider.")
        wanted = hmac.digest(self._secret.encode(), body, "sha256").hex()
        if not self._secret or not hmac.compare_digest(wanted.encode(), headers.get(HEADER, "").encode()):
            raise SignatureError("The call's signature does not fit its body.")
        try:
            told = [event for event in json.loads(body)["events"] if event["resource_type"] == "payments"]
            return tuple(self._notice(event) for event in told if event["action"] in _ACTIONS)
        except (KeyError, TypeError, ValueError):
            raise SignatureError("The call is signed, but its body cannot be read.") from None

    def refund(self, provider_reference: str, amount: int, idempotency_key: str) -> None:
        found = self._ask(lambda api, head: api.billing_requests.get(provider_reference, headers=head))
        payment = (found["payment_request"].get("links") or {}).get("payment")
        if not payment:
            raise ProviderError("Nothing was paid by this order, so nothing can be given back.")
        wanted = {"amount": amount, "total_amount_confirmation": amount, "links": {"payment": payment}}
        self._ask(lambda api, head: api.refunds.create(wanted, head), idempotency_key)

    def _notice(self, event: Mapping[str, Any]) -> Notice:
        """The event names only the payment; its metadata and amounts are asked for."""
        payment = self._ask(lambda api, head: api.payments.get(event["links"]["payment"], headers=head))
        moved = payment.get("amount_refunded") if event["action"] == "refunded" else payment["amount"]
        return Notice(
            event_id=_text(event, "id"),
            kind=_ACTIONS[event["action"]],
            provider_reference="",
            client_reference=str((payment.get("metadata") or {}).get("client_reference", "")),
            amount=int(moved or 0),
            currency=str(payment["currency"]),
            at=datetime.fromisoformat(_text(event, "created_at")),
        )

    def _ask(self, call: Callable[[Any, dict[str, str]], Any], key: str = "") -> dict[str, Any]:
        api = self._client()
        from gocardless_pro.errors import GoCardlessProError  # noqa: PLC0415 - an extra, loaded where it is used
        from requests import RequestException  # noqa: PLC0415 - what its client raises

        try:
            answer = call(api, {"Idempotency-Key": key} if key else {})
        except (GoCardlessProError, RequestException) as error:
            raise ProviderError(f"GoCardless did not answer as expected: {error}") from error
        found = answer.attributes
        if not isinstance(found, dict):
            raise ProviderError("GoCardless's answer cannot be read.")
        return found

    def _client(self) -> Any:
        if self._made is None:
            try:
                import gocardless_pro  # noqa: PLC0415 - an extra, loaded where it is used
            except ImportError:
                raise InputError(
                    "Paying by GoCardless needs its package: pip install 'kulanz[gocardless]'."
                ) from None
            self._made = gocardless_pro.Client(
                access_token=self._token, base_url=self._url, timeout=self._timeout
            )
        return self._made


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data[name]
    if not isinstance(value, str) or not value:
        raise ValueError(name)
    return value
