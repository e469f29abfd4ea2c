"""What the model finds in noise, and what it leaves alone."""

import subprocess
import sys

import numpy as np
import pytest

from kulanz.engine import Act, ActionSpace, Allowed, Feature, FeatureSpec, Policy, Population, Settings

SPACE = ActionSpace(("email", "sms"), ("friendly", "factual", "firm"), ("none", "plan"))


def spec(d):
    return FeatureSpec(tuple(Feature(f"feature {k}") for k in range(d)))


def random_actions(rng, n):
    columns = [rng.integers(0, size, n) for size in (2, 42, 3, 2)]
    return np.stack(columns, axis=1).astype(np.int16)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_four_points_of_the_hour_are_found_in_ten_thousand_yes_no_rewards(seed):
    rng = np.random.default_rng(seed)
    actions = random_actions(rng, 10_000)
    chance = 0.14 + 0.04 * (actions[:, 1] % 6 == 3)
    contexts = rng.normal(size=(10_000, 12)).astype(np.float32)
    policy = Policy(SPACE, spec(12))
    policy.learn(contexts, actions, (rng.random(10_000) < chance).astype(float))
    when = policy.scores(np.zeros((1, 12), np.float32))[0, 1:85].reshape(2, 7, 6).mean(axis=(0, 1))
    assert when.argmax() == 3
    assert 0.02 < when[3] - np.delete(when, 3).mean() < 0.06


def test_context_that_does_not_help_shrinks_to_nothing_and_context_that_helps_is_used():
    rng = np.random.default_rng(5)
    actions = random_actions(rng, 8000)
    contexts = rng.normal(size=(8000, 6)).astype(np.float32)
    noise = (rng.random(8000) < 0.2).astype(float)
    idle, useful = Policy(SPACE, spec(6)), Policy(SPACE, spec(6))
    idle.learn(contexts, actions, noise)
    tells = np.where(actions[:, 0] == 0, 0.1, -0.1) * contexts[:, 2]
    useful.learn(contexts, actions, noise + tells)
    probe = np.zeros((2, 6), np.float32)
    probe[1, 2] = 1.0

    def channel_gap(policy):
        email, sms = (policy.scores(probe)[:, 1 + 42 * k : 43 + 42 * k].mean(axis=1) for k in (0, 1))
        return (email - sms)[1] - (email - sms)[0]

    assert abs(channel_gap(idle)) < 0.01
    assert channel_gap(useful) == pytest.approx(0.2, abs=0.05)


@pytest.mark.parametrize(
    ("explorer", "seed", "least", "rise"),
    [("inverse_gap", 1, 0.35, 0.15), ("inverse_gap", 4, 0.35, 0.15), ("gaussian_gap", 3, 0.35, 0.15)],
)
def test_sending_moves_to_the_hour_that_works(explorer, seed, least, rise):
    shares = closed_loop(seed, 15_000, explorer)
    assert 0.10 < shares[0] < 0.40
    assert shares[3] > least
    assert shares[3] > shares[0] + rise


def closed_loop(seed, n, explorer):
    population = Population.draw(n, seed)
    policy = Policy(SPACE, spec(6), settings=Settings(explorer=explorer))
    rng = np.random.default_rng(seed)
    hits = []
    for rows in np.array_split(np.arange(n), 30):
        m = len(rows)
        contexts = rng.normal(size=(m, 6)).astype(np.float32)
        allowed = Allowed.everything(SPACE, m)
        allowed.wait[:] = False
        allowed.channel_slot.reshape(m, 2, 42)[:, :, 36:] = False
        actions = policy.decide(contexts, allowed, seed=seed, ids=rows).actions
        weekday, band = np.divmod(actions[:, 1].astype(int), 6)
        reactions = population.react(
            rows,
            day=rng.uniform(3, 40, m),
            weekday=weekday,
            band=band,
            tone=actions[:, 2].astype(int),
            offer=actions[:, 3].astype(int),
            contacts=rng.integers(0, 4, m),
            seed=seed,
            message_ids=rows,
        )
        harm = 0.5 * (reactions.action == Act.COMPLAIN) + 0.3 * (reactions.action == Act.OPT_OUT)
        policy.learn(contexts, actions, (reactions.action == Act.PAY) - harm)
        hits.append(band == population.best_band)
    return [part.mean() for part in np.array_split(np.concatenate(hits), 4)]


def test_the_engine_stands_without_django():
    code = (
        "import sys; from kulanz.engine import Policy, ActionSpace, Allowed, Decisions, FeatureSpec, "
        "Population, lift; assert not [m for m in sys.modules if m.startswith('django')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})
