"""What customers tell in forms, checked."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from kulanz.portal import rules

OTHER = "other"
KINDS = (
    ("amount", _("The amount is not right")),
    ("goods", _("Something is missing, faulty or was sent back")),
    ("unknown", _("I do not know this invoice")),
    ("complaint", _("I am not happy with how I was contacted")),
    (OTHER, _("Something else")),
)


class PromiseForm(forms.Form):
    """`day` is one of the suggested days (ISO) or `other`, then `other_day` has it."""

    day = forms.CharField(max_length=10, error_messages={"required": _("Choose a day.")})
    other_day = forms.CharField(max_length=10, required=False)

    def __init__(self, *args: Any, window: rules.Window, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._window = window

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if "day" not in found:
            return found
        other = found["day"] == OTHER
        try:
            chosen = date.fromisoformat(found["other_day"] if other else found["day"])
        except ValueError:
            self.add_error("other_day", _("Enter a date, for example 2026-03-31."))
            return found
        last = self._window.last
        if last is None or not self._window.first <= chosen <= last:
            self.add_error("other_day", _("Choose a day within the time shown."))
        return {**found, "chosen": chosen}


class PaidForm(forms.Form):
    """When it was paid, and a note; both may be left out."""

    paid_on = forms.DateField(
        required=False,
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": _("Enter a date, for example 2026-03-31.")},
    )
    note = forms.CharField(max_length=500, required=False)

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._today = today

    def clean_paid_on(self) -> date | None:
        found: date | None = self.cleaned_data["paid_on"]
        earliest = self._today - timedelta(days=rules.PAID_BACK_DAYS)
        if found is not None and not earliest <= found <= self._today:
            raise forms.ValidationError(_("Choose a day in the last 60 days."))
        return found


class DisputeForm(forms.Form):
    """What is wrong, in a choice and in the customer's own words."""

    kind = forms.ChoiceField(choices=KINDS, required=False)
    text = forms.CharField(
        max_length=2000,
        error_messages={
            "required": _("Tell us in a few words what is wrong."),
            "max_length": _("Use at most 2,000 characters."),
        },
    )

    def clean_kind(self) -> str:
        return self.cleaned_data["kind"] or OTHER


class MessageForm(forms.Form):
    """Anything that the customer wants to say or ask."""

    text = forms.CharField(
        max_length=4000,
        error_messages={
            "required": _("Please write your message."),
            "max_length": _("Use at most 4,000 characters."),
        },
    )
