"""The form of an instalment plan, read in the customer's language."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from babel.numbers import get_decimal_symbol
from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from kulanz.kernel import clock
from kulanz.kernel.errors import InputError
from kulanz.kernel.money import Money
from kulanz.payments.plans.rules import PlanTerms, Proposal, Rhythm, nearest
from kulanz.portal import shown
from kulanz.portal.access import Page
from kulanz.portal.part import minor_of

USUAL_RATES = 6
"""What the form proposes to begin with."""
_ROUND = 500
_MOST = 10**12


class PlanForm(forms.Form):
    """`how` is `rate` or `count`; the fields of the other way and of other rhythms are left aside."""

    how = forms.ChoiceField(
        choices=[("rate", ""), ("count", "")],
        error_messages=dict.fromkeys(["required", "invalid_choice"], _("Choose how you want to pay.")),
    )
    rate = forms.CharField(max_length=20, required=False)
    count = forms.CharField(max_length=4, required=False)
    rhythm = forms.ChoiceField(
        choices=[(each.value, "") for each in Rhythm],
        error_messages=dict.fromkeys(["required", "invalid_choice"], _("Choose how often.")),
    )
    pay_day = forms.CharField(max_length=2, required=False)
    first_on = forms.DateField(
        input_formats=["%Y-%m-%d"],
        error_messages={
            "required": _("Choose a day."),
            "invalid": _("Enter a date, for example 2026-03-31."),
        },
    )

    def __init__(self, *args: Any, page: Page, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._page = page

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("how") == "rate":
            found["minor"] = self._rate(found.get("rate", ""))
        elif found.get("how") == "count":
            found["number"] = self._in_range("count", found, 600, _("Enter a number, for example 6."))
        if found.get("rhythm") == Rhythm.SALARY_DAY:
            found["day"] = self._in_range("pay_day", found, 31, _("Enter a day of the month, 1 to 31."))
        return found

    @property
    def proposal(self) -> Proposal:
        """What a valid form proposes."""
        told = self.cleaned_data
        return Proposal(
            Rhythm(told["rhythm"]), told["first_on"], told.get("minor"), told.get("number"), told.get("day")
        )

    def _rate(self, text: str) -> int | None:
        try:
            minor = minor_of(text, self._page)
        except InputError:
            minor = 0
        if 0 < minor < _MOST:
            return minor
        self.add_error("rate", _("Enter an amount, for example 25.00."))
        return None

    def _in_range(self, field: str, found: dict[str, Any], most: int, message: Promise | str) -> int | None:
        number = whole(found.get(field, ""))
        if 1 <= number <= most:
            return number
        self.add_error(field, str(message))
        return None


def initial(page: Page, terms: PlanTerms) -> dict[str, Any]:
    """A proposal to begin with, which the rules accept."""
    today = clock.today(page.look.timezone)
    month = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    usual = Proposal(Rhythm.MONTHLY, month, count=USUAL_RATES)
    found = nearest(usual, terms, today, page.statement.open_amount)
    each = -(-page.statement.open_amount // (found.count or 1) // _ROUND) * _ROUND
    return {
        "how": "rate",
        "rate": _typed(each, page),
        "count": found.count,
        "rhythm": found.rhythm.value,
        "first_on": found.first_on.isoformat(),
        "pay_day": found.pay_day or "",
    }


def fields(proposal: Proposal, page: Page) -> dict[str, Any]:
    """A proposal as the form would post it."""
    by_rate = proposal.rate is not None
    return {
        "how": "rate" if by_rate else "count",
        "rate": _typed(proposal.rate or 0, page) if by_rate else "",
        "count": "" if by_rate else proposal.count,
        "rhythm": proposal.rhythm.value,
        "pay_day": proposal.pay_day or "",
        "first_on": proposal.first_on.isoformat(),
    }


def posted(told: Mapping[str, str]) -> Proposal:
    """The proposal in the hidden fields of the second screen; raises InputError for one that is none."""
    try:
        return Proposal(
            Rhythm(told.get("rhythm", "")),
            date.fromisoformat(told.get("first_on", "")),
            whole(told.get("rate", "")) or None,
            whole(told.get("count", "")) or None,
            whole(told.get("pay_day", "")) or None,
        )
    except ValueError:
        raise InputError("The form is not complete. Open the page again.") from None


def whole(text: str) -> int:
    """A number as a form has it; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _typed(minor: int, page: Page) -> str:
    """An amount as people of the page's language type it: 1234,50."""
    symbol = get_decimal_symbol(shown.locale(page.language))
    return str(Money(minor, page.statement.currency).decimal).replace(".", symbol)
