"""A customer says that something is wrong in their data: put it right, or say why not."""

from datetime import timedelta

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from kulanz.claims.customers import correct
from kulanz.contact.correcting import actions
from kulanz.contact.correcting.models import Correction
from kulanz.contact.models import Channel, ContactPoint
from kulanz.desk.forms import CorrectionForm
from kulanz.documents.staff import Staff, page, staff_view
from kulanz.kernel.errors import ConflictError, InputError
from kulanz.outreach.inbound import answering
from kulanz.tenancy.models import Role
from kulanz.tenancy.rules import includes


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(Role.VIEWER)
def correction(request: HttpRequest, staff: Staff, correction_id: int) -> HttpResponse:
    """The request beside what is on file; saving settles it and tells the customer."""
    row = Correction.objects.select_related("customer").filter(id=correction_id).first()
    if row is None:
        raise Http404
    may = includes(staff.role, Role.AGENT) and row.done_at is None
    if request.method != "POST":
        return _show(request, staff, row, _form(staff, row) if may else None)
    if not includes(staff.role, Role.AGENT):
        return _show(request, staff, row, None, status=403)
    form = CorrectionForm(staff.creditor, request.POST)
    if form.is_valid():
        try:
            changed = _settled(row, form, staff)
        except ConflictError:
            messages.info(request, _("Somebody has taken care of this request before."))
            return redirect("desk:tasks", staff.creditor.slug)
        except InputError as error:
            form.add_error("text", str(error))
        else:
            told = _("Put right, and the customer can see it.") if changed else _("Settled without a change.")
            messages.success(request, told)
            return redirect("desk:case", staff.creditor.slug, row.case_id)
    return _show(request, staff, row, form, status=422)


def _settled(row: Correction, form: CorrectionForm, staff: Staff) -> bool:
    """Whether something was changed; everything of it is stored or nothing."""
    words: str = form.cleaned_data["text"]
    email: str = form.cleaned_data["email"]
    with transaction.atomic():
        changed = bool(correct(row.customer_id, form.person, by=staff.actor))
        if email:
            moved = actions.replace_address(row.customer_id, Channel.EMAIL.value, email, by=staff.actor)
            changed = changed or moved
        if not changed and not words:
            raise InputError(_("Nothing was changed. Tell the customer why, or what you did elsewhere."))
        actions.settle(row.id, corrected=changed, by=staff.actor)
        if words:
            answering.answer(row.case_id, words, author=staff.username, by=staff.actor, seen=0)
    return changed


def _form(staff: Staff, row: Correction) -> CorrectionForm:
    form, customer = CorrectionForm(staff.creditor), row.customer
    points = ContactPoint.objects.filter(
        customer=customer, channel=Channel.EMAIL, state=ContactPoint.State.OK
    )
    form.initial = {
        "customer_name": customer.name,
        "postal_code": customer.postal_code,
        "country": customer.country,
        "birth_date": customer.birth_date,
        "email": points.order_by("id").values_list("value", flat=True).first() or "",
    }
    return form


def _show(
    request: HttpRequest, staff: Staff, row: Correction, form: CorrectionForm | None, *, status: int = 200
) -> HttpResponse:
    names = {
        "name": _("Name"),
        "address": _("Address"),
        "birth_date": _("Date of birth"),
        "contact": _("E-mail address or telephone number"),
        "claim": _("An invoice or a payment"),
        "other": _("Something else"),
    }
    context = {
        "correction": row,
        "about": names[row.about],
        "answer_by": row.asked_at + actions.WITHIN - timedelta(days=1),
        "correction_form": form,
        "nav": "tasks",
    }
    return page(request, staff, "desk/correction.html", context, status=status)
