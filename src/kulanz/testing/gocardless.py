"""GoCardless's API as far as Kulanz uses it, over real HTTP: billing requests, flows, payments, refunds, webhooks.

Shapes after developer.gocardless.com. Bodies are JSON in an envelope named after the resource, `Idempotency-Key`
repeats an answer, webhooks carry one or more events and are signed in `Webhook-Signature`. GoCardless's own client
talks to it (a test does).
"""

import hmac
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import RLock
from typing import Any

from kulanz.kernel import clock
from kulanz.testing.provider_http import Hosted, Refused, Request, serve_app
from kulanz.testing.webhooks import Sender, WebhookQueue, delivering

_CREATED = frozenset({"billing_requests", "billing_request_flows", "payments", "refunds"})


@dataclass(slots=True)
class _Billing:
    id: str
    amount: int
    currency: str
    metadata: dict[str, str]
    redirect: str = ""
    language: str = "en"
    status: str = "pending"
    payment: str = ""
    payment_status: str = ""
    refunded: int = 0


class GoCardlessSimulator:
    """The provider's state and rules; `webhook_url` is where its events go. Safe to use from several threads."""

    def __init__(
        self, *, access_token: str, webhook_secret: str, webhook_url: str = "", send: Sender | None = None
    ) -> None:
        self.webhook_url = webhook_url
        self.public_url = "http://gocardless.simulated"
        self.outage = False
        self.calls = WebhookQueue(
            lambda body, _: {"Webhook-Signature": hmac.digest(webhook_secret.encode(), body, "sha256").hex()},
            send,
        )
        self.app = Hosted(self._answer, self._page, self._press, created=_CREATED)
        self._token = access_token
        self._lock = RLock()
        self._requests: dict[str, _Billing] = {}
        self._answers: dict[str, dict[str, Any]] = {}
        self._number = itertools.count(1)

    def deliver(self) -> int:
        return self.calls.deliver()

    # what customers and banks do

    def pay(self, request_id: str, *, later: bool = False) -> None:
        """The customer agrees at their bank; `later`: the money is confirmed by `confirm`."""
        billing = self._billing(request_id)
        if billing.status != "pending":
            return
        billing.status, billing.payment = "fulfilled", f"PM{next(self._number):010d}"
        billing.payment_status = "submitted"
        self._tell("billing_requests", "fulfilled", {"billing_request": billing.id})
        if not later:
            self.confirm(request_id)

    def confirm(self, request_id: str) -> None:
        self._payment_is(request_id, "confirmed")

    def fail(self, request_id: str) -> None:
        self._payment_is(request_id, "failed")

    def charge_back(self, request_id: str) -> None:
        self._payment_is(request_id, "charged_back")

    def cancel_chargeback(self, request_id: str) -> None:
        self._payment_is(request_id, "confirmed", "chargeback_cancelled")

    def tell(self, action: str, request_id: str, *, after: timedelta = timedelta(), times: int = 1) -> None:
        """Queue an event of a payment whatever is true: late, twice or contradictory."""
        self._tell("payments", action, {"payment": self._billing(request_id).payment}, after, times)

    def _payment_is(self, request_id: str, status: str, action: str = "") -> None:
        billing = self._billing(request_id)
        billing.payment_status = status
        self._tell("payments", action or status, {"payment": billing.payment})

    # the API

    def _answer(self, request: Request) -> dict[str, Any]:
        if self.outage:
            raise _refused(500, "gocardless", "GoCardless is down.")
        if request.header("authorization") != f"Bearer {self._token}":
            raise _refused(401, "invalid_api_usage", "The access token you've used is not a valid one.")
        match request.verb, request.path:
            case "POST", ["billing_requests"]:
                return self._once(request, "billing_requests", self._create)
            case "GET", ["billing_requests", number]:
                return {"billing_requests": self._shown(self._billing(number))}
            case "POST", ["billing_request_flows"]:
                return self._once(request, "billing_request_flows", self._flow)
            case "GET", ["payments", number]:
                return {"payments": self._payment(self._of_payment(number))}
            case "POST", ["refunds"]:
                return self._once(request, "refunds", self._refund)
        raise _refused(404, "invalid_api_usage", "Not found")

    def _once(
        self, request: Request, name: str, make: Callable[[Mapping[str, Any]], dict[str, Any]]
    ) -> dict[str, Any]:
        key = request.header("idempotency-key")
        with self._lock:
            if key not in self._answers:
                self._answers[key] = {name: make(json.loads(request.body)[name])}
            return self._answers[key]

    def _create(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        payment = asked.get("payment_request") or {}
        if not isinstance(payment.get("amount"), int) or payment["amount"] <= 0:
            raise _refused(422, "validation_failed", "Amount must be greater than 0")
        number = f"BRQ{next(self._number):09d}"
        billing = _Billing(number, payment["amount"], payment["currency"], dict(asked.get("metadata") or {}))
        self._requests[number] = billing
        return self._shown(billing)

    def _flow(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        billing = self._billing(asked["links"]["billing_request"])
        billing.redirect, billing.language = asked["redirect_uri"], asked.get("language", "en")
        return {
            "id": f"BRF{next(self._number):09d}",
            "authorisation_url": f"{self.public_url}/c/flow/{billing.id}",
            "redirect_uri": billing.redirect,
            "links": {"billing_request": billing.id},
        }

    def _refund(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        billing = self._of_payment(asked["links"]["payment"])
        if billing.refunded + asked["amount"] > billing.amount:
            raise _refused(422, "validation_failed", "refund amount exceeds the payment")
        billing.refunded += asked["amount"]
        self._tell("payments", "charged_back", {"payment": billing.payment})
        return {"id": f"RF{next(self._number):09d}", "amount": asked["amount"], "currency": billing.currency}

    def _billing(self, number: str) -> _Billing:
        found = self._requests.get(number)
        if found is None:
            raise _refused(404, "invalid_api_usage", "Resource not found")
        return found

    def _of_payment(self, number: str) -> _Billing:
        found = next((each for each in self._requests.values() if each.payment == number), None)
        if found is None or not number:
            raise _refused(404, "invalid_api_usage", "Resource not found")
        return found

    def _shown(self, billing: _Billing) -> dict[str, Any]:
        links = {"payment": billing.payment} if billing.payment else {}
        return {
            "id": billing.id,
            "created_at": clock.now().isoformat(),
            "status": billing.status,
            "payment_request": {"amount": billing.amount, "currency": billing.currency, "links": links},
            "metadata": billing.metadata,
        }

    def _payment(self, billing: _Billing) -> dict[str, Any]:
        return {
            "id": billing.payment,
            "amount": billing.amount,
            "amount_refunded": billing.refunded,
            "currency": billing.currency,
            "status": billing.payment_status,
            "metadata": billing.metadata,
        }

    def _tell(
        self, kind: str, action: str, links: Mapping[str, str], after: timedelta = timedelta(), times: int = 1
    ) -> None:
        event = {
            "id": f"EV{next(self._number):010d}",
            "created_at": clock.now().isoformat(),
            "resource_type": kind,
            "action": action,
            "links": links,
        }
        body = json.dumps({"events": [event], "meta": {"webhook_id": f"WB{next(self._number)}"}}).encode()
        for _ in range(times):
            self.calls.add(self.webhook_url, body, clock.now() + after)

    # the hosted page

    def _page(self, path: list[str]) -> tuple[str, int, str, bool]:
        billing = self._billing(path[-1])
        return billing.language, billing.amount, billing.currency, billing.status == "pending"

    def _press(self, path: list[str], button: str) -> str:
        billing = self._billing(path[-1])
        if button in ("pay", "later"):
            self.pay(billing.id, later=button == "later")
        return billing.redirect


@contextmanager
def serve(simulator: GoCardlessSimulator, port: int = 0) -> Iterator[str]:
    """Serve on 127.0.0.1 and deliver events while the block runs; yields the address of API and pages."""
    with serve_app(simulator.app, port) as url:
        simulator.public_url = url
        with delivering(simulator):
            yield url


def _refused(status: int, kind: str, message: str) -> Refused:
    return Refused(status, {"error": {"type": kind, "code": status, "message": message, "errors": []}})
