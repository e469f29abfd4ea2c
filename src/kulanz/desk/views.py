"""The agents' pages that show things. What changes something is in acts.py."""

from typing import Any

from csp.decorators import csp_replace
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language, get_language
from django.views.decorators.http import require_GET, require_POST

from kulanz.claims import paper
from kulanz.claims.account import statement_of_account
from kulanz.claims.models import Case
from kulanz.desk import queries
from kulanz.desk.forms import AnswerForm, HoldForm, NoteForm, TransferForm
from kulanz.desk.story import CaseStory, story
from kulanz.documents.pdf import PdfUnavailableError
from kulanz.documents.staff import Staff, creditors_of, page, staff_view
from kulanz.kernel import clock
from kulanz.kernel.errors import NotFoundError
from kulanz.outreach.compose import Archived
from kulanz.outreach.models import Message
from kulanz.outreach.queries import archived
from kulanz.strategy.queries import decision_of, replay
from kulanz.strategy.reasons import reasons
from kulanz.tenancy.models import Role

_YEAR = 365 * 24 * 3600
_NOTHING = ["'none'"]
SANDBOX = {
    "sandbox": True,
    "script-src": _NOTHING,
    "connect-src": _NOTHING,
    "font-src": _NOTHING,
    "form-action": _NOTHING,
    "img-src": ["data:"],
    "style-src": ["'unsafe-inline'"],
}
"""For a message as it was sent: no script, no form, no request to anywhere, no access to the desk's cookies."""


@require_GET
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The creditors that the user works for; with only one, its dashboard."""
    creditors = creditors_of(request)
    if len(creditors) == 1:
        return redirect("insights:dashboard", creditors[0].slug)
    return render(request, "desk/home.html", {"creditors": creditors})


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Remember the language of the pages in a cookie and go back."""
    onward = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(onward, allowed_hosts={request.get_host()}):
        onward = "/desk/"
    response = HttpResponseRedirect(onward)
    wanted = request.POST.get("language", "")
    if check_for_language(wanted) and wanted in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, wanted, max_age=_YEAR, httponly=True, samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )  # fmt: skip
    return response


@require_GET
@staff_view(Role.VIEWER)
def cases(request: HttpRequest, staff: Staff) -> HttpResponse:
    text, state, before = (request.GET.get(name, "") for name in ("q", "state", "before"))
    if state not in queries.STATES:
        state = "all" if text else "open"
    found = queries.find_cases(text, state, _number(before), clock.today(staff.creditor.timezone))
    context = {"found": found, "q": text, "state": state, "before": before, "nav": "cases"}
    return page(request, staff, "desk/cases.html", context)


@require_GET
@staff_view(Role.VIEWER)
def case(request: HttpRequest, staff: Staff, case_id: int) -> HttpResponse:
    return case_page(request, staff, read_story(staff, case_id))


@require_GET
@staff_view(Role.VIEWER)
def statement_pdf(request: HttpRequest, staff: Staff, case_id: int) -> HttpResponse:
    """The customer's statement of account as it stands today; 503 where this machine makes no PDFs."""
    today = clock.today(staff.creditor.timezone)
    try:
        account = statement_of_account(case_id, today)
        shown = paper.sheet(account, today, account.language)
        made = paper.as_pdf(shown, paper.letterhead())
    except NotFoundError:
        raise Http404 from None
    except PdfUnavailableError as error:
        return HttpResponse(str(error), content_type="text/plain; charset=utf-8", status=503)
    response = HttpResponse(made, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="statement-{case_id}.pdf"'
    response["Cache-Control"] = "no-store"
    return response


def read_story(staff: Staff, case_id: int) -> CaseStory:
    """Raises Http404 for a case that is not this creditor's."""
    try:
        return story(case_id, staff.role, get_language() or "en")
    except NotFoundError:
        raise Http404 from None


def case_page(
    request: HttpRequest, staff: Staff, told: CaseStory, *, status: int = 200, **bound: Any
) -> HttpResponse:
    """The case with empty forms, or with the one in `bound` as it was filled in and refused."""
    creditor = staff.creditor
    today = {"value_date": clock.today(creditor.timezone)}
    transfer = TransferForm(creditor, told.statement.currency)
    transfer.initial = today
    answer = AnswerForm(creditor)
    answer.initial = {"seen": told.newest_said}
    forms = {
        "answer_form": answer,
        "hold_form": HoldForm(creditor),
        "transfer_form": transfer,
        "note_form": NoteForm(creditor),
    }
    context = {"story": told, "statement": told.statement, "nav": "cases", **forms, **bound}
    return page(request, staff, "desk/case.html", context, status=status)


@require_GET
@staff_view(Role.VIEWER)
def tasks(request: HttpRequest, staff: Staff) -> HttpResponse:
    return page(request, staff, "desk/tasks.html", {"tasks": queries.tasks(), "nav": "tasks"})


@require_GET
@staff_view(Role.VIEWER)
def decision(request: HttpRequest, staff: Staff, decision_id: int) -> HttpResponse:
    """One decision with its reasons, drawn again from what it stored."""
    try:
        row = decision_of(decision_id)
    except NotFoundError:
        raise Http404 from None
    context = {
        "decision": row,
        "case": Case.objects.select_related("customer").get(id=row.case_id),
        "reasons": reasons(decision_id, get_language() or "en"),
        "replayed": replay(decision_id),
        "nav": "cases",
    }
    return page(request, staff, "desk/decision.html", context)


@require_GET
@staff_view(Role.VIEWER)
def message(request: HttpRequest, staff: Staff, message_id: int) -> HttpResponse:
    row = Message.objects.select_related("case__customer").filter(id=message_id).first()
    if row is None:
        raise Http404
    context = {"message": row, "sent": _archived(message_id), "nav": "cases"}
    return page(request, staff, "desk/message.html", context)


@require_GET
@csp_replace(SANDBOX)
@staff_view(Role.VIEWER)
def message_as_sent(request: HttpRequest, staff: Staff, message_id: int) -> HttpResponse:
    """The archived HTML on its own, in a sandbox of the browser."""
    sent = _archived(message_id)
    if sent is None:
        raise Http404
    return HttpResponse(sent.html)


def _archived(message_id: int) -> Archived | None:
    try:
        return archived(message_id)
    except NotFoundError:
        return None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
