"""Service messages about instalment plans: agreed or changed, an instalment missing, done, a debit announced."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from kulanz.events.log import Happened
from kulanz.outreach.actions import NewService, customers_of, queue_services
from kulanz.payments import mandates
from kulanz.payments.models import DirectDebit, Plan

EVENTS = ("plan.agreed", "plan.changed", "plan.rate_missed", "plan.completed", "debit.announced")
RATES_SHOWN = 24
"""Rates listed in a message; the page and the PDF have all."""
_SAME = timedelta(minutes=1)


def tell_plans(events: Sequence[Happened]) -> None:
    """One message for each, to the customer of the case."""
    customers = customers_of([event.subject_id for event in events])
    queue_services([_message(event, customers[event.subject_id]) for event in events])


def ended_a_plan(events: Sequence[Happened]) -> frozenset[int]:
    """Sequences of payments that completed a plan: its own message thanks for them."""
    ended = Plan.objects.filter(
        case_id__in={event.subject_id for event in events}, state=Plan.State.COMPLETED
    ).values_list("case_id", "ended_at")
    return frozenset(
        event.sequence
        for event in events
        for case, at in ended
        if case == event.subject_id and abs(at - event.at) < _SAME
    )


def _message(event: Happened, customer: int) -> NewService:
    told = event.payload
    if event.type == "debit.announced":
        data = _of_debit(told["debit"]) | {"rate": told["amount"], "until": told["on"]}
        return NewService(event.subject_id, customer, "debit_announced", f"debit:{told['debit']}", data)
    if event.type == "plan.rate_missed":
        data = {"rate": told["amount"], "until": told["until"]}
        key = f"plan:{told['plan']}:missed:{told['rate']}:{told['until']}"
        return NewService(event.subject_id, customer, "plan_rate_missed", key, data)
    if event.type == "plan.completed":
        key, data = f"plan:{told['plan']}:completed", {"paid": told["paid"]}
        return NewService(event.subject_id, customer, "plan_completed", key, data)
    key, data = f"plan:{told['plan']}:agreed", _of_plan(told["plan"])
    return NewService(event.subject_id, customer, "plan_agreed", key, data)


def _of_plan(plan_id: int) -> dict[str, Any]:
    plan: Plan = Plan.objects.get(id=plan_id)
    rates = [
        (day.isoformat(), amount)
        for day, amount in plan.rates.order_by("number").values_list("due_on", "amount")
    ]
    return {
        "rates": rates[:RATES_SHOWN],
        "rates_more": max(0, len(rates) - RATES_SHOWN),
        "plan_cost": plan.fee + plan.interest,
        "plan_total": plan.total,
    }


def _of_debit(debit_id: int) -> dict[str, str]:
    mandate = DirectDebit.objects.select_related("mandate").get(id=debit_id).mandate
    return {
        "mandate": mandate.reference,
        "identifier": mandates.identifier(),
        "account": mandates.masked(mandate.iban),
    }
