"""Talking with customers: answering on a case's page, and mails of which a person says whose they are."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from kulanz.claims.models import Case
from kulanz.desk import queries
from kulanz.desk.forms import AnswerForm, AssignForm
from kulanz.desk.views import case_page, read_story
from kulanz.documents.staff import Staff, page, staff_view
from kulanz.kernel.errors import ConflictError
from kulanz.outreach.inbound import actions, answering
from kulanz.outreach.models import InboundMessage
from kulanz.tenancy.models import Role


@require_POST
@staff_view(Role.AGENT)
def answer(request: HttpRequest, staff: Staff, case_id: int) -> HttpResponse:
    told = read_story(staff, case_id)
    form = AnswerForm(staff.creditor, request.POST)
    if not form.is_valid():
        return case_page(request, staff, told, status=422, answer_form=form)
    words: str = form.cleaned_data["text"]
    seen: int | None = form.cleaned_data["seen"]
    done = answering.answer(case_id, words, author=staff.username, by=staff.actor, seen=seen)
    if done.mailed:
        text = _("Your answer is on its way by e-mail and stands on the customer's page.")
    else:
        text = _("Your answer stands on the customer's page. No e-mail address works, so nothing was sent.")
    messages.success(request, text)
    return redirect("desk:case", staff.creditor.slug, case_id)


@require_POST
@staff_view(Role.AGENT)
def no_answer(request: HttpRequest, staff: Staff, case_id: int) -> HttpResponse:
    read_story(staff, case_id)
    seen = request.POST.get("seen", "")
    number = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 19 else None
    if answering.needs_no_answer(case_id, by=staff.actor, seen=number):
        messages.success(request, _("Closed without an answer. The case goes on as before."))
    else:
        messages.info(
            request, _("Nothing was closed: somebody answered before, or the customer has written again.")
        )
    return redirect("desk:case", staff.creditor.slug, case_id)


@require_GET
@staff_view(Role.VIEWER)
def mail(request: HttpRequest, staff: Staff, inbound_id: int) -> HttpResponse:
    return _mail_page(request, staff, _read(inbound_id), AssignForm(staff.creditor))


@require_POST
@staff_view(Role.AGENT)
def assign(request: HttpRequest, staff: Staff, inbound_id: int) -> HttpResponse:
    """Put a mail into a case, named by a button or by the customer's number."""
    row = _read(inbound_id)
    form = AssignForm(staff.creditor, request.POST)
    if not form.is_valid():
        return _mail_page(request, staff, row, form, status=422)
    case: Case = form.cleaned_data["case"]
    try:
        actions.assign(row.id, case.id, by=staff.actor)
    except ConflictError:
        messages.info(request, _("Somebody has taken care of this mail before."))
        return redirect("desk:mail", staff.creditor.slug, row.id)
    messages.success(request, _("The mail stands in the case. The case rests until you have answered."))
    return redirect("desk:case", staff.creditor.slug, case.id)


@require_POST
@staff_view(Role.AGENT)
def set_aside(request: HttpRequest, staff: Staff, inbound_id: int) -> HttpResponse:
    row = _read(inbound_id)
    try:
        actions.set_aside(row.id, by=staff.actor)
    except ConflictError:
        messages.info(request, _("Somebody has taken care of this mail before."))
    else:
        messages.success(request, _("Set aside. The mail stays kept."))
    return redirect("desk:tasks", staff.creditor.slug)


def _read(inbound_id: int) -> InboundMessage:
    row: InboundMessage | None = InboundMessage.objects.filter(id=inbound_id).first()
    if row is None:
        raise Http404
    return row


def _mail_page(
    request: HttpRequest, staff: Staff, row: InboundMessage, form: AssignForm, *, status: int = 200
) -> HttpResponse:
    open_ = row.state == InboundMessage.State.UNMATCHED
    known = queries.cases_of_address(row.sender) if open_ else ()
    context = {"mail": row, "open": open_, "known": known, "assign_form": form, "nav": "tasks"}
    return page(request, staff, "desk/mail.html", context, status=status)
