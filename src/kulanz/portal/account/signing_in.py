"""The door of the account: something that only the customer knows, or a code sent to their own address."""

from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_time
from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from kulanz.contact.login import actions as login
from kulanz.portal import rules, shown
from kulanz.portal.access import Page, SeeOther, link_view
from kulanz.portal.account import actions, session
from kulanz.tenancy.models import LoginFactor


class AnswerForm(forms.Form):
    """One answer, or a date of birth as day, month and year."""

    answer = forms.CharField(max_length=64, required=False)
    day, month, year = (forms.CharField(max_length=4, required=False) for _name in range(3))

    def given(self, wanted: LoginFactor) -> str:
        """The answer as it is compared; a date of birth as ISO date."""
        if not self.is_valid():
            return ""
        if wanted != LoginFactor.BIRTH_DATE:
            return str(self.cleaned_data["answer"])
        day, month, year = (self.cleaned_data[name].strip() for name in ("day", "month", "year"))
        return f"{year}-{month:0>2}-{day:0>2}"


def ask(request: HttpRequest, page: Page, error: str = "") -> HttpResponse:
    """The question that the creditor chose; it looks the same whatever is on file."""
    wanted = login.factor()
    address = actions.address(page.statement.customer_id)
    context = {
        "factor": wanted.value,
        "first_field": "day" if wanted == LoginFactor.BIRTH_DATE else "answer",
        "address": rules.masked_point(address) if address else "",
        "asked": "asked" in request.GET,
        "errors": [("day" if wanted == LoginFactor.BIRTH_DATE else "answer", error)] if error else [],
    }
    return page.render(request, "account_enter", context, status=422 if error else 200)


@link_view("GET", "HEAD", "POST", depth=2)
def enter(request: HttpRequest, page: Page) -> HttpResponse:
    """Judge an answer; what is wrong is not said in more detail than that."""
    if request.method != "POST":
        return SeeOther("../")
    given = AnswerForm(request.POST).given(login.factor())
    outcome = login.answer(page.statement.customer_id, given)
    if outcome.login_id:
        return _signed_in(request, page, outcome.login_id)
    wrong = _("This is not what we have on file. Check it and try again, or have a code sent to you.")
    return ask(request, page, _closed(page, outcome.again_at) if outcome.again_at else wrong)


@link_view("POST", depth=2)
def send(request: HttpRequest, page: Page) -> HttpResponse:
    """Send a code; the next page is the same whether one could be sent or not."""
    actions.send_code(page.statement.case_id, page.statement.customer_id)
    return SeeOther("../code/")


@link_view("GET", "HEAD", "POST", depth=2)
def code(request: HttpRequest, page: Page) -> HttpResponse:
    """Where the code is typed in."""
    errors = []
    if request.method == "POST":
        outcome = login.enter_code(page.statement.customer_id, request.POST.get("code", "")[:20])
        if outcome.login_id:
            return _signed_in(request, page, outcome.login_id)
        errors = [
            ("code", _("This code is not right, or its time is over. Check it, or have a new one sent."))
        ]
    context = {
        "address": rules.masked_point(actions.address(page.statement.customer_id)),
        "errors": errors,
    }
    return page.render(request, "account_code", context, status=422 if errors else 200)


@link_view("POST", depth=2)
def leave(request: HttpRequest, page: Page) -> HttpResponse:
    """Sign out here and, should somebody have copied the cookie, there."""
    login.sign_out(session.login_of(request, page))
    response = SeeOther(page.home)
    session.forget(response)
    return response


@link_view("GET", "HEAD", "POST", depth=1, expired_ok=True)
def renew(request: HttpRequest, page: Page) -> HttpResponse:
    """For an expired link: a fresh one goes to the address on file, never to one that is typed in."""
    if request.method != "POST":
        return SeeOther(page.home)
    actions.send_link(page.statement.case_id)
    return page.render(request, "renewed")


def _signed_in(request: HttpRequest, page: Page, login_id: int) -> HttpResponse:
    response = SeeOther(f"{page.home}account/")
    session.remember(request, response, login_id)
    return response


def _closed(page: Page, again_at: datetime) -> str:
    local = again_at.astimezone(ZoneInfo(page.look.timezone))
    day = shown.local_day(again_at, page)
    time = format_time(local, "short", locale=shown.locale(page.language))
    told = _("There were too many attempts. Try again on %(day)s from %(time)s, or have a code sent to you.")
    return told % {"day": day, "time": time}
