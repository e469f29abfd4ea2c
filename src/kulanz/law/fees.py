"""What a delay may cost, as amount with basis, formula and inputs. What no row allows costs nothing.

Amounts are minor units of the pack's currency; fractions of a unit are rounded half up, once per fee.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from kulanz.kernel.errors import InputError
from kulanz.law.caveats import Row, caveats
from kulanz.law.fee import Fee, FeeKind, Inputs, Quote, credited, explained, plain, unless_paid_by
from kulanz.law.figures.fees import CollectionRule, FeeSchedule, LumpSum, OrdinanceBand, SmallClaimFee
from kulanz.law.figures.interest import Party
from kulanz.law.packs import NoRate, Pack

__all__ = [
    "Difficulty",
    "Fee",
    "FeeKind",
    "Quote",
    "collection",
    "collection_disputed",
    "credited",
    "expenses",
    "explained",
    "full_fee",
    "lump_sum",
    "ordinance",
    "reminder",
    "returned",
    "settlement",
    "unless_paid_by",
]


class Difficulty(StrEnum):
    """How hard an undisputed claim is to collect: each has its factor."""

    PROMPT = "prompt"
    AVERAGE = "average"
    DIFFICULT = "difficult"


def reminder(
    pack: Pack, on: date, *, digital: bool, documented: int = 0, causes_default: bool = False
) -> Fee:
    """The creditor's own reminder: nothing for a digital one, the documented outside cost of a letter after default.

    `documented`: what the letter really cost outside the house (postage, paper, print). Raises InputError for a
    negative cost or one that reaches what a court has struck down.
    """
    _not_negative(documented)
    if digital:
        return _nothing(
            pack, FeeKind.REMINDER, "digital", "House rule: digital reminders cost the customer nothing"
        )
    if not pack.reminder_costs:
        return _unknown(pack, FeeKind.REMINDER, "reminder costs")
    row = pack.in_force(pack.reminder_costs, on, "reminder_costs")
    if causes_default:
        return _nothing(pack, FeeKind.REMINDER, "the reminder that first creates default", row.source, (row,))
    if row.letter == "none":
        return _nothing(pack, FeeKind.REMINDER, "no rule allows a charge", row.source, (row,))
    if row.refused is not None and documented >= row.refused:
        raise InputError(
            f"{plain(documented)} for a letter is more than courts accept (about {plain(row.accepted or 0)}); "
            "only real outside cost counts, no wages or overheads."
        )
    return _fee(
        pack,
        FeeKind.REMINDER,
        documented,
        plain(documented),
        (("documented", plain(documented)),),
        row.source,
        (row,),
    )


def returned(pack: Pack, on: date, documented: int) -> Fee:
    """The bank's own charge for a debit that the customer had returned, as documented by the bank, where a rule allows
    it; raises InputError below zero."""
    _not_negative(documented)
    if not pack.return_costs:
        return _unknown(pack, FeeKind.RETURN, "the cost of returned debits")
    row = pack.in_force(pack.return_costs, on, "return_costs")
    inputs = (("documented", plain(documented)),)
    return _fee(pack, FeeKind.RETURN, documented, plain(documented), inputs, row.source, (row,))


def lump_sum(pack: Pack, party: Party, contract_date: date, performed_on: date | None = None) -> Fee:
    """The sum that a business in default owes; nothing for consumers and older debts.

    Raises NoRate for a debt that arose after the table's end.
    """
    if not pack.lump_sums:
        return _unknown(pack, FeeKind.LUMP_SUM, "a lump sum")
    if contract_date > pack.end_of("lump_sums"):
        raise NoRate(contract_date, f"lump_sums rule of {pack.jurisdiction}")
    performed = performed_on or contract_date
    rows = [row for row in pack.lump_sums if _covers(row, contract_date, performed)]
    newest = (rows or pack.lump_sums)[-1]
    if party is Party.CONSUMER:
        return _nothing(pack, FeeKind.LUMP_SUM, "consumers owe none", newest.source, rows)
    if not rows:
        return _nothing(pack, FeeKind.LUMP_SUM, "the debt is older than the rule", newest.source)
    return _fee(pack, FeeKind.LUMP_SUM, newest.amount, plain(newest.amount), (), newest.source, (newest,))


def full_fee(schedule: FeeSchedule, value: int) -> int:
    """The 1.0 fee of a value, minor units; raises InputError for a value of nothing."""
    _positive(value)
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
    _positive(principal)
    rule, small = _rule(pack, on), _small(pack, on)
    if small is not None and principal <= small.up_to:
        inputs = (("value", plain(principal)), ("small claim up to", plain(small.up_to)))
        rows = (small, _base(pack, on))
        return _fee(pack, FeeKind.COLLECTION, small.fee, plain(small.fee), inputs, small.source, rows)
    factor = {
        Difficulty.PROMPT: rule.prompt,
        Difficulty.AVERAGE: rule.average,
        Difficulty.DIFFICULT: rule.difficult,
    }[difficulty]
    return _by_value(pack, FeeKind.COLLECTION, on, principal, factor, (rule, _base(pack, on)))


def collection_disputed(pack: Pack, principal: int, on: date, factor: Decimal) -> Fee:
    """A disputed claim: any factor within the frame; raises InputError outside of it."""
    rule = _rule(pack, on)
    if not rule.disputed_from <= factor <= rule.disputed_to:
        raise InputError(
            f"The factor of a disputed claim lies between {rule.disputed_from} and {rule.disputed_to}."
        )
    asked, most = (
        _by_value(pack, FeeKind.COLLECTION, on, principal, each, (rule, _base(pack, on)))
        for each in (factor, rule.disputed_to)
    )
    return replace(asked, cap=most.amount)


def expenses(pack: Pack, fee: Fee, on: date) -> Fee:
    """The collector's lump sum for post and telephone, a share of the fee up to a cap."""
    rule = _rule(pack, on)
    amount = min(_rounded(fee.amount * rule.expenses_share), rule.expenses_cap)
    formula = f"min({_percent(rule.expenses_share)} x {plain(fee.amount)}, {plain(rule.expenses_cap)})"
    inputs = (
        ("fee", plain(fee.amount)),
        ("share", _percent(rule.expenses_share)),
        ("at most", plain(rule.expenses_cap)),
    )
    found = _fee(pack, FeeKind.EXPENSES, amount, formula, inputs, rule.source, (rule,))
    return replace(found, caveats=tuple(sorted({*fee.caveats, *found.caveats})))


def settlement(pack: Pack, claim: int, on: date) -> Fee:
    """The fee for an instalment deal over a claim, on a share of its value."""
    _positive(claim)
    rule = pack.in_force(pack.settlement_rules, on, "settlement_rules")
    value = max(1, _rounded(claim * rule.share))
    found = _by_value(pack, FeeKind.SETTLEMENT, on, value, rule.factor, (rule,))
    return replace(found, inputs=(("claim", plain(claim)), ("share", _percent(rule.share)), *found.inputs))


def ordinance(pack: Pack, principal: int, on: date, *, further: bool) -> Fee:
    """The cap of an ordinance on a collector's first or further reminder; raises NoRate where there is none."""
    _positive(principal)
    row = _band(pack, principal, on)
    amount = row.further if further else row.first
    inputs = (("value", plain(principal)), ("reminder", "further" if further else "first"))
    return _fee(pack, FeeKind.COLLECTION, amount, plain(amount), inputs, row.source, (row,))


def _covers(row: LumpSum, contract_date: date, performed: date) -> bool:
    if row.performed_from is None:
        return contract_date >= row.valid_from
    return contract_date < row.valid_from and performed >= row.performed_from


def _band(pack: Pack, principal: int, on: date) -> OrdinanceBand:
    """The band of the newest table that is in force."""
    newest = pack.in_force(pack.ordinance_bands, on, "ordinance_bands").valid_from
    fitting = [
        row
        for row in pack.ordinance_bands
        if row.valid_from == newest and (row.up_to is None or principal <= row.up_to)
    ]
    if not fitting:
        raise NoRate(on, f"ordinance_bands rule of {pack.jurisdiction} for {plain(principal)}")
    return min(fitting, key=lambda row: (row.up_to is None, row.up_to or 0))


def _by_value(pack: Pack, kind: FeeKind, on: date, value: int, factor: Decimal, rows: Sequence[Row]) -> Fee:
    schedule = pack.in_force(pack.fee_schedules, on, "fee_schedules")
    full = full_fee(schedule, value)
    inputs = (("value", plain(value)), ("full fee", plain(full)), ("factor", str(factor)))
    formula = f"{factor} x {plain(full)}"
    return _fee(pack, kind, _rounded(full * factor), formula, inputs, schedule.source, (schedule, *rows))


def _rule(pack: Pack, on: date) -> CollectionRule:
    return pack.in_force(pack.collection_rules, on, "collection_rules")


def _base(pack: Pack, on: date) -> Row:
    return pack.in_force(pack.value_bases, on, "value_bases")


def _small(pack: Pack, on: date) -> SmallClaimFee | None:
    if not pack.small_claim_fees or on < pack.small_claim_fees[0].valid_from:
        return None
    return pack.in_force(pack.small_claim_fees, on, "small_claim_fees")


def _fee(
    pack: Pack, kind: FeeKind, amount: int, formula: str, inputs: Inputs, source: str, rows: Sequence[Row]
) -> Fee:
    found = caveats(kind.replace("_", " "), rows)
    return Fee(kind, amount, pack.currency, formula, inputs, source, amount, found)


def _nothing(pack: Pack, kind: FeeKind, why: str, source: str, rows: Sequence[Row] = ()) -> Fee:
    return _fee(pack, kind, 0, f"0 ({why})", (), source, rows)


def _unknown(pack: Pack, kind: FeeKind, what: str) -> Fee:
    source = f"The pack of {pack.jurisdiction} has no rule on {what}"
    return _nothing(pack, kind, "no rule allows a charge", source)


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
