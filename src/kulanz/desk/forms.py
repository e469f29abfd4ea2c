"""What agents can enter, checked before anything is stored."""

import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.numbers import NumberFormatError, parse_decimal
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from kulanz.claims.models import Case, Hold
from kulanz.documents.words import HOLDS
from kulanz.kernel import clock
from kulanz.kernel.errors import InputError
from kulanz.kernel.money import to_minor
from kulanz.tenancy.models import Creditor

_PLAIN = re.compile(r"[0-9][0-9.,'\u2019\s]*")


class _Form(forms.Form):
    """A form for one creditor; field ids begin with the form's name, because a page has several."""

    name = ""

    def __init__(self, creditor: Creditor, data: Any = None) -> None:
        super().__init__(data, auto_id=f"{self.name}-%s", label_suffix="")
        self.creditor = creditor

    @property
    def today(self) -> date:
        return clock.today(self.creditor.timezone)


class HoldForm(_Form):
    """A reason, an optional last day and the agent's own words."""

    name = "hold"
    reason = forms.ChoiceField(label=_("Why"), choices=[(r.value, HOLDS[r.value]) for r in Hold.Reason])
    until = forms.DateField(
        label=_("Until and including"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Empty: until somebody lifts it."),
    )
    note = forms.CharField(
        label=_("In your own words"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean_until(self) -> datetime | None:
        """The end of that day in the creditor's time zone."""
        until: date | None = self.cleaned_data["until"]
        if until is None:
            return None
        if until < self.today:
            raise ValidationError(_("Choose today or a day to come."))
        return datetime.combine(until, time(23, 59, 59), ZoneInfo(self.creditor.timezone))


class TransferForm(_Form):
    """Money that arrived on the bank account; the amount is cleaned to minor units."""

    name = "transfer"
    amount = forms.CharField(
        label=_("Amount"), max_length=24, widget=forms.TextInput(attrs={"inputmode": "decimal"})
    )
    value_date = forms.DateField(
        label=_("Value date"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    bank_reference = forms.CharField(
        label=_("The bank's reference"),
        max_length=80,
        help_text=_("From the statement. The same reference is never booked twice."),
    )

    def __init__(self, creditor: Creditor, currency: str, data: Any = None) -> None:
        super().__init__(creditor, data)
        self.currency = currency
        self.fields["amount"].help_text = currency

    def clean_amount(self) -> int:
        text = self.cleaned_data["amount"].strip()
        try:
            if not _PLAIN.fullmatch(text):
                raise NumberFormatError(text)
            amount: Decimal = parse_decimal(text, locale=get_language() or "en", strict=True)
            minor = to_minor(amount, self.currency)
        except (NumberFormatError, InputError):
            raise ValidationError(_("Write an amount such as 12.50."), code="amount") from None
        if minor <= 0:
            raise ValidationError(_("A payment is more than zero."))
        return minor

    def clean_value_date(self) -> date:
        day: date = self.cleaned_data["value_date"]
        if day > self.today:
            raise ValidationError(_("Money that has arrived has a value date of today or before."))
        return day


class NoteForm(_Form):
    name = "note"
    text = forms.CharField(label=_("Note"), max_length=4000, widget=forms.Textarea(attrs={"rows": 4}))


class AnswerForm(_Form):
    """`seen` is the newest message that the page showed; what came later is not answered by this."""

    name = "answer"
    seen = forms.IntegerField(required=False, min_value=0, max_value=2**63 - 1, widget=forms.HiddenInput)
    text = forms.CharField(
        label=_("Your words"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("The customer reads them on their page and by e-mail, signed with the house's name."),
    )


class CorrectionForm(_Form):
    """The customer's data as they should be, and words to the customer."""

    name = "correction"
    customer_name = forms.CharField(label=_("Name"), max_length=200)
    postal_code = forms.CharField(label=_("Postcode"), max_length=12, required=False)
    country = forms.CharField(label=_("Country"), min_length=2, max_length=2)
    birth_date = forms.DateField(
        label=_("Date of birth"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    email = forms.EmailField(label=_("E-mail"), required=False)
    text = forms.CharField(
        label=_("Your words"),
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("The customer reads them on their page and by e-mail, signed with the house's name."),
    )

    @property
    def person(self) -> dict[str, str]:
        """What `claims.customers.correct` takes."""
        found = self.cleaned_data
        born: date | None = found["birth_date"]
        return {
            "name": found["customer_name"],
            "postal_code": found["postal_code"],
            "country": found["country"],
            "birth_date": born.isoformat() if born else "",
        }


class AssignForm(_Form):
    """A customer's number, and the case where the customer has several; cleaned to the case."""

    name = "assign"
    number = forms.CharField(label=_("Customer number"), max_length=80)

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        number = found.get("number", "").replace("\x00", "").strip()
        rows = Case.objects.filter(customer__number=number)
        wanted = str(self.data.get("case", ""))
        if wanted.isascii() and wanted.isdigit() and len(wanted) < 19:
            rows = rows.filter(id=int(wanted))
        cases = list(rows.order_by("-id")[:1]) if number else []
        if number and not cases:
            self.add_error("number", _("There is no case with this customer number."))
        return {**found, "case": next(iter(cases), None)}
