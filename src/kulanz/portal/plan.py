"""Paying in instalments: propose, see the whole plan and its cost, agree; then follow, pause or change it."""

import secrets
from contextlib import suppress
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from kulanz.claims.paper import letterhead
from kulanz.claims.queries import any_barred
from kulanz.documents.pdf import PdfUnavailableError
from kulanz.kernel import clock
from kulanz.kernel.errors import ConflictError, InputError
from kulanz.law.duties import Occasion
from kulanz.payments import mandates
from kulanz.payments.actions import AmountChangedError, instructions
from kulanz.payments.plans import actions, paper
from kulanz.payments.plans.actions import Agreement
from kulanz.payments.plans.queries import Quote, notice_days, plan_terms, running
from kulanz.payments.plans.rules import Decision, PlanTerms, Proposal, start_window
from kulanz.payments.reference import spaced
from kulanz.portal import offered, planned, shown
from kulanz.portal.access import Page, SeeOther, link_view
from kulanz.portal.plan_form import PlanForm, fields, initial, posted, whole
from kulanz.portal.views import with_payment

_FIELDS = dict.fromkeys(mandates.Fault, "iban") | {
    mandates.Fault.CONSENT_MISSING: "debit",
    mandates.Fault.HOLDER_MISSING: "holder",
    mandates.Fault.HOLDER_LONG: "holder",
}


@link_view("GET", "HEAD", "POST", depth=1)
def plan(request: HttpRequest, page: Page) -> HttpResponse:
    """The form, after it the whole plan; one that is under way or was offered, unless it is to be changed."""
    owed, terms = page.statement.open_amount, plan_terms()
    found = planned.running_plan(page)
    if request.method != "POST" and found is not None and "change" not in request.GET:
        return with_payment(request, page, "plan", _paying(page, found))
    closed = found is None and any_barred(page.statement)
    if not owed or not terms.offered or not terms.rhythms or closed:
        return SeeOther(page.home)
    if request.method == "POST":
        return _proposed(request, page, terms)
    ready = _as_offered(request, page) if "change" not in request.GET else None
    return ready or _form(request, page, terms, PlanForm(initial=initial(page, terms), page=page))


@link_view("GET", "HEAD", "POST", depth=2)
def agree(request: HttpRequest, page: Page) -> HttpResponse:
    """The plan as it was shown becomes an agreement, once; whatever is wrong is said on the same screen."""
    back = SeeOther(f"{page.home}plan/")
    if request.method != "POST":
        return back
    try:
        proposal = posted(request.POST)
        account = _account(request)
        agreement = Agreement(
            shown=whole(request.POST.get("total", "")),
            form_key=request.POST.get("form", ""),
            acknowledged=request.POST.get("acknowledge") == "yes",
            account=account,
            language=page.language,
            replaces=whole(request.POST.get("replaces", "")),
        )
        actions.agree(page.statement.case_id, proposal, agreement)
    except mandates.AccountError as error:
        return _again(request, page, errors=[(_FIELDS[error.fault], planned.fault(error))], status=422)
    except AmountChangedError as changed:
        return _again(request, page, before=page.money(changed.shown), status=409) if changed.now else back
    except (InputError, ConflictError):
        return back
    return back


@link_view("GET", "HEAD", "POST", depth=2)
def pause(request: HttpRequest, page: Page) -> HttpResponse:
    """Everything that is still to pay moves by a month."""
    found = running(page.statement.case_id)
    if request.method == "POST" and found is not None:
        with suppress(ConflictError):
            actions.pause(found.id)
    return SeeOther(f"{page.home}plan/")


@link_view("GET", "HEAD", "POST", depth=2)
def anew(request: HttpRequest, page: Page) -> HttpResponse:
    """One click: what is left, spread anew in rates as before."""
    found = running(page.statement.case_id)
    if request.method == "POST" and found is not None:
        rest, form_key = whole(request.POST.get("total", "")), request.POST.get("form", "")
        with suppress(ConflictError, InputError):
            actions.replan(found.id, shown=rest, form_key=form_key)
    return SeeOther(f"{page.home}plan/")


@link_view("GET", "HEAD", depth=0)
def as_pdf(request: HttpRequest, page: Page) -> HttpResponse:
    """The agreed plan on paper; the file's name says nothing about the customer."""
    found = running(page.statement.case_id)
    if found is None:
        return SeeOther(f"{page.home}plan/")
    try:
        made = paper.as_pdf(paper.sheet(found, page.language, clock.today(page.look.timezone)), letterhead())
    except PdfUnavailableError:
        return page.render(request, "plan", {"plan": planned.running_plan(page), "no_pdf": True}, status=503)
    response = HttpResponse(made, content_type="application/pdf")
    response["Content-Disposition"] = 'attachment; filename="plan.pdf"'
    return response


def _proposed(request: HttpRequest, page: Page, terms: PlanTerms) -> HttpResponse:
    """The answer to the form: the whole plan, or why not."""
    form = PlanForm(request.POST, page=page)
    if not form.is_valid():
        return _form(request, page, terms, form)
    try:
        decision, quote = actions.propose(page.statement.case_id, form.proposal)
    except ConflictError:
        return SeeOther(page.home)
    if quote is None:
        return _refusal(request, page, terms, form, decision)
    return _offer(request, page, form.proposal, quote)


def _as_offered(request: HttpRequest, page: Page) -> HttpResponse | None:
    """The plan that was offered to the customer; None where none was, or it is not possible any more."""
    proposal, quote = offered.plan_proposal(page), None
    if proposal is not None:
        with suppress(ConflictError):
            quote = actions.propose(page.statement.case_id, proposal)[1]
    return _offer(request, page, proposal, quote) if proposal and quote else None


def _form(
    request: HttpRequest,
    page: Page,
    terms: PlanTerms,
    form: PlanForm,
    more: dict[str, Any] | None = None,
) -> HttpResponse:
    first, last = start_window(terms, clock.today(page.look.timezone))
    errors = [(field, messages[0]) for field, messages in form.errors.items()] if form.is_bound else []
    context = {
        "form": form,
        "errors": errors,
        "wrong": dict(errors),
        "owed": page.money(page.statement.open_amount),
        "least": page.money(min(terms.min_rate, page.statement.open_amount)),
        "rhythms": [(each.value, planned.rhythm_name(each)) for each in terms.rhythms],
        "first": first.isoformat(),
        "last": last.isoformat(),
        "first_day": shown.day(first, page.language),
        "last_day": shown.day(last, page.language),
        **(more or {}),
    }
    return page.render(request, "plan_form", context, status=422 if errors else 200)


def _refusal(
    request: HttpRequest, page: Page, terms: PlanTerms, form: PlanForm, decision: Decision
) -> HttpResponse:
    """The form once more, with the reason, the nearest offer and the way to a person."""
    more: dict[str, Any] = {
        "reason": _(planned.REASONS[decision.reason]),
        "human": planned.law_says(page, Occasion.REFUSAL),
    }
    if decision.nearest is not None:
        more["nearest"] = fields(decision.nearest, page)
        more["nearest_words"] = planned.in_words(page, decision.nearest)
    return _form(request, page, terms, form, more)


def _offer(
    request: HttpRequest,
    page: Page,
    proposal: Proposal,
    quote: Quote,
    more: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    cost = page.money(quote.cost.plan) if quote.cost.plan else ""
    case = page.statement
    identifier = mandates.identifier() if case.currency == "EUR" else ""
    before = running(case.case_id)
    context = {
        "proposal": proposal,
        "replaces": before.id if before else 0,
        "rows": planned.schedule_rows(page, quote.rates),
        "debt": page.money(quote.cost.debt),
        "cost": page.money(quote.cost.plan),
        "total": page.money(quote.cost.total),
        "total_minor": quote.cost.total,
        "duties": planned.law_says(page, Occasion.PLAN, cost),
        "warnings": planned.law_says(page, Occasion.ACKNOWLEDGEMENT),
        "form_key": secrets.token_urlsafe(12),
        "mandate": mandates.next_reference(case.customer_id) if identifier else "",
        "identifier": identifier,
        "notice": notice_days(),
        "wrong": {},
        "holder": case.customer_name if len(case.customer_name) <= 70 else "",
        **(more or {}),
    }
    return page.render(request, "plan_offer", context, status=status)


def _again(
    request: HttpRequest,
    page: Page,
    *,
    errors: list[tuple[str, str]] | None = None,
    before: str = "",
    status: int,
) -> HttpResponse:
    """The second screen once more, with the amounts of now and what was entered."""
    proposal = posted(request.POST)
    try:
        decision, quote = actions.propose(page.statement.case_id, proposal)
    except (ConflictError, InputError):
        return SeeOther(page.home)
    if quote is None:
        form = PlanForm(fields(proposal, page), page=page)
        form.is_valid()
        return _refusal(request, page, plan_terms(), form, decision)
    kept = {name: request.POST.get(name, "")[:200] for name in ("holder", "iban")}
    more: dict[str, Any] = {"errors": errors or [], "wrong": dict(errors or []), "before": before}
    more |= kept if errors else {}
    more["debit"] = request.POST.get("debit") == "yes"
    more["acknowledge"] = request.POST.get("acknowledge") == "yes"
    return _offer(request, page, proposal, quote, more, status)


def _account(request: HttpRequest) -> mandates.Account | None:
    """The account to debit, if the customer wants that."""
    if request.POST.get("debit") != "yes":
        if request.POST.get("iban", "").strip():
            raise mandates.AccountError(mandates.Fault.CONSENT_MISSING)
        return None
    return mandates.checked(request.POST.get("holder", "")[:500], request.POST.get("iban", "")[:100])


def _paying(page: Page, found: planned.Running) -> dict[str, Any]:
    """What the running plan's screen shows beside the way to pay: the details for a transfer of the next rate."""
    to = instructions(page.look.payee, page.statement.case_id, found.part.amount, page.statement.currency)
    return {"plan": found, "part": found.part, "to": to, "reference": spaced(to.reference) if to else ""}
