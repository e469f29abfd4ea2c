"""What every payment method must do. A plug-in's own tests inherit the class and say how to make its method.

class TestMyMethod(PaymentMethodConformance):
    def make(self) -> PaymentMethod: ...
"""

from dataclasses import replace
from datetime import timedelta

from kulanz.kernel import clock
from kulanz.payments.methods.port import (
    Instructions,
    Notice,
    NoticeKind,
    Order,
    Payee,
    PaymentMethod,
    ProviderError,
    Redirect,
    SignatureError,
    UnsupportedError,
)

PAYEE = Payee("Stadtwerke Musterstadt", "DE02120300000000202051", "BYLADEM1001", "EUR")


class PaymentMethodConformance:
    """Checks of the port. Methods that send customers to a provider override `pay` and `call` as well.

    `calls_age`: whether the provider signs the time, so that an old call is refused; without it a repeated call is
    known by its events' ids only.
    """

    calls_age = True

    def make(self) -> PaymentMethod:
        """A fresh method, connected to a test provider."""
        raise AssertionError("The test class must say how to make its method.")

    def pay(self, provider_reference: str) -> None:
        """Let the test provider receive the money of an order."""
        raise AssertionError("A method with a provider must say how its test provider receives money.")

    def call(self) -> tuple[bytes, dict[str, str]]:
        """The provider's last signed call: body and headers in lower case."""
        raise AssertionError("A method with a provider must hand over its provider's calls.")

    def order(self, **changes: object) -> Order:
        base = Order(
            payee=PAYEE,
            amount=12_990,
            currency="EUR",
            reference="RF980000000042",
            client_reference="42",
            idempotency_key="conformance-1",
            return_url="https://pay.example/return/",
            webhook_url="https://pay.example/webhooks/x/",
            language="de",
        )
        return replace(base, **changes)  # type: ignore[arg-type]

    def test_the_code_can_be_stored_and_stand_in_an_address(self) -> None:
        code = self.make().code
        assert 0 < len(code) <= 20
        assert code.isascii()
        assert code == code.lower()
        assert code.replace("_", "").replace("-", "").isalnum()

    def test_customers_read_what_it_is_in_their_language(self) -> None:
        method = self.make()
        for language in ("de", "en", "tr"):
            assert 0 < len(method.title(language)) <= 60

    def test_the_same_order_twice_is_one_order(self) -> None:
        method = self.make()
        assert method.begin(self.order()) == method.begin(self.order())

    def test_another_key_is_another_order(self) -> None:
        method = self.make()
        first, second = method.begin(self.order()), method.begin(self.order(idempotency_key="conformance-2"))
        if isinstance(first, Redirect):
            assert first != second

    def test_the_customer_is_sent_to_the_providers_own_pages_only(self) -> None:
        method = self.make()
        answer = method.begin(self.order())
        if isinstance(answer, Redirect):
            assert answer.provider_reference
            assert len(answer.provider_reference) <= 80
            assert any(answer.url.startswith(f"{origin}/") for origin in method.origins)
        else:
            assert isinstance(answer, Instructions)
            assert (answer.amount, answer.reference) == (12_990, "RF980000000042")

    def test_a_forged_call_is_refused(self) -> None:
        method = self.make()
        forged = (
            {"kulanz-signature": "t=1,v1=00"},
            {"stripe-signature": "t=1,v1=00"},
            {"webhook-signature": "00"},
        )
        for headers in ({}, *forged):
            try:
                found: tuple[Notice, ...] = method.notices(b'{"id":"x"}', headers, clock.now())
            except (SignatureError, UnsupportedError):
                continue
            raise AssertionError(f"a forged call was believed: {found}")

    def test_money_is_told_by_status_and_by_a_signed_call_that_ages(self) -> None:
        method = self.make()
        answer = method.begin(self.order())
        if not isinstance(answer, Redirect):
            return
        assert method.status(answer.provider_reference).kind == NoticeKind.OPEN
        self.pay(answer.provider_reference)
        told = method.status(answer.provider_reference)
        body, headers = self.call()
        (heard,) = method.notices(body, headers, clock.now())
        for notice in (told, heard):
            assert notice.kind == NoticeKind.PAID
            assert notice.provider_reference in (answer.provider_reference, "")
            assert notice.client_reference == "42"
            assert (notice.amount, notice.currency) == (12_990, "EUR")
            assert notice.at.tzinfo is not None
        later = clock.now() + timedelta(hours=1)
        for wrong_body, at in ((body + b" ", clock.now()), *([(body, later)] if self.calls_age else [])):
            try:
                method.notices(wrong_body, headers, at)
            except SignatureError:
                continue
            raise AssertionError("a changed or old call was believed")

    def test_an_unknown_order_is_an_error_not_a_guess(self) -> None:
        method = self.make()
        for ask in (
            lambda: method.status("no-such-order"),
            lambda: method.refund("no-such-order", 1, "conformance-3"),
        ):
            try:
                ask()
            except (ProviderError, UnsupportedError):
                continue
            raise AssertionError("an unknown order was answered")
