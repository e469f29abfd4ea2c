"""Filters of the staff pages."""

from datetime import date, datetime

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton
from babel.numbers import format_currency, format_decimal, format_percent
from django import template
from django.utils import timezone
from django.utils.translation import get_language

from kulanz.documents.words import action_words, word
from kulanz.kernel.money import Money
from kulanz.law.vetoes import VetoCode, sentence

register = template.Library()


def language() -> str:
    """The language of the page being rendered."""
    return get_language() or "en"


@register.filter
def money(minor: int, currency: str) -> str:
    """Minor units of `currency` as people of the page's language write them."""
    return Money(minor, currency).format(language())


def rounded_money(amount: float, currency: str, digits: int) -> str:
    """An estimate or average in main units of `currency`, with so many digits after the point."""
    pattern = Locale.parse(language(), sep="-").currency_formats["standard"].pattern
    exact = pattern.replace("0.00", f"0.{'0' * digits}" if digits else "0")
    return format_currency(amount, currency, exact, locale=language(), currency_digits=False)


@register.filter
def percent(share: float, digits: int = 0) -> str:
    pattern = Locale.parse(language(), sep="-").percent_formats[None].pattern
    return format_percent(
        share, pattern.replace("0", f"0.{'0' * digits}") if digits else pattern, locale=language()
    )


@register.filter
def points(share: float) -> str:
    """A difference of two shares in percentage points, signed."""
    return format_decimal(100 * share, "+#,##0.0;−#,##0.0", locale=language())


@register.filter
def number(value: float, digits: int = 0) -> str:
    return format_decimal(value, "#,##0." + "0" * digits if digits else "#,##0", locale=language())


@register.filter
def day(value: date) -> str:
    return format_date(value, "medium", locale=language())


@register.filter
def short_day(value: date) -> str:
    """Day and month."""
    return format_skeleton("MMMd", value, locale=language())


@register.filter
def clock(value: datetime) -> str:
    """The time of day in the creditor's time zone."""
    return timezone.localtime(value).strftime("%H:%M")


@register.filter
def moment(value: datetime) -> str:
    """An instant in the creditor's time zone, to the minute."""
    local = timezone.localtime(value)
    return format_datetime(
        local, "d MMM y HH:mm" if language() == "en" else "d. MMM y, HH:mm", locale=language()
    )


@register.filter(name="word")
def word_filter(code: str, vocabulary: str) -> str:
    """`{{ message.channel|word:"channel" }}`."""
    return word(vocabulary, code)


@register.filter
def signs(note: str) -> str:
    """The signs of need in a hold's note, each once; the place in brackets before them is left out."""
    codes = (code for code in note.split() if not code.startswith("["))
    return ", ".join(word("sign", code) for code in dict.fromkeys(codes))


@register.filter
def veto_sentence(code: str) -> str:
    """The sentence of a veto code; any other text, such as a provider's answer, stays as it is."""
    return sentence(code, language()) if code in set(VetoCode) else code


@register.filter
def in_words(action: tuple[str, ...]) -> str:
    """A decision's action in one line."""
    return action_words(action)
