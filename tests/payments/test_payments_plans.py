"""Instalment plans as customers live them: agreed, paid, missed, changed, paused, ended."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import connection

from kulanz.claims import adjusting
from kulanz.claims.accrual import accrue
from kulanz.claims.actions import book_payment, return_payment
from kulanz.claims.adjusting import Cause
from kulanz.claims.checks import check_ledger
from kulanz.claims.holds import place_hold
from kulanz.claims.models import Account, Claim, Hold, LimitationFact, Posting
from kulanz.claims.queries import active_holds, open_amount, statement
from kulanz.events.models import Event
from kulanz.kernel.errors import ConflictError, InputError, NotFoundError
from kulanz.payments.actions import AmountChangedError
from kulanz.payments.models import Plan, PlanPolicy, Rate
from kulanz.payments.plans import actions
from kulanz.payments.plans.actions import Agreement
from kulanz.payments.plans.advancing import check_plans
from kulanz.payments.plans.queries import plan_terms, running, standing
from kulanz.payments.plans.rules import Proposal, Reason, Rhythm
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import scope

TODAY = date(2026, 3, 3)
THIRTY = Proposal(Rhythm.MONTHLY, date(2026, 3, 15), rate=3000)
State = Plan.State


@pytest.fixture
def case(creditor, make_case):
    return make_case("K1", 10000, date(2026, 2, 20))


@pytest.fixture
def plan(case):
    return agree(case)


def agree(case, proposal=THIRTY, *, shown=10000, key="form-0001", **more) -> Plan:
    return actions.agree(case.id, proposal, Agreement(shown, key, **more))


def pay(case, amount: int, day: date, key: str = "") -> str:
    key = key or f"p-{day}-{amount}"
    book_payment(case.id, amount, value_date=day, key=key, method="transfer")
    return key


def on(clock, day: date) -> None:
    """The next morning of a day, after the daily look."""
    clock.advance(day - clock.at.date())
    check_plans()


def told(kind: str) -> list[dict]:
    return list(Event.objects.filter(type=kind).order_by("id").values_list("payload", flat=True))


def holds(case) -> list[str]:
    return [hold.reason for hold in active_holds(case.id)]


def policy(creditor, **changes) -> None:
    PlanPolicy.objects.create(creditor_id=creditor.id, **changes)


def test_one_hundred_in_rates_of_thirty_is_agreed_and_the_case_rests(case) -> None:
    decision, quote = actions.propose(case.id, THIRTY)
    assert decision.accepted
    assert (quote.cost.plan, quote.cost.total) == (0, 10000)
    plan = agree(case)
    assert list(plan.rates.order_by("number").values_list("due_on", "amount")) == [
        (date(2026, 3, 15), 3000),
        (date(2026, 4, 15), 3000),
        (date(2026, 5, 15), 3000),
        (date(2026, 6, 15), 1000),
    ]
    assert holds(case) == ["plan"]
    assert statement(case.id).claims[0].state == "on_plan"
    assert told("plan.agreed") == [{"plan": plan.id, "amount": 10000, "cost": 0, "rates": 4}]
    assert (plan.acknowledged, plan.mandate, LimitationFact.objects.count()) == (False, None, 0)


def test_the_same_form_twice_is_one_plan(case) -> None:
    assert agree(case).id == agree(case).id
    assert (Plan.objects.count(), Rate.objects.count(), Hold.objects.count()) == (1, 4, 1)


def test_a_second_tab_that_knows_of_no_plan_replaces_none(case, plan) -> None:
    with pytest.raises(ConflictError, match="meanwhile"):
        agree(case, replace(THIRTY, rate=5000), key="form-0002")
    assert running(case.id) == plan


def test_two_hands_at_once_agree_one_plan(committed_db, clock, make_creditor, make_case) -> None:
    """Eight hands post the same form, eight one of their own: whoever is first wins, and nobody gets a second plan."""
    creditor = make_creditor()
    with scope(creditor.id):
        case = make_case("K1", 10000, date(2026, 2, 20))

        def post(number: int) -> str:
            try:
                with scope(creditor.id):
                    agree(case, key="form-same" if number % 2 else f"form-{number:04}")
            except ConflictError:
                return "refused"
            finally:
                connection.close()
            return "agreed"

        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(post, range(16)))
        assert outcomes.count("agreed") in (1, 8)
        assert (Plan.objects.count(), Rate.objects.count(), Hold.objects.count()) == (1, 4, 1)


def test_paid_to_the_end_the_plan_completes_by_itself(case, plan, clock) -> None:
    for day, amount in (
        (date(2026, 3, 15), 3000),
        (date(2026, 4, 15), 3000),
        (date(2026, 5, 14), 3000),
        (date(2026, 6, 15), 1000),
    ):
        on(clock, day)
        pay(case, amount, day)
    plan.refresh_from_db()
    assert plan.state == State.COMPLETED
    assert holds(case) == []
    assert told("plan.completed") == [{"plan": plan.id, "amount": 10000, "paid": 10000}]
    assert told("plan.rate_missed") == []
    assert check_ledger().clean


def test_everything_paid_early_ends_the_plan_at_once(case, plan) -> None:
    pay(case, 10000, TODAY)
    plan.refresh_from_db()
    assert (plan.state, holds(case)) == (State.COMPLETED, [])


def test_more_than_a_rate_counts_for_the_next_one(case, plan, clock) -> None:
    on(clock, date(2026, 3, 15))
    pay(case, 5000, date(2026, 3, 15))
    now = standing(plan, date(2026, 3, 15))
    assert [(rate.paid, rate.rest) for rate in now.rates] == [(3000, 0), (2000, 1000), (0, 3000), (0, 1000)]
    on(clock, date(2026, 4, 18))
    assert [event["amount"] for event in told("plan.rate_missed")] == [1000]


def test_a_payment_before_the_agreement_is_no_payment_of_it(case) -> None:
    pay(case, 2000, TODAY)
    plan = agree(case, shown=8000)
    assert standing(plan, TODAY).paid == 0
    pay(case, 3000, TODAY)
    assert standing(plan, TODAY).paid == 3000


def test_the_return_of_an_earlier_payment_is_no_matter_of_the_plan(case) -> None:
    key = pay(case, 2000, TODAY)
    plan = agree(case, shown=8000)
    pay(case, 3000, TODAY)
    return_payment(key, value_date=TODAY, key="r1")
    now = standing(plan, TODAY)
    assert (now.paid, now.rest) == (3000, 5000)


def test_missed_then_paid_within_the_grace_is_forgotten(case, plan, clock) -> None:
    on(clock, date(2026, 3, 17))
    assert told("plan.rate_missed") == []
    on(clock, date(2026, 3, 18))
    assert told("plan.rate_missed") == [{"plan": plan.id, "rate": 1, "amount": 3000, "until": "2026-03-25"}]
    on(clock, date(2026, 3, 19))
    assert len(told("plan.rate_missed")) == 1, "told once"
    pay(case, 3000, date(2026, 3, 24))
    on(clock, date(2026, 3, 27))
    plan.refresh_from_db()
    assert plan.state == State.ACTIVE
    assert plan.rates.get(number=1).told_on is None


def test_missed_beyond_the_grace_the_case_goes_back_to_its_journey(case, plan, clock) -> None:
    on(clock, date(2026, 3, 18))
    on(clock, date(2026, 3, 25))
    plan.refresh_from_db()
    assert plan.state == State.ACTIVE
    on(clock, date(2026, 3, 26))
    plan.refresh_from_db()
    assert plan.state == State.BROKEN
    assert holds(case) == []
    assert statement(case.id).claims[0].state == "open"
    assert told("plan.broken") == [{"plan": plan.id, "amount": 10000, "paid": 0, "rest": 10000}]
    pay(case, 10000, date(2026, 3, 26))
    plan.refresh_from_db()
    assert plan.state == State.BROKEN


def test_a_worker_that_slept_tells_before_it_ends_anything(case, plan, clock) -> None:
    on(clock, date(2026, 5, 1))
    plan.refresh_from_db()
    assert plan.state == State.ACTIVE
    assert told("plan.rate_missed") == [{"plan": plan.id, "rate": 1, "amount": 6000, "until": "2026-05-08"}]


def test_a_returned_payment_counts_as_missed_at_once(case, plan, clock) -> None:
    on(clock, date(2026, 3, 15))
    key = pay(case, 3000, date(2026, 3, 15))
    on(clock, date(2026, 3, 16))
    return_payment(key, value_date=date(2026, 3, 16), key="r1")
    assert told("plan.rate_missed") == [{"plan": plan.id, "rate": 1, "amount": 3000, "until": "2026-03-23"}]


def test_the_rest_is_spread_anew_once(case, plan, clock) -> None:
    on(clock, date(2026, 3, 18))
    second = actions.replan(plan.id, shown=10000, form_key="form-0002")
    plan.refresh_from_db()
    assert (plan.state, second.state, second.replanned_from_id) == (State.CANCELLED, State.ACTIVE, plan.id)
    assert list(second.rates.order_by("number").values_list("due_on", "amount")) == [
        (date(2026, 4, 15), 3000),
        (date(2026, 5, 15), 3000),
        (date(2026, 6, 15), 3000),
        (date(2026, 7, 15), 1000),
    ]
    assert holds(case) == ["plan"]
    assert actions.replan(plan.id, shown=10000, form_key="form-0002").id == second.id
    with pytest.raises(ConflictError):
        actions.replan(second.id, shown=10000, form_key="form-0003")
    with pytest.raises(ConflictError):
        agree(case, key="form-0004", replaces=second.id)
    on(clock, date(2026, 4, 18))
    on(clock, date(2026, 4, 26))
    second.refresh_from_db()
    assert (second.state, holds(case)) == (State.BROKEN, [])


def test_the_last_rate_missed_is_spread_anew_after_it(case, clock) -> None:
    plan = agree(case, Proposal(Rhythm.MONTHLY, date(2026, 3, 31), count=1))
    on(clock, date(2026, 4, 3))
    second = actions.replan(plan.id, shown=10000, form_key="form-0002")
    assert list(second.rates.values_list("due_on", "amount")) == [(date(2026, 4, 30), 10000)]


def test_a_plan_is_changed_once_to_what_the_rules_accept(case, plan) -> None:
    weekly = Proposal(Rhythm.WEEKLY, date(2026, 3, 20), rate=5000)
    changed = agree(case, weekly, key="form-0002", replaces=plan.id)
    assert changed.replanned_from_id == plan.id
    assert running(case.id) == changed
    assert [event["plan"] for event in told("plan.changed")] == [changed.id]


def test_a_pause_puts_everything_off_by_a_month_once(case, plan, clock) -> None:
    pay(case, 3000, TODAY)
    assert actions.pause(plan.id) == date(2026, 5, 14)
    assert list(plan.rates.order_by("number").values_list("due_on", flat=True)) == [
        date(2026, 3, 15),
        date(2026, 5, 15),
        date(2026, 6, 15),
        date(2026, 7, 15),
    ]
    with pytest.raises(ConflictError):
        actions.pause(plan.id)
    on(clock, date(2026, 4, 25))
    plan.refresh_from_db()
    assert plan.state == State.PAUSED
    assert told("plan.rate_missed") == []
    on(clock, date(2026, 5, 15))
    plan.refresh_from_db()
    assert plan.state == State.ACTIVE
    with pytest.raises(ConflictError):
        actions.pause(plan.id)
    on(clock, date(2026, 5, 18))
    assert [event["rate"] for event in told("plan.rate_missed")] == [2]


def test_what_was_missing_before_a_pause_is_told_anew_after_it(case, plan, clock) -> None:
    on(clock, date(2026, 3, 18))
    assert actions.pause(plan.id) == date(2026, 4, 14)
    on(clock, date(2026, 4, 16))
    plan.refresh_from_db()
    assert plan.state == State.ACTIVE
    on(clock, date(2026, 4, 18))
    assert [event["until"] for event in told("plan.rate_missed")] == ["2026-03-25", "2026-04-25"]


def test_a_pause_ends_in_the_future_however_late_it_begins(case, plan, clock) -> None:
    clock.advance(timedelta(days=60))
    assert actions.pause(plan.id) == date(2026, 5, 14)
    assert plan.rates.order_by("number").first().due_on == date(2026, 5, 15)


def test_an_amount_that_changed_meanwhile_is_shown_before_it_is_agreed(case) -> None:
    pay(case, 1000, TODAY)
    with pytest.raises(AmountChangedError) as changed:
        agree(case)
    assert (changed.value.shown, changed.value.now) == (10000, 9000)
    assert not Plan.objects.exists()
    pay(case, 9000, TODAY)
    with pytest.raises(AmountChangedError) as paid:
        agree(case)
    assert paid.value.now == 0


def test_what_the_rules_do_not_accept_is_not_agreed_whatever_is_posted(case) -> None:
    for wrong in (
        replace(THIRTY, rate=1999),
        replace(THIRTY, first_on=date(2026, 5, 15)),
        replace(THIRTY, rate=0),
    ):
        with pytest.raises(InputError):
            agree(case, wrong)
    with pytest.raises(InputError):
        agree(case, key="x")
    assert not Plan.objects.exists()
    assert holds(case) == []


def test_a_refusal_is_recorded_with_its_reason_and_the_nearest_offer_is_agreed(case) -> None:
    decision, quote = actions.propose(case.id, replace(THIRTY, rate=500))
    assert (decision.reason, quote) == (Reason.RATE_TOO_SMALL, None)
    assert told("plan.refused") == [{"reason": "rate_too_small", "amount": 10000}]
    assert agree(case, decision.nearest).rates.count() == 5


@pytest.mark.parametrize("reason", sorted(actions.NO_PLAN_DURING))
def test_some_holds_need_a_person_first(case, reason) -> None:
    place_hold(case.id, reason, by="agent:1")
    with pytest.raises(ConflictError):
        agree(case)
    with pytest.raises(ConflictError):
        actions.propose(case.id, THIRTY)


def test_a_plan_over_two_claims_is_one_plan(case, make_case, clock) -> None:
    make_case("K1", 4000, date(2026, 2, 25), claim="R-2")
    plan = agree(case, shown=14000)
    assert [rate.amount for rate in plan.rates.order_by("number")] == [3000, 3000, 3000, 3000, 2000]
    pay(case, 12000, TODAY)
    assert {c.number: c.open_amount for c in statement(case.id).claims} == {"R-K1": 0, "R-2": 2000}
    pay(case, 2000, TODAY, "last")
    plan.refresh_from_db()
    assert plan.state == State.COMPLETED


def test_a_new_invoice_during_the_plan_stays_owed_after_it(case, plan, make_case) -> None:
    make_case("K1", 4000, date(2026, 4, 25), claim="R-2")
    pay(case, 10000, TODAY)
    plan.refresh_from_db()
    assert (plan.state, open_amount(case.id)) == (State.COMPLETED, 4000)


def test_a_credit_note_shortens_the_plan_and_may_end_it(case, plan) -> None:
    claim = Claim.objects.get(case=case)
    adjusting.credit(claim.id, 4000, Cause("c1", TODAY, "agent:1"))
    assert [rate.amount for rate in standing(plan, TODAY).rates] == [3000, 3000, 0, 0]
    adjusting.credit(claim.id, 6000, Cause("c2", TODAY, "agent:1"))
    plan.refresh_from_db()
    assert (plan.state, holds(case)) == (State.COMPLETED, [])


def test_an_acknowledgement_is_its_own_tick_and_stands_on_every_claim(case, make_case) -> None:
    make_case("K1", 4000, date(2026, 2, 25), claim="R-2")
    plan = agree(case, shown=14000, acknowledged=True)
    facts = LimitationFact.objects.order_by("claim_id")
    assert [(f.claim.number, f.kind, f.from_day) for f in facts] == [
        ("R-K1", "acknowledged", TODAY),
        ("R-2", "acknowledged", TODAY),
    ]
    assert plan.acknowledged


def test_a_plan_cancelled_by_hand_gives_the_case_back(case, plan) -> None:
    actions.cancel(plan.id, by="agent:7")
    actions.cancel(plan.id, by="agent:7")
    plan.refresh_from_db()
    assert (plan.state, holds(case)) == (State.CANCELLED, [])
    assert told("plan.cancelled") == [{"plan": plan.id, "amount": 10000, "by": "agent"}]


def test_another_creditor_sees_no_plan(case, plan, other_creditor) -> None:
    with scope(other_creditor.id):
        for act in (actions.pause, lambda n: actions.cancel(n, by="agent:1")):
            with pytest.raises(NotFoundError):
                act(plan.id)
        with pytest.raises(NotFoundError):
            agree(case)
        assert check_plans() == 0
    policy(other_creditor, min_rate=1)
    assert plan_terms().min_rate == 2000


@pytest.fixture
def collector(creditor, case):
    """A registered collector; the claim of 100.00 is in default."""
    Creditor.objects.filter(id=creditor.id).update(role="collector")
    Claim.objects.filter(case=case).update(default_from=date(2026, 2, 21))


def test_a_collector_charges_the_agreed_fee_but_never_more_than_the_law(creditor, collector, case) -> None:
    """VV 1000 no. 2, section 31b RVG: 0.7 of the 1.0 fee on half of 100.00, which is 0.7 x 51.50 = 36.05."""
    policy(creditor, fee=9900)
    _, quote = actions.propose(case.id, THIRTY)
    assert (quote.cost.fee, quote.cost.total) == (3605, 13605)
    plan = agree(case, shown=13605)
    assert (plan.fee, plan.total) == (3605, 13605)
    assert sum(plan.rates.values_list("amount", flat=True)) == 13605 == open_amount(case.id)
    fee = Posting.objects.get(account=Account.COST_PLAN)
    assert (fee.amount, fee.basis) == (3605, "settlement_fee")
    changed = agree(case, replace(THIRTY, rate=5000), shown=13605, key="form-0002", replaces=plan.id)
    assert (changed.fee, open_amount(case.id)) == (0, 13605), "a change costs nothing"
    assert check_ledger().clean


def test_a_smaller_fee_of_ones_own_is_charged_as_it_is(creditor, collector, case) -> None:
    policy(creditor, fee=1500)
    assert agree(case, shown=11500).fee == 1500


def test_a_creditor_that_duns_itself_charges_nothing_for_a_plan(creditor, case) -> None:
    policy(creditor, fee=1500)
    Claim.objects.filter(case=case).update(default_from=date(2026, 2, 21))
    assert agree(case).fee == 0


def test_no_fee_before_default_and_while_fees_rest(creditor, collector, case) -> None:
    policy(creditor, fee=1500)
    place_hold(case.id, "promise", by="customer", until=None)
    assert actions.propose(case.id, THIRTY)[1].cost.fee == 0
    Claim.objects.filter(case=case).update(default_from=None)
    assert agree(case).fee == 0


def test_interest_rests_during_a_plan_unless_the_creditor_says_otherwise(creditor, case, clock) -> None:
    Creditor.objects.filter(id=creditor.id).update(charges_interest=True)
    Claim.objects.filter(case=case).update(default_from=date(2026, 2, 21))
    accrue(TODAY)
    owed = open_amount(case.id)
    assert owed > 10000
    plan = agree(case, shown=owed)
    clock.advance(timedelta(days=60))
    accrue(date(2026, 5, 2))
    assert open_amount(case.id) == owed
    pay(case, owed, date(2026, 5, 2))
    plan.refresh_from_db()
    assert (plan.state, open_amount(case.id)) == (State.COMPLETED, 0)


def test_interest_during_a_plan_is_told_before_and_no_more_is_ever_asked(creditor, case, clock) -> None:
    """100.00 at 6.27 % (base rate 1.27 and 5) from 3 March, rates of 50.00 on 4 March and 4 April, interest first.

    One day on 100.00: 0.0172; then about 50.02 for 31 days: 0.2664; the last rest is due a month later.
    """
    Creditor.objects.filter(id=creditor.id).update(charges_interest=True)
    Claim.objects.filter(case=case).update(default_from=TODAY)
    policy(creditor, interest_during=True)
    two = Proposal(Rhythm.MONTHLY, date(2026, 3, 4), count=2)
    _, quote = actions.propose(case.id, two)
    assert 27 <= quote.cost.interest <= 30
    assert not quote.interest_rests
    plan = agree(case, two, shown=quote.cost.total)
    for number, day in enumerate((date(2026, 3, 4), date(2026, 4, 4)), start=1):
        clock.advance(day - clock.at.date())
        accrue(day)
        pay(case, plan.rates.get(number=number).amount, day)
    plan.refresh_from_db()
    assert (plan.state, open_amount(case.id)) == (State.COMPLETED, 0)
    assert check_ledger().clean


def test_the_fee_is_paid_before_principal_and_so_costs_interest(creditor, collector, case) -> None:
    """100.00 and a fee of 36.05, two rates of 68.21, the first on 4 March: of it about 31.79 is principal.

    6.27 % a year: 0.0172 for one day on 100.00, 0.3632 for 31 days on 68.21.
    """
    Creditor.objects.filter(id=creditor.id).update(charges_interest=True)
    policy(creditor, fee=9900, interest_during=True)
    two = Proposal(Rhythm.MONTHLY, date(2026, 3, 4), count=2)
    _, quote = actions.propose(case.id, two)
    assert (quote.cost.fee, quote.cost.interest) == (3605, 38)


def test_interest_for_days_beyond_the_laws_tables_is_not_asked_during_a_plan(creditor, case) -> None:
    Creditor.objects.filter(id=creditor.id).update(charges_interest=True)
    Claim.objects.filter(case=case).update(default_from=TODAY)
    policy(creditor, interest_during=True)
    _, quote = actions.propose(case.id, replace(THIRTY, rate=None, count=5))
    assert quote.cost.interest > 0
    policy_row = PlanPolicy.objects.get()
    policy_row.min_rate = 500
    policy_row.save()
    _, beyond = actions.propose(case.id, replace(THIRTY, rate=None, count=12))
    assert beyond.rates[-1].due_on == date(2027, 2, 15)
    assert (beyond.cost.interest, beyond.interest_rests) == (0, True)


def test_late_money_costs_no_more_interest_than_was_told(creditor, case, clock) -> None:
    """Paid ten days late but within the grace: the interest of these days is let go at the end."""
    Creditor.objects.filter(id=creditor.id).update(charges_interest=True)
    Claim.objects.filter(case=case).update(default_from=TODAY)
    policy(creditor, interest_during=True, grace_days=14)
    one = Proposal(Rhythm.MONTHLY, date(2026, 3, 4), count=1)
    plan = agree(case, one, shown=actions.propose(case.id, one)[1].cost.total)
    clock.advance(timedelta(days=11))
    accrue(date(2026, 3, 14))
    assert open_amount(case.id) > plan.total
    pay(case, plan.total, date(2026, 3, 14))
    plan.refresh_from_db()
    assert (plan.state, open_amount(case.id)) == (State.COMPLETED, 0)
    assert check_ledger().clean
