"""Stripe and GoCardless: through their own clients, over real sockets, against simulators of their documented APIs."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta

import gocardless_pro
import gocardless_pro.webhooks
import httpx
import pytest
import stripe
from django.test import Client

from kulanz.claims.checks import check_ledger
from kulanz.claims.queries import open_amount
from kulanz.kernel import clock as kernel_clock
from kulanz.payments import signature
from kulanz.payments.actions import settle, start
from kulanz.payments.methods.gocardless import GoCardless
from kulanz.payments.methods.port import Payee, PaymentMethod, ProviderError
from kulanz.payments.methods.registry import installed
from kulanz.payments.methods.stripe_checkout import StripeCheckout
from kulanz.payments.models import Payment, PaymentIntent
from kulanz.testing.gocardless import GoCardlessSimulator
from kulanz.testing.gocardless import serve as serve_gocardless
from kulanz.testing.payment_conformance import PaymentMethodConformance
from kulanz.testing.provider_http import serve_app
from kulanz.testing.stripe import StripeSimulator
from kulanz.testing.stripe import serve as serve_stripe
from kulanz.testing.webhooks import Sender

KEY, SECRET = "sk_test_conformance", "whsec_conformance"


class Caught:
    """Keeps a provider's calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[bytes, dict[str, str]]] = []

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        self.calls.append((body, {name.lower(): value for name, value in headers.items()}))
        return 200


class TestStripe(PaymentMethodConformance):
    @pytest.fixture(autouse=True)
    def _served(self) -> Iterator[None]:
        self.caught = Caught()
        self.simulator = StripeSimulator(api_key=KEY, webhook_secret=SECRET, send=self.caught)
        with serve_stripe(self.simulator) as self.url:
            yield

    def make(self) -> PaymentMethod:
        return StripeCheckout(KEY, SECRET, base_url=self.url, pages=self.url)

    def pay(self, provider_reference: str) -> None:
        self.simulator.pay(provider_reference)
        self.simulator.deliver()

    def call(self) -> tuple[bytes, dict[str, str]]:
        return self.caught.calls[-1]

    def test_stripes_own_client_understands_the_simulator(self) -> None:
        client = stripe.StripeClient(KEY, base_addresses={"api": self.url}, max_network_retries=0)
        sent = {
            "mode": "payment",
            "success_url": "https://x.example/",
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {"currency": "eur", "unit_amount": 500, "product_data": {"name": "x"}},
                }
            ],
        }
        made = client.v1.checkout.sessions.create(sent, {"idempotency_key": "one"})  # type: ignore[arg-type]
        assert made.amount_total == 500
        assert client.v1.checkout.sessions.retrieve(made.id).status == "open"
        with pytest.raises(stripe.IdempotencyError):
            client.v1.checkout.sessions.create({**sent, "mode": "setup"}, {"idempotency_key": "one"})  # type: ignore[arg-type,typeddict-item]
        self.pay(made.id)
        body, headers = self.call()
        event = stripe.Webhook.construct_event(body, headers["stripe-signature"], SECRET)
        assert event.type == "checkout.session.completed"
        with pytest.raises(stripe.AuthenticationError):
            stripe.StripeClient("wrong", base_addresses={"api": self.url}).v1.checkout.sessions.retrieve(
                made.id
            )


class TestGoCardless(PaymentMethodConformance):
    calls_age = False

    @pytest.fixture(autouse=True)
    def _served(self) -> Iterator[None]:
        self.caught = Caught()
        self.simulator = GoCardlessSimulator(access_token=KEY, webhook_secret=SECRET, send=self.caught)
        with serve_gocardless(self.simulator) as self.url:
            yield

    def make(self) -> PaymentMethod:
        return GoCardless(KEY, SECRET, base_url=self.url, pages=self.url)

    def pay(self, provider_reference: str) -> None:
        self.simulator.pay(provider_reference)
        self.simulator.deliver()

    def call(self) -> tuple[bytes, dict[str, str]]:
        return self.caught.calls[-1]

    def test_gocardless_own_client_understands_the_simulator(self) -> None:
        client = gocardless_pro.Client(access_token=KEY, base_url=self.url)
        asked = {"payment_request": {"amount": 500, "currency": "EUR"}, "metadata": {"a": "b"}}
        made = client.billing_requests.create(asked, {"Idempotency-Key": "one"})
        assert client.billing_requests.create(asked, {"Idempotency-Key": "one"}).id == made.id
        assert (made.status, made.payment_request.amount) == ("pending", 500)
        self.pay(made.id)
        body, headers = self.call()
        (event,) = gocardless_pro.webhooks.parse(body, SECRET, headers["webhook-signature"])
        assert (event.resource_type, event.action) == ("payments", "confirmed")
        assert client.payments.get(event.links.payment).status == "confirmed"


def to_the_site(site: Client) -> Sender:
    def send(url: str, body: bytes, headers: Mapping[str, str]) -> int:
        extra = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        path = "/" + url.split("/", 3)[3]
        return int(site.post(path, body, content_type="application/json", **extra).status_code)  # type: ignore[arg-type]

    return send


class Shop:
    """One case of 100.00 EUR whose customer pays at a provider; its calls reach the webhook address."""

    def __init__(self, till, simulator, code: str) -> None:
        self.till, self.simulator, self.code = till, simulator, code

    def start(self, form: str = "form-0001", shown: int = 10000) -> str:
        payee = Payee("Lindenhof", "", "", "EUR")
        started = start(self.till.link, payee, self.code, shown=shown, form_key=form, language="de")
        self.intent_id = started.intent_id
        return PaymentIntent.objects.get(id=started.intent_id).provider_reference

    def state(self) -> str:
        return PaymentIntent.objects.get(id=self.intent_id).state

    def owed(self) -> int:
        return open_amount(self.till.case.id)

    def hear(self) -> None:
        self.simulator.deliver()


@pytest.fixture
def stripe_shop(till) -> Iterator[Shop]:
    simulator = StripeSimulator(
        api_key=KEY,
        webhook_secret=SECRET,
        webhook_url="http://x/webhooks/stripe/",
        send=to_the_site(Client()),
    )
    with serve_app(simulator.app) as url:
        simulator.public_url = url
        with installed(StripeCheckout(KEY, SECRET, base_url=url, pages=url)):
            yield Shop(till, simulator, "stripe")


@pytest.fixture
def gocardless_shop(till) -> Iterator[Shop]:
    simulator = GoCardlessSimulator(
        access_token=KEY,
        webhook_secret=SECRET,
        webhook_url="http://x/webhooks/gocardless/",
        send=to_the_site(Client()),
    )
    with serve_app(simulator.app) as url:
        simulator.public_url = url
        with installed(GoCardless(KEY, SECRET, base_url=url, pages=url)):
            yield Shop(till, simulator, "gocardless")


def test_a_card_payment_is_booked_once_however_often_it_is_told(stripe_shop) -> None:
    session = stripe_shop.start()
    stripe_shop.simulator.pay(session)
    stripe_shop.simulator.tell("checkout.session.completed", session, times=3)
    stripe_shop.hear()
    settle(stripe_shop.intent_id)
    assert (stripe_shop.owed(), stripe_shop.state(), Payment.objects.count()) == (0, "succeeded", 1)
    assert check_ledger().clean


def test_a_debit_waits_for_the_bank_and_may_fail(stripe_shop) -> None:
    session = stripe_shop.start()
    stripe_shop.simulator.pay(session, later=True)
    stripe_shop.hear()
    assert (stripe_shop.state(), stripe_shop.owed()) == ("pending", 10000)
    stripe_shop.simulator.decline(session)
    stripe_shop.hear()
    assert (stripe_shop.state(), stripe_shop.owed()) == ("failed", 10000)


def test_money_that_was_told_before_it_was_started_is_booked_all_the_same(stripe_shop) -> None:
    """Paid, confirmed and completed arrive the wrong way round."""
    session = stripe_shop.start()
    stripe_shop.simulator.pay(session, later=True)
    stripe_shop.simulator.confirm(session)
    calls = stripe_shop.simulator.calls._calls
    calls.sort(reverse=True)
    queue, stripe_shop.simulator.calls._calls = list(calls), []
    for call in queue:
        stripe_shop.simulator.calls.add(call.url, call.body, call.due)
        stripe_shop.hear()
    assert (stripe_shop.owed(), stripe_shop.state()) == (0, "succeeded")


def test_a_chargeback_opens_the_debt_and_a_won_dispute_closes_it(stripe_shop) -> None:
    session = stripe_shop.start()
    stripe_shop.simulator.pay(session)
    stripe_shop.hear()
    stripe_shop.simulator.dispute(session)
    stripe_shop.hear()
    assert stripe_shop.owed() == 10000
    stripe_shop.simulator.win_dispute(session)
    stripe_shop.simulator.win_dispute(session)
    stripe_shop.hear()
    assert stripe_shop.owed() == 0
    assert check_ledger().clean


def test_a_refund_is_confirmed_by_the_provider(stripe_shop) -> None:
    session = stripe_shop.start()
    stripe_shop.simulator.pay(session)
    stripe_shop.hear()
    method = StripeCheckout(KEY, SECRET, base_url=stripe_shop.simulator.public_url, pages="http://x")
    method.refund(session, 10000, "refund-1")
    method.refund(session, 10000, "refund-1")
    stripe_shop.hear()
    assert stripe_shop.owed() == 10000
    with pytest.raises(ProviderError):
        method.refund(session, 10000, "refund-2")


def test_an_expired_session_moves_no_money_and_can_be_begun_anew(stripe_shop, clock) -> None:
    session = stripe_shop.start()
    stripe_shop.simulator.expire(session)
    stripe_shop.hear()
    assert stripe_shop.state() == "cancelled"
    clock.advance(timedelta(hours=1))
    assert stripe_shop.start("form-0002") != session


@pytest.mark.parametrize("shop", ["stripe_shop", "gocardless_shop"])
def test_while_the_provider_is_down_nothing_moves(shop, request) -> None:
    found = request.getfixturevalue(shop)
    found.simulator.outage = True
    with pytest.raises(ProviderError):
        found.start()
    assert PaymentIntent.objects.get().state == "failed"
    found.simulator.outage = False
    assert found.start("form-0002")


def test_instant_bank_payment_is_booked_and_a_chargeback_taken_back(gocardless_shop) -> None:
    request = gocardless_shop.start()
    gocardless_shop.simulator.pay(request)
    gocardless_shop.simulator.tell("confirmed", request, times=2)
    gocardless_shop.hear()
    assert (gocardless_shop.owed(), Payment.objects.count()) == (0, 1)
    gocardless_shop.simulator.charge_back(request)
    gocardless_shop.hear()
    assert gocardless_shop.owed() == 10000
    gocardless_shop.simulator.cancel_chargeback(request)
    gocardless_shop.hear()
    assert gocardless_shop.owed() == 0
    assert check_ledger().clean


def test_a_bank_payment_that_fails_leaves_the_debt(gocardless_shop) -> None:
    request = gocardless_shop.start()
    gocardless_shop.simulator.pay(request, later=True)
    settle(gocardless_shop.intent_id)
    assert gocardless_shop.state() == "pending"
    gocardless_shop.simulator.fail(request)
    gocardless_shop.hear()
    assert (gocardless_shop.state(), gocardless_shop.owed()) == ("failed", 10000)


@pytest.mark.parametrize(("shop", "button"), [("stripe_shop", "pay"), ("gocardless_shop", "pay")])
def test_the_hosted_page_needs_no_script_and_leads_back(shop, button, request) -> None:
    found = request.getfixturevalue(shop)
    found.start()
    intent = PaymentIntent.objects.get()
    page = httpx.get(intent.redirect_url)
    assert "100,00" in page.text
    assert "<script" not in page.text
    back = httpx.post(intent.redirect_url, data={"button": button})
    assert back.status_code == 303
    assert f"/return/{intent.id}/" in back.headers["location"]
    settle(intent.id)
    assert found.owed() == 0


def test_currencies_that_stripe_counts_otherwise_are_not_offered() -> None:
    method = StripeCheckout(KEY, SECRET)
    assert [method.available(Payee("x", "", "", code)) for code in ("EUR", "JPY", "ISK", "UGX", "KWD")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert [
        GoCardless(KEY, SECRET).available(Payee("x", "", "", code)) for code in ("EUR", "GBP", "USD")
    ] == [
        True,
        True,
        False,
    ]


def test_events_that_mean_nothing_here_are_taken_and_forgotten() -> None:
    body = json.dumps(
        {"id": "evt_1", "type": "customer.created", "created": 1, "data": {"object": {}}}
    ).encode()
    signed = signature.sign(body, SECRET, kernel_clock.now())
    assert StripeCheckout(KEY, SECRET).notices(body, {"stripe-signature": signed}, kernel_clock.now()) == ()
