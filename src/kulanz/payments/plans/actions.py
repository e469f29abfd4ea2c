"""Agreeing, changing, pausing and ending plans. Each use case locks the case and leaves an event."""

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.db import transaction

from kulanz.claims import fees
from kulanz.claims.actions import lock_case
from kulanz.claims.holds import lift_hold, place_hold
from kulanz.claims.models import Case, Hold, LimitationFact
from kulanz.claims.queries import active_holds, any_barred, open_amount, open_items, statement
from kulanz.events.log import record
from kulanz.kernel import clock
from kulanz.kernel.errors import ConflictError, InputError, NotFoundError
from kulanz.law.holds import HoldEffects
from kulanz.payments import mandates
from kulanz.payments.actions import AmountChangedError
from kulanz.payments.models import DirectDebit, Plan, Rate
from kulanz.payments.plans import collecting
from kulanz.payments.plans.queries import (
    RUNNING,
    Quote,
    changes,
    last_journal,
    notice_days,
    plan_terms,
    quote,
    running,
    standing,
)
from kulanz.payments.plans.rules import (
    Decision,
    PlanTerms,
    Proposal,
    RateDue,
    Rhythm,
    anchor_day,
    decide,
    due_days,
    put_off,
)
from kulanz.payments.plans.standing import RateState
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import creditor_id

BY = "payments"
NO_PLAN_DURING = frozenset({"dispute", "insolvency", "represented", "deceased", "minor", "moratorium"})
"""Holds during which only a person may talk about rates."""
_FORM_KEY = re.compile(r"[A-Za-z0-9_-]{8,40}")


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the customer agreed to. `shown`: the total that the page showed, minor units; `form_key` names the form.

    `acknowledged`: the claim itself was acknowledged, apart from the plan. `account`: debit the rates from it.
    `replaces`: id of the running plan that the page knew of, 0 for none.
    """

    shown: int
    form_key: str
    acknowledged: bool = False
    account: mandates.Account | None = None
    language: str = "de"
    replaces: int = 0


def propose(case_id: int, proposal: Proposal) -> tuple[Decision, Quote | None]:
    """Decide on a proposal at once; with what the plan would cost and how it would run where it is accepted.

    A refusal is recorded with its reason. Raises ConflictError where a plan cannot be changed any more or a person has
    to talk first, InputError for a proposal that cannot be spread.
    """
    today, terms = _today(), plan_terms()
    _changeable(case_id, terms)
    owed = open_amount(case_id)
    decision = decide(proposal, terms, today, owed)
    found = quote(case_id, proposal, terms, today) if decision.accepted else None
    if found is not None and found.cost.plan:
        decision = decide(proposal, terms, today, owed, found.cost.total)
    if not decision.accepted:
        record("plan.refused", case_id, {"reason": decision.reason, "amount": owed})
        return decision, None
    return decision, found


def agree(case_id: int, proposal: Proposal, agreement: Agreement) -> Plan:
    """Agree on a plan; on a case with a running one it takes that one's place. The same form agrees once.

    Raises AmountChangedError where the total is not what the page showed, InputError for a proposal that the rules do
    not accept, ConflictError where a plan cannot be changed any more or was agreed meanwhile. Nothing is kept then.
    """
    key = _key(case_id, agreement.form_key)
    with transaction.atomic():
        case = lock_case(case_id)
        same: Plan | None = Plan.objects.filter(form_key=key).first()
        if same is not None:
            return same
        today, terms = _today(), plan_terms()
        before = _changeable(case_id, terms)
        if (before.id if before else 0) != agreement.replaces:
            raise ConflictError("Another plan was agreed meanwhile.")
        if not open_amount(case_id):
            raise AmountChangedError(agreement.shown, 0)
        found = quote(case_id, proposal, terms, today)
        if found.cost.total != agreement.shown:
            raise AmountChangedError(agreement.shown, found.cost.total)
        if not decide(proposal, terms, today, found.cost.debt, found.cost.total).accepted:
            raise InputError("The creditor's rules do not accept this plan.")
        plan = _begin(case, proposal, found, key, before)
        _with_consents(plan, agreement, today)
    return plan


def replan(plan_id: int, *, shown: int, form_key: str) -> Plan:
    """Spread what is left anew in rates as before, from the next day of the plan's rhythm on; as often as allowed.

    `shown`: the rest that the page showed. Raises AmountChangedError, and ConflictError where it was done before.
    """
    with transaction.atomic():
        plan, case = _locked(plan_id)
        key = _key(case.id, form_key)
        same: Plan | None = Plan.objects.filter(form_key=key).first()
        if same is not None:
            return same
        today, terms = _today(), plan_terms()
        if _changeable(case.id, terms) != plan:
            raise ConflictError("This plan has ended.")
        proposal = _again(plan, today)
        found = quote(case.id, proposal, terms, today)
        if found.cost.debt != shown:
            raise AmountChangedError(shown, found.cost.debt)
        made = _begin(case, proposal, found, key, plan)
        if made.mandate_id is not None:
            collecting.announce_plan(made, today)
    return made


def pause(plan_id: int) -> date:
    """Put every rate that is still to pay off by a month (four weeks); returns the last day of the pause.

    Raises ConflictError where the plan is not running or was paused as often as allowed.
    """
    with transaction.atomic():
        plan, case = _locked(plan_id)
        today, terms = _today(), plan_terms()
        if plan.state != Plan.State.ACTIVE or plan.pauses >= terms.pauses:
            raise ConflictError("This plan cannot be paused now.")
        now = standing(plan, today, terms)
        rhythm, anchor = Rhythm(plan.rhythm), anchor_day(proposal_of(plan))
        waiting = {rate.number for rate in now.rates if rate.state is not RateState.PAID}
        rates = list(Rate.objects.filter(plan=plan, number__in=waiting).order_by("number"))
        for rate in rates:
            rate.due_on, rate.told_on = put_off(rate.due_on, rhythm, anchor), None
        while rates[0].due_on <= today:
            for rate in rates:
                rate.due_on = put_off(rate.due_on, rhythm, anchor)
        Rate.objects.bulk_update(rates, ["due_on", "told_on"])
        plan.state, plan.pauses = Plan.State.PAUSED, plan.pauses + 1
        plan.paused_until = rates[0].due_on - timedelta(days=1)
        plan.save(update_fields=["state", "pauses", "paused_until"])
        _drop_debits(plan)
        record("plan.paused", case.id, {"plan": plan.id, "until": plan.paused_until.isoformat()})
    return plan.paused_until


def cancel(plan_id: int, *, by: str) -> None:
    """End a plan by hand; the case goes back to its journey. An ended plan stays as it ended."""
    with transaction.atomic():
        plan, _ = _locked(plan_id)
        if plan.state in RUNNING:
            end(plan, Plan.State.CANCELLED, {"by": by.split(":", maxsplit=1)[0]})


def end(plan: Plan, state: Plan.State, told: dict[str, object]) -> None:
    """A plan is over: its hold is lifted and nothing is collected any more. Call with the case locked."""
    plan.state, plan.ended_at = state, clock.now()
    plan.save(update_fields=["state", "ended_at"])
    _drop_debits(plan)
    record(f"plan.{state.value}", plan.case_id, {"plan": plan.id, "amount": plan.total, **told})
    if plan.hold_id is not None:
        lift_hold(plan.hold_id, by=BY)


def proposal_of(plan: Plan) -> Proposal:
    """The rhythm of a stored plan; the amounts stand in its rates."""
    return Proposal(Rhythm(plan.rhythm), plan.first_on, pay_day=plan.pay_day)


def _begin(case: Case, proposal: Proposal, found: Quote, key: str, before: Plan | None) -> Plan:
    """Store the plan with its rates, charge its fee, and let the case rest."""
    if found.charge is not None:
        charge = found.charge
        fees.charge(charge.claim_id, charge.fee, key=f"plan:{key}", value_date=_today(), by="customer")
    if open_amount(case.id) != found.cost.debt + found.cost.fee:
        raise AmountChangedError(found.cost.total, open_amount(case.id))
    if before is not None:
        before.state, before.ended_at = Plan.State.CANCELLED, clock.now()
        before.save(update_fields=["state", "ended_at"])
        _drop_debits(before)
    effects = HoldEffects(contact=True, interest=found.interest_rests, fees=True)
    hold = place_hold(case.id, Hold.Reason.PLAN, by=BY, effects=effects)
    plan: Plan = Plan.objects.create(
        creditor_id=case.creditor_id,
        case_id=case.id,
        state=Plan.State.ACTIVE,
        rhythm=proposal.rhythm,
        first_on=proposal.first_on,
        pay_day=proposal.pay_day,
        total=found.cost.total,
        fee=found.cost.fee,
        interest=found.cost.interest,
        agreed_at=clock.now(),
        pauses=before.pauses if before else 0,
        mandate_id=before.mandate_id if before else None,
        replanned_from=before,
        form_key=key,
        hold_id=hold.id,
        after_journal=last_journal(case.id),
    )
    _store_rates(plan, found.rates)
    told = {"plan": plan.id, "amount": plan.total, "cost": found.cost.plan, "rates": len(found.rates)}
    record("plan.changed" if before else "plan.agreed", case.id, told)
    return plan


def _with_consents(plan: Plan, agreement: Agreement, today: date) -> None:
    """What the customer gave beside the plan itself: an acknowledgement, a mandate."""
    if agreement.acknowledged:
        plan.acknowledged = True
        for item in open_items(plan.case_id):
            LimitationFact.objects.create(
                creditor_id=plan.creditor_id,
                claim_id=item.claim_id,
                kind=LimitationFact.Kind.ACKNOWLEDGED,
                from_day=today,
                proof=f"Ticked on the customer's page with plan {plan.id}",
                recorded_at=clock.now(),
            )
    if agreement.account is not None:
        plan.mandate = mandates.sign(plan.case_id, agreement.account, agreement.language, notice_days())
    plan.save(update_fields=["acknowledged", "mandate"])
    if plan.mandate_id is not None:
        collecting.announce_plan(plan, today)


def _changeable(case_id: int, terms: PlanTerms) -> Plan | None:
    """The running plan that a new one would replace; raises ConflictError where neither is possible."""
    if NO_PLAN_DURING & {hold.reason for hold in active_holds(case_id)}:
        raise ConflictError("A person has to look at this case before rates are agreed.")
    plan = running(case_id)
    if plan is None and any_barred(statement(case_id)):
        raise ConflictError("Something here is time-barred: rates are agreed with a person only.")
    if plan is not None and changes(plan) >= terms.replans:
        raise ConflictError("This plan was changed as often as it may be; a person can help.")
    return plan


def _again(plan: Plan, today: date) -> Proposal:
    """The plan's rhythm and rate from its next day on."""
    rates = list(Rate.objects.filter(plan=plan).order_by("number"))
    found = replace(proposal_of(plan), first_on=rates[-1].due_on, rate=rates[0].amount)
    if found.rhythm in (Rhythm.MONTHLY, Rhythm.SALARY_DAY):
        anchor = anchor_day(proposal_of(plan))
        found = replace(found, rhythm=Rhythm.SALARY_DAY, pay_day=anchor)
    coming = [rate.due_on for rate in rates if rate.due_on > today]
    return replace(found, first_on=coming[0] if coming else next(d for d in due_days(found) if d > today))


def _store_rates(plan: Plan, rates: tuple[RateDue, ...]) -> None:
    Rate.objects.bulk_create(
        Rate(
            creditor_id=plan.creditor_id,
            plan=plan,
            number=rate.number,
            due_on=rate.due_on,
            amount=rate.amount,
        )
        for rate in rates
    )


def _drop_debits(plan: Plan) -> None:
    DirectDebit.objects.filter(rate__plan=plan, state=DirectDebit.State.ANNOUNCED).update(
        state=DirectDebit.State.CANCELLED
    )


def _locked(plan_id: int) -> tuple[Plan, Case]:
    plan: Plan | None = Plan.objects.filter(id=plan_id).first()
    if plan is None:
        raise NotFoundError("There is no such plan.")
    case = lock_case(plan.case_id)
    plan.refresh_from_db()
    return plan, case


def _key(case_id: int, form_key: str) -> str:
    if not _FORM_KEY.fullmatch(form_key):
        raise InputError("The form is not complete. Open the page again.")
    return f"{case_id}:{form_key}"


def _today() -> date:
    return clock.today(Creditor.objects.values_list("timezone", flat=True).get(id=creditor_id()))
