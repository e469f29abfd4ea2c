"""Reads of plans: the creditor's terms, what a plan would cost, and how a running one stands."""

from dataclasses import dataclass, fields, replace
from datetime import date

from django.db import connection
from django.db.models import Max

from kulanz.claims.fees import chargeable
from kulanz.claims.models import Account, Journal, Posting
from kulanz.claims.queries import open_amount, open_items
from kulanz.law import fees
from kulanz.law.fee import Fee, plain
from kulanz.law.packs import NoRate
from kulanz.payments.models import DirectDebit, Plan, PlanPolicy, Rate
from kulanz.payments.plans.expecting import expected_interest
from kulanz.payments.plans.rules import Cost, PlanTerms, Proposal, RateDue, Rhythm, schedule
from kulanz.payments.plans.standing import Money, RateFacts, Standing, stand
from kulanz.tenancy.law import pack
from kulanz.tenancy.models import Creditor, LegalRole
from kulanz.tenancy.scope import creditor_id

RUNNING = (Plan.State.ACTIVE, Plan.State.PAUSED)
_TERMS = tuple(field.name for field in fields(PlanTerms))
_TERMS_SQL = f"SELECT {', '.join(_TERMS)} FROM payments_planpolicy WHERE creditor_id = %s"  # noqa: S608 - columns
UNDER_WAY = (DirectDebit.State.ANNOUNCED, DirectDebit.State.SUBMITTED)


@dataclass(frozen=True, slots=True)
class Charge:
    """The fee of an agreement and the claim on which it is charged.

    `amount`: what is posted; less than the fee where a lump sum is credited against it.
    """

    claim_id: int
    fee: Fee
    amount: int


@dataclass(frozen=True, slots=True)
class Quote:
    """A plan before it is agreed. `interest_rests`: no interest runs while it lasts."""

    cost: Cost
    rates: tuple[RateDue, ...]
    charge: Charge | None
    interest_rests: bool


def plan_terms() -> PlanTerms:
    """The terms of the creditor in scope. A plain SELECT: every customer's page asks for them."""
    with connection.cursor() as cursor:
        cursor.execute(_TERMS_SQL, [creditor_id()])
        row = cursor.fetchone()
    if row is None:
        return PlanTerms()
    found = dict(zip(_TERMS, row, strict=True))
    return PlanTerms(
        **found
        | {
            "rhythms": tuple(each for each in Rhythm if each in found["rhythms"].split()),
            "interest_during": bool(found["interest_during"]),
            "offered": bool(found["offered"]),
        }
    )


def notice_days() -> int:
    """Days between the announcement of a direct debit and the debit, at the creditor in scope."""
    found = PlanPolicy.objects.values_list("notice_days", flat=True).first()
    return int(PlanPolicy._meta.get_field("notice_days").default if found is None else found)


def quote(case_id: int, proposal: Proposal, terms: PlanTerms, today: date) -> Quote:
    """What a plan over everything owed on a case would cost and how it would run.

    A change costs no fee: fees rest while a plan is under way. Interest runs on only where the creditor wants it and
    its cost can be told beforehand. Raises InputError for a proposal that cannot be spread, and where nothing is owed.
    """
    debt = open_amount(case_id)
    charge = _charge(case_id, debt, terms, today)
    cost = Cost(debt, charge.amount if charge else 0)
    interest = expected_interest(case_id, cost, proposal, today) if terms.interest_during else None
    cost = replace(cost, interest=interest or 0)
    return Quote(cost, schedule(cost.total, proposal), charge, interest_rests=interest is None)


def running(case_id: int) -> Plan | None:
    """The plan of a case that is under way, if there is one."""
    found: Plan | None = Plan.objects.filter(case_id=case_id, state__in=RUNNING).first()
    return found


def standing(plan: Plan, today: date, terms: PlanTerms | None = None) -> Standing:
    """How a plan stands; a rate with a direct debit under way is due on the debit's day."""
    collected: dict[int, date] = dict(
        DirectDebit.objects.filter(rate__plan=plan, state__in=UNDER_WAY).values_list("rate_id", "collect_on")
    )
    rates = [
        RateFacts(
            rate.number, max(rate.due_on, collected.get(rate.id, rate.due_on)), rate.amount, rate.told_on
        )
        for rate in Rate.objects.filter(plan=plan).order_by("number")
    ]
    grace = (terms or plan_terms()).grace_days
    return stand(rates, _money(plan), open_amount(plan.case_id), today, grace)


def changes(plan: Plan) -> int:
    """How often a plan was changed until it became this one."""
    found, before = 0, plan.replanned_from
    while before is not None:
        found, before = found + 1, before.replanned_from
    return found


def last_journal(case_id: int) -> int:
    """The newest journal of a case; call with the case locked."""
    return int(Journal.objects.filter(case_id=case_id).aggregate(last=Max("id"))["last"] or 0)


def _money(plan: Plan) -> list[Money]:
    """What came in and went back since a plan was agreed; a return of earlier money is no matter of the plan."""
    rows = Posting.objects.filter(
        case_id=plan.case_id,
        account=Account.RECEIVED,
        journal_id__gt=plan.after_journal,
        journal__kind__in=[Journal.Kind.PAYMENT, Journal.Kind.PAYMENT_RETURN],
    ).order_by("journal__value_date", "id")
    return [
        Money(day, amount)
        for day, amount, details in rows.values_list("journal__value_date", "amount", "journal__details")
        if details.get("undoes", plan.after_journal + 1) > plan.after_journal
    ]


def _charge(case_id: int, debt: int, terms: PlanTerms, today: date) -> Charge | None:
    """A registered collector's fee on the value of everything agreed, once, on the oldest claim that may bear it."""
    creditor: Creditor = Creditor.objects.get(id=creditor_id())
    if not terms.fee or creditor.role != LegalRole.COLLECTOR or debt <= 0:
        return None
    try:
        most = fees.settlement(pack(creditor.jurisdiction), debt, today)
    except NoRate:
        return None
    fee = most
    if terms.fee < most.amount:
        formula = f"min({plain(terms.fee)}, {most.formula})"
        fee = replace(most, amount=terms.fee, formula=formula)
    for item in open_items(case_id):
        amount = chargeable(item.claim_id, fee, today)
        if amount:
            return Charge(item.claim_id, fee, amount)
    return None
