"""What agents do on a case's page. Each answers with the case again, or with the form that was refused."""

from datetime import date

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from kulanz.claims.holds import lift_hold, place_hold
from kulanz.claims.models import Hold
from kulanz.desk.actions import add_note
from kulanz.desk.forms import HoldForm, NoteForm, TransferForm
from kulanz.desk.rules import may_lift
from kulanz.desk.views import case_page, read_story
from kulanz.documents.staff import Staff, staff_view
from kulanz.kernel.errors import ConflictError, InputError, NotFoundError
from kulanz.kernel.money import Money
from kulanz.outreach.models import Message
from kulanz.outreach.settling import settle
from kulanz.payments.actions import book_transfer
from kulanz.tenancy.models import Role


@require_POST
@staff_view(Role.AGENT)
def hold(request: HttpRequest, staff: Staff, case_id: int) -> HttpResponse:
    told = read_story(staff, case_id)
    form = HoldForm(staff.creditor, request.POST)
    if not form.is_valid():
        return case_page(request, staff, told, status=422, hold_form=form)
    entered = form.cleaned_data
    place_hold(case_id, entered["reason"], by=staff.actor, until=entered["until"], note=entered["note"])
    return _back(request, staff, case_id, _("The case rests. No reminder leaves while the hold lasts."))


@require_POST
@staff_view(Role.AGENT)
def lift(request: HttpRequest, staff: Staff, case_id: int, hold_id: int) -> HttpResponse:
    found = Hold.objects.filter(id=hold_id, case_id=case_id).first()
    if found is None:
        raise Http404
    if not may_lift(staff.role, found.reason):
        raise PermissionDenied
    lift_hold(found.id, by=staff.actor)
    return _back(request, staff, case_id, _("The hold has ended."))


@require_POST
@staff_view(Role.AGENT)
def transfer(request: HttpRequest, staff: Staff, case_id: int) -> HttpResponse:
    told = read_story(staff, case_id)
    currency = told.statement.currency
    form = TransferForm(staff.creditor, currency, request.POST)
    if form.is_valid():
        amount: int = form.cleaned_data["amount"]
        day: date = form.cleaned_data["value_date"]
        try:
            book_transfer(case_id, amount, day, form.cleaned_data["bank_reference"])
        except (ConflictError, InputError):
            form.add_error("bank_reference", _("This reference was booked before for something else."))
        else:
            shown = Money(amount, currency).format(get_language() or "en")
            return _back(request, staff, case_id, _("%(amount)s booked. Thank you.") % {"amount": shown})
    return case_page(request, staff, told, status=422, transfer_form=form)


@require_POST
@staff_view(Role.AGENT)
def note(request: HttpRequest, staff: Staff, case_id: int) -> HttpResponse:
    told = read_story(staff, case_id)
    form = NoteForm(staff.creditor, request.POST)
    if not form.is_valid():
        return case_page(request, staff, told, status=422, note_form=form)
    add_note(case_id, form.cleaned_data["text"], author=staff.username)
    return _back(request, staff, case_id, _("Your note is kept with the case."))


@require_POST
@staff_view(Role.AGENT)
def settle_message(request: HttpRequest, staff: Staff, message_id: int) -> HttpResponse:
    """Say of an unclear message whether it arrived; one that did not is checked anew and may leave again."""
    row = Message.objects.filter(id=message_id).first()
    if row is None:
        raise Http404
    try:
        settle(message_id, request.POST.get("arrived") == "yes", by=staff.actor)
    except NotFoundError:
        messages.info(request, _("This message was settled before."))
    else:
        messages.success(request, _("Thank you. The message is settled."))
    return redirect("desk:message", staff.creditor.slug, message_id)


def _back(request: HttpRequest, staff: Staff, case_id: int, text: str) -> HttpResponse:
    messages.success(request, text)
    return redirect("desk:case", staff.creditor.slug, case_id)
