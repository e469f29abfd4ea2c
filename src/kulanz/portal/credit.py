"""Over-payment offered back: the customer asks for it, a person sends it."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from kulanz.claims.actions import lock_case
from kulanz.claims.queries import statement
from kulanz.events.log import record
from kulanz.events.models import Event
from kulanz.portal.access import Page, SeeOther, link_view

WISHED = "credit.wished"


@link_view("GET", "HEAD", "POST", depth=1)
def credit(request: HttpRequest, page: Page) -> HttpResponse:
    """Wish for the whole credit as the page showed it, once; a credit that changed meanwhile is shown first."""
    if request.method == "POST" and request.POST.get("amount") == str(page.statement.credit):
        wish(page.statement.case_id, page.statement.credit)
    return SeeOther(page.home)


def wish(case_id: int, amount: int) -> bool:
    """Ask a person to send `amount` (minor units) back; no money moves. False where there is nothing to be done."""
    with transaction.atomic():
        lock_case(case_id)
        now = statement(case_id)
        if not amount or now.open_amount or now.credit != amount or wished(case_id, amount):
            return False
        record(WISHED, case_id, {"amount": amount})
    return True


def wished(case_id: int, amount: int) -> bool:
    """Whether this very credit was asked for; after it changed, it may be asked for anew."""
    latest = Event.objects.filter(type__in=(WISHED, "credit.refunded"), subject_id=case_id).order_by("-id")
    found = latest.values_list("type", "payload").first()
    return found is not None and found[0] == WISHED and found[1].get("amount") == amount
