"""Stripe's API as far as Kulanz uses it, over real HTTP: Checkout Sessions, Refunds, Events with signed webhooks.

Shapes after docs.stripe.com/api. Bodies are form-encoded, answers JSON, `Idempotency-Key` repeats an answer, events are
signed in `Stripe-Signature`. Stripe's own client talks to it (a test does). The hosted page is our own and says that it
is a simulation; `pay`, `decline`, `dispute` and the others play what customers and banks do.
"""

import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from threading import RLock
from typing import Any
from urllib.parse import parse_qsl

from kulanz.kernel import clock
from kulanz.payments import signature
from kulanz.testing.provider_http import Hosted, Refused, Request, serve_app
from kulanz.testing.webhooks import Sender, WebhookQueue, delivering


@dataclass(slots=True)
class _Session:
    id: str
    amount: int
    currency: str
    reference: str
    success_url: str
    locale: str
    created: int
    intent: str
    status: str = "open"
    payment_status: str = "unpaid"
    refunded: int = 0
    disputed: bool = False
    metadata: dict[str, str] = field(default_factory=dict)


class StripeSimulator:
    """The provider's state and rules; `webhook_url` is where its events go. Safe to use from several threads."""

    def __init__(
        self, *, api_key: str, webhook_secret: str, webhook_url: str = "", send: Sender | None = None
    ) -> None:
        self.webhook_url = webhook_url
        self.public_url = "http://stripe.simulated"
        self.outage = False
        self.calls = WebhookQueue(
            lambda body, at: {"Stripe-Signature": signature.sign(body, webhook_secret, at)}, send
        )
        self.app = Hosted(self._answer, self._page, self._press)
        self._key = api_key
        self._lock = RLock()
        self._sessions: dict[str, _Session] = {}
        self._answers: dict[str, tuple[dict[str, str], dict[str, Any]]] = {}
        self._number = itertools.count(1)

    def deliver(self) -> int:
        return self.calls.deliver()

    # what customers and banks do

    def pay(self, session_id: str, *, later: bool = False) -> None:
        """By card at once; `later`: by SEPA debit, which the bank confirms or not afterwards."""
        session = self._session(session_id)
        if session.status != "open":
            return
        session.status = "complete"
        session.payment_status = "unpaid" if later else "paid"
        self._tell("checkout.session.completed", self._shown(session))

    def confirm(self, session_id: str) -> None:
        """The bank has paid a debit."""
        session = self._session(session_id)
        session.payment_status = "paid"
        self._tell("checkout.session.async_payment_succeeded", self._shown(session))

    def decline(self, session_id: str) -> None:
        """The bank has not paid a debit."""
        self._tell("checkout.session.async_payment_failed", self._shown(self._session(session_id)))

    def expire(self, session_id: str) -> None:
        session = self._session(session_id)
        session.status = "expired"
        self._tell("checkout.session.expired", self._shown(session))

    def dispute(self, session_id: str) -> None:
        """The customer's bank takes the money back (chargeback)."""
        session = self._session(session_id)
        session.disputed = True
        self._tell("charge.dispute.funds_withdrawn", self._dispute(session))

    def win_dispute(self, session_id: str) -> None:
        session = self._session(session_id)
        session.disputed = False
        self._tell("charge.dispute.funds_reinstated", self._dispute(session))

    def tell(self, kind: str, session_id: str, *, after: timedelta = timedelta(), times: int = 1) -> None:
        """Queue an event that says `kind` of a session whatever is true: late, twice or contradictory."""
        self._tell(kind, self._shown(self._session(session_id)), after, times)

    # the API

    def _answer(self, request: Request) -> dict[str, Any]:
        if self.outage:
            raise Refused(503, {"error": {"type": "api_error", "message": "Stripe is down."}})
        if request.header("authorization") != f"Bearer {self._key}":
            raise Refused(
                401, {"error": {"type": "invalid_request_error", "message": "Invalid API Key provided."}}
            )
        match request.verb, request.path:
            case "POST", ["v1", "checkout", "sessions"]:
                return self._once(request, self._create)
            case "GET", ["v1", "checkout", "sessions"]:
                wanted = request.query.get("payment_intent")
                found = [self._shown(each) for each in self._sessions.values() if each.intent == wanted]
                return {"object": "list", "data": found, "has_more": False, "url": "/v1/checkout/sessions"}
            case "GET", ["v1", "checkout", "sessions", number]:
                session = self._session(number)
                expand = "payment_intent.latest_charge" in request.query.values()
                return self._shown(session, expand=expand)
            case "POST", ["v1", "refunds"]:
                return self._once(request, self._refund)
        raise Refused(
            404, {"error": {"type": "invalid_request_error", "message": "Unrecognized request URL."}}
        )

    def _once(self, request: Request, make: Any) -> dict[str, Any]:
        params = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        key = request.header("idempotency-key")
        with self._lock:
            if key in self._answers:
                before, answer = self._answers[key]
                if before != params:
                    message = "Keys for idempotent requests can only be used with the same parameters."
                    raise Refused(400, {"error": {"type": "idempotency_error", "message": message}})
                return answer
            made: dict[str, Any] = make(params)
            if key:
                self._answers[key] = params, made
            return made

    def _create(self, params: Mapping[str, str]) -> dict[str, Any]:
        line = "line_items[0][price_data]"
        try:
            amount, currency = int(params[f"{line}[unit_amount]"]), params[f"{line}[currency]"]
            success = params["success_url"]
        except (KeyError, ValueError):
            error = {"type": "invalid_request_error", "message": "Missing required param."}
            raise Refused(400, {"error": error}) from None
        if params.get("mode") != "payment" or amount <= 0 or not success.startswith(("http://", "https://")):
            raise Refused(400, {"error": {"type": "invalid_request_error", "message": "Invalid params."}})
        number = next(self._number)
        session = _Session(
            id=f"cs_test_{number:012d}",
            amount=amount,
            currency=currency,
            reference=params.get("client_reference_id", ""),
            success_url=success,
            locale=params.get("locale", "auto"),
            created=int(clock.now().timestamp()),
            intent=f"pi_{number:012d}",
        )
        self._sessions[session.id] = session
        return self._shown(session)

    def _refund(self, params: Mapping[str, str]) -> dict[str, Any]:
        session = next((s for s in self._sessions.values() if s.intent == params.get("payment_intent")), None)
        amount = int(params.get("amount", "0"))
        if session is None or session.payment_status != "paid" or session.refunded + amount > session.amount:
            raise Refused(
                400, {"error": {"type": "invalid_request_error", "message": "Charge cannot be refunded."}}
            )
        session.refunded += amount
        self._tell("charge.refunded", self._charge(session))
        return {
            "id": f"re_{next(self._number):012d}",
            "object": "refund",
            "amount": amount,
            "status": "succeeded",
        }

    def _session(self, number: str) -> _Session:
        found = self._sessions.get(number)
        if found is None:
            error = {
                "type": "invalid_request_error",
                "code": "resource_missing",
                "message": "No such session.",
            }
            raise Refused(404, {"error": error})
        return found

    def _shown(self, session: _Session, *, expand: bool = False) -> dict[str, Any]:
        paid = session.status == "complete"
        intent: Any = session.intent if paid else None
        if expand and paid:
            intent = {
                "id": session.intent,
                "object": "payment_intent",
                "latest_charge": self._charge(session),
            }
        return {
            "id": session.id,
            "object": "checkout.session",
            "amount_total": session.amount,
            "currency": session.currency,
            "client_reference_id": session.reference or None,
            "created": session.created,
            "payment_intent": intent,
            "payment_status": session.payment_status,
            "status": session.status,
            "mode": "payment",
            "livemode": False,
            "url": f"{self.public_url}/c/pay/{session.id}" if session.status == "open" else None,
        }

    def _charge(self, session: _Session) -> dict[str, Any]:
        return {
            "id": session.intent.replace("pi_", "ch_"),
            "object": "charge",
            "amount": session.amount,
            "amount_refunded": session.refunded,
            "created": session.created,
            "currency": session.currency,
            "disputed": session.disputed,
            "payment_intent": session.intent,
            "refunded": session.refunded == session.amount,
        }

    def _dispute(self, session: _Session) -> dict[str, Any]:
        return {
            "id": session.intent.replace("pi_", "dp_"),
            "object": "dispute",
            "amount": session.amount,
            "currency": session.currency,
            "payment_intent": session.intent,
            "status": "needs_response" if session.disputed else "won",
        }

    def _tell(
        self, kind: str, thing: Mapping[str, Any], after: timedelta = timedelta(), times: int = 1
    ) -> None:
        event = {
            "id": f"evt_{next(self._number):012d}",
            "object": "event",
            "type": kind,
            "created": int(clock.now().timestamp()),
            "livemode": False,
            "data": {"object": thing},
        }
        for _ in range(times):
            self.calls.add(self.webhook_url, json.dumps(event).encode(), clock.now() + after)

    # the hosted page

    def _page(self, path: list[str]) -> tuple[str, int, str, bool]:
        session = self._session(path[-1])
        return session.locale, session.amount, session.currency.upper(), session.status == "open"

    def _press(self, path: list[str], button: str) -> str:
        session = self._session(path[-1])
        if button == "pay":
            self.pay(session.id)
        elif button == "later":
            self.pay(session.id, later=True)
        return session.success_url


@contextmanager
def serve(simulator: StripeSimulator, port: int = 0) -> Iterator[str]:
    """Serve on 127.0.0.1 and deliver events while the block runs; yields the address of API and pages."""
    with serve_app(simulator.app, port) as url:
        simulator.public_url = url
        with delivering(simulator):
            yield url
