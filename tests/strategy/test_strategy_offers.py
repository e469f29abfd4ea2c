"""Offers from the decision to the outbox: what the gate lets through, what is stored, what it earns."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from kulanz.kernel.clock import VirtualClock
from kulanz.outreach.models import Message
from kulanz.payments.booking import book_transfer
from kulanz.payments.models import PlanPolicy
from kulanz.payments.offers.models import Offer, OfferPolicy
from kulanz.strategy import codes, journeys, learning, rewards, runs
from kulanz.strategy.journeys import Default, JourneySpec, Stage
from kulanz.strategy.models import Decision, Reward
from kulanz.strategy.queries import replay
from kulanz.tenancy.models import Creditor

TODAY = date(2026, 3, 3)


def offering(creditor: Creditor, offer: str) -> JourneySpec:
    """The standard journey whose ladder makes one offer wherever its stage allows it."""
    spec = journeys.built_in("standard", ("email",))
    stages = tuple(_early(stage, offer) for stage in spec.stages)
    made = replace(spec, slug="offering", stages=stages)
    journeys.activate(creditor, made)
    return made


def _early(stage: Stage, offer: str) -> Stage:
    """Stages that follow the days alone, so that one run reaches any of them."""
    if offer != "none" and offer in stage.offers:
        stage = replace(stage, ladder=Default("email", "10-12", "factual", offer))
    return replace(stage, after_contacts=0, legal_step=False)


@pytest.fixture
def discounts(creditor: Creditor) -> OfferPolicy:
    return OfferPolicy.objects.create(creditor=creditor, discounts=True, on_principal=True)


@pytest.mark.parametrize(
    ("offer", "pay", "day", "until"),
    [
        ("plan", 2_000, date(2026, 3, 18), date(2026, 3, 17)),
        ("later", 10_000, date(2026, 3, 17), date(2026, 3, 16)),
        ("discount", 9_000, date(2026, 3, 17), date(2026, 3, 17)),
    ],
)
def test_a_message_and_its_offer_are_born_together(
    creditor: Creditor, discounts: OfferPolicy, make_case, offer: str, pay: int, day: date, until: date
) -> None:
    offering(creditor, offer)
    make_case(amount=10_000, due=TODAY - timedelta(days=32))
    assert runs.run(seed=1).messages == 1
    [message], [decision], [made] = Message.objects.all(), Decision.objects.all(), Offer.objects.all()
    assert (made.kind, made.full, made.pay, made.day, made.until) == (offer, 10_000, pay, day, until)
    assert (made.message_id, made.decision_id, made.state) == (message.id, decision.id, "made")
    assert (message.offer, message.data["offer_pay"]) == (offer, pay)
    assert replay(decision.id).same


@pytest.mark.parametrize(("offer", "amount"), [("plan", 3_999), ("discount", 10_000)])
def test_what_the_creditor_does_not_allow_is_vetoed_before_the_decision(
    creditor: Creditor, make_case, offer: str, amount: int
) -> None:
    spec = offering(creditor, offer)
    make_case(amount=amount, due=TODAY - timedelta(days=32))
    result = runs.run(seed=1)
    assert (result.messages, result.vetoes["offer_limits"]) == (0, 1), "the ladder makes no other offer"
    decision = Decision.objects.get()
    allowed = codes.unpacked([decision.allowed], spec.space).channel_tone_offer.reshape(1, 1, 3, 4)
    assert not allowed[..., spec.space.offers.index(offer)].any()
    assert allowed[..., 0].any()
    assert not Offer.objects.exists()


def test_a_policy_never_offers_beyond_the_creditors_limits(
    creditor: Creditor, discounts: OfferPolicy, make_case, clock: VirtualClock
) -> None:
    offering(creditor, "none")
    learning.learn()
    PlanPolicy.objects.create(creditor=creditor, min_rate=5_000)
    for at in range(180):
        make_case(f"K{at}", 6_000 if at % 2 else 20_000, TODAY - timedelta(days=45 if at % 3 else 22))
    runs.run(seed=5)
    assert {offer.kind for offer in Offer.objects.all()} == {"plan", "later", "discount"}
    for offer in Offer.objects.select_related("case"):
        decision = Decision.objects.get(id=offer.decision_id)
        if offer.kind == "plan":
            assert decision.open_amount == 20_000
            assert offer.pay >= 5_000
        if offer.kind == "discount":
            assert 0 < offer.full - offer.pay <= offer.full // 10
            assert decision.stage in {"dunning_1", "dunning_2", "final_notice"}
    assert Message.objects.exclude(offer="none").count() == Offer.objects.count()


def test_a_dry_run_makes_no_offer(creditor: Creditor, make_case) -> None:
    offering(creditor, "plan")
    make_case(due=TODAY - timedelta(days=32))
    assert runs.run(seed=1, dry_run=True).messages == 1
    assert not Offer.objects.exists()


def test_a_discount_earns_what_was_really_paid(
    creditor: Creditor, discounts: OfferPolicy, make_case, clock: VirtualClock
) -> None:
    offering(creditor, "discount")
    case = make_case(amount=10_000, due=TODAY - timedelta(days=32))
    runs.run(seed=1)
    message = Message.objects.get()
    clock.advance_to(message.not_before)
    Message.objects.update(state="sent", sent_at=clock.at)
    Offer.objects.update(told_at=clock.at)
    book_transfer(case.id, 9_000, TODAY, "B1")
    clock.advance(timedelta(days=8))
    assert rewards.credit() == 1
    reward = Reward.objects.get()
    assert (reward.paid, reward.weight) == (9_000, 1)
    assert reward.value == pytest.approx(0.9 - 1 / 10_000)


def test_a_message_that_left_without_its_offer_teaches_nothing(
    creditor: Creditor, make_case, clock: VirtualClock
) -> None:
    offering(creditor, "plan")
    case = make_case(amount=10_000, due=TODAY - timedelta(days=32))
    runs.run(seed=1)
    clock.advance_to(Message.objects.get().not_before)
    Message.objects.update(state="sent", sent_at=clock.at, offer="none")
    Offer.objects.update(state="withdrawn")
    book_transfer(case.id, 10_000, TODAY, "B1")
    clock.advance(timedelta(days=8))
    rewards.credit()
    assert [(reward.paid, reward.weight) for reward in Reward.objects.all()] == [(10_000, 0)]
