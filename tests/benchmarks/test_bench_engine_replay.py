from typing import Any

import numpy as np
import pytest
from engine.data import Log, Payoffs
from engine.flat import ACTIONS, flat_mask, from_codes, to_codes
from engine.references import BetaThompson, LinearThompson
from engine.replay import constant, delay_ceiling, play

from engine import references
from kulanz.engine import Allowed
from kulanz.engine.simulation.world import SPACE

pytestmark = pytest.mark.anydatabase


class ByContext:
    """Takes action 1 where the context is positive; writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []

    def choose(self, contexts: Any, ids: Any) -> Any:
        self.told.append(("choose", int(ids[0])))
        return (contexts[:, 0] > 0).astype(np.intp), None

    def wait(self, contexts: Any, actions: Any) -> None:
        self.told.append(("wait", len(contexts)))

    def learn(self, contexts: Any, actions: Any, rewards: Any, chances: Any) -> None:
        self.told.append(("learn", len(contexts)))


def toy_log(rows: int, batch: int = 10) -> Any:
    """Rewards .9 / .1 where the action fits the sign of the context or does not; actions are drawn uniformly."""
    draw = np.random.default_rng(5)
    contexts = draw.standard_normal((rows, 1)).astype(np.float32)
    actions = draw.integers(0, 2, rows)
    fits = (contexts[:, 0] > 0) == (actions == 1)
    rewards = (draw.random(rows) < np.where(fits, 0.9, 0.1)).astype(float)
    return Log("toy", ("x",), ("a", "b"), contexts, actions, rewards, batch)


def test_rejection_replay_finds_what_the_policy_would_have_earned():
    log = toy_log(40_000)
    earned = play(ByContext(), log, np.arange(40_000))
    # Always fitting earns .9; half the rows count: the error is sqrt(.09 / 20,000) = .0021.
    assert earned == pytest.approx(0.9, abs=0.0085)
    assert log.rewards.mean() == pytest.approx(0.5, abs=0.01)


def test_one_pass_counts_every_row():
    contexts = np.array([[1.0], [-1.0], [1.0]], dtype=np.float32)
    payoffs = np.array([[0.0, 3.0], [5.0, 0.0], [0.0, 1.0]])
    data = Payoffs("toy", ("x",), ("a", "b"), contexts, payoffs, batch=2)
    assert play(ByContext(), data, np.arange(3)) == 3.0
    assert constant(data) == pytest.approx([5 / 3, 4 / 3])


def test_an_outcome_is_told_only_after_its_delay():
    contexts = np.ones((50, 1), dtype=np.float32)
    data = Payoffs("toy", ("x",), ("a", "b"), contexts, np.ones((50, 2)), batch=10)
    chooser = ByContext()
    play(chooser, data, np.arange(50), delay=20)
    # The first ten outcomes are known once twenty further rows have been decided.
    assert chooser.told == [
        *[("choose", 0), ("wait", 10), ("choose", 10), ("wait", 10)],
        *[("choose", 20), ("wait", 10), ("learn", 10)],
        *[("choose", 30), ("wait", 10), ("learn", 10)],
        *[("choose", 40), ("wait", 10), ("learn", 10)],
    ]


def test_without_delay_a_batch_is_learned_before_the_next_one():
    chooser = ByContext()
    play(chooser, toy_log(20), np.arange(20))
    assert [what for what, _ in chooser.told] == ["choose", "wait", "learn"] * 2


def test_the_ceiling_under_delay_is_blind_first_and_perfect_then():
    payoffs = np.tile([0.0, 1.0], (100, 1))
    data = Payoffs("toy", ("x",), ("a", "b"), np.zeros((100, 1), dtype=np.float32), payoffs, 10)
    assert delay_ceiling(data, 20) == pytest.approx(0.2 * 0.5 + 0.8)


def test_beta_thompson_settles_on_the_better_arm_of_the_log():
    draw = np.random.default_rng(6)
    actions = draw.integers(0, 2, 20_000)
    rewards = (draw.random(20_000) < np.array([0.1, 0.3])[actions]).astype(float)
    log = Log("toy", ("x",), ("a", "b"), np.zeros((20_000, 1), dtype=np.float32), actions, rewards, 100)
    assert play(BetaThompson(2, seed=1), log, np.arange(20_000)) == pytest.approx(constant(log)[1], abs=0.01)


def test_linear_thompson_means_are_the_ridge_solution():
    draw = np.random.default_rng(7)
    x = draw.standard_normal((60, 3)).astype(np.float32)
    rewards = draw.standard_normal(60)
    sampler = LinearThompson(2, 3, seed=1, v=0.0)
    for part in (slice(0, 25), slice(25, 60)):
        sampler.learn(x[part], np.ones(len(x[part]), dtype=np.intp), rewards[part], None)
    # Ridge regression with penalty 1 is least squares with one more row per weight.
    rows = np.concatenate([np.column_stack([np.ones(60), x]), np.eye(4)])
    weights = np.linalg.lstsq(rows, np.concatenate([rewards, np.zeros(4)]), rcond=None)[0]
    cases = draw.standard_normal((200, 3)).astype(np.float32)
    chosen, _ = sampler.choose(cases, np.arange(200))
    score = np.column_stack([np.ones(200), cases]) @ weights
    clear = np.abs(score) > 1e-9
    assert (chosen[clear] == (score > 0)[clear]).all()


@pytest.mark.parametrize("name", ["Uniform", "BetaThompson", "LinearThompson"])
def test_a_reference_never_takes_what_is_vetoed(name: str):
    sizes = (4, 2) if name == "LinearThompson" else (4,)
    allowed = np.random.default_rng(8).random((500, 4)) < 0.4
    allowed[:, 3] |= ~allowed.any(axis=1)
    contexts = np.ones((500, 2), dtype=np.float32)
    policy = getattr(references, name)(*sizes, seed=1)
    actions, _ = policy.choose(contexts, np.arange(500), allowed)
    assert allowed[np.arange(500), actions].all()


def test_a_flat_number_stands_for_what_the_year_allows():
    draw = np.random.default_rng(9)
    when = draw.random((5, SPACE.channel_slots)) < 0.5
    how = draw.random((5, SPACE.channel_tone_offers)) < 0.5
    allowed = Allowed(draw.random(5) < 0.5, when, how)
    codes = to_codes(np.arange(ACTIONS))
    assert (from_codes(codes) == np.arange(ACTIONS)).all()
    mask = flat_mask(allowed)
    for row in range(5):
        alone = allowed.rows(np.full(ACTIONS, row))
        assert (mask[row] == alone.permits(codes, SPACE)).all()
