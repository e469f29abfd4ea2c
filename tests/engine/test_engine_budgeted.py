"""Whole batches decided within a budget, by policies that draw."""

import numpy as np
import pytest

from kulanz.engine import ActionSpace, Allowed, Budget, Feature, FeatureSpec, Policy
from kulanz.kernel.errors import InputError

SPACE = ActionSpace(
    ("email", "letter", "phone"),
    ("friendly", "firm"),
    bands=("morning", "evening"),
    weekdays=("Mon", "Tue"),
    channel_costs=(1, 95, 300),
    channel_minutes=(0.0, 0.5, 6.0),
)
FEATURES = FeatureSpec((Feature("amount", "EUR"), Feature("late", "days")))
WORTH = np.array([0.10, 0.18, 0.30])
N = 3000


def taught(space=SPACE):
    draw = np.random.default_rng(3)
    policy = Policy(space, FEATURES)
    sizes = (len(space.channels), space.slots, len(space.tones), len(space.offers))
    actions = np.stack([draw.integers(0, size, 20_000) for size in sizes], axis=1).astype(np.int16)
    contexts = draw.normal(size=(20_000, 2)).astype(np.float32)
    chance = WORTH[actions[:, 0]] + 0.05 * contexts[:, 0]
    policy.learn(contexts, actions, (draw.random(20_000) < chance).astype(float))
    if space.waits:
        waits = np.full((4000, 4), -1, np.int16)
        policy.learn(contexts[:4000], waits, (draw.random(4000) < 0.05).astype(float))
    return policy


def batch(seed=1):
    draw = np.random.default_rng(seed)
    return draw.normal(size=(N, 2)).astype(np.float32), np.arange(N) + 1000 * seed


def used(made, budget):
    option = np.where(made.kept & ~made.decisions.wait, made.decisions.actions[:, 0] + 1, 0)
    return budget.matrix(SPACE)[option].sum(axis=0)


@pytest.mark.parametrize("letters", [0, 1, 40, 700])
def test_the_total_stays_within_every_limit_and_most_of_it_is_used(letters):
    policy = taught()
    budget = Budget({"letter": letters, "minutes": 900, "money": 200_000})
    contexts, ids = batch()
    made = policy.decide_within(contexts, Allowed.everything(SPACE, N), budget, seed=5, ids=ids)
    total = used(made, budget)
    assert (total <= budget.amounts).all()
    free = policy.decide(contexts, Allowed.everything(SPACE, N), seed=5, ids=ids)
    assert (free.actions[:, 0] == 2).sum() * 6 > 900, "without a budget the limit would be overstepped"
    assert total[1] > 0.7 * 900
    assert (~made.kept).mean() < 0.01


def test_propensities_of_what_was_kept_are_exact_and_replay():
    policy = taught()
    contexts, ids = batch(2)
    budget = Budget({"minutes": 600})
    made = policy.decide_within(contexts, Allowed.everything(SPACE, N), budget, seed=5, ids=ids)
    again = policy.replay(made.decisions.scores, made.allowed, seed=5, ids=ids)
    assert (again.actions == made.decisions.actions).all()
    told = policy.propensity_of(made.decisions.scores, made.allowed, made.decisions.actions)
    assert told == pytest.approx(made.decisions.propensity, abs=1e-6)
    assert made.plan.dual[0] > 0


def test_a_limit_that_nobody_reaches_changes_nothing():
    policy = taught()
    contexts, ids = batch(3)
    allowed = Allowed.everything(SPACE, N)
    free = policy.decide(contexts, allowed, seed=5, ids=ids)
    made = policy.decide_within(contexts, allowed, Budget({"minutes": 1e9}), seed=5, ids=ids)
    assert (made.decisions.actions == free.actions).all()
    assert made.kept.all()


def test_a_flat_set_without_waiting_leaves_undone_what_there_is_no_room_for():
    space = ActionSpace.flat(["email", "phone"])
    policy = taught(space)
    contexts, ids = batch(4)
    budget = Budget({"calls": 25}, use={"calls": (0.0, 1.0)})
    made = policy.decide_within(contexts, Allowed.flat(np.ones((N, 2), bool)), budget, seed=5, ids=ids)
    assert ((made.decisions.actions[:, 0] == 1) & made.kept).sum() <= 25
    only_phone = Allowed.flat(np.tile([False, True], (N, 1)))
    forced = policy.decide_within(contexts, only_phone, budget, seed=5, ids=ids)
    assert ((forced.decisions.actions[:, 0] == 1) & forced.kept).sum() <= 25


def test_what_waiting_is_worth_later_is_added_to_waiting():
    policy = taught()
    contexts, ids = batch(5)
    allowed = Allowed.everything(SPACE, N)
    patient = policy.decide(contexts, allowed, seed=5, ids=ids, offset=np.full(N, 0.5, np.float32))
    eager = policy.decide(contexts, allowed, seed=5, ids=ids, offset=np.full(N, -0.5, np.float32))
    plain = policy.decide(contexts, allowed, seed=5, ids=ids)
    assert patient.wait.mean() > 0.95 > plain.wait.mean() > eager.wait.mean()
    assert patient.scores[:, 0] == pytest.approx(plain.scores[:, 0] + 0.5, abs=1e-6)
    with pytest.raises(InputError, match="one finite number per case"):
        policy.decide(contexts, allowed, seed=5, ids=ids, offset=np.full(N, np.nan, np.float32))


def test_an_empty_batch_is_decided():
    policy = taught()
    none = policy.decide_within(
        np.zeros((0, 2), np.float32),
        Allowed.everything(SPACE, 0),
        Budget({"minutes": 5}),
        seed=1,
        ids=np.zeros(0, np.int64),
    )
    assert len(none.decisions) == 0
