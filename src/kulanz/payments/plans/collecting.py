"""Collecting rates by mandate: announced in time, handed to whoever writes the bank's file, and what became of it."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction

from kulanz.claims.actions import lock_case
from kulanz.claims.queries import active_holds
from kulanz.events.log import record
from kulanz.kernel import clock
from kulanz.kernel.errors import ConflictError, NotFoundError
from kulanz.payments import mandates
from kulanz.payments.booking import book_debit, return_debit
from kulanz.payments.models import DirectDebit, Mandate, Plan, Rate
from kulanz.payments.plans.banking_days import banking_day
from kulanz.payments.plans.queries import standing
from kulanz.payments.plans.standing import RateState

State = DirectDebit.State
AHEAD = timedelta(days=7)
"""A debit is announced so long before its announcement would be late."""
BLOCK = 500


@dataclass(frozen=True, slots=True)
class DueDebit:
    """One collection as the bank's file needs it; `amount` minor units of `currency`, `first`: never used before."""

    debit_id: int
    case_id: int
    amount: int
    currency: str
    collect_on: date
    mandate: str
    signed_on: date
    holder: str
    iban: str
    bic: str
    first: bool


def announce_plan(plan: Plan, today: date) -> int:
    """Announce the debits of a plan whose time has come; returns how many. Call with the case locked.

    The day of the debit is the rate's, or as long after today as the mandate's announcement takes; where banks are
    closed then, the next day on which they are not.
    """
    mandate = plan.mandate
    if mandate is None or plan.state != Plan.State.ACTIVE:
        return 0
    notice = timedelta(days=mandate.notice_days)
    under_way = set(
        DirectDebit.objects.filter(rate__plan=plan, state__in=[State.ANNOUNCED, State.SUBMITTED]).values_list(
            "rate__number", flat=True
        )
    )
    told = 0
    for rate in standing(plan, today).rates:
        collect_on = banking_day(max(rate.due_on, today + notice))
        settled = rate.state is RateState.PAID or rate.number in under_way or rate.told_on is not None
        if settled or rate.due_on > today + notice + AHEAD or not mandates.usable(mandate, collect_on):
            continue
        debit = DirectDebit.objects.create(
            creditor_id=plan.creditor_id,
            mandate=mandate,
            case_id=plan.case_id,
            rate=Rate.objects.get(plan=plan, number=rate.number),
            amount=rate.rest,
            collect_on=collect_on,
            announced_at=clock.now(),
        )
        record(
            "debit.announced",
            plan.case_id,
            {"debit": debit.id, "plan": plan.id, "amount": rate.rest, "on": collect_on.isoformat()},
        )
        told += 1
    return told


def due_debits(day: date) -> tuple[DueDebit, ...]:
    """Announced debits of the creditor in scope to be collected on a day or before, the earliest first.

    Never more than is still to pay of the rate; what rests, is paid or lost its mandate is left out. Whoever writes
    the file says so with `submitted`.
    """
    rows = DirectDebit.objects.filter(state=State.ANNOUNCED, collect_on__lte=day)
    found = (
        _due(debit, day)
        for debit in rows.select_related("mandate", "case", "rate__plan").order_by("collect_on", "id")[:BLOCK]
    )
    return tuple(each for each in found if each is not None)


def submitted(debit_id: int) -> None:
    """The debit is in a file to the bank; raises ConflictError where it is not to be collected any more."""
    with transaction.atomic():
        debit = _locked(debit_id)
        if debit.state == State.SUBMITTED:
            return
        if debit.state != State.ANNOUNCED:
            raise ConflictError(f"This debit is {debit.state} and cannot be submitted.")
        debit.state = State.SUBMITTED
        debit.save(update_fields=["state"])
        Mandate.objects.filter(id=debit.mandate_id).update(last_used_at=clock.now())


def collected(debit_id: int, value_date: date, bank_reference: str) -> None:
    """The bank has the money: book it, once."""
    with transaction.atomic():
        debit = _locked(debit_id)
        if debit.payment_id is not None:
            return
        debit.state = State.COLLECTED
        debit.payment = book_debit(debit.case_id, debit.amount, value_date, bank_reference)
        debit.save(update_fields=["state", "payment"])


def returned(debit_id: int, value_date: date) -> None:
    """The bank gave the money back, or never got it: the rate counts as missed."""
    with transaction.atomic():
        debit = _locked(debit_id)
        if debit.state in (State.RETURNED, State.CANCELLED):
            return
        debit.state = State.RETURNED
        debit.save(update_fields=["state"])
        told = {"debit": debit.id, "amount": debit.amount, "plan": debit.rate.plan_id}
        record("debit.returned", debit.case_id, told)
        if debit.payment_id is not None:
            return_debit(debit.payment_id, value_date)


def _due(debit: DirectDebit, day: date) -> DueDebit | None:
    plan: Plan = debit.rate.plan
    reasons = {hold.reason for hold in active_holds(debit.case_id)} - {"plan"}
    if plan.state != Plan.State.ACTIVE or reasons or not mandates.usable(debit.mandate, day):
        return None
    rest = next((r.rest for r in standing(plan, day).rates if r.number == debit.rate.number), 0)
    if rest <= 0:
        return None
    if rest < debit.amount:
        DirectDebit.objects.filter(id=debit.id).update(amount=rest)
    return DueDebit(
        debit_id=debit.id,
        case_id=debit.case_id,
        amount=min(rest, debit.amount),
        currency=debit.case.currency,
        collect_on=debit.collect_on,
        mandate=debit.mandate.reference,
        signed_on=debit.mandate.signed_at.date(),
        holder=debit.mandate.holder,
        iban=debit.mandate.iban,
        bic=debit.mandate.bic,
        first=debit.mandate.last_used_at is None,
    )


def _locked(debit_id: int) -> DirectDebit:
    debit: DirectDebit | None = DirectDebit.objects.filter(id=debit_id).first()
    if debit is None:
        raise NotFoundError("There is no such direct debit.")
    lock_case(debit.case_id)
    debit.refresh_from_db()
    return debit
