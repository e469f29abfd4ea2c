"""What a message must say beside its text: filled in when it is written, looked for before it leaves."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from html import escape

from kulanz.claims.account import StatementOfAccount, statement_of_account
from kulanz.claims.models import COSTS, Account, Claim, Customer
from kulanz.contact.models import ContactLog, ContactPoint
from kulanz.documents.layout import Page
from kulanz.documents.texts import Rendered
from kulanz.kernel.money import Money
from kulanz.law.duties import Facts, Occasion, Owed, fill, required
from kulanz.law.figures.interest import Party
from kulanz.outreach.models import Message
from kulanz.tenancy.law import pack
from kulanz.tenancy.models import Creditor, LegalRole

TRACED = "traced"
"""Source of a contact point that was found out, not given."""
_NONE = {"de": "keine", "en": "none"}


def owed(
    creditor: Creditor, message: Message, language: str, values: Mapping[str, str], on: date
) -> tuple[Owed, ...]:
    """The duties of one message, filled; raises InputError naming what is not known but must be said."""
    collector = creditor.role == LegalRole.COLLECTOR
    occasions = {Occasion.ELECTRONIC}
    if collector and message.kind == Message.Kind.DEMANDING and _is_first(message):
        occasions |= {Occasion.FIRST_DEMAND} | ({Occasion.TRACED_ADDRESS} if _is_traced(message) else set())
    known = dict(values)
    if Occasion.FIRST_DEMAND in occasions:
        known |= _of_first_demand(creditor, message.case_id, language, on)
    facts = Facts(collector, _party(message) if collector else Party.CONSUMER, frozenset(occasions))
    return tuple(fill(duty, known, language) for duty in required(pack(creditor.jurisdiction), facts, on))


def caveats(case_id: int, language: str, on: date) -> tuple[str, ...]:
    """A sentence for each unverified figure that went into what is owed on a case."""
    return tuple(caveat.text(language) for caveat in statement_of_account(case_id, on).caveats)


def written(rendered: Rendered, sentences: tuple[str, ...]) -> Rendered:
    """The text with the sentences as paragraphs at its end."""
    return replace(rendered, body="\n\n".join([rendered.body, *sentences])) if sentences else rendered


def lacking(page: Page, duties: tuple[Owed, ...]) -> tuple[str, ...]:
    """Codes of the duties that are not found in both bodies of a message, whatever wrote them."""
    return tuple(
        duty.code
        for duty in duties
        if not all(needle in page.text and escape(needle) in page.html for needle in duty.needles)
    )


def _is_first(message: Message) -> bool:
    return not ContactLog.objects.filter(case_id=message.case_id, demanding=True).exists()


def _is_traced(message: Message) -> bool:
    points = ContactPoint.objects.filter(customer_id=message.customer_id, channel=message.channel)
    return points.filter(source=TRACED).exists()


def _party(message: Message) -> Party:
    kind = Customer.objects.values_list("kind", flat=True).get(id=message.customer_id)
    return Party.BUSINESS if kind == Customer.Kind.BUSINESS else Party.CONSUMER


def _of_first_demand(creditor: Creditor, case_id: int, language: str, on: date) -> dict[str, str]:
    account = statement_of_account(case_id, on)
    return {
        "client": creditor.client_name,
        "client_address": creditor.client_address,
        "authority": creditor.authority,
        "authority_contact": creditor.authority_contact,
        "vat": creditor.vat_statement,
        "ground": _ground(case_id, language),
        "interest": _interest(account, language),
        "costs": _costs(account, language),
    }


def _ground(case_id: int, language: str) -> str:
    """Subject and date of each contract behind the case."""
    word = "Vertrag vom" if language == "de" else "contract of"
    claims = Claim.objects.filter(case_id=case_id).order_by("due_date", "id")
    rows = claims.values_list("number", "product", "contract_date")
    return "; ".join(
        f"{number}, {word} {day.isoformat()}{f' ({product})' if product else ''}"
        for number, product, day in rows
    )


def _interest(account: StatementOfAccount, language: str) -> str:
    """Base amount, rate and period of every stretch, or none."""
    currency = account.currency
    rows = [
        f"{_money(row.principal, currency, language)}: {row.rate.normalize():f} %,"
        f" {row.start.isoformat()} – {row.end.isoformat()}"
        for each in account.interest
        if each.accrual
        for row in each.accrual.rows
    ]
    total = account.sums.get(Account.INTEREST, 0)
    return f"{_money(total, currency, language)} ({'; '.join(rows)})" if total and rows else _NONE[language]


def _costs(account: StatementOfAccount, language: str) -> str:
    """Kind, amount and cause of each cost."""
    currency = account.currency
    rows = [
        f"{_money(line.amount, currency, language)} ({line.basis.text(language) if line.basis else ''} {line.formula})"
        for line in account.lines
        if line.account in COSTS and line.amount > 0
    ]
    return "; ".join(rows) or _NONE[language]


def _money(minor: int, currency: str, language: str) -> str:
    return Money(minor, currency).format(language)
