"""Filters of the staff pages."""

from datetime import date, datetime

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, format_percent
from django import template
from django.utils import timezone
from django.utils.translation import get_language

from kulanz.kernel.money import Money

register = template.Library()


def language() -> str:
    """The language of the page being rendered."""
    return get_language() or "en"


@register.filter
def money(minor: int, currency: str) -> str:
    """Minor units of `currency` as people of the page's language write them."""
    return Money(minor, currency).format(language())


@register.filter
def percent(share: float, digits: int = 0) -> str:
    return format_percent(share, "#,##0." + "0" * digits + "%" if digits else "#,##0%", locale=language())


@register.filter
def points(share: float) -> str:
    """A difference of two shares in percentage points, signed."""
    return format_decimal(100 * share, "+#,##0.0;−#,##0.0", locale=language())  # noqa: RUF001 - a real minus


@register.filter
def number(value: float, digits: int = 0) -> str:
    return format_decimal(value, "#,##0." + "0" * digits if digits else "#,##0", locale=language())


@register.filter
def day(value: date) -> str:
    return format_date(value, "medium", locale=language())


@register.filter
def moment(value: datetime) -> str:
    """An instant in the creditor's time zone, to the minute."""
    local = timezone.localtime(value)
    return format_datetime(local, "d MMM y HH:mm" if language() == "en" else "d. MMM y, HH:mm", locale=language())


@register.filter
def get(mapping: dict[str, object], key: str) -> object:
    """The value behind a computed key, or the key itself."""
    return mapping.get(key, key)
