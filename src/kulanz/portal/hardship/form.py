"""The short budget check, read in the customer's language. What it holds is never stored by itself."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from kulanz.kernel.errors import InputError
from kulanz.portal.access import Page
from kulanz.portal.hardship.rules import Budget
from kulanz.portal.part import minor_of

AMOUNTS = ("income", "housing", "living", "debts")
MOST_PEOPLE = 20
_MOST = 10**12


class BudgetForm(forms.Form):
    """Only the income is needed; what is left empty counts as nothing."""

    maintained = forms.CharField(max_length=2, required=False)
    income = forms.CharField(max_length=20, error_messages={"required": _("Enter your income, or 0.")})
    housing = forms.CharField(max_length=20, required=False)
    living = forms.CharField(max_length=20, required=False)
    debts = forms.CharField(max_length=20, required=False)

    def __init__(self, *args: Any, page: Page, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._page = page

    @property
    def budget(self) -> Budget:
        """What a valid form tells."""
        told = self.cleaned_data
        return Budget(told["maintained"], *(told[name] for name in AMOUNTS))

    def clean_maintained(self) -> int:
        text: str = self.cleaned_data["maintained"] or "0"
        if not (text.isascii() and text.isdigit() and int(text) <= MOST_PEOPLE):
            raise forms.ValidationError(_("Enter a number, for example 2."))
        return int(text)

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        for name in AMOUNTS:
            if name in found:
                found[name] = self._amount(name, found[name] or "0")
        return found

    def _amount(self, name: str, text: str) -> int:
        try:
            minor = minor_of(text, self._page)
        except InputError:
            minor = -1
        if not 0 <= minor < _MOST or "-" in text:
            self.add_error(name, _("Enter an amount, for example 850 or 850.50."))
        return minor
