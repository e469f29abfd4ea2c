"""A payment service provider to test and play against: a real HTTP server, or the same WSGI app in process.

The API (JSON; `Authorization: Bearer <api key>`; amounts in minor units; times ISO 8601):

- `POST /v1/checkouts` with `Idempotency-Key` and `{amount, currency, description, payee, client_reference, return_url,
  webhook_url, language}` answers 201 and a checkout `{id, url, state, amount, currency, client_reference, updated_at}`.
  The same key gives the same checkout; with another body it gives 409.
- `GET /v1/checkouts/<id>` answers 200 and the checkout. States: open, pending, paid, failed, cancelled, returned.
- `POST /v1/checkouts/<id>/return` with `{reason: refund|chargeback, amount}` takes a paid checkout back: 200, or 409.
- The customer opens the checkout's `url`, presses a button and is sent back to `return_url`.
- Each change is told by a POST to `webhook_url`: `{id, created_at, checkout: {...}}`, signed in `Kulanz-Signature`:
  `t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`. Anything but a 2xx is tried again, up to eight times.

Nothing here moves money: every page says that it is a simulation.
"""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import RLock
from typing import Any

from kulanz.kernel import clock
from kulanz.kernel.errors import ConflictError, InputError, NotFoundError
from kulanz.payments import signature
from kulanz.testing.psp_http import Application, threaded_server
from kulanz.testing.webhooks import Sender, WebhookQueue, delivering

HEADER = "Kulanz-Signature"
_FIELDS = ("description", "payee", "client_reference", "return_url", "webhook_url", "language")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the provider treats one checkout. `delays` by state come before `webhook_delay`: late, out of order.

    `settle_after` > 0 leaves a paid checkout pending for that long; `duplicates` is how often each call is repeated.
    """

    webhook_delay: timedelta = timedelta()
    delays: Mapping[str, timedelta] = field(default_factory=dict)
    duplicates: int = 0
    settle_after: timedelta = timedelta()


@dataclass(slots=True)
class Checkout:
    """One payment asked for. `changes` are states with the time they begin, ascending."""

    id: str
    amount: int
    currency: str
    description: str
    payee: str
    client_reference: str
    return_url: str
    webhook_url: str
    language: str
    changes: list[tuple[datetime, str]]

    def state(self, at: datetime) -> tuple[datetime, str]:
        return [change for change in self.changes if change[0] <= at][-1]


class PspSimulator:
    """The provider's state and rules; `app` is its WSGI application. Safe to use from several threads."""

    def __init__(
        self,
        *,
        api_key: str,
        webhook_secret: str,
        send: Sender | None = None,
        behaviour: Behaviour | Callable[[Checkout], Behaviour] | None = None,
        public_url: str = "http://psp.simulated",
    ) -> None:
        self.api_key = api_key
        self.public_url = public_url
        self.outage = False
        self.app = Application(self)
        self._calls = WebhookQueue(lambda body, at: {HEADER: signature.sign(body, webhook_secret, at)}, send)
        self._behaviour = behaviour or Behaviour()
        self._lock = RLock()
        self._checkouts: dict[str, Checkout] = {}
        self._keys: dict[str, tuple[str, str]] = {}
        self._number = itertools.count(1)

    def create(self, key: str, body: Mapping[str, Any]) -> Checkout:
        """A checkout for this idempotency key; raises InputError and ConflictError."""
        content = json.dumps(body, sort_keys=True)
        with self._lock:
            if key in self._keys:
                known, known_content = self._keys[key]
                if known_content != content:
                    raise ConflictError("This idempotency key was used with another body.")
                return self._checkouts[known]
            checkout = self._checked(body)
            self._checkouts[checkout.id] = checkout
            self._keys[key] = (checkout.id, content)
            return checkout

    def find(self, checkout_id: str) -> Checkout:
        with self._lock:
            found = self._checkouts.get(checkout_id)
        if found is None:
            raise NotFoundError("There is no such checkout.")
        return found

    def pay(self, checkout_id: str) -> Checkout:
        """The customer pays; a second time changes nothing."""
        checkout = self.find(checkout_id)
        settle = self._behaves(checkout).settle_after
        with self._lock:
            if self._change(checkout, "pending" if settle else "paid") and settle:
                self._change(checkout, "paid", clock.now() + settle)
        return checkout

    def decline(self, checkout_id: str) -> Checkout:
        """The customer's bank says no."""
        checkout = self.find(checkout_id)
        self._change(checkout, "failed")
        return checkout

    def cancel(self, checkout_id: str) -> Checkout:
        """The customer goes back without paying."""
        checkout = self.find(checkout_id)
        self._change(checkout, "cancelled")
        return checkout

    def take_back(self, checkout_id: str, amount: int | None = None) -> Checkout:
        """Refund or chargeback of the whole amount; raises ConflictError unless the checkout is paid."""
        checkout = self.find(checkout_id)
        with self._lock:
            state = checkout.state(clock.now())[1]
            whole = amount in (None, checkout.amount)
            if state == "returned" and whole:
                return checkout
            if state != "paid" or not whole:
                raise ConflictError("Only a paid checkout can be taken back, and only as a whole.")
            self._tell(checkout, "returned", clock.now())
            checkout.changes.append((clock.now(), "returned"))
        return checkout

    def tell(self, checkout_id: str, state: str, *, amount: int | None = None) -> None:
        """Queue a signed call that says `state` whatever is true: for contradictory providers."""
        self._tell(self.find(checkout_id), state, clock.now(), amount)

    def next_due(self) -> datetime | None:
        """When the next webhook wants to be sent; None where none is waiting."""
        return self._calls.next_due()

    def deliver(self) -> int:
        """Send every webhook that is due by the clock; returns how many calls were made."""
        return self._calls.deliver()

    def view(self, checkout: Checkout) -> dict[str, Any]:
        """The checkout as the API shows it now."""
        since, state = checkout.state(clock.now())
        return self._shown(checkout, state, since, checkout.amount)

    def _shown(self, checkout: Checkout, state: str, since: datetime, amount: int) -> dict[str, Any]:
        return {
            "id": checkout.id,
            "url": f"{self.public_url}/checkout/{checkout.id}",
            "state": state,
            "amount": amount,
            "currency": checkout.currency,
            "client_reference": checkout.client_reference,
            "updated_at": since.isoformat(),
        }

    def _checked(self, body: Mapping[str, Any]) -> Checkout:
        amount, currency = body.get("amount"), body.get("currency")
        if not isinstance(amount, int) or isinstance(amount, bool) or amount <= 0:
            raise InputError("amount must be a whole number of minor units above zero.")
        if not isinstance(currency, str) or len(currency) != 3:
            raise InputError("currency must be an ISO 4217 code.")
        texts = {name: str(body.get(name, "")) for name in _FIELDS}
        for name in ("return_url", "webhook_url"):
            if not texts[name].startswith(("http://", "https://")):
                raise InputError(f"{name} must be an absolute http address.")
        number = f"co_{next(self._number):08d}"
        return Checkout(number, amount, currency, **texts, changes=[(clock.now(), "open")])

    def _behaves(self, checkout: Checkout) -> Behaviour:
        return self._behaviour(checkout) if callable(self._behaviour) else self._behaviour

    def _change(self, checkout: Checkout, state: str, at: datetime | None = None) -> bool:
        """Move an unfinished checkout on; False where it is finished."""
        with self._lock:
            since = at or clock.now()
            if checkout.changes[-1][1] not in ("open", "pending"):
                return False
            checkout.changes.append((since, state))
            self._tell(checkout, state, since)
            return True

    def _tell(self, checkout: Checkout, state: str, at: datetime, amount: int | None = None) -> None:
        behaviour = self._behaves(checkout)
        shown = self._shown(checkout, state, at, checkout.amount if amount is None else amount)
        with self._lock:
            number = next(self._number)
            event = {"id": f"ev_{number:08d}", "created_at": at.isoformat(), "checkout": shown}
            body = json.dumps(event, separators=(",", ":")).encode()
            due = at + behaviour.delays.get(state, behaviour.webhook_delay)
            for _ in range(1 + behaviour.duplicates):
                self._calls.add(checkout.webhook_url, body, due)


@contextmanager
def serve(simulator: PspSimulator, port: int = 0) -> Iterator[str]:
    """Serve on 127.0.0.1 (port 0: any free one) and deliver webhooks while the block runs; yields the address."""
    with threaded_server(simulator.app, port) as url:
        simulator.public_url = url
        with delivering(simulator):
            yield url
