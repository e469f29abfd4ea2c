"""An agreed plan on paper: every rate with its day, what the plan costs, and how to pay."""

from dataclasses import dataclass
from datetime import date

from babel.dates import format_date
from django.template.loader import render_to_string
from django.utils import translation

from kulanz.claims.interest import party_of
from kulanz.claims.paper import Letterhead
from kulanz.documents import pdf
from kulanz.kernel.money import Money
from kulanz.law.duties import Occasion
from kulanz.payments import mandates
from kulanz.payments.models import Plan
from kulanz.payments.plans.informing import said
from kulanz.payments.reference import reference, spaced
from kulanz.tenancy.models import Creditor

_LOCALE = {"en": "en_GB"}


@dataclass(frozen=True, slots=True)
class PlanSheet:
    """A plan as text. `rates`: (number, day, amount); `debit`: (mandate reference, creditor identifier, account)."""

    language: str
    customer: str
    number: str
    agreed_on: str
    rates: tuple[tuple[int, str, str], ...]
    debt: str
    cost: str
    total: str
    duties: tuple[str, ...]
    holder: str
    iban: str
    reference: str
    debit: tuple[str, str, str] | None
    acknowledged: bool


def sheet(plan: Plan, language: str, on: date) -> PlanSheet:
    """The plan in the words of a language; the rates as they stand, with what a pause has moved."""
    creditor: Creditor = Creditor.objects.get(id=plan.creditor_id)
    case = plan.case
    customer = case.customer
    locale = _LOCALE.get(language, language)

    def money(minor: int) -> str:
        return Money(minor, case.currency).format(language)

    def day(value: date) -> str:
        return format_date(value, "long", locale)

    cost = plan.fee + plan.interest
    mandate = plan.mandate
    return PlanSheet(
        language=language,
        customer=customer.name,
        number=customer.number,
        agreed_on=day(plan.agreed_at.date()) if plan.agreed_at else "",
        rates=tuple(
            (rate.number, day(rate.due_on), money(rate.amount)) for rate in plan.rates.order_by("number")
        ),
        debt=money(plan.total - cost),
        cost=money(cost),
        total=money(plan.total),
        duties=said(Occasion.PLAN, language, on, party_of(customer.kind), money(cost) if cost else ""),
        holder=creditor.account_holder,
        iban=" ".join(creditor.iban[i : i + 4] for i in range(0, len(creditor.iban), 4)),
        reference=spaced(reference(case.id)),
        debit=(mandate.reference, creditor.creditor_identifier, mandates.masked(mandate.iban))
        if mandate
        else None,
        acknowledged=plan.acknowledged,
    )


def as_pdf(shown: PlanSheet, head: Letterhead) -> bytes:
    """The plan on paper; raises documents.pdf.PdfUnavailableError where PDFs cannot be made."""
    with translation.override(shown.language):
        return pdf.render(render_to_string("claims/plan_paper.html", {"sheet": shown, "head": head}))
