"""A copy of one's data, and having it put right."""

import json
import secrets
from collections.abc import Iterator

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from kulanz.claims import paper
from kulanz.claims.personal import paper as personal
from kulanz.claims.personal.collecting import Copy, as_document, copy_of
from kulanz.contact.correcting import actions as correcting
from kulanz.contact.correcting.models import Correction
from kulanz.documents.pdf import PdfUnavailableError
from kulanz.portal import shown
from kulanz.portal.access import Page, SeeOther, link_view
from kulanz.portal.account import session
from kulanz.portal.account.session import account_view
from kulanz.portal.actions import BY

ABOUT: tuple[tuple[str, str | Promise], ...] = (
    ("name", _("My name")),
    ("address", _("My address")),
    ("birth_date", _("My date of birth")),
    ("contact", _("My e-mail address or telephone number")),
    ("claim", _("An invoice or a payment")),
    ("other", _("Something else")),
)
_SHOWN = 20


class CorrectionForm(forms.Form):
    """What is wrong, and what it should be."""

    about = forms.ChoiceField(choices=ABOUT, error_messages={"required": _("Choose what is wrong.")})
    text = forms.CharField(
        max_length=2000,
        error_messages={
            "required": _("Tell us what it should be."),
            "max_length": _("Use at most 2,000 characters."),
        },
    )
    form = forms.SlugField(max_length=80)


@link_view("GET", "HEAD", "POST", depth=2)
def data(request: HttpRequest, page: Page) -> HttpResponse:
    """Take the data along, or say what is wrong with it; words that come after the login has ended are kept as well."""
    login_id = session.login_of(request, page)
    if not login_id and request.method != "POST":
        return SeeOther(f"{page.home}account/")
    response = _asked(request, page, signed_in=bool(login_id))
    if login_id:
        session.remember(request, response, login_id)
    return response


def _asked(request: HttpRequest, page: Page, *, signed_in: bool) -> HttpResponse:
    form = CorrectionForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            correcting.ask(page.statement.case_id, told["about"], told["text"], told["form"])
        except correcting.TooManyOpenError:
            form.add_error("text", _("Several requests of yours wait already. We look at all of them."))
        else:
            return SeeOther("?asked=1" if signed_in else f"{page.home}account/?asked=1")
    if not signed_in:
        return SeeOther(f"{page.home}account/")
    errors = [(name, str(told[0])) for name, told in form.errors.items() if name != "form"]
    return _show(request, page, form, errors)


@account_view("GET", "HEAD", depth=1)
def as_json(request: HttpRequest, page: Page) -> HttpResponse:
    """Every column of every row, for programs."""
    text = json.dumps(as_document(_copy(page)), ensure_ascii=False, indent=1)
    return _file(text.encode(), "application/json", "data.json")


@account_view("GET", "HEAD", depth=1)
def as_pdf(request: HttpRequest, page: Page) -> HttpResponse:
    """The same to read and print."""
    try:
        made = personal.as_pdf(_copy(page), paper.letterhead())
    except PdfUnavailableError:
        return _show(request, page, CorrectionForm(), [], no_pdf=True)
    return _file(made, "application/pdf", "data.pdf")


def _copy(page: Page) -> Copy:
    return copy_of(page.statement.customer_id, page.language, by=BY)


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _show(
    request: HttpRequest,
    page: Page,
    form: CorrectionForm,
    errors: list[tuple[str, str]],
    *,
    no_pdf: bool = False,
) -> HttpResponse:
    context = {
        "kinds": ABOUT,
        "form": form,
        "form_key": secrets.token_urlsafe(12),
        "errors": errors,
        "wrong": dict(errors),
        "asked": "asked" in request.GET,
        "requests": tuple(_requests(page)),
        "no_pdf": no_pdf,
    }
    status = 503 if no_pdf else 422 if errors else 200
    return page.render(request, "account_data", context, status=status)


def _requests(page: Page) -> Iterator[tuple[str, str | Promise, bool | None]]:
    """Day, subject and outcome of the customer's own requests, the newest first."""
    rows = Correction.objects.filter(customer_id=page.statement.customer_id).order_by("-id")[:_SHOWN]
    names = dict(ABOUT)
    for row in rows:
        yield shown.local_day(row.asked_at, page), names[row.about], row.corrected
