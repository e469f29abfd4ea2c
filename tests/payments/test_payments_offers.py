"""Offers in the ledger: given once, taken back exactly, ended by time, plans, promises and refusals."""

import random
from datetime import date, timedelta

import numpy as np
import pytest
from django.db import transaction
from tests.conftest import offer_of

from kulanz.claims import adjusting, ledger
from kulanz.claims.accrual import accrue
from kulanz.claims.checks import check_ledger
from kulanz.claims.defaulting import set_default
from kulanz.claims.holds import place_hold
from kulanz.claims.models import OWED, Case, Claim, Posting
from kulanz.claims.queries import open_amount
from kulanz.events.log import record
from kulanz.events.models import Event
from kulanz.kernel.errors import NotFoundError
from kulanz.payments.booking import _reinstate, book_transfer, return_debit
from kulanz.payments.methods.port import Notice, NoticeKind
from kulanz.payments.models import Payment, PlanPolicy
from kulanz.payments.offers import actions, queries
from kulanz.payments.offers.models import Offer, OfferPolicy
from kulanz.payments.plans import actions as plans
from kulanz.payments.plans.actions import Agreement
from kulanz.payments.plans.rules import Proposal, Rhythm
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import scope

TODAY = date(2026, 3, 3)
UNTIL = date(2026, 3, 17)


@pytest.fixture
def case(creditor, make_case) -> Case:
    """100.00 EUR, 40 days past due; the creditor gives 15 percent, on the principal too."""
    OfferPolicy.objects.create(creditor=creditor, discounts=True, share=15, on_principal=True)
    return make_case("K1", 10_000, date(2026, 1, 22))


def make(case: Case, kind: str = "discount", number: int = 1, *, told: bool = True) -> Offer:
    return offer_of(case.id, kind, number, told=told)


def owed(case: Case) -> dict[tuple[int, str], int]:
    """By claim and account, what is not zero."""
    found: dict[tuple[int, str], int] = {}
    for claim, account, amount in Posting.objects.filter(case_id=case.id, account__in=OWED).values_list(
        "claim_id", "account", "amount"
    ):
        found[claim, account] = found.get((claim, account), 0) + amount
    return {where: amount for where, amount in found.items() if amount}


def given_up(case: Case) -> int:
    return sum(Posting.objects.filter(case_id=case.id, account="discounted").values_list("amount", flat=True))


def state(offer: Offer) -> str:
    offer.refresh_from_db()
    return offer.state


def told(case: Case) -> list[str]:
    rows = Event.objects.filter(subject_id=case.id, type__startswith="offer.").order_by("id")
    return list(rows.values_list("type", flat=True))


def sound() -> None:
    found = check_ledger()
    assert (found.imbalances, found.differences) == (0, 0)


def test_paying_the_offered_sum_settles_the_rest_once(case: Case) -> None:
    offer = make(case)
    assert (offer.full, offer.pay, offer.until) == (10_000, 8_500, UNTIL)
    book_transfer(case.id, 8_500, TODAY, "B1")
    book_transfer(case.id, 8_500, TODAY, "B1")
    assert (open_amount(case.id), given_up(case), state(offer)) == (0, 1_500, "used")
    assert told(case) == ["offer.made", "offer.accepted", "offer.used"]
    sound()


def test_the_last_day_counts_and_the_day_after_does_not(case: Case, clock, make_case) -> None:
    offer = make(case)
    clock.advance(timedelta(days=15))
    book_transfer(case.id, 8_500, UNTIL + timedelta(days=1), "B1")
    assert (open_amount(case.id), state(offer)) == (1_500, "made")
    OfferPolicy.objects.update(grace_days=1)
    book_transfer(case.id, 100, UNTIL, "B2")
    assert (open_amount(case.id), given_up(case)) == (0, 1_400), "with a day of grace both counted"


def test_money_of_the_last_day_that_is_booked_after_the_offer_ended_still_counts(case: Case, clock) -> None:
    offer = make(case)
    clock.advance(timedelta(days=15))
    assert actions.check_offers() == 1
    assert state(offer) == "expired"
    book_transfer(case.id, 8_500, UNTIL, "B1")
    assert (open_amount(case.id), state(offer)) == (0, "used")
    sound()


def test_a_smaller_payment_keeps_the_rest_owed_until_the_sum_is_full(case: Case) -> None:
    offer = make(case)
    book_transfer(case.id, 5_000, TODAY, "B1")
    assert (open_amount(case.id), state(offer)) == (5_000, "made")
    assert queries.standing(offer).rest == 3_500
    book_transfer(case.id, 3_500, TODAY, "B2")
    assert (open_amount(case.id), given_up(case)) == (0, 1_500)


def test_who_pays_a_little_more_gets_the_rest_let_off_and_no_credit(case: Case) -> None:
    make(case)
    book_transfer(case.id, 8_600, TODAY, "B1")
    assert (open_amount(case.id), given_up(case)) == (0, 1_400)


def test_a_returned_payment_restores_everything_and_money_that_comes_again_settles_again(
    case: Case, clock
) -> None:
    offer, before = make(case), owed(case)
    paid = book_transfer(case.id, 8_500, TODAY, "B1")
    clock.advance(timedelta(days=3))
    return_debit(paid.id, TODAY + timedelta(days=3))
    return_debit(paid.id, TODAY + timedelta(days=3))
    assert (owed(case), given_up(case), state(offer)) == (before, 0, "accepted")
    sound()
    again = book_transfer(case.id, 8_500, TODAY + timedelta(days=3), "B2")
    assert (open_amount(case.id), given_up(case), state(offer)) == (0, 1_500, "used")
    clock.advance(timedelta(days=30))
    return_debit(again.id, TODAY + timedelta(days=33))
    assert (owed(case), given_up(case), state(offer)) == (before, 0, "expired")
    sound()


def test_interest_that_came_meanwhile_is_settled_too_and_owed_again_after_a_return(case: Case, clock) -> None:
    claim = Claim.objects.get(case_id=case.id)
    make(case)
    lines = (
        ledger.Line("interest", 60, claim.id, "interest"),
        ledger.Line("earned", -60, claim.id, "interest"),
    )
    with transaction.atomic():
        ledger.post(ledger.Entry("i1", "interest", case.id, TODAY, lines))
    before = owed(case)
    paid = book_transfer(case.id, 8_500, TODAY, "B1")
    assert (open_amount(case.id), given_up(case)) == (0, 1_560)
    return_debit(paid.id, TODAY + timedelta(days=2))
    assert owed(case) == before
    sound()


def test_a_new_invoice_is_no_part_of_the_offer(case: Case, make_case) -> None:
    offer = make(case)
    make_case("K1", 4_000, date(2026, 3, 20), claim="R-new")
    book_transfer(case.id, 8_500, TODAY, "B1")
    assert (open_amount(case.id), state(offer), given_up(case)) == (4_000, "used", 1_500)


def test_an_older_invoice_that_comes_to_light_takes_money_but_no_discount(case: Case, make_case) -> None:
    make(case)
    make_case("K1", 4_000, date(2026, 1, 1), claim="R-old")
    book_transfer(case.id, 8_500, TODAY, "B1")
    assert (given_up(case), open_amount(case.id)) == (1_500, 4_000)
    sound()


def test_a_credit_note_leaves_the_offer_but_gives_up_less(case: Case) -> None:
    offer = make(case)
    claim = Claim.objects.get(case_id=case.id)
    adjusting.credit(claim.id, 500, adjusting.Cause("c1", TODAY, "agent:1"))
    assert queries.standing(offer).worth_it
    book_transfer(case.id, 8_500, TODAY, "B1")
    assert (open_amount(case.id), given_up(case)) == (0, 1_000)


@pytest.mark.parametrize(
    ("kind", "ends"), [("plan", "withdrawn"), ("later", "withdrawn"), ("discount", "made")]
)
def test_when_all_is_settled_nothing_is_offered_but_a_discount_outlives_a_return(
    case: Case, kind: str, ends: str
) -> None:
    offer = make(case, kind)
    claim = Claim.objects.get(case_id=case.id)
    adjusting.credit(claim.id, 10_000, adjusting.Cause("c1", TODAY, "agent:1"))
    assert state(offer) == ends
    assert not queries.standing(offer).worth_it


def test_money_before_the_message_left_is_no_acceptance(case: Case) -> None:
    offer = make(case, told=False)
    book_transfer(case.id, 8_500, TODAY, "B1")
    assert (open_amount(case.id), state(offer)) == (1_500, "made")


@pytest.mark.parametrize("fate", ["message.stopped", "message.failed"])
def test_an_offer_whose_message_never_left_was_never_made(case: Case, fate: str) -> None:
    offer = make(case, told=False)
    record(fate, offer.message_id, {"case": case.id, "offer": "discount"})
    assert (state(offer), offer.told_at) == ("withdrawn", None)
    assert make(case, number=2).state == "made", "it does not use up the period"


def test_one_discount_in_a_period(case: Case, clock) -> None:
    make(case)
    ids, amounts = np.array([case.id]), np.array([open_amount(case.id)])
    assert queries.possible(ids, amounts, ["none", "discount"], TODAY).tolist() == [[True, False]]
    clock.advance(timedelta(days=366))
    assert queries.possible(ids, amounts, ["none", "discount"], TODAY + timedelta(days=366)) is None


def test_off_by_default(creditor, make_case) -> None:
    case = make_case("K1", 10_000, date(2026, 1, 22))
    found = queries.possible(
        np.array([case.id]), np.array([10_000]), ["none", "later", "plan", "discount", "rest"], TODAY
    )
    assert found.tolist() == [[True, True, True, False, True]]


def test_a_customer_who_promised_three_times_is_offered_no_other_day(case: Case, clock) -> None:
    for _ in range(3):
        clock.advance(timedelta(days=2))
        place_hold(case.id, "promise", by="customer", until=clock.at + timedelta(days=1))
    clock.advance(timedelta(days=2))
    found = queries.possible(np.array([case.id]), np.array([10_000]), ["later"], TODAY)
    assert found.tolist() == [[False]]


def test_the_same_decision_makes_one_offer(case: Case) -> None:
    make(case)
    with pytest.raises(Exception, match=r"(?i)unique"), transaction.atomic():
        make(case, "plan")
    assert Offer.objects.count() == 1


def test_an_agreed_plan_is_what_was_offered_and_ends_the_discount(case: Case) -> None:
    discount, plan = make(case), make(case, "plan", 2)
    assert (plan.pay, plan.day) == (2_000, date(2026, 3, 18))
    proposal = Proposal(Rhythm.MONTHLY, plan.day, rate=plan.pay)
    plans.agree(case.id, proposal, Agreement(shown=10_000, form_key="form-0001"))
    assert (state(plan), state(discount)) == ("used", "withdrawn")
    book_transfer(case.id, 8_500, TODAY, "B1")
    assert open_amount(case.id) == 1_500, "under the plan every rate counts in full"


def test_a_promised_day_is_what_was_offered(case: Case, clock) -> None:
    offer, discount = make(case, "later"), make(case, number=2)
    place_hold(case.id, "promise", by="customer", until=clock.at + timedelta(days=5))
    assert (state(offer), state(discount)) == ("used", "made")


def test_no_thanks_is_one_click_and_another_case_cannot_say_it(case: Case, make_case) -> None:
    offer, other = make(case), make_case("K2", 5_000)
    with pytest.raises(NotFoundError):
        actions.decline(other.id, offer.id)
    actions.decline(case.id, offer.id)
    actions.decline(case.id, offer.id)
    assert state(offer) == "withdrawn"
    book_transfer(case.id, 8_500, TODAY, "B1")
    assert open_amount(case.id) == 1_500
    assert told(case).count("offer.withdrawn") == 1


def test_a_newer_offer_of_the_same_kind_takes_the_place_of_the_older(case: Case) -> None:
    first, second = make(case, "plan"), make(case, "plan", 2)
    assert (state(first), state(second)) == ("withdrawn", "made")
    assert queries.live(case.id, TODAY) == [second]


@pytest.mark.parametrize(
    ("kind", "change", "still"),
    [
        ("discount", lambda case: None, True),
        ("discount", lambda case: OfferPolicy.objects.update(discounts=False), False),
        ("discount", lambda case: OfferPolicy.objects.update(share=1, min_discount=500), False),
        ("plan", lambda case: PlanPolicy.objects.create(creditor_id=case.creditor_id, offered=False), False),
        ("later", lambda case: OfferPolicy.objects.update(later=False), False),
        ("plan", lambda case: None, True),
        ("later", lambda case: None, True),
        (
            "plan",
            lambda case: adjusting.credit(
                Claim.objects.get(case_id=case.id).id, 1, adjusting.Cause("c", TODAY, "agent:1")
            ),
            False,
        ),
        (
            "discount",
            lambda case: adjusting.credit(
                Claim.objects.get(case_id=case.id).id, 1, adjusting.Cause("c", TODAY, "agent:1")
            ),
            False,
        ),
    ],
)
def test_an_offer_is_looked_at_again_before_its_message_leaves(case: Case, kind: str, change, still) -> None:
    offer = make(case, kind, told=False)
    change(case)
    assert actions.stands(offer.message_id) is still
    assert state(offer) == ("made" if still else "withdrawn")


def test_another_creditor_sees_no_offer(case: Case, other_creditor) -> None:
    make(case)
    with scope(other_creditor.id):
        assert queries.live(case.id, TODAY) == []


def test_events_hold_ids_and_codes_alone(case: Case) -> None:
    make(case)
    book_transfer(case.id, 8_500, TODAY, "B1")
    rows = Event.objects.filter(type__startswith="offer.").values_list("payload", flat=True)
    assert {name for payload in rows for name in payload} == {"offer", "kind", "why"}


def test_on_its_last_day_an_offer_still_stands(case: Case, clock) -> None:
    offer = make(case)
    clock.advance(timedelta(days=14))
    assert (actions.check_offers(), state(offer)) == (0, "made")
    clock.advance(timedelta(days=1))
    assert (actions.check_offers(), state(offer)) == (1, "expired")


def test_a_message_that_was_held_up_beyond_the_term_tells_no_offer(case: Case, clock) -> None:
    offer = make(case, told=False)
    clock.advance(timedelta(days=15))
    assert not actions.stands(offer.message_id)
    assert state(offer) == "withdrawn"


def test_what_was_paid_before_the_offer_counts_for_nothing(case: Case) -> None:
    book_transfer(case.id, 1_000, TODAY, "B0")
    offer = make(case)
    assert (offer.full, offer.pay) == (9_000, 7_650)
    book_transfer(case.id, 7_000, TODAY, "B1")
    assert (open_amount(case.id), queries.standing(offer).rest) == (2_000, 650)


def test_a_discount_is_for_what_is_due(case: Case, make_case) -> None:
    make_case("K1", 6_000, date(2026, 3, 20), claim="R-soon")
    offer = make(case)
    assert (offer.full, offer.pay) == (10_000, 8_500)
    assert offer.claims == [Claim.objects.get(number="R-K1").id]


def test_who_pays_everything_and_gets_it_back_owes_everything(case: Case) -> None:
    offer, before = make(case), owed(case)
    payment = book_transfer(case.id, 10_000, TODAY, "B1")
    assert (open_amount(case.id), given_up(case), state(offer)) == (0, 0, "made")
    return_debit(payment.id, TODAY)
    assert (owed(case), queries.live(case.id, TODAY)) == (before, [offer])


def test_a_plan_agreed_before_the_message_left_was_not_the_offered_one(case: Case) -> None:
    offer = make(case, "plan", told=False)
    proposal = Proposal(Rhythm.MONTHLY, offer.day, rate=offer.pay)
    plans.agree(case.id, proposal, Agreement(shown=10_000, form_key="form-0001"))
    assert state(offer) == "withdrawn"


def test_a_discount_that_was_told_never_gives_way_to_another(case: Case, clock) -> None:
    first = make(case)
    OfferPolicy.objects.update(period_days=1)
    clock.advance(timedelta(days=2))
    second = make(case, number=2)
    assert (state(first), state(second)) == ("made", "made")


def test_a_dispute_stops_new_offers_but_what_was_told_is_kept(case: Case) -> None:
    offer = make(case)
    place_hold(case.id, "dispute", by="customer")
    book_transfer(case.id, 8_500, TODAY, "B1")
    assert (open_amount(case.id), state(offer)) == (0, "used")


@pytest.fixture
def charging(creditor, case: Case) -> Case:
    """6.27 percent a year on 100,000.00 from 23 January on: 17.18 EUR a day."""
    Creditor.objects.filter(id=creditor.id).update(charges_interest=True)
    OfferPolicy.objects.update(max_discount=10_000_000)
    return case


def late(make_case, number: str) -> Case:
    case: Case = make_case(number, 10_000_000, date(2026, 1, 22))
    set_default(Claim.objects.get(case_id=case.id).id, date(2026, 1, 23), "test")
    return case


@pytest.mark.parametrize("booked_after", [0, 4])
def test_with_interest_running_nothing_is_left_and_a_return_leads_where_it_leads_without_an_offer(
    charging: Case, make_case, clock, booked_after: int
) -> None:
    """The twin pays and gets back the same sums on the same days and has no offer."""
    ours, twin = late(make_case, "K7"), late(make_case, "K8")
    accrue(clock.at.date())
    offer = make(ours)
    clock.advance(timedelta(days=7))
    accrue(clock.at.date())
    paid_on = TODAY + timedelta(days=7 - booked_after)
    payments = [book_transfer(each.id, offer.pay, paid_on, f"B{each.id}") for each in (ours, twin)]
    assert (open_amount(ours.id), state(offer)) == (0, "used")
    assert open_amount(twin.id) > 0
    clock.advance(timedelta(days=20))
    accrue(clock.at.date())
    assert open_amount(ours.id) == 0, "no interest on what was given up"
    sound()
    for each in payments:
        return_debit(each.id, TODAY + timedelta(days=27))
    clock.advance(timedelta(days=10))
    accrue(clock.at.date())
    for account in ("principal",):
        assert sum(a for (_, name), a in owed(ours).items() if name == account) == 10_000_000
        assert sum(a for (_, name), a in owed(twin).items() if name == account) == 10_000_000
    rate = 10_000_000 * 627 / 10_000 / 365
    days_between = 20 + booked_after
    spared = 1_500_000 / 10_000_000 * rate * days_between
    gap = open_amount(twin.id) - open_amount(ours.id)
    assert gap == pytest.approx(spared, rel=0.02), "only the interest of the days between was let go"
    assert (given_up(ours), state(offer)) == (0, "expired")
    sound()


def test_a_won_dispute_settles_again_from_the_day_on_which_the_money_came_back(
    charging: Case, make_case, clock
) -> None:
    case = late(make_case, "K7")
    accrue(clock.at.date())
    offer = make(case)
    payment = book_transfer(case.id, offer.pay, TODAY, "B1")
    clock.advance(timedelta(days=5))
    return_debit(payment.id, TODAY + timedelta(days=5))
    accrue(clock.at.date())
    clock.advance(timedelta(days=5))
    accrue(clock.at.date())
    payment.refresh_from_db()
    at = clock.at
    _reinstate(payment, Notice("e1", NoticeKind.REINSTATED, "", "", payment.amount, "EUR", at))
    assert (open_amount(case.id), state(offer)) == (0, "used")
    clock.advance(timedelta(days=5))
    accrue(clock.at.date())
    assert open_amount(case.id) == 0
    sound()


@pytest.mark.parametrize("seed", range(15))
def test_whatever_money_comes_and_goes_the_sums_are_those_of_a_simple_model(
    case: Case, make_case, clock, seed: int
) -> None:
    """The model: what came in time and was not sent back; from the offered sum on, the rest of the claim is gone."""
    draw = random.Random(seed)
    offer = make(case)
    held: list[tuple[int, bool, Payment]] = []
    for step in range(14):
        clock.advance(timedelta(days=draw.choice([0, 1, 2])))
        today = clock.at.date()
        if held and draw.random() < 0.4:
            _, _, payment = held.pop(draw.randrange(len(held)))
            return_debit(payment.id, today)
        elif open_amount(case.id):
            day = today - timedelta(days=draw.choice([0, 0, 3]))
            amount = draw.randint(1, open_amount(case.id))
            held.append((amount, day <= UNTIL, book_transfer(case.id, amount, day, f"B{step}")))
        if draw.random() < 0.2:
            actions.check_offers()
        counted = sum(amount for amount, in_time, _ in held if in_time)
        received = sum(amount for amount, _, _ in held)
        left = 10_000 - received
        if counted >= offer.pay:
            left -= min(left, 10_000 - counted)
        assert open_amount(case.id) == max(0, left), f"step {step}"
        assert given_up(case) == 10_000 - received - max(0, left)
    sound()


@pytest.mark.parametrize("seed", range(15))
def test_no_booking_fails_over_an_offer_and_nothing_more_is_given_up_than_was_agreed(
    charging: Case, make_case, clock, seed: int
) -> None:
    """Money, returns, credit notes, new and old invoices and interest in any order."""
    draw = random.Random(1_000 + seed)
    case = make_case("K7", 1_000_000, date(2026, 1, 22))
    set_default(Claim.objects.get(case_id=case.id).id, date(2026, 1, 23), "test")
    accrue(clock.at.date())
    offer = make(case)
    agreed, held = offer.full - offer.pay, []
    for step in range(16):
        clock.advance(timedelta(days=draw.choice([0, 1, 3])))
        today, act = clock.at.date(), draw.random()
        if act < 0.35:
            amount = draw.choice([offer.pay, draw.randint(1, 600_000)])
            held.append(
                book_transfer(case.id, amount, today - timedelta(days=draw.choice([0, 0, 4])), f"B{step}")
            )
        elif act < 0.6 and held:
            return_debit(held.pop(draw.randrange(len(held))).id, today)
        elif act < 0.7:
            cause = adjusting.Cause(f"c{step}", today, "agent:1")
            adjusting.credit(offer.claims[0], draw.randint(1, 100_000), cause)
        elif act < 0.8:
            make_case(
                "K7",
                draw.randint(1, 300_000),
                today + timedelta(days=draw.choice([-90, 20])),
                claim=f"N{step}",
            )
        else:
            accrue(today)
            actions.check_offers()
        offer.refresh_from_db()
        later = Posting.objects.filter(claim_id__in=offer.claims, journal_id__gt=offer.after_journal)
        charged = sum(later.filter(account="interest", basis="interest").values_list("amount", flat=True))
        assert 0 <= given_up(case) <= agreed + max(0, charged)
        if given_up(case):
            assert offer.state == "used"
            assert queries.standing(offer).rest == 0
    sound()
