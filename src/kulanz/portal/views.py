"""Paying: the first page, bank transfer, the way to the provider and back."""

import secrets
from datetime import timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from kulanz.claims.queries import open_amount
from kulanz.documents import qr
from kulanz.kernel import clock
from kulanz.kernel.errors import ConflictError, InputError
from kulanz.kernel.money import Money
from kulanz.payments import links
from kulanz.payments.actions import AmountChangedError, instructions, settle, start
from kulanz.payments.methods import registry
from kulanz.payments.methods.port import Instructions, PaymentMethod, ProviderError
from kulanz.payments.plans.queries import plan_terms
from kulanz.payments.queries import intent_of_case, pending_amount
from kulanz.payments.reference import spaced
from kulanz.payments.rules import Part
from kulanz.portal import brand as brands
from kulanz.portal import offered, planned, rules, shown
from kulanz.portal.access import Page, SeeOther, link_view, not_found
from kulanz.portal.caring import help_for
from kulanz.portal.credit import wished
from kulanz.portal.hardship.reach import advisers
from kulanz.tenancy.models import Brand
from kulanz.tenancy.scope import every_creditor

_OFFERED = (rules.Situation.OPEN, rules.Situation.PROMISED)
"""Where offers are shown: nothing stands in the way of taking them."""
_WHOLE = "all"
"""Named in an address: the whole debt although a plan runs."""
_FOREVER = "public, max-age=31536000, immutable"


@link_view("GET", "HEAD", depth=0)
def first(request: HttpRequest, page: Page) -> HttpResponse:
    """What is owed, why, until when, and the way to pay it."""
    if request.method == "GET":
        links.note_opened(page.link)
    found, until = rules.situation(page.statement.open_amount, page.statement.holds, page.statement.claims)
    plan = planned.running_plan(page) if found == rules.Situation.PLANNED else None
    if found == rules.Situation.PLANNED and plan is None:
        found = rules.Situation.PAUSED
    pending = pending_amount(page.statement.case_id)
    due = shown.oldest_due(page)
    offers = offered.shown_offers(page, request) if found in _OFFERED else ()
    today = clock.today(page.look.timezone)
    context = {
        "situation": found,
        "settled": page.statement.open_amount <= 0,
        "until": shown.local_day(until - timedelta(seconds=1), page) if until else "",
        "promised": _promised(page) if found == rules.Situation.PROMISED else "",
        "pending": page.money(pending) if pending else "",
        "items": shown.items(page),
        "open_claims": sum(claim.open_amount > 0 for claim in page.statement.claims),
        "credit": page.money(page.statement.credit) if page.statement.credit else "",
        "wished": bool(page.statement.credit) and wished(page.statement.case_id, page.statement.credit),
        "due": shown.day(due, page.language) if due else "",
        "days_late": (today - due).days if due else 0,
        "customer_number": rules.masked(page.statement.customer_number),
        "has_account": "transfer" in _offered(page),
        "advisers": advisers(today) if found == rules.Situation.HELPED else (),
        "help": help_for(page) if found == rules.Situation.CARED else None,
        "plan": plan,
        "rates": planned.offered(plan_terms(), page.statement),
        "offers": offers,
        "discount": any(offer.kind == "discount" for offer in offers),
    }
    return with_payment(request, page, "first", context)


@link_view("GET", "HEAD", depth=1)
def transfer(request: HttpRequest, page: Page) -> HttpResponse:
    """Everything a banking form asks for, to copy or to scan."""
    found = _instructions(page, request)
    if found is None:
        return SeeOther(page.home)
    offer = offered.of_transfer(page, request)
    context = {
        "to": found,
        "offer": offer,
        "plan": None if offer else planned.running_plan(page),
        "whole": _WHOLE in request.GET,
        "total": page.money(page.statement.open_amount),
        "iban": " ".join(found.iban[i : i + 4] for i in range(0, len(found.iban), 4)),
        "reference": spaced(found.reference),
        "amount": page.money(found.amount),
        "plain_amount": shown.plain(found.amount, found.currency),
        "girocode": found.currency == "EUR",
    }
    return page.render(request, "transfer", context)


@link_view("GET", "HEAD", depth=1)
def qr_code(request: HttpRequest, page: Page) -> HttpResponse:
    """The GiroCode for exactly what the page of the transfer says."""
    found = _instructions(page, request)
    if found is None or found.currency != "EUR":
        return not_found(request)
    transfer = qr.Transfer(
        name=found.account_holder,
        iban=found.iban,
        amount=Money(found.amount, found.currency),
        reference=found.reference,
        bic=found.bic,
    )
    try:
        code = qr.svg(transfer)
    except InputError:
        return not_found(request)
    return HttpResponse(code, content_type="image/svg+xml")


@link_view("GET", "HEAD", "POST", depth=1)
def pay(request: HttpRequest, page: Page) -> HttpResponse:
    """Send the customer to the provider, or say why not; every answer says whether money moved."""
    if request.method != "POST":
        return SeeOther(page.home)
    try:
        begun = start(
            page.link,
            page.look.payee,
            request.POST.get("method", "psp"),
            shown=_whole(request.POST.get("amount", "")),
            form_key=request.POST.get("form", ""),
            language=page.language,
            part=_part(request),
            offer_id=_whole(request.POST.get("offer", "")),
        )
    except AmountChangedError as changed:
        if not changed.now:
            return SeeOther(page.home)
        context = {"before": page.money(changed.shown)}
        return with_payment(request, page, "changed", context, status=409)
    except ProviderError:
        return page.render(request, "unavailable", {"has_account": bool(page.look.iban)}, status=503)
    except (InputError, ConflictError):
        return SeeOther(page.home)
    return SeeOther(begun.url)


@link_view("GET", "HEAD", depth=2)
def back(request: HttpRequest, page: Page, intent_id: int) -> HttpResponse:
    """The customer is back from the provider: paid, pending, failed, cancelled or not finished."""
    intent = intent_of_case(intent_id, page.statement.case_id)
    try:
        settle(intent.id)
        known = True
    except ProviderError:
        known = False
    intent.refresh_from_db()
    owed = open_amount(page.statement.case_id)
    context = {
        "state": intent.state if known or intent.state != "created" else "unknown",
        "amount": page.money(intent.amount),
        "owed": page.money(owed) if owed else "",
        "has_account": bool(page.look.iban),
    }
    return page.render(request, "back", context)


@require_safe
def brand(request: HttpRequest, brand_id: int, digest: str, kind: str) -> HttpResponse:
    """A brand's public style sheet or logo; the digest in its address lets browsers keep it."""
    with every_creditor("brands are public"):
        found: Brand | None = Brand.objects.filter(id=brand_id).first()
    if found is None or (kind == "svg" and not found.logo_svg):
        raise Http404
    if kind == "css":
        sheet = brands.sheet(found.colour_primary, found.colour_on_primary)
        response = HttpResponse(sheet.css, content_type="text/css; charset=utf-8")
        fresh = sheet.digest == digest
    else:
        response = HttpResponse(found.logo_svg, content_type="image/svg+xml")
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
        fresh = brands.logo_url(found.id, found.logo_svg).endswith(f"{digest}.svg")
    response["Cache-Control"] = _FOREVER if fresh else "no-cache"
    return response


def _part(request: HttpRequest) -> Part | None:
    """The part that was chosen; None where the form pays everything."""
    amount = _whole(request.POST.get("part", ""))
    return Part(amount, _whole(request.POST.get("claim", "")) or None) if amount else None


def with_payment(
    request: HttpRequest, page: Page, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """A page with the pay form; its policy lets the form lead to the providers' own pages."""
    methods = _offered(page)
    online = [method for code, method in methods.items() if code != "transfer"]
    ways = [code for code in methods if code != "transfer" or context.get("has_account")]
    amount = page.statement.open_amount
    more = {
        "online": bool(online),
        "ways": [(code, methods[code].title(page.language)) for code in ways],
        "last_online": online[-1].code if online else "",
        "amount": page.money(amount),
        "minor": amount,
        "form_key": secrets.token_urlsafe(12),
    }
    response = page.render(request, template, {**more, **context}, status)
    origins = [origin for method in online for origin in method.origins]
    response._csp_update = {"form-action": origins}  # type: ignore[attr-defined]
    return response


def _offered(page: Page) -> dict[str, PaymentMethod]:
    """The ways to pay in the order of the buttons: that of the link's step, else bank transfer last."""
    found = registry.offered(page.look.payee, page.link.methods)
    return found if page.link.methods else dict(sorted(found.items(), key=lambda way: way[0] == "transfer"))


def _instructions(page: Page, request: HttpRequest) -> Instructions | None:
    """For the discount that the address names, what a plan asks for next, or all that is open."""
    statement, offer = page.statement, offered.of_transfer(page, request)
    amount = statement.open_amount
    if offer and offer.part:
        amount = offer.part.amount
    elif _WHOLE not in request.GET and (plan := planned.running_plan(page)) is not None:
        amount = plan.part.amount
    if amount == 0:
        return None
    return instructions(page.look.payee, statement.case_id, amount, statement.currency)


def _promised(page: Page) -> str:
    """The promised day itself: the hold ends at the midnight after it."""
    ends = [hold.until_at for hold in page.statement.holds if hold.reason == "promise" and hold.until_at]
    return shown.local_day(max(ends) - timedelta(seconds=1), page) if ends else ""


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
