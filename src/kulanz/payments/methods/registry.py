"""Which ways to pay this installation has: its own and those that packages bring by entry points."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import entry_points

from kulanz.kernel.errors import NotFoundError
from kulanz.kernel.settings import settings
from kulanz.payments.methods.gocardless import GoCardless
from kulanz.payments.methods.port import Payee, PaymentMethod
from kulanz.payments.methods.psp import Psp
from kulanz.payments.methods.stripe_checkout import StripeCheckout
from kulanz.payments.methods.transfer import Transfer

GROUP = "kulanz.payment_methods"
"""Entry points name a callable without arguments that returns a PaymentMethod, or None where it is not set up."""

_installed: dict[str, PaymentMethod] = {}


def methods() -> dict[str, PaymentMethod]:
    """Every way to pay by its code, in the order in which they are offered."""
    return {**_configured(), **_installed}


def get(code: str) -> PaymentMethod:
    """The method; raises NotFoundError where this installation has no such method."""
    found = methods().get(code)
    if found is None:
        raise NotFoundError(f"This installation has no payment method {code!r}.")
    return found


def offered(payee: Payee, among: Sequence[str] = ()) -> dict[str, PaymentMethod]:
    """The methods by which `payee` can be paid.

    `among`: only these codes and in this order; where none of them can be used any more, bank transfer.
    """
    found = {code: method for code, method in methods().items() if method.available(payee)}
    if not among:
        return found
    chosen = [code for code in among if code in found] or ["transfer"]
    return {code: found[code] for code in chosen if code in found}


@contextmanager
def installed(method: PaymentMethod) -> Iterator[None]:
    """Use `method` under its code while the block runs, in the whole process: for simulators and tests."""
    previous = _installed.get(method.code)
    _installed[method.code] = method
    try:
        yield
    finally:
        del _installed[method.code]
        if previous is not None:
            _installed[method.code] = previous


@lru_cache
def _configured() -> dict[str, PaymentMethod]:
    env = settings()
    own: list[PaymentMethod] = [Transfer()]
    if env.psp_url:
        key, secret = env.psp_api_key.get_secret_value(), env.psp_webhook_secret.get_secret_value()
        own.append(Psp(env.psp_url, key, secret))
    if env.stripe_api_key.get_secret_value():
        key, secret = env.stripe_api_key.get_secret_value(), env.stripe_webhook_secret.get_secret_value()
        own.append(StripeCheckout(key, secret, base_url=env.stripe_url, pages=env.stripe_pages))
    if env.gocardless_token.get_secret_value():
        key, secret = (
            env.gocardless_token.get_secret_value(),
            env.gocardless_webhook_secret.get_secret_value(),
        )
        own.append(GoCardless(key, secret, base_url=env.gocardless_url, pages=env.gocardless_pages))
    brought = [point.load()() for point in entry_points(group=GROUP)]
    return {method.code: method for method in [*own, *filter(None, brought)]}
