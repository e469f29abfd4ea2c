"""The account: everything that a customer has with a creditor on one page."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.http import HttpRequest, HttpResponse

from kulanz.claims.models import Case, Customer
from kulanz.claims.queries import statement
from kulanz.contact.models import ContactPoint
from kulanz.kernel.money import Money
from kulanz.outreach.compose import subject_of, without_secrets
from kulanz.outreach.models import ArchivedMessage, Message
from kulanz.outreach.queries import archived
from kulanz.payments.plans.queries import running
from kulanz.portal import shown
from kulanz.portal.access import Page, SeeOther, link_view, not_found
from kulanz.portal.account import actions, session
from kulanz.portal.account.session import account_view
from kulanz.portal.account.signing_in import ask

LETTERS = 100
"""The newest."""


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case: what is open in it."""

    case_id: int
    currency: str
    amount: str
    open_claims: int
    due: str
    plan: bool
    here: bool


@link_view("GET", "HEAD", depth=1)
def account(request: HttpRequest, page: Page) -> HttpResponse:
    """The account of who is signed in, for everybody else the door."""
    login_id = session.login_of(request, page)
    if not login_id:
        return ask(request, page)
    customer = Customer.objects.get(id=page.statement.customer_id)
    points = ContactPoint.objects.filter(customer=customer).exclude(state=ContactPoint.State.REVOKED)
    context = {
        "cases": tuple(_lines(page)),
        "customer": customer,
        "birth_day": shown.day(customer.birth_date, page.language) if customer.birth_date else "",
        "points": [(shown.channel_name(point.channel), point.value) for point in points.order_by("id")],
        "letters": tuple(_letters(page)),
    }
    response = page.render(request, "account", context)
    session.remember(request, response, login_id)
    return response


@account_view("POST", depth=3)
def case(request: HttpRequest, page: Page, case_id: int) -> HttpResponse:
    """On to the page of another case of the same customer."""
    if case_id == page.statement.case_id:
        return SeeOther(page.home)
    token = actions.open_case(case_id, page.statement.customer_id)
    return SeeOther(f"../../../../{token}/")


@account_view("GET", "HEAD", depth=3)
def letter(request: HttpRequest, page: Page, message_id: int) -> HttpResponse:
    """A message as it was sent; links and codes in it stay where they were sent."""
    sent = Message.objects.filter(
        id=message_id, customer_id=page.statement.customer_id, state=Message.State.SENT
    ).first()
    if sent is None:
        return not_found(request)
    kept = archived(sent.id)
    day = shown.local_day(sent.sent_at, page)
    context = {"subject": kept.subject, "text": without_secrets(kept.text), "day": day}
    return page.render(request, "account_letter", context)


def _lines(page: Page) -> Iterator[CaseLine]:
    cases = Case.objects.filter(customer_id=page.statement.customer_id).order_by("id")
    for case_id, currency in cases.values_list("id", "currency"):
        here = case_id == page.statement.case_id
        found = page.statement if here else statement(case_id)
        due = shown.oldest_due(replace(page, statement=found))
        yield CaseLine(
            case_id=case_id,
            currency=currency,
            amount=Money(found.open_amount, currency).format(page.language),
            open_claims=sum(claim.open_amount > 0 for claim in found.claims),
            due=shown.day(due, page.language) if due else "",
            plan=running(case_id) is not None,
            here=here,
        )


def _letters(page: Page) -> Iterator[tuple[int, str, str]]:
    """Id, subject and day of what was sent, the newest first."""
    rows = ArchivedMessage.objects.filter(
        message__customer_id=page.statement.customer_id, message__state=Message.State.SENT
    )
    for row in rows.select_related("message").order_by("-message_id")[:LETTERS]:
        yield row.message_id, subject_of(row), shown.local_day(row.message.sent_at, page)
