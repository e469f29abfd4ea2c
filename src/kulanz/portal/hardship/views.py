"""`/p/<token>/help/`: three steps at most, and each of them may be left out."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse

from kulanz.claims.queries import any_barred
from kulanz.kernel import clock
from kulanz.payments.plans.queries import plan_terms
from kulanz.payments.plans.rules import Proposal, Rhythm, decide
from kulanz.portal import shown
from kulanz.portal.access import Page, SeeOther, link_view
from kulanz.portal.hardship import actions
from kulanz.portal.hardship.form import AMOUNTS, BudgetForm
from kulanz.portal.hardship.reach import Reach, advisers, reach
from kulanz.portal.hardship.rules import Advice, Budget, Way, advise
from kulanz.portal.plan_form import fields


@link_view("GET", "HEAD", "POST", depth=1)
def help_(request: HttpRequest, page: Page) -> HttpResponse:
    """The budget form; posted, what helps; from there, or without any figure, rest."""
    if page.statement.open_amount == 0:
        return SeeOther(page.home)
    if request.method != "POST":
        return _form(request, page, BudgetForm(page=page))
    form = BudgetForm(request.POST, page=page)
    if request.POST.get("step") == "rest":
        return _rest(request, page, form)
    if not form.is_valid():
        return _form(request, page, form)
    return _answer(request, page, form.budget)


def _rest(request: HttpRequest, page: Page, form: BudgetForm) -> HttpResponse:
    """Everything rests; the result is kept only where the customer ticked that it may be."""
    wish = Way.PERSON if request.POST.get("wish") == Way.PERSON else Way.REST
    keep = request.POST.get("keep") == "yes" and form.is_valid()
    summary = _summary(page, form.budget) if keep else ""
    actions.rest(page.statement.case_id, page.look.timezone, wish, summary)
    return SeeOther(page.home)


def _summary(page: Page, budget: Budget) -> str:
    """The result and not the single figures."""
    advice, _ = _advice(page, budget)
    return f"left={page.money(budget.left)} rate={page.money(advice.rate)}"


def _advice(page: Page, budget: Budget) -> tuple[Advice, Reach | None]:
    today = clock.today(page.look.timezone)
    known = reach(budget, page.statement.currency, page.language, today)
    terms = plan_terms()
    least = terms.min_rate if terms.offered else page.statement.open_amount + 1
    seizable = None if known is None else known.seizable
    return advise(budget, seizable, least, page.statement.open_amount), known


def _answer(request: HttpRequest, page: Page, budget: Budget) -> HttpResponse:
    advice, known = _advice(page, budget)
    proposal = _proposal(page, advice)
    context = {
        "way": Way.PERSON if advice.way is Way.SMALL_RATE and proposal is None else advice.way,
        "rate": page.money(advice.rate),
        "plan": fields(proposal, page) if proposal else None,
        "left": page.money(max(0, budget.left)),
        "short": page.money(-budget.left) if budget.left < 0 else "",
        "known": known,
        "protected": page.money(known.protected) if known else "",
        "all_protected": known is not None and known.seizable == 0,
        "told": [(name, request.POST.get(name, "")) for name in ("maintained", *AMOUNTS)],
        **_frame(page),
    }
    return page.render(request, "help_answer", context)


def _proposal(page: Page, advice: Advice) -> Proposal | None:
    """Monthly rates from the first of the next month, where the creditor's rules take them at once."""
    if advice.way is not Way.SMALL_RATE or any_barred(page.statement):
        return None
    today = clock.today(page.look.timezone)
    first = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    wanted = Proposal(Rhythm.MONTHLY, first, rate=advice.rate)
    return wanted if decide(wanted, plan_terms(), today, page.statement.open_amount).accepted else None


def _form(request: HttpRequest, page: Page, form: BudgetForm) -> HttpResponse:
    errors = [(field, messages[0]) for field, messages in form.errors.items()] if form.is_bound else []
    context = {"form": form, "errors": errors, "wrong": dict(errors), **_frame(page)}
    return page.render(request, "help", context, status=422 if errors else 200)


def _frame(page: Page) -> dict[str, Any]:
    last = actions.last_day(page.statement.case_id, page.look.timezone)
    return {
        "until": shown.day(last, page.language),
        "advisers": advisers(clock.today(page.look.timezone)),
    }
