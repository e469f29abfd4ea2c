"""The built-in methods pass the suite that every provider has to pass."""

from collections.abc import Mapping

import httpx
import pytest

from kulanz.kernel.errors import NotFoundError
from kulanz.payments.methods import registry
from kulanz.payments.methods.port import Payee, PaymentMethod, ProviderError
from kulanz.payments.methods.psp import Psp
from kulanz.payments.methods.transfer import Transfer
from kulanz.testing.payment_conformance import PAYEE, PaymentMethodConformance
from kulanz.testing.psp import PspSimulator, serve

KEY, SECRET = "conformance", "conformance-secret"


class TestTransfer(PaymentMethodConformance):
    def make(self) -> PaymentMethod:
        return Transfer()


class TestPspInProcess(PaymentMethodConformance):
    def make(self) -> PaymentMethod:
        self.calls: list[tuple[bytes, dict[str, str]]] = []

        def send(url: str, body: bytes, headers: Mapping[str, str]) -> int:
            self.calls.append((body, {name.lower(): value for name, value in headers.items()}))
            return 200

        self.psp = PspSimulator(api_key=KEY, webhook_secret=SECRET, send=send)
        return Psp(self.psp.public_url, KEY, SECRET, transport=httpx.WSGITransport(app=self.psp.app))

    def pay(self, provider_reference: str) -> None:
        self.psp.pay(provider_reference)
        self.psp.deliver()

    def call(self) -> tuple[bytes, dict[str, str]]:
        return self.calls[-1]


def test_the_provider_can_be_used_over_a_real_socket():
    psp = PspSimulator(api_key=KEY, webhook_secret=SECRET, send=lambda *_: 200)
    with serve(psp) as url:
        method = Psp(url, KEY, SECRET)
        answer = method.begin(PaymentMethodConformance().order())
        page = httpx.get(answer.url)
        assert page.status_code == 200
        assert "129,90" in page.text
        assert "<script" not in page.text
        paid = httpx.post(f"{answer.url}/pay")
        assert (paid.status_code, paid.headers["location"]) == (303, "https://pay.example/return/")
        assert method.status(answer.provider_reference).kind == "paid"


def test_a_wrong_api_key_and_an_outage_are_errors_that_move_no_money():
    psp = PspSimulator(api_key=KEY, webhook_secret=SECRET, send=lambda *_: 200)
    stranger = Psp(psp.public_url, "guess", SECRET, transport=httpx.WSGITransport(app=psp.app))
    with pytest.raises(ProviderError):
        stranger.begin(PaymentMethodConformance().order())
    psp.outage = True
    friend = Psp(psp.public_url, KEY, SECRET, transport=httpx.WSGITransport(app=psp.app))
    with pytest.raises(ProviderError):
        friend.begin(PaymentMethodConformance().order())
    with pytest.raises(ProviderError):
        Psp("http://127.0.0.1:9", KEY, SECRET, timeout=2).begin(PaymentMethodConformance().order())


@pytest.mark.parametrize("body", [b"not json", b"[]", b"{}", b'{"id":1}', b'{"id":"a","url":""}'])
def test_an_answer_that_cannot_be_read_is_a_provider_error(body):
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body))
    method = Psp("http://psp.example", KEY, SECRET, transport=transport)
    with pytest.raises(ProviderError):
        method.begin(PaymentMethodConformance().order())
    with pytest.raises(ProviderError):
        method.status("co_1")


def test_what_is_offered_follows_from_the_payee():
    assert "transfer" in registry.offered(PAYEE)
    assert "transfer" not in registry.offered(Payee("Shop", "", "", "USD"))
    with pytest.raises(NotFoundError):
        registry.get("shells")
