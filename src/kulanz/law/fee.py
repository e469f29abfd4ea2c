"""Fees as values: what is owed, what would be owed, and how either is said. Amounts are minor units of `currency`."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from kulanz.kernel.errors import InputError
from kulanz.law.basis import basis
from kulanz.law.caveats import Caveat
from kulanz.law.packs import Pack

Inputs = tuple[tuple[str, str], ...]


class FeeKind(StrEnum):
    """Kinds of cost; each is a kind of legal basis in the packs and an account of the ledger."""

    REMINDER = "reminder_cost"
    LUMP_SUM = "lump_sum"
    COLLECTION = "collection_cost"
    EXPENSES = "collection_expenses"
    SETTLEMENT = "settlement_fee"
    RETURN = "return_cost"


OWN_DUNNING = frozenset({FeeKind.REMINDER, FeeKind.LUMP_SUM, FeeKind.RETURN})
"""What a creditor who duns himself may ask for; the others belong to a registered collector's work."""
LEGAL_COST = frozenset({FeeKind.COLLECTION, FeeKind.EXPENSES, FeeKind.SETTLEMENT})
"""The cost of pursuing a claim: a lump sum for the delay is credited against it (section 288(5) sentence 3 BGB)."""
WITHOUT_DEFAULT = frozenset({FeeKind.RETURN})
"""Owed for something else than the delay; every other kind needs a claim that is in default."""


@dataclass(frozen=True, slots=True)
class Fee:
    """What is owed. `formula` shows the arithmetic, `inputs` its figures; `cap` is the most that the law allows.

    `credited`: what was charged before of the other kind and is already taken off `amount`.
    """

    kind: FeeKind
    amount: int
    currency: str
    formula: str
    inputs: Inputs
    source: str
    cap: int | None = None
    caveats: tuple[Caveat, ...] = ()
    credited: int = 0


@dataclass(frozen=True, slots=True)
class Quote:
    """What would be owed from a day on if nothing is paid until then: to be shown, never to be charged."""

    fee: Fee
    from_day: date
    condition_de: str
    condition_en: str

    def condition(self, language: str) -> str:
        return self.condition_de if language.lower().startswith("de") else self.condition_en


def unless_paid_by(fee: Fee, last_day: date) -> Quote:
    """A fee that falls due the day after `last_day` if nothing is paid until then."""
    return Quote(
        fee,
        last_day + timedelta(days=1),
        f"Nur wenn bis zum {last_day:%d.%m.%Y} nicht gezahlt ist.",
        f"Only if nothing has been paid by {last_day.isoformat()}.",
    )


def credited(fee: Fee, earlier: int) -> Fee:
    """The fee less what was charged `earlier` for the same delay: a lump sum off legal cost, or legal cost off it."""
    if earlier < 0:
        raise InputError("What is credited is not below zero.")
    part = min(fee.amount, earlier)
    if not part:
        return fee
    return replace(
        fee,
        amount=fee.amount - part,
        formula=f"{fee.formula} - {plain(part)}",
        inputs=(*fee.inputs, ("credited", plain(part))),
        credited=fee.credited + part,
    )


def explained(pack: Pack, fee: Fee, language: str) -> str:
    """One sentence for people: why, how and how much, with the paragraph; the language's own decimal mark."""
    german = language.lower().startswith("de")
    if not fee.amount:
        return "Dafür zahlen Sie nichts." if german else "You pay nothing for this."
    why, amount = basis(pack, fee.kind), plain(fee.amount)
    arithmetic = amount if fee.formula == amount else f"{fee.formula} = {amount}"
    said = arithmetic.replace(", ", "; ").replace(".", ",") if german else arithmetic
    return f"{why.text(language)} {said} {fee.currency} ({why.paragraph})."


def plain(minor: int) -> str:
    """Two decimals, as every currency of a pack has them."""
    return f"{minor // 100}.{minor % 100:02d}"
