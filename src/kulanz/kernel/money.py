"""Money as integer minor units with an ISO 4217 currency. No float ever holds an amount."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache

from babel import Locale
from babel.core import UnknownLocaleError
from babel.numbers import format_currency, get_currency_precision, list_currencies

from kulanz.kernel.errors import InputError

MAX_MINOR = 10**15
"""Largest amount in minor units; far below what a 64-bit column holds, so sums cannot overflow."""


@lru_cache
def digits(currency: str) -> int:
    """Decimal digits of an ISO 4217 currency (EUR 2, JPY 0, KWD 3); raises InputError for an unknown one."""
    if currency not in list_currencies():
        raise InputError(f"{currency!r} is not an ISO 4217 currency code such as EUR or USD.")
    return get_currency_precision(currency)


@dataclass(frozen=True, slots=True)
class Money:
    """`minor` units of `currency`: Money(1250, "EUR") is 12.50 euros."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        digits(self.currency)
        if abs(self.minor) > MAX_MINOR:
            raise InputError(f"The amount {self.minor} is beyond the largest amount handled.")

    def __add__(self, other: "Money") -> "Money":
        self._same_currency(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same_currency(other)
        return Money(self.minor - other.minor, self.currency)

    def __str__(self) -> str:
        return f"{self.decimal} {self.currency}"

    @property
    def decimal(self) -> Decimal:
        return Decimal(self.minor).scaleb(-digits(self.currency))

    def format(self, language: str) -> str:
        """The amount as people of that language write it: 12,50 EUR sign in German."""
        return _written(self, language)

    def _same_currency(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise InputError(f"{self} and {other} are in different currencies and cannot be added.")


def to_minor(amount: Decimal | str, currency: str) -> int:
    """Minor units of a decimal amount; raises InputError for more decimals than the currency has."""
    try:
        scaled = Decimal(amount).scaleb(digits(currency))
    except InvalidOperation:
        raise InputError(f"{amount!r} is not an amount.") from None
    if not scaled.is_finite():
        raise InputError(f"{amount!r} is not an amount.")
    rounded = scaled.quantize(Decimal(1), ROUND_HALF_UP)
    if rounded != scaled:
        raise InputError(f"{amount} has more decimals than {currency} knows ({digits(currency)}).")
    return Money(int(rounded), currency).minor


@lru_cache(maxsize=20_000)
def _written(money: Money, language: str) -> str:
    return format_currency(money.decimal, money.currency, locale=_locale(language))


@lru_cache
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")
