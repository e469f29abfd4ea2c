"""When a claim becomes time-barred, from its ledger and what was recorded about it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from kulanz.claims.models import OWED, LimitationFact
from kulanz.law.limitation import Facts, Limitation, Suspended, Suspension, limitation
from kulanz.law.packs import NoRate
from kulanz.tenancy.law import pack

Kind = LimitationFact.Kind
SHORTEST = timedelta(days=3 * 365)
"""No claim of any law pack is time-barred sooner after its due date; younger ones are not looked at."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What a payment, or with a positive amount its return, did to a claim on a day."""

    day: date
    account: str
    amount: int
    basis: str


def limitation_of(claim_id: int, jurisdiction: str, due: date, settled: Sequence[Settled]) -> Limitation:
    """The limitation of one claim of the creditor in scope.

    It arises when it falls due; part payments start its time anew, unless all of them were returned. Raises NoRate
    where the law's tables have no rule.
    """
    found = list(LimitationFact.objects.filter(claim_id=claim_id).order_by("from_day", "id"))
    acknowledged = [fact.from_day for fact in found if fact.kind == Kind.ACKNOWLEDGED]
    return limitation(
        pack(jurisdiction),
        Facts(
            arose=due,
            restarts=tuple(sorted({*acknowledged, *_paid_on(settled)})),
            suspensions=tuple(
                Suspended(Suspension(fact.kind), fact.from_day, fact.until_day)
                for fact in found
                if fact.kind in (Kind.PAYMENT_ORDER, Kind.NEGOTIATION)
            ),
            titled=next((fact.from_day for fact in found if fact.kind == Kind.TITLED), None),
        ),
    )


def is_barred(claim_id: int, jurisdiction: str, due: date, settled: Iterable[Settled], on: date) -> bool:
    """Whether a claim is time-barred on a day; not where the law's tables have no rule to say so."""
    if on - due < SHORTEST:
        return False
    try:
        return limitation_of(claim_id, jurisdiction, due, list(settled)).barred(on)
    except NoRate:
        return False


def _paid_on(settled: Sequence[Settled]) -> set[date]:
    mine = [each for each in settled if each.account in OWED and each.basis in ("payment", "payment_return")]
    if sum(each.amount for each in mine) >= 0:
        return set()
    return {each.day for each in mine if each.basis == "payment" and each.amount < 0}
