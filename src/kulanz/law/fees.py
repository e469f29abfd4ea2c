"""What a delay may cost, as amount with basis, formula and inputs. What no row allows costs nothing.

A `Fee` is owed and may be charged; a `Quote` only says what would come under a condition, and cannot be posted.
Amounts are minor units of the jurisdiction's currency; fractions are rounded half up to the minor unit.
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from kulanz.kernel.errors import InputError
from kulanz.law.caveats import Caveat, Row, caveats
from kulanz.law.figures.fees import CollectionRule, FeeSchedule
from kulanz.law.figures.interest import Party
from kulanz.law.packs import NoRate, Pack

Inputs = tuple[tuple[str, str], ...]


class FeeKind(StrEnum):
    """Kinds of cost; each is a kind of legal basis in the packs and an account of the ledger."""

    REMINDER = "reminder_cost"
    LUMP_SUM = "lump_sum"
    COLLECTION = "collection_cost"
    EXPENSES = "collection_expenses"
    SETTLEMENT = "settlement_fee"
    RETURN = "return_cost"


class Difficulty(StrEnum):
    """How hard an undisputed claim is to collect: each has its factor."""

    PROMPT = "prompt"
    AVERAGE = "average"
    DIFFICULT = "difficult"


@dataclass(frozen=True, slots=True)
class Fee:
    """What is owed. `formula` shows the arithmetic, `inputs` its figures; `cap` is the most that the law allows."""

    kind: FeeKind
    amount: int
    formula: str
    inputs: Inputs
    source: str
    cap: int | None = None
    caveats: tuple[Caveat, ...] = ()


@dataclass(frozen=True, slots=True)
class Quote:
    """What would be owed from a day on if nothing is paid until then: to be shown, never to be charged."""

    fee: Fee
    from_day: date
    condition_de: str
    condition_en: str

    def condition(self, language: str) -> str:
        return self.condition_de if language.lower().startswith("de") else self.condition_en


def reminder(
    pack: Pack, on: date, *, digital: bool, documented: int = 0, causes_default: bool = False
) -> Fee:
    """The creditor's own reminder: nothing for a digital one, the documented outside cost of a letter after default.

    `documented`: what the letter really cost outside the house (postage, paper, print). Raises InputError for a
    negative cost or one above what a court has struck down.
    """
    _not_negative(documented)
    if digital:
        return Fee(
            FeeKind.REMINDER,
            0,
            "0 (digital)",
            (),
            "House rule: digital reminders cost the customer nothing",
            0,
        )
    if not pack.reminder_costs:
        return _nothing(FeeKind.REMINDER, pack, "reminder costs")
    row = pack.in_force(pack.reminder_costs, on, "reminder_costs")
    if row.letter == "none" or causes_default:
        why = (
            "0 (the reminder that first creates default)" if causes_default else "0 (no rule allows a charge)"
        )
        return Fee(FeeKind.REMINDER, 0, why, (), row.source, 0, caveats("reminder cost", [row]))
    if row.refused is not None and documented >= row.refused:
        raise InputError(
            f"{_plain(documented)} for a letter is more than courts accept (about {_plain(row.accepted or 0)}); "
            "only real outside cost counts, no wages or overheads."
        )
    inputs = (("documented", _plain(documented)),)
    return Fee(
        FeeKind.REMINDER, documented, _plain(documented), inputs, row.source, documented, caveats("", [row])
    )


def lump_sum(pack: Pack, party: Party, contract_date: date, performed_on: date | None = None) -> Fee:
    """The sum that a business in default owes; nothing for consumers and older debts."""
    performed = performed_on or contract_date
    rows = [
        row
        for row in pack.lump_sums
        if contract_date >= row.valid_from
        or (row.performed_from is not None and performed >= row.performed_from)
    ]
    if party is Party.CONSUMER or not rows:
        why = "0 (consumers owe none)" if party is Party.CONSUMER else "0 (the debt is older than the rule)"
        return Fee(FeeKind.LUMP_SUM, 0, why, (), rows[-1].source if rows else _none(pack, "lump sum"), 0)
    row = rows[-1]
    return Fee(
        FeeKind.LUMP_SUM,
        row.amount,
        _plain(row.amount),
        (),
        row.source,
        row.amount,
        caveats("lump sum", [row]),
    )


def full_fee(schedule: FeeSchedule, value: int) -> int:
    """The 1.0 fee of a value, minor units; raises InputError for a value of nothing."""
    if value <= 0:
        raise InputError("A fee by value needs a value above zero.")
    fee, reached = schedule.fee, schedule.up_to
    for step in schedule.steps:
        if value <= reached:
            break
        top = value if step.up_to is None else min(value, step.up_to)
        fee += -(-(top - reached) // step.per) * step.fee
        reached = top
    return fee


def collection(pack: Pack, principal: int, on: date, difficulty: Difficulty = Difficulty.AVERAGE) -> Fee:
    """The most that a registered collector may ask of the customer for an undisputed claim ordered on a day.

    The value is the principal alone. Raises NoRate where the pack has no schedule for the day.
    """
    schedule, rule = _schedule(pack, on), _rule(pack, on)
    small = next((row for row in reversed(pack.small_claim_fees) if row.valid_from <= on), None)
    if small is not None and principal <= small.up_to:
        _positive(principal)
        inputs = (("value", _plain(principal)), ("small claim up to", _plain(small.up_to)))
        fee = _plain(small.fee)
        return Fee(
            FeeKind.COLLECTION,
            small.fee,
            fee,
            inputs,
            small.source,
            small.fee,
            caveats("small claims' fee", [small]),
        )
    factor = {
        Difficulty.PROMPT: rule.prompt,
        Difficulty.AVERAGE: rule.average,
        Difficulty.DIFFICULT: rule.difficult,
    }[difficulty]
    return _by_value(FeeKind.COLLECTION, schedule, principal, factor, (schedule, rule))


def collection_disputed(pack: Pack, principal: int, on: date, factor: Decimal) -> Fee:
    """A disputed claim: any factor within the frame; raises InputError outside of it."""
    schedule, rule = _schedule(pack, on), _rule(pack, on)
    if not rule.disputed_from <= factor <= rule.disputed_to:
        raise InputError(
            f"The factor of a disputed claim lies between {rule.disputed_from} and {rule.disputed_to}."
        )
    cap = _by_value(FeeKind.COLLECTION, schedule, principal, rule.disputed_to, (schedule, rule)).amount
    return replace(_by_value(FeeKind.COLLECTION, schedule, principal, factor, (schedule, rule)), cap=cap)


def expenses(pack: Pack, fee: Fee, on: date) -> Fee:
    """The collector's lump sum for post and telephone, a share of the fee up to a cap."""
    rule = _rule(pack, on)
    amount = min(_rounded(fee.amount * rule.expenses_share), rule.expenses_cap)
    formula = f"min({_percent(rule.expenses_share)} of {_plain(fee.amount)}, {_plain(rule.expenses_cap)})"
    inputs = (("fee", _plain(fee.amount)),)
    found = tuple(sorted({*fee.caveats, *caveats("expenses", [rule])}))
    return Fee(FeeKind.EXPENSES, amount, formula, inputs, rule.source, amount, found)


def settlement(pack: Pack, claim: int, on: date) -> Fee:
    """The fee for an instalment deal over a claim, on a share of its value."""
    schedule = _schedule(pack, on)
    rule = pack.in_force(pack.settlement_rules, on, "settlement_rules")
    _positive(claim)
    value = _rounded(claim * rule.share)
    found = _by_value(FeeKind.SETTLEMENT, schedule, value, rule.factor, (schedule, rule))
    return replace(found, inputs=(("claim", _plain(claim)), ("share", _percent(rule.share)), *found.inputs))


def ordinance(pack: Pack, principal: int, on: date, *, further: bool) -> Fee:
    """The cap of an ordinance on a collector's first or further reminder; raises NoRate where there is none."""
    _positive(principal)
    rows = [row for row in pack.ordinance_bands if row.valid_from <= on]
    row = next((row for row in _ascending(rows) if row.up_to is None or principal <= row.up_to), None)
    if row is None:
        raise NoRate(on, f"ordinance on collection cost of {pack.jurisdiction}")
    amount = row.further if further else row.first
    inputs = (("value", _plain(principal)), ("reminder", "further" if further else "first"))
    return Fee(
        FeeKind.COLLECTION,
        amount,
        _plain(amount),
        inputs,
        row.source,
        amount,
        caveats("ordinance on cost", [row]),
    )


def returned(documented: int) -> Fee:
    """The bank's own charge for a debit that the customer had returned, as documented by the bank."""
    _not_negative(documented)
    inputs = (("documented", _plain(documented)),)
    source = "BGB sections 280, 241: damage by a returned debit, the bank's own charge only"
    return Fee(FeeKind.RETURN, documented, _plain(documented), inputs, source, documented)


def credited(fee: Fee, lump: int) -> Fee:
    """Legal cost after a lump sum that was charged before is credited against it (section 288(5) sentence 3 BGB)."""
    _not_negative(lump)
    left = max(0, fee.amount - lump)
    formula = f"{fee.formula} - lump sum {_plain(lump)}"
    return replace(fee, amount=left, formula=formula, inputs=(*fee.inputs, ("lump sum", _plain(lump))))


def _by_value(
    kind: FeeKind, schedule: FeeSchedule, value: int, factor: Decimal, rows: tuple[Row, ...]
) -> Fee:
    full = full_fee(schedule, value)
    amount = _rounded(full * factor)
    inputs = (("value", _plain(value)), ("full fee", _plain(full)), ("factor", str(factor)))
    formula = f"{factor} x {_plain(full)}"
    return Fee(kind, amount, formula, inputs, schedule.source, amount, caveats("collection cost", rows))


def _schedule(pack: Pack, on: date) -> FeeSchedule:
    found: FeeSchedule = pack.in_force(pack.fee_schedules, on, "fee_schedules")
    return found


def _rule(pack: Pack, on: date) -> CollectionRule:
    found: CollectionRule = pack.in_force(pack.collection_rules, on, "collection_rules")
    return found


def _ascending(rows: list) -> list:  # type: ignore[type-arg]
    return sorted(rows, key=lambda row: (row.up_to is None, row.up_to))


def _nothing(kind: FeeKind, pack: Pack, what: str) -> Fee:
    return Fee(kind, 0, "0 (no rule allows a charge)", (), _none(pack, what), 0)


def _none(pack: Pack, what: str) -> str:
    return f"The pack of {pack.jurisdiction} has no rule on {what}"


def _rounded(exact: Decimal) -> int:
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def _positive(amount: int) -> None:
    if amount <= 0:
        raise InputError("A fee by value needs a value above zero.")


def _not_negative(amount: int) -> None:
    if amount < 0:
        raise InputError("A documented cost is not below zero.")


def _percent(share: Decimal) -> str:
    return f"{(share * 100).normalize():f} %"


def _plain(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"
