"""Paying a part: one of several claims, or an amount of one's own."""

import re
from urllib.parse import urlencode

from babel.numbers import NumberFormatError, get_decimal_symbol, parse_decimal
from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from kulanz.kernel.errors import InputError
from kulanz.kernel.money import to_minor
from kulanz.payments.rules import Part, part_refused
from kulanz.portal import shown
from kulanz.portal.access import Page, SeeOther, link_view
from kulanz.portal.views import with_payment
from kulanz.tenancy.models import Creditor

OTHER = "other"
_NUMBER = re.compile(r"[^\d+\-\u2212]*(\d[\d.,٫٬'\u2019\s]*)\D*")
"""A currency's sign or code, one number, and what people write behind it; no minus, and nothing between digits."""


class PartForm(forms.Form):
    """`what` is the id of a claim or `other`, then `amount` has it as people of the language write numbers."""

    what = forms.CharField(max_length=20)
    amount = forms.CharField(max_length=20, required=False)


@link_view("GET", "HEAD", "POST", depth=1)
def part(request: HttpRequest, page: Page) -> HttpResponse:
    """Choose what to pay, then the way to pay it; what was chosen stands in the address, so that Back leads to it."""
    owed = page.statement.open_amount
    if not owed:
        return SeeOther(page.home)
    least = min(owed, Creditor.objects.values_list("least_part", flat=True).get(id=page.link.creditor_id))
    posted = request.method == "POST"
    form = PartForm(request.POST if posted else request.GET if "what" in request.GET else None)
    chosen = _chosen(form, page, least) if form.is_bound else None
    if chosen is not None and not form.errors:
        if posted:
            return SeeOther("?" + urlencode(form.cleaned_data))
        context = {"part": chosen, "part_amount": page.money(chosen.amount), "title_of": _name(page, chosen)}
        return with_payment(request, page, "part_pay", context)
    errors = [(field, messages[0]) for field, messages in form.errors.items()] if form.is_bound else []
    context = {
        "form": form,
        "errors": errors,
        "wrong": dict(errors),
        "claims": [
            (claim.id, shown.title(claim), page.money(claim.open_amount))
            for claim in page.statement.claims
            if claim.open_amount > 0
        ],
        "least": page.money(least),
        "most": page.money(owed),
    }
    return page.render(request, "part", context, status=422 if errors else 200)


def _chosen(form: PartForm, page: Page, least: int) -> Part | None:
    """What was chosen; None, with an error in the form, where that cannot be paid."""
    if not form.is_valid():
        form.errors.clear()
        form.add_error("what", _("Choose what you want to pay."))
        return None
    what = form.cleaned_data["what"]
    by_id = {str(claim.id): claim for claim in page.statement.claims if claim.open_amount > 0}
    if what in by_id:
        amount = min(by_id[what].open_amount, page.statement.open_amount)
        return Part(amount, by_id[what].id)
    try:
        wanted = Part(minor_of(form.cleaned_data["amount"], page))
    except InputError:
        form.add_error("amount", _("Enter an amount, for example 25.00."))
        return None
    if part_refused(wanted, page.statement.open_amount, least):
        form.add_error("amount", _("Choose an amount within the limits shown."))
        return None
    return wanted


def minor_of(text: str, page: Page) -> int:
    """Minor units of an amount as it is written in the page's language; words and signs stand before or after it."""
    number = _NUMBER.fullmatch(text.strip())
    if number is None:
        raise InputError(f"{text!r} is not an amount.")
    locale = shown.locale(page.language)
    written = number[1].replace("٫", get_decimal_symbol(locale))
    plain = "".join(str(int(c)) if c.isdecimal() else c for c in written if c.isdecimal() or c in ".,")
    try:
        return to_minor(parse_decimal(plain, locale=locale, strict=True), page.statement.currency)
    except NumberFormatError as error:
        raise InputError(str(error)) from None


def _name(page: Page, chosen: Part) -> str:
    return next((shown.title(claim) for claim in page.statement.claims if claim.id == chosen.claim_id), "")
