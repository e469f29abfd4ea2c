"""SEPA direct debit mandates: checked, signed on the page, used, revoked, lapsed.

The consent is the creditor's own text of the SEPA Core scheme; which version in which language was agreed to is kept.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from schwifty import IBAN
from schwifty.exceptions import InvalidCountryCode, InvalidLength, SchwiftyException

from kulanz.claims.actions import lock_case
from kulanz.events.log import record
from kulanz.kernel import clock
from kulanz.kernel.errors import InputError, NotFoundError
from kulanz.payments.models import DirectDebit, Mandate
from kulanz.payments.plans.rules import months_later
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import creditor_id

CONSENT = "sepa-core-1"
"""Version of the consent text on the page; a new wording gets a new one."""
LAPSES_AFTER_MONTHS = 36
"""A mandate that was not used for so long must not be used any more (SEPA Core rulebook)."""
_HOLDER = 70
_SPACES = re.compile(r"[\s\u200e\u200f\u202a-\u202e\u2066-\u2069-]+")


class Fault(StrEnum):
    """What is wrong with an account that was entered; each has a message that helps."""

    CONSENT_MISSING = "consent_missing"
    HOLDER_MISSING = "holder_missing"
    HOLDER_LONG = "holder_long"
    IBAN_MISSING = "iban_missing"
    IBAN_COUNTRY = "iban_country"
    IBAN_LENGTH = "iban_length"
    IBAN_TYPO = "iban_typo"


class AccountError(InputError):
    """An account that cannot be debited; `fault` says why, `length` how long an IBAN of that country is."""

    def __init__(self, fault: Fault, length: int = 0) -> None:
        super().__init__(f"This account cannot be debited: {fault}.")
        self.fault = fault
        self.length = length


@dataclass(frozen=True, slots=True)
class Account:
    """A checked account: `iban` compact, `bic` empty where it is not known."""

    holder: str
    iban: str
    bic: str


def checked(holder: str, iban: str) -> Account:
    """The account as entered, with or without spaces; raises AccountError."""
    name = " ".join(holder.split())
    if not name or len(name) > _HOLDER:
        raise AccountError(Fault.HOLDER_LONG if name else Fault.HOLDER_MISSING)
    compact = _SPACES.sub("", iban).upper()
    if not compact:
        raise AccountError(Fault.IBAN_MISSING)
    try:
        found = IBAN(compact[:40])
    except InvalidLength:
        length = IBAN(compact[:40], allow_invalid=True).spec.iban_length
        raise AccountError(Fault.IBAN_LENGTH, length) from None
    except InvalidCountryCode:
        raise AccountError(Fault.IBAN_COUNTRY) from None
    except SchwiftyException:
        raise AccountError(Fault.IBAN_TYPO) from None
    if not found.in_sepa_zone:
        raise AccountError(Fault.IBAN_COUNTRY)
    return Account(name, str(found), str(found.bic or ""))


def next_reference(customer_id: int) -> str:
    """The reference of the customer's next mandate, as it is shown before signing."""
    return f"M-{customer_id}-{Mandate.objects.filter(customer_id=customer_id).count() + 1}"


def sign(case_id: int, account: Account, language: str, notice_days: int) -> Mandate:
    """Keep a mandate that the customer gave on the page; raises InputError where the creditor cannot collect."""
    if not identifier():
        raise InputError("This creditor has no creditor identifier and cannot collect by direct debit.")
    case = lock_case(case_id)
    mandate: Mandate = Mandate.objects.create(
        creditor_id=case.creditor_id,
        customer_id=case.customer_id,
        reference=next_reference(case.customer_id),
        holder=account.holder,
        iban=account.iban,
        bic=account.bic,
        consent=f"{CONSENT}:{language}",
        notice_days=notice_days,
        signed_at=clock.now(),
    )
    record("mandate.signed", mandate.id, {"case": case_id, "consent": mandate.consent})
    return mandate


def revoke(mandate_id: int, *, by: str) -> None:
    """The customer takes a mandate back: nothing is collected by it any more. Twice changes nothing."""
    mandate: Mandate | None = Mandate.objects.filter(id=mandate_id).first()
    if mandate is None:
        raise NotFoundError("There is no such mandate.")
    if Mandate.objects.filter(id=mandate_id, state=Mandate.State.ACTIVE).update(state=Mandate.State.REVOKED):
        announced = DirectDebit.objects.filter(mandate_id=mandate_id, state=DirectDebit.State.ANNOUNCED)
        announced.update(state=DirectDebit.State.CANCELLED)
        record("mandate.revoked", mandate_id, {"by": by.split(":", maxsplit=1)[0]})


def usable(mandate: Mandate, on: date) -> bool:
    """Whether a mandate may be used on a day."""
    return mandate.state == Mandate.State.ACTIVE and on < lapses_on(mandate)


def lapses_on(mandate: Mandate) -> date:
    """The first day on which a mandate may not be used any more unless it is used before."""
    last: datetime = mandate.last_used_at or mandate.signed_at
    return months_later(last.date(), LAPSES_AFTER_MONTHS)


def lapse(today: date) -> int:
    """Mark the mandates of the creditor in scope that were not used for too long; returns how many."""
    active = Mandate.objects.filter(state=Mandate.State.ACTIVE)
    old = [mandate.id for mandate in active.iterator() if lapses_on(mandate) <= today]
    return int(Mandate.objects.filter(id__in=old).update(state=Mandate.State.LAPSED))


def identifier() -> str:
    """The creditor identifier of the creditor in scope; empty where it cannot collect by direct debit."""
    found, iban = Creditor.objects.values_list("creditor_identifier", "iban").get(id=creditor_id())
    return str(found) if iban else ""


def masked(iban: str) -> str:
    """An account that its owner knows again and nobody else can use."""
    return f"{iban[:2]}•• •••• {iban[-4:]}"
