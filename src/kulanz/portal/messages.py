"""The conversation with a person at the creditor: without scripts, without waiting on the line."""

import re
import secrets

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from kulanz.contact.models import Channel
from kulanz.outreach.inbound.actions import TooManyError, write
from kulanz.outreach.inbound.thread import thread
from kulanz.portal import rules, shown
from kulanz.portal.access import Page, SeeOther, link_view
from kulanz.portal.caring import help_for
from kulanz.portal.forms import MessageForm

_KEY = re.compile(r"[\w-]{8,64}", re.ASCII)


@link_view("GET", "HEAD", "POST", depth=1)
def messages(request: HttpRequest, page: Page) -> HttpResponse:
    """Read what was said and write something; afterwards the same page, with it at the end."""
    form = MessageForm(request.POST if request.method == "POST" else None)
    key = request.POST.get("form", "")
    if request.method == "POST" and form.is_valid():
        try:
            write(page.statement.case_id, form.cleaned_data["text"], _key(key))
        except TooManyError:
            form.add_error("text", _("You have written a lot today. Please wait for our answer."))
        else:
            return SeeOther("./#latest")
    errors = [(field, told[0]) for field, told in form.errors.items()] if form.is_bound else []
    found, _until = rules.situation(page.statement.open_amount, page.statement.holds, page.statement.claims)
    said = thread(page.statement.case_id)
    context = {
        "said": [(each, shown.local_day(each.at, page)) for each in said],
        "waiting": any(each.waiting for each in said),
        "by_mail": Channel.EMAIL,
        "help": help_for(page) if found == rules.Situation.CARED else None,
        "form": form,
        "form_key": secrets.token_urlsafe(12),
        "errors": errors,
        "wrong": dict(errors),
    }
    return page.render(request, "messages", context, status=422 if errors else 200)


def _key(key: str) -> str:
    """The form's key; a new one where it was tampered with, so that no words are lost."""
    return key if _KEY.fullmatch(key) else secrets.token_urlsafe(12)
