"""Instalment plans in the words and forms of a customer's language."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext, pgettext

from kulanz.claims.models import Case
from kulanz.claims.queries import Statement, any_barred
from kulanz.kernel import clock
from kulanz.law.duties import Occasion
from kulanz.law.figures.interest import Party
from kulanz.payments import mandates
from kulanz.payments.models import Plan
from kulanz.payments.plans.informing import said
from kulanz.payments.plans.queries import changes, plan_terms, running, standing
from kulanz.payments.plans.rules import PlanTerms, Proposal, RateDue, Reason, Rhythm, anchor_day
from kulanz.payments.plans.standing import RateState, Standing
from kulanz.payments.rules import Part
from kulanz.portal import shown
from kulanz.portal.access import Page
from kulanz.tenancy.models import Creditor

REASONS = {
    Reason.NOT_OFFERED: gettext_noop("Instalments cannot be agreed here. A person can help you."),
    Reason.NOTHING_OWED: gettext_noop("Nothing is open any more."),
    Reason.NEEDS_PERSON: gettext_noop("For an amount like this a person decides. Please write or call us."),
    Reason.RHYTHM: gettext_noop("This rhythm is not possible here."),
    Reason.TOO_EARLY: gettext_noop("The first instalment can be due tomorrow at the earliest."),
    Reason.TOO_LATE: gettext_noop("The first instalment would be due too late."),
    Reason.RATE_TOO_SMALL: gettext_noop("The instalments would be too small."),
    Reason.TOO_LONG: gettext_noop("It would take too long."),
}
FAULTS = {
    mandates.Fault.CONSENT_MISSING: gettext_noop("Tick the box so that we may collect, or clear the IBAN."),
    mandates.Fault.HOLDER_MISSING: gettext_noop("Enter the name of the account holder."),
    mandates.Fault.HOLDER_LONG: gettext_noop(
        "Enter the name of the account holder with at most 70 characters."
    ),
    mandates.Fault.IBAN_MISSING: gettext_noop("Enter the IBAN. You find it on your bank card or statement."),
    mandates.Fault.IBAN_COUNTRY: gettext_noop(
        "We can only collect from accounts in the SEPA area. The IBAN begins with the country, for example DE."
    ),
    mandates.Fault.IBAN_TYPO: gettext_noop(
        "This IBAN cannot be right. Compare each group of four characters."
    ),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One rate as it is shown; `state` is a word, `kind` its code."""

    number: int
    day: str
    amount: str
    state: str
    kind: str


@dataclass(frozen=True, slots=True)
class Running:
    """A plan under way. `part`: what is to be paid next, at least what may be paid online; `overdue`: missing, by
    `grace_day`.
    """

    id: int
    rows: tuple[Row, ...]
    part: Part
    amount: str
    day: str
    rest: str
    rest_minor: int
    paid: str
    overdue: str
    grace_day: str
    paused_until: str
    may_change: bool
    may_pause: bool
    account: str


def running_plan(page: Page) -> Running | None:
    """The plan of the page's case, if one is under way and something of it is left to pay."""
    plan = running(page.statement.case_id)
    if plan is None:
        return None
    terms, today = plan_terms(), clock.today(page.look.timezone)
    now = standing(plan, today, terms)
    coming = now.next
    if coming is None or not now.rest:
        return None
    missing = sum(rate.rest for rate in now.overdue)
    told = [rate.grace_until for rate in now.overdue]
    least = int(Creditor.objects.values_list("least_part", flat=True).get(id=page.link.creditor_id))
    owed = min(max(missing or coming.rest, least), page.statement.open_amount)
    return Running(
        id=plan.id,
        rows=_rows(page, now),
        part=Part(owed),
        amount=page.money(owed),
        day=shown.day(coming.due_on, page.language),
        rest=page.money(now.rest),
        rest_minor=page.statement.open_amount,
        paid=page.money(now.paid),
        overdue=page.money(missing) if missing else "",
        grace_day=shown.day(min(told), page.language) if told else "",
        paused_until=_paused(plan, page),
        may_change=changes(plan) < terms.replans,
        may_pause=plan.state == Plan.State.ACTIVE and plan.pauses < terms.pauses,
        account=mandates.masked(plan.mandate.iban) if plan.mandate else "",
    )


def schedule_rows(page: Page, rates: tuple[RateDue, ...]) -> tuple[Row, ...]:
    """The rates of a plan that is not agreed yet."""
    return tuple(
        Row(rate.number, shown.day(rate.due_on, page.language), page.money(rate.amount), "", "")
        for rate in rates
    )


def in_words(page: Page, proposal: Proposal) -> str:
    """A proposal as one says it: 30.00 monthly, first on 15 March 2026."""
    how_often = rhythm_name(proposal.rhythm)
    if proposal.rhythm is Rhythm.SALARY_DAY:
        how_often = _("monthly on day %(day)s") % {"day": anchor_day(proposal)}
    first = shown.day(proposal.first_on, page.language)
    if proposal.rate is not None:
        said_so = {"amount": page.money(proposal.rate), "rhythm": how_often, "day": first}
        return _("%(amount)s, %(rhythm)s, from %(day)s") % said_so
    count = proposal.count or 1
    rates = ngettext("%(counter)s instalment", "%(counter)s instalments", count) % {"counter": count}
    return _("%(amount)s, %(rhythm)s, from %(day)s") % {"amount": rates, "rhythm": how_often, "day": first}


def rhythm_name(rhythm: Rhythm) -> str:
    names = {
        Rhythm.WEEKLY: pgettext("rhythm", "every week"),
        Rhythm.FORTNIGHTLY: pgettext("rhythm", "every two weeks"),
        Rhythm.MONTHLY: pgettext("rhythm", "every month"),
        Rhythm.SALARY_DAY: pgettext("rhythm", "every month on the day of my salary"),
    }
    return names[rhythm]


def offered(terms: PlanTerms, found: Statement) -> bool:
    """Whether the way to a plan is shown: there is something to spread over more than one rate, nothing time-barred."""
    enough = found.open_amount > terms.min_rate
    return terms.offered and bool(terms.rhythms) and enough and not any_barred(found)


def law_says(page: Page, occasion: Occasion, cost: str = "") -> tuple[str, ...]:
    """The sentences that the law owes this customer on an occasion."""
    kind = Case.objects.values_list("customer__kind", flat=True).get(id=page.statement.case_id)
    party = Party.BUSINESS if kind == "business" else Party.CONSUMER
    return said(occasion, page.language, clock.today(page.look.timezone), party, cost)


def fault(error: mandates.AccountError) -> str:
    """What is wrong with an account, in a sentence that helps."""
    if error.fault is mandates.Fault.IBAN_LENGTH:
        return _("An IBAN of this country has %(length)s characters. Look for one missing or too many.") % {
            "length": error.length
        }
    return _(FAULTS[error.fault])


def _rows(page: Page, now: Standing) -> tuple[Row, ...]:
    words = {
        RateState.PAID: pgettext("instalment", "paid"),
        RateState.UPCOMING: "",
        RateState.DUE: pgettext("instalment", "due today"),
        RateState.OVERDUE: pgettext("instalment", "missing"),
    }
    return tuple(
        Row(
            rate.number,
            shown.day(rate.due_on, page.language),
            page.money(rate.amount),
            words[rate.state],
            rate.state.value,
        )
        for rate in now.rates
        if rate.amount
    )


def _paused(plan: Plan, page: Page) -> str:
    if plan.state != Plan.State.PAUSED or plan.paused_until is None:
        return ""
    return shown.day(plan.paused_until, page.language)
