"""The statement of account in words and forms of a language, for the page and for paper."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from babel.dates import format_date
from babel.numbers import format_decimal
from django.template.loader import render_to_string
from django.utils import translation

from kulanz.claims.account import ClaimInterest, Line, StatementOfAccount
from kulanz.claims.models import Account
from kulanz.documents import pdf
from kulanz.documents.layout import text_language
from kulanz.documents.words import ACCOUNTS, JOURNALS
from kulanz.kernel.errors import NotFoundError
from kulanz.kernel.money import Money
from kulanz.tenancy.models import Brand

_LOCALE = {"en": "en_GB"}


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who writes, as it stands on the paper."""

    name: str
    legal_name: str
    address: str
    imprint: str
    email: str
    phone: str
    colour: str


def letterhead() -> Letterhead:
    """The head of the creditor in scope, in its first brand; raises NotFoundError where it has none."""
    brand = Brand.objects.select_related("creditor").order_by("id").first()
    if brand is None:
        raise NotFoundError("This creditor has no brand; add one before sending documents.")
    creditor = brand.creditor
    return Letterhead(
        brand.name,
        creditor.legal_name,
        creditor.address,
        brand.imprint,
        creditor.support_email,
        creditor.support_phone,
        brand.colour_primary,
    )


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the account; everything as text."""

    day: str
    what: str
    claim: str
    why: str
    paragraph: str
    formula: str
    amount: str
    balance: str
    unverified: bool


@dataclass(frozen=True, slots=True)
class InterestTable:
    """How the interest of a claim came about."""

    claim: str
    rule: str
    day_count: str
    rows: tuple[tuple[str, ...], ...]
    total: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A statement of account ready to be shown. `sums`: (account, amount); `credit`: what stands there is the
    customer's."""

    language: str
    customer: str
    number: str
    on: str
    rows: tuple[Row, ...]
    sums: tuple[tuple[str, str], ...]
    balance: str
    credit: bool
    interest: tuple[InterestTable, ...]
    caveats: tuple[str, ...]

    @property
    def law_language(self) -> str:
        return law_language(self.language)


def law_language(language: str) -> str:
    """The language of the law's sentences on a page of another one; "" where they speak the page's own."""
    return "" if text_language(language) == language else text_language(language)


def sheet(account: StatementOfAccount, on: date, language: str) -> Sheet:
    """The statement as text; `language` is one of those that the pages speak."""
    with translation.override(language):
        say = _Say(language, account.currency)
        return Sheet(
            language=language,
            customer=account.customer_name,
            number=account.customer_number,
            on=say.day(on),
            rows=tuple(say.row(line) for line in account.lines),
            sums=tuple((str(ACCOUNTS[name]).capitalize(), say.money(n)) for name, n in account.sums.items()),
            balance=say.money(abs(account.balance)),
            credit=account.balance < 0,
            interest=tuple(say.interest(each) for each in account.interest if each.accrual),
            caveats=tuple(caveat.text(language) for caveat in account.caveats),
        )


def as_pdf(shown: Sheet, head: Letterhead) -> bytes:
    """The statement on paper; raises documents.pdf.PdfUnavailableError where PDFs cannot be made."""
    with translation.override(shown.language):
        return pdf.render(render_to_string("claims/account_paper.html", {"sheet": shown, "head": head}))


class _Say:
    def __init__(self, language: str, currency: str) -> None:
        self.language = language
        self.locale = _LOCALE.get(language, language)
        self.currency = currency

    def money(self, minor: int) -> str:
        return Money(minor, self.currency).format(self.language)

    def day(self, day: date) -> str:
        return _day(day, self.locale)

    def row(self, line: Line) -> Row:
        what = str(JOURNALS[line.kind])
        if line.account not in (Account.PRINCIPAL, Account.INTEREST) or line.kind == "payment":
            what = f"{what}: {ACCOUNTS[line.account]}"
        return Row(
            day=self.day(line.day),
            what=what,
            claim=line.claim,
            why=line.basis.text(self.language) if line.basis else "",
            paragraph=line.basis.paragraph if line.basis else "",
            formula=line.formula,
            amount=self.money(line.amount),
            balance=self.money(line.balance),
            unverified=bool(line.caveats),
        )

    def interest(self, each: ClaimInterest) -> InterestTable:
        accrual = each.accrual
        assert accrual is not None
        return InterestTable(
            claim=each.claim,
            rule=accrual.rule.paragraph,
            day_count=accrual.day_count.value,
            rows=tuple(
                (
                    self.day(row.start),
                    self.day(row.end),
                    str(row.days),
                    self.money(row.principal),
                    self.percent(row.rate),
                    self.exact(Decimal(row.amount.numerator) / row.amount.denominator),
                )
                for row in accrual.rows
            ),
            total=self.money(each.charged),
        )

    def percent(self, rate: Decimal) -> str:
        return f"{format_decimal(rate, locale=self.locale)} %"

    def exact(self, minor: Decimal) -> str:
        """Unrounded, with two decimals more than the currency has."""
        return format_decimal(minor / 100, format="#,##0.0000", locale=self.locale)


@lru_cache(maxsize=8192)
def _day(day: date, locale: str) -> str:
    return format_date(day, "dd.MM.yyyy" if locale.startswith("de") else "medium", locale)
