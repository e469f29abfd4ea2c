"""A small ladder with a payday: letters left 0-3, days to payday 0-3, fatigue 0-2, and every value known."""

import json

import numpy as np
import pytest

from kulanz.engine.qvalues import QValues
from kulanz.engine.sequential import SequentialSettings, Steps, fitted_q
from kulanz.kernel.errors import InputError

LETTERS, PAYDAYS, FATIGUE = 4, 4, 3
STATES = LETTERS * PAYDAYS * FATIGUE
DAILY, COST, LOST = 0.97, 0.02, 0.03
BUCKETS = ((0.5, 1.5, 2.5), (0.5, 1.5, 2.5), (0.5, 1.5))
FEATURES = np.stack(np.unravel_index(np.arange(STATES), (LETTERS, PAYDAYS, FATIGUE)), axis=1).astype(float)
LEFT, TO_PAYDAY, TIRED = FEATURES.astype(int).T
MAY_ACT = LEFT > 0


def after(action):
    """Where each state leads to if nobody pays."""
    acts = (action == 1) & MAY_ACT
    tired = np.where(acts, np.minimum(TIRED + 1, FATIGUE - 1), np.maximum(TIRED - 1, 0))
    return np.ravel_multi_index((LEFT - acts, (TO_PAYDAY - 1) % PAYDAYS, tired), (LETTERS, PAYDAYS, FATIGUE))


NEXT = np.stack([after(np.full(STATES, action)) for action in (0, 1)])
BY_ITSELF = np.where(TO_PAYDAY == 0, 0.1, 0.03)
PAYS = np.stack([BY_ITSELF, BY_ITSELF + np.where(TO_PAYDAY == 0, 0.55, 0.12) * 0.55**TIRED])
NOW = PAYS - [[0.0], [COST]]
GOES_ON = (1 - PAYS) * (1 - LOST)
START = (LEFT == 3) & (TIRED == 0)


def optimum():
    """Q float64[2, STATES] by value iteration."""
    value = np.zeros(STATES)
    for _ in range(2000):
        q = NOW + DAILY * GOES_ON * value[NEXT]
        value = np.where(MAY_ACT, q.max(axis=0), q[0])
    return q


def worth(acts):
    """Mean value, from the start, of the policy that acts in the states acts bool[STATES]."""
    taken, every = (acts & MAY_ACT).astype(int), np.arange(STATES)
    flow = np.zeros((STATES, STATES))
    flow[every, NEXT[taken, every]] = DAILY * GOES_ON[taken, every]
    return np.linalg.solve(np.eye(STATES) - flow, NOW[taken, every])[START].mean()


def simulated(episodes, seed, eagerness):
    """A log of episodes under a policy that acts with probability eagerness float[STATES]."""
    rng = np.random.default_rng(seed)
    state, episode, parts = rng.choice(np.flatnonzero(START), episodes), np.arange(episodes), []
    while len(state):
        chance = np.where(MAY_ACT, eagerness, 0.0)[state]
        action = (rng.random(len(state)) < chance).astype(int)
        paid = rng.random(len(state)) < PAYS[action, state]
        over = paid | (rng.random(len(state)) < LOST)
        following = NEXT[action, state]
        propensity = np.where(action == 1, chance, 1 - chance)
        parts.append((state, action, paid - COST * action, following, over, propensity, episode))
        state, episode = following[~over], episode[~over]
    state, action, reward, following, over, propensity, episode = (
        np.concatenate(c) for c in zip(*parts, strict=True)
    )
    return Steps(
        FEATURES[state], action, reward, FEATURES[following], over, np.ones(len(action)),
        propensity=propensity, episodes=episode,
        next_allowed=np.stack([np.ones(len(action), bool), MAY_ACT[following]], axis=1),
    )  # fmt: skip


def advised(found):
    """Greedy on the immediate score plus the offset of waiting."""
    return NOW[1] > NOW[0] + found.offset(FEATURES)


def steps(states, actions, rewards, following, terminal, days=None, **more):
    """A log with one feature from plain lists."""
    column = [np.array(values, float)[:, None] for values in (states, following)]
    days = np.ones(len(actions)) if days is None else np.array(days, float)
    return Steps(
        column[0],
        np.array(actions, int),
        np.array(rewards, float),
        column[1],
        np.array(terminal, bool),
        days,
        **more,
    )


def exact(**more):
    return SequentialSettings(ridge=1e-6, tolerance=1e-9, **more)


def test_the_only_letter_waits_for_payday_as_worked_out_by_hand():
    """Before payday a letter brings 0.3, on payday (3 days on) 0.8; it ends the case. Discount 0.9 a day."""
    log = steps([0, 0, 1, 1], [1, 0, 1, 0], [0.3, 0, 0.8, 0.1], [0, 1, 1, 1], [1, 0, 1, 1], [1, 3, 1, 1])
    found = fitted_q(log, exact(discount=0.9, edges=((0.5,),)))
    assert found.offset(np.array([[0.0], [1.0]])) == pytest.approx([0.9**3 * 0.8, 0.0], abs=1e-5)
    assert found.values(np.array([[0.0], [1.0]])) == pytest.approx(
        np.array([[0.9**3 * 0.8, 0.3], [0.1, 0.8]]), abs=1e-5
    )
    assert found.converged


def test_the_offset_is_what_the_two_continuations_differ_by_and_leaves_the_reward_out():
    """Every state and action once, with its mean reward and its own way on: the log holds the whole truth."""
    known = np.concatenate(
        [
            np.stack([np.zeros(STATES), np.arange(STATES)]),
            np.stack([np.ones(STATES), np.arange(STATES)])[:, MAY_ACT],
        ],
        axis=1,
    ).astype(int)
    action, state = known
    following = NEXT[action, state]
    days = -np.log(DAILY * GOES_ON[action, state]) / -np.log(0.9)
    log = Steps(
        FEATURES[state], action, NOW[action, state], FEATURES[following], np.zeros(len(state), bool), days
    )
    found = fitted_q(log, exact(discount=0.9, edges=BUCKETS))
    q = optimum()
    continuation = q - NOW
    wanted = np.where(MAY_ACT, continuation[0] - continuation[1], 0.0)
    assert found.offset(FEATURES) == pytest.approx(wanted, abs=1e-4)
    assert (advised(found)[MAY_ACT] == (q[1] > q[0])[MAY_ACT]).all()
    assert found.values(FEATURES)[:, 0] == pytest.approx(q[0], abs=1e-4)
    assert worth(advised(found)) == pytest.approx(worth(q[1] > q[0]), abs=1e-9)


@pytest.mark.parametrize(
    ("name", "eagerness", "episodes"),
    [
        ("half and half", np.full(STATES, 0.5), 4000),
        ("acts at one in ten", np.full(STATES, 0.1), 4000),
        ("acts at nine in ten", np.full(STATES, 0.9), 16_000),
        ("acts when it is wrong", np.where(TO_PAYDAY == 0, 0.3, 0.7), 4000),
    ],
)
def test_a_policy_from_any_log_is_within_one_percent_of_the_optimum_where_the_myopic_one_is_not(
    name, eagerness, episodes
):
    q = optimum()
    best, myopic = worth(q[1] > q[0]), worth(NOW[1] > NOW[0])
    assert myopic < 0.965 * best
    for seed in (1, 2):
        found = fitted_q(
            simulated(episodes, seed, eagerness), SequentialSettings(discount=DAILY, edges=BUCKETS)
        )
        assert worth(advised(found)) >= 0.99 * best, name


def test_without_buckets_the_line_through_the_features_still_beats_the_myopic_policy():
    myopic, best = worth(NOW[1] > NOW[0]), worth(optimum()[1] > optimum()[0])
    found = fitted_q(simulated(4000, 1, np.full(STATES, 0.5)), SequentialSettings(discount=DAILY))
    assert myopic + 0.3 * (best - myopic) < worth(advised(found)) < best


def test_between_two_states_a_line_is_as_good_as_buckets():
    log = steps([0, 0, 1, 1], [1, 0, 1, 0], [0.3, 0, 0.8, 0.1], [0, 1, 1, 1], [1, 0, 1, 1], [1, 3, 1, 1])
    found = fitted_q(log, exact(discount=0.9))
    assert found.offset(np.array([[0.0], [1.0]])) == pytest.approx([0.9**3 * 0.8, 0.0], abs=1e-4)


def test_taking_the_lower_of_two_halves_is_never_more_hopeful():
    log = simulated(150, 3, np.full(STATES, 0.5))
    plain, clipped = (
        fitted_q(log, SequentialSettings(discount=DAILY, edges=BUCKETS, ridge=1.0, clipped=clipped))
        for clipped in (False, True)
    )
    assert clipped.values(FEATURES).max(axis=1).mean() < plain.values(FEATURES).max(axis=1).mean()
    truth = np.where(MAY_ACT, optimum().max(axis=0), optimum()[0])
    assert plain.values(FEATURES).max(axis=1).mean() > truth.mean(), "a maximum over noise is too hopeful"


def test_where_the_log_never_acted_the_policy_is_left_alone():
    log = steps([0, 0, 1, 1], [1, 0, 0, 0], [0.3, 0, 0.1, 0.1], [0, 1, 1, 1], [1, 0, 1, 1])
    found = fitted_q(log, exact(discount=0.9, edges=((0.5,),)))
    offset = found.offset(np.array([[0.0], [1.0]]))
    assert offset[1] == 0
    assert offset[0] == pytest.approx(0.9 * 0.1, abs=1e-5), (
        "what was never tried is worth nothing to wait for"
    )
    never = fitted_q(steps([0, 1], [0, 0], [0, 1], [1, 1], [0, 1]), exact())
    assert never.offset(np.array([[0.0], [1.0]])).tolist() == [0, 0]


def test_what_the_law_forbids_next_is_not_counted_on():
    columns = [0, 0, 1, 1], [1, 0, 1, 0], [0.3, 0, 0.8, 0.1], [0, 1, 1, 1], [1, 0, 1, 1]
    forbidden = np.array([[True, True], [True, False], [True, True], [True, True]])
    found = fitted_q(steps(*columns, next_allowed=forbidden), exact(discount=0.9, edges=((0.5,),)))
    assert found.offset(np.array([[0.0]])) == pytest.approx([0.9 * 0.1], abs=1e-5)


def test_of_several_ways_to_act_the_best_is_compared_with_waiting():
    """Three ways to act: 1 ends the case at 0.3, 2 brings 0.1 now and 1.0 a day later, 3 ends it at 0."""
    log = steps([0, 0, 0, 0, 1], [0, 1, 2, 3, 1], [0, 0.3, 0.1, 0, 1], [0, 0, 1, 0, 1], [1, 1, 0, 1, 1])
    found = fitted_q(log, exact(discount=0.9, edges=((0.5,),)))
    assert found.offset(np.array([[0.0]])) == pytest.approx([-0.9], abs=1e-5)


def test_with_nothing_to_come_there_is_no_offset():
    rng = np.random.default_rng(1)
    log = steps(rng.random(500), rng.integers(0, 2, 500), rng.random(500), rng.random(500), np.ones(500))
    assert not fitted_q(log).offset(rng.random((9, 1))).any()
    going = steps(rng.random(500), rng.integers(0, 2, 500), rng.random(500), rng.random(500), np.zeros(500))
    assert not fitted_q(going, SequentialSettings(discount=0.0)).offset(rng.random((9, 1))).any()


def test_without_discount_and_without_end_values_stop_at_the_cut_off_and_say_so():
    log = steps([0, 1] * 50, [0, 1] * 50, np.full(100, 0.01), [1, 0] * 50, np.zeros(100))
    found = fitted_q(log, exact(discount=1.0, iterations=30))
    assert not found.converged
    assert found.iterations == 30
    assert np.abs(found.values(np.array([[0.0], [1.0]]))).max() <= 0.01 * 31 + 1e-6


def test_a_line_that_runs_away_is_held_within_what_rewards_can_add_up_to():
    """0 and 1 fix the line; 1 leads to 10, which it sees ten times as high, which lifts 1, and so on."""
    log = steps(
        [0] * 300 + [1] * 300 + [10, 10],
        [0, 1] * 301,
        np.array([0] * 300 + [0.1] * 300 + [0, 0]),
        [0] * 300 + [10] * 300 + [10, 10],
        [1] * 300 + [0] * 300 + [1, 1],
    )
    found = fitted_q(log, SequentialSettings(discount=0.98))
    assert found.converged
    assert 1 < found.values(np.array([[1.0]])).max() <= 0.1 + 0.98 * 0.1 / (1 - 0.98)


def test_an_empty_log_changes_nothing():
    nothing = Steps(
        *(np.zeros((0, 3)), np.zeros(0, int), np.zeros(0), np.zeros((0, 3)), np.zeros(0), np.zeros(0))
    )
    for settings in (SequentialSettings(), SequentialSettings(edges=((0.5,), (), ()), clipped=True)):
        found = fitted_q(nothing, settings)
        assert found.offset(np.ones((4, 3), np.float32)).tolist() == [0, 0, 0, 0]
        assert found.offset(np.ones((0, 3))).shape == (0,)


def test_one_row_is_enough_not_to_fail():
    found = fitted_q(steps([2], [1], [0.5], [2], [0]), SequentialSettings(clipped=True))
    assert found.offset(np.array([[2.0]])).tolist() == [0]


def test_values_survive_json_to_the_bit():
    found = fitted_q(
        simulated(200, 1, np.full(STATES, 0.5)), SequentialSettings(discount=DAILY, edges=BUCKETS)
    )
    again = QValues.from_json(json.loads(json.dumps(found.to_json())))
    assert (again.offset(FEATURES) == found.offset(FEATURES)).all()
    assert again.to_json() == found.to_json()
    empty = fitted_q(steps([], [], [], [], []), exact())
    assert QValues.from_json(json.loads(json.dumps(empty.to_json()))).offset(np.ones((1, 1))).tolist() == [0]


def test_states_beyond_the_log_count_as_its_edge():
    found = fitted_q(simulated(200, 1, np.full(STATES, 0.5)), SequentialSettings(discount=DAILY))
    inside, outside = np.array([[3.0, 3.0, 2.0]]), np.array([[3.0, 900.0, 7.0]])
    assert found.offset(outside) == found.offset(inside)


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("rewards", np.nan, "Row 1 of the column rewards"),
        ("days", -1.0, "Row 1 of the column days"),
        ("states", np.inf, "Row 1 of the column states"),
        ("next_states", np.nan, "Row 1 of the column next_states"),
        ("propensity", 0.0, "Row 1 of the column propensity"),
        ("actions", -1, "Row 1 of the column actions"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(column, value, says):
    log = steps([0, 1], [0, 1], [0, 1], [1, 1], [0, 1], propensity=np.array([0.5, 0.5]))
    getattr(log, column)[1] = value
    with pytest.raises(InputError, match=says):
        fitted_q(log)


def test_columns_that_do_not_fit_and_odd_settings_are_refused():
    with pytest.raises(InputError, match="days has 3 rows"):
        fitted_q(steps([0, 1], [0, 1], [0, 1], [1, 1], [0, 1], [1, 1, 1]))
    with pytest.raises(InputError, match="next_allowed"):
        fitted_q(steps([0], [2], [0], [1], [0], next_allowed=np.ones((1, 2), bool)))
    with pytest.raises(InputError, match="lists of bucket"):
        fitted_q(steps([0], [0], [0], [1], [0]), SequentialSettings(edges=((1.0,), (2.0,))))
    with pytest.raises(InputError, match="finite"):
        fitted_q(steps([0], [0], [0], [1], [0])).offset(np.array([[np.nan]]))
    for odd in (
        {"discount": 1.1},
        {"ridge": 0.0},
        {"edges": ((2.0, 1.0),)},
        {"edges": (tuple(range(2000)),)},
    ):
        with pytest.raises(InputError):
            SequentialSettings(**odd)
