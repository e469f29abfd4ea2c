"""Offers on the customer's page: shown as they stand now, taken by the usual ways, declined with one click."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse

from kulanz.kernel import clock
from kulanz.kernel.errors import NotFoundError
from kulanz.payments.offers import actions, queries
from kulanz.payments.offers.models import Offer
from kulanz.payments.offers.rules import Kind, proposal
from kulanz.payments.plans.rules import Proposal
from kulanz.payments.rules import Part
from kulanz.portal import rules, shown
from kulanz.portal.access import Page, SeeOther, link_view
from kulanz.portal.plan_form import fields


@dataclass(frozen=True, slots=True)
class Shown:
    """One offer in the customer's words. `part`: what a discount asks to pay; `items`: the claims it is for, where the
    case has others; `fields`: what the form of the offer posts.
    """

    id: int
    kind: str
    pay: str
    full: str
    day: str
    until: str
    part: Part | None
    items: tuple[str, ...]
    fields: dict[str, Any]


def shown_offers(page: Page, request: HttpRequest) -> tuple[Shown, ...]:
    """The offers that stand, the discount first; a first look at them is recorded."""
    found = queries.live(page.statement.case_id, clock.today(page.look.timezone))
    told = [(offer, words) for offer in found if (words := _words(page, offer)) is not None]
    if request.method == "GET":
        actions.note_shown([offer for offer, _ in told])
    return tuple(words for _, words in told)


def of_transfer(page: Page, request: HttpRequest) -> Shown | None:
    """The discount that the address of the transfer's page names, if it stands."""
    named = request.GET.get("offer", "")
    if not named.isascii() or not named.isdigit():
        return None
    today = clock.today(page.look.timezone)
    offer = queries.payable(int(named[:18]), page.statement.case_id, today)
    return None if offer is None else _words(page, offer)


def plan_proposal(page: Page) -> Proposal | None:
    """The plan that was offered, as the customer would propose it."""
    offer = _standing(page, Kind.PLAN)
    return None if offer is None else proposal(offer.pay, offer.day)


def later_day(page: Page, window: rules.Window) -> date | None:
    """The day that was offered, where it may still be promised."""
    offer = _standing(page, Kind.LATER)
    if offer is None or window.last is None or not window.first <= offer.day <= window.last:
        return None
    return offer.day


@link_view("GET", "HEAD", "POST", depth=1)
def decline(request: HttpRequest, page: Page) -> HttpResponse:
    """No, thank you."""
    named = request.POST.get("offer", "")
    if request.method == "POST" and named.isascii() and named.isdigit():
        with suppress(NotFoundError):
            actions.decline(page.statement.case_id, int(named[:18]))
    return SeeOther(page.home)


def _standing(page: Page, kind: Kind) -> Offer | None:
    found = queries.live(page.statement.case_id, clock.today(page.look.timezone))
    return next((offer for offer in found if offer.kind == kind), None)


def _words(page: Page, offer: Offer) -> Shown | None:
    """None for a discount by which nothing is gained any more."""
    pay, full, part = offer.pay, offer.full, None
    if offer.kind == Kind.DISCOUNT:
        now = queries.standing(offer)
        if not now.worth_it:
            return None
        pay, full, part = now.rest, now.left, Part(now.rest)
    return Shown(
        id=offer.id,
        kind=offer.kind,
        pay=page.money(pay),
        full=page.money(full),
        day=shown.day(offer.day, page.language),
        until=shown.day(offer.until, page.language),
        part=part,
        items=_items(page, offer) if offer.kind == Kind.DISCOUNT else (),
        fields=_fields(page, offer),
    )


def _items(page: Page, offer: Offer) -> tuple[str, ...]:
    still_open = [claim for claim in page.statement.claims if claim.open_amount > 0]
    if all(claim.id in offer.claims for claim in still_open):
        return ()
    return tuple(shown.title(claim) for claim in still_open if claim.id in offer.claims)


def _fields(page: Page, offer: Offer) -> dict[str, Any]:
    if offer.kind == Kind.PLAN:
        return fields(proposal(offer.pay, offer.day), page)
    return {"day": offer.day.isoformat()} if offer.kind == Kind.LATER else {}
