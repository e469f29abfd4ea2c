"""What a plan does by itself: it completes, tells of a missed rate, and ends when the grace is over."""

from collections.abc import Sequence
from datetime import date

from django.db import transaction
from django.db.models import Sum

from kulanz.claims import adjusting
from kulanz.claims.actions import lock_case
from kulanz.claims.adjusting import Cause
from kulanz.claims.models import OWED, Account, Journal, Posting
from kulanz.claims.queries import open_amount
from kulanz.events.log import Happened, record
from kulanz.kernel import clock
from kulanz.payments import mandates
from kulanz.payments.models import Plan, Rate
from kulanz.payments.plans import collecting
from kulanz.payments.plans.actions import BY, end
from kulanz.payments.plans.queries import RUNNING, plan_terms, standing
from kulanz.payments.plans.rules import PlanTerms
from kulanz.payments.plans.standing import RateState, Standing, is_broken, to_tell
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import creditor_id

MONEY_EVENTS = (
    "payment.booked",
    "payment.returned",
    "debit.returned",
    "claim.credited",
    "claim.waived",
    "claim.discounted",
    "claim.written_off",
    "claim.transferred",
)
"""After these the running plan of the case they name is looked at."""


def follow(events: Sequence[Happened]) -> None:
    """In the transaction of a booking: what it does to the plan of its case."""
    returned = {event.subject_id for event in events if event.type.endswith(".returned")}
    plans = Plan.objects.filter(case_id__in={event.subject_id for event in events}, state__in=RUNNING)
    for plan in plans.order_by("case_id"):
        advance(plan, plan_terms(), _today(), at_once=plan.case_id in returned)


def check_plans() -> int:
    """Look at every running plan of the creditor in scope, once a day; returns how many were looked at.

    Also announces direct debits whose time has come, and marks mandates that lapsed.
    """
    today, terms = _today(), plan_terms()
    found = list(Plan.objects.filter(state__in=RUNNING).order_by("id").values_list("id", flat=True))
    for plan_id in found:
        with transaction.atomic():
            case_id = Plan.objects.values_list("case_id", flat=True).get(id=plan_id)
            lock_case(case_id)
            plan = Plan.objects.select_related("mandate").get(id=plan_id)
            if plan.state in RUNNING:
                advance(plan, terms, today)
                collecting.announce_plan(plan, today)
    mandates.lapse(today)
    return len(found)


def advance(plan: Plan, terms: PlanTerms, today: date, *, at_once: bool = False) -> Standing:
    """Bring a running plan to where its money and the day put it. Call with the case locked.

    `at_once`: money went back, so a missing rate is told of without waiting.
    """
    now = standing(plan, today, terms)
    if now.rest == 0:
        _complete(plan, now)
        return now
    if plan.state == Plan.State.PAUSED and plan.paused_until is not None and today > plan.paused_until:
        plan.state = Plan.State.ACTIVE
        plan.save(update_fields=["state"])
    paid = [rate.number for rate in now.rates if rate.state is RateState.PAID and rate.told_on]
    if paid:
        Rate.objects.filter(plan=plan, number__in=paid).update(told_on=None)
    if is_broken(now, today):
        end(plan, Plan.State.BROKEN, {"paid": now.paid, "rest": now.rest})
        return now
    missed = to_tell(now, today, at_once=at_once)
    if missed:
        _tell(plan, now, [rate.number for rate in missed], terms, today)
    return now


def _tell(plan: Plan, now: Standing, numbers: list[int], terms: PlanTerms, today: date) -> None:
    Rate.objects.filter(plan=plan, number__in=numbers).update(told_on=today)
    told = standing(plan, today, terms)
    until = min(rate.grace_until for rate in told.rates if rate.number in numbers)
    amount = sum(rate.rest for rate in now.overdue)
    payload = {"plan": plan.id, "rate": numbers[0], "amount": amount, "until": until.isoformat()}
    record("plan.rate_missed", plan.case_id, payload)


def _complete(plan: Plan, now: Standing) -> None:
    """All rates are paid. Interest beyond what was told before the agreement is let go: the total was the deal."""
    end(plan, Plan.State.COMPLETED, {"paid": now.paid})
    spare = min(open_amount(plan.case_id), _interest_since(plan) - plan.interest)
    if spare <= 0:
        return
    for claim_id, account, owed in _open_then(plan):
        part = min(spare, owed)
        spare -= part
        if part > 0:
            cause = Cause(f"plan:{plan.id}:{claim_id}:{account}", _today(), BY)
            adjusting.waive(claim_id, account, part, cause)


def _interest_since(plan: Plan) -> int:
    rows = Posting.objects.filter(
        case_id=plan.case_id,
        account=Account.INTEREST,
        journal__kind=Journal.Kind.INTEREST,
        journal_id__gt=plan.after_journal,
    )
    return int(rows.aggregate(total=Sum("amount"))["total"] or 0)


def _open_then(plan: Plan) -> list[tuple[int, str, int]]:
    """What is open now on the claims that were there when the plan was agreed, oldest first."""
    then = Posting.objects.filter(case_id=plan.case_id, journal_id__lte=plan.after_journal)
    claims = set(then.exclude(claim=None).values_list("claim_id", flat=True))
    rows = Posting.objects.filter(claim_id__in=claims, account__in=OWED).values("claim_id", "account")
    found = rows.annotate(owed=Sum("amount")).filter(owed__gt=0).order_by("claim__due_date", "claim_id")
    return list(found.values_list("claim_id", "account", "owed"))


def _today() -> date:
    return clock.today(Creditor.objects.values_list("timezone", flat=True).get(id=creditor_id()))
