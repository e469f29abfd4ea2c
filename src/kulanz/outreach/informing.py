"""What a message must say beside its text: filled in when it is written, looked for before it leaves."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from html import escape
from zoneinfo import ZoneInfo

from kulanz.claims.account import StatementOfAccount, statement_of_account
from kulanz.documents.layout import Page
from kulanz.documents.texts import Rendered, printable
from kulanz.kernel.errors import InputError
from kulanz.law.duties import Duty, Facts, MissingValueError, Occasion, Owed, fill, required
from kulanz.law.figures.interest import Party
from kulanz.outreach import breakdown
from kulanz.outreach.asserting import is_first
from kulanz.outreach.models import Message
from kulanz.outreach.reading import Address, CaseView
from kulanz.outreach.values import Words, demanded_claims
from kulanz.tenancy.law import pack
from kulanz.tenancy.models import Creditor, LegalRole

CAVEAT = "caveat"
"""Code of what is owed for each unverified figure behind an amount."""
_SETTINGS = {
    "client": "client_name",
    "client_address": "client_address",
    "authority": "authority",
    "authority_contact": "authority_contact",
    "vat": "vat_statement",
    "support": "support_email",
}
"""The creditor's setting behind a value of a duty."""


class Informer:
    """Knows what messages of a creditor must say; keeps the law's rows for as long as it lives."""

    def __init__(self, creditor: Creditor) -> None:
        self._creditor = creditor
        self._collector = creditor.role == LegalRole.COLLECTOR
        self._pack = pack(creditor.jurisdiction)
        self._zone = ZoneInfo(creditor.timezone)
        self._settings = _settings(creditor)
        self._required: dict[tuple[Facts, date], tuple[Duty, ...]] = {}

    def owed(
        self, message: Message, case: CaseView, address: Address, values: Mapping[str, str], on: date
    ) -> tuple[Owed, ...]:
        """The duties of one message and a caveat per unverified figure in its amounts, filled.

        `message.data` may name further `occasions` and hold `plan_cost` (minor units). Raises InputError naming all
        that is not known but must be said.
        """
        words = Words(case.language, self._creditor.country, case.currency)
        account = statement_of_account(message.case_id, on) if case.charges else None
        duties = self._duties(self._occasions(message, case, address, on), case, on)
        known = {**values, **self._settings, **_of_plan(message, words)}
        if any(duty.occasion == Occasion.FIRST_DEMAND for duty in duties):
            known |= _made_up(message.case_id, case, account, words, on)
        filled = self._filled(duties, known, words.language)
        return filled + (_caveats(account, words.language) if account else ())

    def _duties(self, occasions: frozenset[Occasion], case: CaseView, on: date) -> tuple[Duty, ...]:
        facts = Facts(self._collector, Party.BUSINESS if case.business else Party.CONSUMER, occasions)
        if (facts, on) not in self._required:
            self._required[facts, on] = required(self._pack, facts, on)
        return self._required[facts, on]

    def _occasions(self, message: Message, case: CaseView, address: Address, on: date) -> frozenset[Occasion]:
        found = {Occasion.ELECTRONIC, *map(Occasion, message.data.get("occasions", ()))}
        demanding = message.kind == Message.Kind.DEMANDING
        if self._collector and demanding and is_first(message.case_id, case, on, self._zone):
            found.add(Occasion.FIRST_DEMAND)
            if address.traced:
                found.add(Occasion.TRACED_ADDRESS)
        return frozenset(found)

    def _filled(self, duties: tuple[Duty, ...], known: Mapping[str, str], language: str) -> tuple[Owed, ...]:
        filled, missing = [], dict[str, None]()
        for duty in duties:
            try:
                filled.append(fill(duty, known, language))
            except MissingValueError as error:
                missing |= dict.fromkeys(error.names)
        if missing:
            raise InputError(self._help(tuple(missing)))
        return tuple(filled)

    def _help(self, missing: tuple[str, ...]) -> str:
        settings = [_SETTINGS[name] for name in missing if name in _SETTINGS]
        others = [name for name in missing if name not in _SETTINGS]
        told = f"The message must say {', '.join(settings + others)}, and this is not known."
        return f"{told} Use: kulanz creditor set {self._creditor.slug} NAME=VALUE" if settings else told


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


def _settings(creditor: Creditor) -> dict[str, str]:
    own = {value: printable(getattr(creditor, name)) for value, name in _SETTINGS.items()}
    reach = (creditor.support_email, creditor.support_phone)
    return own | {"support": printable(", ".join(filter(None, reach)))}


def _made_up(
    case_id: int, case: CaseView, account: StatementOfAccount | None, words: Words, on: date
) -> dict[str, str]:
    numbers = [claim.number for claim in demanded_claims(case, on)]
    told = {
        "ground": breakdown.ground(case_id, numbers, words),
        "interest": breakdown.interest(account, words),
        "costs": breakdown.costs(account, words),
    }
    return {name: printable(text) for name, text in told.items()}


def _of_plan(message: Message, words: Words) -> dict[str, str]:
    cost = message.data.get("plan_cost")
    return {} if cost is None else {"plan_cost": words.money(int(cost))}


def _caveats(account: StatementOfAccount, language: str) -> tuple[Owed, ...]:
    texts = {printable(caveat.text(language)): caveat.source for caveat in account.caveats}
    return tuple(Owed(CAVEAT, text, (text,), source, verified=False) for text, source in texts.items())
