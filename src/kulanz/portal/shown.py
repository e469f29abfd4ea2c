"""A statement in the words and forms of a customer's language."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, pgettext

from kulanz.claims.models import OWED
from kulanz.claims.queries import ClaimLine, PostingLine
from kulanz.kernel.money import Money
from kulanz.law import packs
from kulanz.law.basis import Basis
from kulanz.portal.access import Page

_LOCALE = {"en": "en_GB"}
_CLAIM = {
    "invoice": gettext_noop("Invoice"),
    "credit_note": gettext_noop("Credit note"),
    "loan": gettext_noop("Loan"),
    "instalment": gettext_noop("Instalment"),
}
_POSTING = {
    "opened": gettext_noop("Agreed amount"),
    "credit_note": gettext_noop("Credit note"),
    "offset": gettext_noop("Credit used"),
    "interest": gettext_noop("Interest"),
    "cost": gettext_noop("Reminder cost"),
    "payment": gettext_noop("Your payment"),
    "payment_return": gettext_noop("Payment taken back"),
    "refund": gettext_noop("Paid back"),
    "waiver": gettext_noop("Waived"),
    "discount": gettext_noop("Discount"),
    "write_off": gettext_noop("Written off"),
    "recovery": gettext_noop("Received after write-off"),
    "transfer": gettext_noop("Handed over"),
    "reallocation": gettext_noop("Payment spread anew"),
    "correction": gettext_noop("Correction"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One posting: what, when, how much, on what ground, and what was open after it."""

    what: str
    day: str
    amount: str
    left: str
    why: str
    paragraph: str


@dataclass(frozen=True, slots=True)
class Item:
    """One claim with its postings."""

    title: str
    product: str
    open: str
    contract_day: str
    due_day: str
    settled: bool
    lines: tuple[Line, ...]


def day(value: date, language: str) -> str:
    return _day(value, language)


def local_day(value: datetime, page: Page) -> str:
    return _day(value.astimezone(ZoneInfo(page.look.timezone)).date(), page.language)


def items(page: Page) -> tuple[Item, ...]:
    return tuple(_item(page, claim) for claim in page.statement.claims)


def oldest_due(page: Page) -> date | None:
    """The due date that matters: of the oldest claim on which something is open."""
    return min((claim.due_date for claim in page.statement.claims if claim.open_amount > 0), default=None)


def title(claim: ClaimLine) -> str:
    """What a claim is called: Invoice R-1."""
    return f"{_(_CLAIM[claim.kind])} {claim.number}"


def locale(language: str) -> str:
    """The locale in which numbers and dates of a language are written."""
    return _LOCALE.get(language, language)


def _item(page: Page, claim: ClaimLine) -> Item:
    return Item(
        title=title(claim),
        product=claim.product,
        open=page.money(claim.open_amount),
        contract_day=_day(claim.contract_date, page.language),
        due_day=_day(claim.due_date, page.language),
        settled=claim.open_amount <= 0,
        lines=_lines(page, claim),
    )


def _lines(page: Page, claim: ClaimLine) -> tuple[Line, ...]:
    left, lines = 0, []
    for posting in claim.postings:
        if posting.account not in OWED:
            continue
        left += posting.amount
        lines.append(_line(page, claim.jurisdiction, posting, left))
    return tuple(lines)


def _line(page: Page, jurisdiction: str, posting: PostingLine, left: int) -> Line:
    basis = _bases(jurisdiction).get(posting.basis)
    return Line(
        what=_(_POSTING[posting.kind]),
        day=_day(posting.value_date, page.language),
        amount=page.money(posting.amount),
        left=page.money(left),
        why=basis.text(page.language) if basis else "",
        paragraph=basis.paragraph if basis else posting.basis,
    )


@lru_cache
def _bases(jurisdiction: str) -> dict[str, Basis]:
    """By code and by kind: postings name either."""
    bases = packs.load(jurisdiction).bases
    return {each.kind: each for each in bases} | {each.code: each for each in bases}


@lru_cache(maxsize=8192)
def _day(value: date, language: str) -> str:
    return format_date(value, "long", locale=_LOCALE.get(language, language)).replace(" ", "\u00a0", 1)


@lru_cache(maxsize=8192)
def plain(minor: int, currency: str) -> str:
    """The amount as people type it into a banking form: 1234.50."""
    return str(Money(minor, currency).decimal)


def channel_name(channel: str) -> str:
    names = {
        "email": pgettext("channel", "E-mail"),
        "sms": pgettext("channel", "Text message"),
        "whatsapp": pgettext("channel", "WhatsApp"),
        "letter": pgettext("channel", "Letter"),
        "call": pgettext("channel", "Telephone"),
        "portal": pgettext("channel", "This page"),
    }
    return names[channel]
