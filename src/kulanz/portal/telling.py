"""Telling: I cannot pay now, I have paid already, something is wrong."""

from datetime import date
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from kulanz.kernel import clock
from kulanz.kernel.errors import InputError
from kulanz.portal import actions, offered, rules, shown
from kulanz.portal.access import Page, SeeOther, link_view
from kulanz.portal.forms import KINDS, DisputeForm, PaidForm, PromiseForm

_VERBS = ("GET", "HEAD", "POST")


@link_view(*_VERBS, depth=1)
def later(request: HttpRequest, page: Page) -> HttpResponse:
    """Choose one's own day within the limits; reminders rest until it has passed."""
    if page.statement.open_amount == 0:
        return SeeOther(page.home)
    window = actions.window(page.statement.case_id, page.look.timezone)
    offer = offered.later_day(page, window)
    form = PromiseForm(
        request.POST if request.method == "POST" else None,
        window=window,
        initial={"day": offer.isoformat()} if offer else None,
    )
    if request.method == "POST" and form.is_valid():
        try:
            actions.promise(page.statement.case_id, form.cleaned_data["chosen"], page.look.timezone)
        except InputError:
            form.add_error("other_day", _("Choose a day within the time shown."))
        else:
            return SeeOther(page.home)
    context = {
        "window": window,
        "first_day": shown.day(window.first, page.language),
        "last_day": shown.day(window.last, page.language) if window.last else "",
        "suggested": [(d.isoformat(), shown.day(d, page.language)) for d in _suggested(window, offer)],
    }
    return _form(request, page, "later", form, context)


@link_view(*_VERBS, depth=1)
def paid(request: HttpRequest, page: Page) -> HttpResponse:
    """Reminders rest for a few days while the money is on its way."""
    if page.statement.open_amount == 0:
        return SeeOther(page.home)
    today = clock.today(page.look.timezone)
    form = PaidForm(request.POST if request.method == "POST" else None, today=today)
    if request.method == "POST" and form.is_valid():
        actions.paid_already(page.statement.case_id, form.cleaned_data["paid_on"], form.cleaned_data["note"])
        return SeeOther(page.home)
    return _form(request, page, "paid", form, {"today": today.isoformat(), "days": rules.PAID_REST_DAYS})


@link_view(*_VERBS, depth=1)
def problem(request: HttpRequest, page: Page) -> HttpResponse:
    """Everything stops until a person has looked at it; the page stays up."""
    form = DisputeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        actions.dispute(page.statement.case_id, told["kind"], told["text"])
        return SeeOther(page.home)
    return _form(request, page, "problem", form, {"kinds": KINDS})


def _suggested(window: rules.Window, offer: date | None) -> list[date]:
    """The usual days and the one that was offered."""
    return sorted({*rules.suggestions(window), *([offer] if offer else [])})


def _form(
    request: HttpRequest, page: Page, template: str, form: forms.Form, context: dict[str, Any]
) -> HttpResponse:
    errors = [(field, messages[0]) for field, messages in form.errors.items()] if form.is_bound else []
    return page.render(
        request,
        template,
        {**context, "form": form, "errors": errors, "wrong": dict(errors)},
        status=422 if errors else 200,
    )
