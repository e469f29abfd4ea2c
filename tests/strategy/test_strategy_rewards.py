"""What decisions earn, what spoils it, and how the policy learns and unlearns it."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import numpy as np
import pytest

from kulanz.claims.actions import book_payment, return_payment
from kulanz.claims.holds import place_hold
from kulanz.claims.models import Case, Journal
from kulanz.contact.actions import withdraw
from kulanz.engine import Policy
from kulanz.events.delivery import deliver as deliver_events
from kulanz.events.log import record
from kulanz.kernel.clock import VirtualClock
from kulanz.outreach.models import Message
from kulanz.strategy import learning, rewards, runs
from kulanz.strategy.journeys import install
from kulanz.strategy.models import Decision, PolicyVersion, Reward
from kulanz.strategy.models import Journey as JourneyRow
from kulanz.strategy.queries import action_codes
from kulanz.tenancy.models import Creditor

MakeCase = Callable[..., Case]
Deliver = Callable[[], list[Message]]
Wait = Callable[[float], None]
LATE = date(2026, 2, 25)
EMAIL_COST = 1


def pay(case: Case, amount: int, key: str) -> None:
    book_payment(case.id, amount, value_date=date(2026, 3, 4), key=key, method="transfer")


def test_a_payment_is_worth_its_share_less_days_and_cost(
    journey: JourneyRow, make_case: MakeCase, deliver: Deliver, wait_days: Wait
) -> None:
    case = make_case(due=LATE, amount=10000)
    runs.run(seed=1)
    deliver()
    wait_days(1.5)
    pay(case, 4000, "p1")
    assert rewards.credit() == 0
    wait_days(2.6)
    assert rewards.credit() == 1
    assert rewards.credit() == 0
    earned = Reward.objects.get()
    assert (earned.paid, earned.weight) == (4000, 1)
    assert earned.value == pytest.approx(0.4 * (1 - 0.02 * 1.5) - EMAIL_COST / 10000)


def test_two_payments_count_at_their_mean_day(
    journey: JourneyRow, make_case: MakeCase, deliver: Deliver, wait_days: Wait
) -> None:
    case = make_case(due=LATE, amount=10000)
    runs.run(seed=1)
    deliver()
    wait_days(1)
    pay(case, 6000, "p1")
    wait_days(2)
    pay(case, 2000, "p2")
    wait_days(2)
    rewards.credit()
    mean_day = (6000 * 1 + 2000 * 3) / 8000
    expected = 0.8 * (1 - 0.02 * mean_day) - EMAIL_COST / 10000
    assert Reward.objects.get().value == pytest.approx(expected)


def test_waiting_is_measured_over_the_same_time_and_costs_nothing(
    journey: JourneyRow, make_case: MakeCase, wait_days: Wait
) -> None:
    case = make_case(due=LATE, email=None, amount=10000)
    runs.run(seed=1)
    wait_days(3.9)
    pay(case, 5000, "p1")
    wait_days(0.2)
    rewards.credit()
    assert Reward.objects.get().value == pytest.approx(0.5 * (1 - 0.02 * 3.9))


def test_money_after_the_window_is_not_the_decisions(
    journey: JourneyRow, make_case: MakeCase, deliver: Deliver, wait_days: Wait
) -> None:
    case = make_case(due=LATE)
    runs.run(seed=1)
    deliver()
    wait_days(4)
    pay(case, 10000, "p1")
    rewards.credit()
    assert Reward.objects.get().paid == 0


def test_who_paid_before_the_message_could_leave_says_nothing_about_it(
    journey: JourneyRow, make_case: MakeCase, wait_days: Wait
) -> None:
    case = make_case(due=LATE)
    runs.run(seed=1)
    wait_days(0.01)
    pay(case, 10000, "p1")
    Message.objects.filter(kind="demanding").update(state="stopped")
    wait_days(5)
    rewards.credit()
    earned = Reward.objects.get()
    assert (earned.weight, earned.value, earned.paid) == (0, 0.0, 0)


@pytest.mark.parametrize(
    ("what", "penalty"), [("complaint", 0.5), ("opt_out", 0.3), ("dispute", 0.1), ("nothing", 0.0)]
)
def test_complaints_opt_outs_and_disputes_cost(
    journey: JourneyRow, make_case: MakeCase, deliver: Deliver, wait_days: Wait, what: str, penalty: float
) -> None:
    case = make_case(due=LATE, amount=10000)
    runs.run(seed=1)
    deliver()
    wait_days(1)
    if what == "complaint":
        record("complaint.made", case.id)
    elif what == "opt_out":
        withdraw(case.customer_id, "email", proof="test")
    elif what == "dispute":
        place_hold(case.id, "dispute", by="customer")
    wait_days(4)
    rewards.credit()
    assert Reward.objects.get().value == pytest.approx(-penalty - EMAIL_COST / 10000)


def test_a_payment_returned_before_it_counted_is_no_payment(
    journey: JourneyRow, make_case: MakeCase, deliver: Deliver, wait_days: Wait
) -> None:
    case = make_case(due=LATE)
    runs.run(seed=1)
    deliver()
    wait_days(1)
    pay(case, 10000, "p1")
    wait_days(1)
    return_payment("p1", value_date=date(2026, 3, 6), key="r1")
    wait_days(4)
    rewards.credit()
    assert Reward.objects.get().paid == 0


class TestLearning:
    """Forty cases of one day, half of which pay the next."""

    @pytest.fixture
    def cases(
        self, journey: JourneyRow, make_case: MakeCase, deliver: Deliver, clock: VirtualClock
    ) -> list[Case]:
        made = [make_case(f"K{at}", due=LATE, amount=10000) for at in range(40)]
        learning.learn()
        runs.run(seed=1)
        deliver()
        clock.advance(timedelta(hours=20))
        for case in made[::2]:
            pay(case, 10000, f"pay-{case.id}")
        clock.advance(timedelta(days=9))
        return made

    def latest(self) -> Policy:
        version = PolicyVersion.objects.order_by("-last_reward_id", "-id").first()
        assert version is not None
        return Policy.from_bytes(bytes(version.content))

    def test_each_reward_is_learned_once(self, cases: list[Case]) -> None:
        assert rewards.credit() == 40
        counted = Reward.objects.filter(weight=1).count()
        first = learning.learn()
        assert (first.rewards, first.rows) == (counted, counted)
        again = learning.learn()
        assert (again.rewards, again.version) == (0, first.version)
        assert PolicyVersion.objects.count() == 2
        assert self.latest().learned == counted

    def test_a_returned_payment_is_unlearned_to_the_last_bit(self, cases: list[Case]) -> None:
        rewards.credit()
        learning.learn()
        paid = Reward.objects.filter(paid__gt=0, weight=1).select_related("decision").first()
        assert paid is not None
        case_id = paid.decision.case_id
        return_payment(f"pay-{case_id}", value_date=date(2026, 3, 9), key="r1")
        deliver_events()
        rows = list(Reward.objects.filter(decision_id=paid.decision_id).order_by("id"))
        assert [(row.weight, row.paid) for row in rows] == [(1, 10000), (-1, 10000), (1, 0)]
        assert rows[1].value == rows[0].value
        learning.learn()
        newest: dict[int, Reward] = {}
        for row in Reward.objects.select_related("decision").order_by("id"):
            newest[row.decision_id] = row
        newest_policy = self.latest()
        never_wrong = Policy(newest_policy.space, newest_policy.features, settings=newest_policy.settings)
        usable = [row for row in newest.values() if row.weight]
        assert sum(row.paid > 0 for row in usable) == 19 - sum(row.weight == 0 for row in newest.values())
        never_wrong.learn(
            np.stack([np.frombuffer(row.decision.features, "<f4") for row in usable]),
            np.stack([action_codes(row.decision) for row in usable]),
            np.array([row.value for row in usable]),
        )
        probe = np.eye(23, dtype=np.float32)
        np.testing.assert_allclose(self.latest().scores(probe), never_wrong.scores(probe), rtol=0, atol=1e-9)
        assert self.latest().version == never_wrong.version

    def test_returns_delivered_twice_change_nothing_more(self, cases: list[Case]) -> None:
        rewards.credit()
        case = cases[0]
        return_payment(f"pay-{case.id}", value_date=date(2026, 3, 9), key="r1")
        deliver_events()
        stored = Reward.objects.count()
        journal = Journal.objects.get(key=f"pay-{case.id}")
        assert rewards.correct([journal.id]) == 0
        assert Reward.objects.count() == stored

    def test_holdout_and_forced_waits_teach_nothing(
        self, creditor: Creditor, journey: JourneyRow, make_case: MakeCase, wait_days: Wait
    ) -> None:
        creditor.holdout_share = 1.0
        creditor.save()
        learning.learn()
        make_case("H1", due=LATE)
        runs.run(seed=1)
        creditor.holdout_share = 0.0
        creditor.save()
        make_case("F1", due=LATE, email=None)
        runs.run(seed=2)
        wait_days(9)
        assert rewards.credit() == 2
        assert learning.learn().rewards == 0
        assert set(Decision.objects.values_list("actor", flat=True)) == {"holdout", "policy"}


def test_a_new_action_space_begins_a_new_policy_and_the_ladder_stands_in(
    creditor: Creditor, journey: JourneyRow, make_case: MakeCase, clock: VirtualClock
) -> None:
    learning.learn()
    make_case(due=LATE)
    spec = rewards.journeys.built_in("standard", ("email", "letter"))
    rewards.journeys.activate(creditor, spec)
    assert runs.run(seed=1).actors["ladder"] == 1
    learning.learn()
    make_case("K2", due=LATE)
    assert runs.run(seed=2).actors["policy"] == 1
    assert PolicyVersion.objects.count() == 2
    assert isinstance(clock.at, datetime)


def test_a_few_rewards_wait_for_the_next_step(creditor: Creditor) -> None:
    install(creditor, "standard")
    first = learning.learn(least=25)
    assert learning.learn(least=25) == learning.Learned(first.version, 0, 0)
    assert PolicyVersion.objects.count() == 1
