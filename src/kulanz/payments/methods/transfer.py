"""Bank transfer: the customer's bank moves the money; a reference says what it is for."""

from collections.abc import Mapping
from datetime import datetime

from kulanz.payments.methods.port import Instructions, Notice, Order, Payee, UnsupportedError

_NO_PROVIDER = "A bank transfer has no provider to ask: the bank statement tells of it."


class Transfer:
    """Available wherever the creditor has an account."""

    code = "transfer"
    origins: tuple[str, ...] = ()

    def title(self, language: str) -> str:
        return "Überweisung" if language == "de" else "Bank transfer"

    def available(self, payee: Payee) -> bool:
        return bool(payee.iban)

    def begin(self, order: Order) -> Instructions:
        payee = order.payee
        return Instructions(
            payee.account_holder, payee.iban, payee.bic, order.reference, order.amount, order.currency
        )

    def status(self, provider_reference: str) -> Notice:
        raise UnsupportedError(_NO_PROVIDER)

    def notices(self, body: bytes, headers: Mapping[str, str], now: datetime) -> tuple[Notice, ...]:
        raise UnsupportedError(_NO_PROVIDER)

    def refund(self, provider_reference: str, amount: int, idempotency_key: str) -> None:
        raise UnsupportedError("A bank transfer is given back by a transfer from the creditor's own account.")
