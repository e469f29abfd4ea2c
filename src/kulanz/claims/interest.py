"""What the law needs to know of claims in default to work out their interest.

Interest is charged for whole days that are over: what is owed on a day counts the days before it, so that it is
exactly what a payment of that day settles. Days on which a hold stopped interest bear none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from kulanz.claims.models import Claim, Customer, Hold
from kulanz.claims.replay import Debt, Interest, Movements
from kulanz.law import rates
from kulanz.law.figures.interest import DayCount, Party
from kulanz.law.interest import Accrual, Movement, accrue
from kulanz.law.packs import Pack
from kulanz.law.rates import Overrides, named_day_count
from kulanz.tenancy.law import pack
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import creditor_id

DAY = timedelta(days=1)
Rests = Sequence[tuple[date, date | None]]
"""First and last day of each rest; None: it goes on."""


@dataclass(frozen=True, slots=True)
class Charging:
    """How the creditor in scope charges interest."""

    charges: bool
    overrides: Overrides
    day_count: DayCount | None
    zone: ZoneInfo


def charging() -> Charging:
    """The terms of the creditor in scope."""
    found = Creditor.objects.values_list("charges_interest", "max_interest_rate", "day_count", "timezone")
    charges, highest, day_count, zone = found.get(id=creditor_id())
    return Charging(charges, Overrides(highest), named_day_count(day_count), ZoneInfo(zone))


def interest_of(case_id: int, debts: Sequence[Debt], accrued_to: date | None) -> Interest | None:
    """How the default interest of a case's claims is worked out; None where none is charged.

    Where the creditor has stopped charging, what was charged until `accrued_to` follows the facts, and no more is.
    """
    if not any(debt.default_from for debt in debts):
        return None
    own = charging()
    if not own.charges and accrued_to is None:
        return None
    rests = rests_of([case_id], own.zone).get(case_id, [])
    claims = {claim.claim_id: claim for claim in in_default(case_id)}

    def interest(claim_id: int, movements: Movements, day: date) -> int:
        until = day if own.charges or accrued_to is None else min(day, accrued_to)
        return claims[claim_id].total(movements, rests, until, own)

    return interest


@dataclass(frozen=True, slots=True)
class InDefault:
    """A claim in default, with what decides its rate."""

    claim_id: int
    pack: Pack
    party: Party
    contract_date: date
    performed_on: date
    default_from: date

    def total(self, movements: Movements, rests: Rests, day: date, own: Charging) -> int:
        """Interest for the days before `day`, minor units; raises NoRate where the law's tables end."""
        found = self.accrual(movements, rests, day, own)
        return found.total if found else 0

    def accrual(self, movements: Movements, rests: Rests, day: date, own: Charging) -> Accrual | None:
        """The same with its rows; None before the first day of default is over."""
        last = day - DAY
        if last < self.default_from:
            return None
        return accrue(
            [Movement(on, amount) for on, amount in bearing(movements, rests)],
            self.default_from,
            last,
            self.pack,
            rates.Terms(self.party, self.contract_date, self.performed_on, own.day_count, own.overrides),
        )


def bearing(movements: Movements, rests: Rests) -> list[tuple[date, int]]:
    """The movements of the principal that bears interest: never below zero, and zero on days of rest."""
    changes: dict[date, int] = {}
    for on, amount in movements:
        changes[on] = changes.get(on, 0) + amount
    cuts = set(changes) | {first for first, _ in rests} | {last + DAY for _, last in rests if last}
    found, principal, before = [], 0, 0
    for on in sorted(cuts):
        principal += changes.get(on, 0)
        level = 0 if at_rest(on, rests) else max(0, principal)
        if level != before:
            found.append((on, level - before))
        before = level
    return found


def at_rest(day: date, rests: Rests) -> bool:
    """Whether interest rests on a day."""
    return any(first <= day and (last is None or day <= last) for first, last in rests)


def rests_of(case_ids: Iterable[int] | None, zone: ZoneInfo) -> dict[int, list[tuple[date, date | None]]]:
    """The rests of interest by case, for some cases or, with None, for all of the creditor in scope."""
    rows = Hold.objects.filter(stops_interest=True)
    if case_ids is not None:
        rows = rows.filter(case_id__in=case_ids)
    found: dict[int, list[tuple[date, date | None]]] = {}
    for hold in rows:
        found.setdefault(hold.case_id, []).append(days_at_rest(hold, zone))
    return found


def days_at_rest(hold: Hold, zone: ZoneInfo) -> tuple[date, date | None]:
    """The first and last local day on which a hold was in force, if only for a part of it; None: it goes on."""
    ends = [at for at in (hold.until_at, hold.lifted_at) if at is not None]
    first = hold.from_at.astimezone(zone).date()
    if not ends:
        return first, None
    return first, (min(ends) - timedelta(microseconds=1)).astimezone(zone).date()


def party_of(kind: str) -> Party:
    """The customer as the law of interest sees it."""
    return Party.BUSINESS if kind == Customer.Kind.BUSINESS else Party.CONSUMER


def in_default(case_id: int) -> list[InDefault]:
    """The claims of a case that are in default."""
    rows = Claim.objects.filter(case_id=case_id).exclude(default_from=None)
    return [
        InDefault(
            claim, pack(jurisdiction), party_of(kind), contracted, performed or contracted, default_from
        )
        for claim, jurisdiction, kind, contracted, performed, default_from in rows.values_list(
            "id", "jurisdiction", "case__customer__kind", "contract_date", "performed_on", "default_from"
        )
    ]
