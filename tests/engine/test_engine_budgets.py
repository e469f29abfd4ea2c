import math
from itertools import product

import numpy as np
import pytest
from scipy.optimize import brentq, linprog
from scipy.sparse import block_diag, csr_array

from kulanz.engine.actions import ActionSpace
from kulanz.engine.budgeting.assignment import assign
from kulanz.engine.budgeting.budget_search import stochastic_prices
from kulanz.engine.budgeting.budgets import Budget, plan, shortlist, within
from kulanz.engine.budgeting.duals import prices
from kulanz.kernel.errors import InputError

NO = -np.inf
LETTERS, MINUTES, MONEY = 0, 1, 2
WAIT_EMAIL_LETTER_CALL = np.array([[0, 0, 0], [0, 0, 1], [1, 0, 90], [0, 10, 50.0]])
WORTH = np.array([0, 0.01, 0.06, 0.08])


def decided(values, use, limits):
    values, use, limits = np.array(values, float), np.array(use, float), np.array(limits, float)
    return assign(values, use, limits, prices(values, use, limits))


def used(choice, use, limits):
    per_case = np.broadcast_to(use, (len(choice), *np.shape(use)[-2:]))
    spent = per_case[np.arange(len(choice)), choice] * (choice >= 0)[:, None]
    return np.array([math.fsum(column) for column in spent.T]), np.asarray(limits)


def program(values, use, limits):
    """The linear program's optimum and its dual prices, by HiGHS."""
    n, options = values.shape
    per_case = np.broadcast_to(use, (n, options, len(limits)))
    possible = np.isfinite(values) & (per_case <= limits).all(axis=2)
    one_each = block_diag([np.ones((1, options))] * n, format="csr")
    bounds = np.stack([np.zeros(n * options), possible.ravel().astype(float)], axis=1)
    found = linprog(
        -np.where(possible, values, 0.0).ravel(),
        A_ub=csr_array(per_case.reshape(n * options, -1).T),
        b_ub=limits,
        A_eq=one_each,
        b_eq=np.ones(n),
        bounds=bounds,
    )
    return -found.fun, -found.ineqlin.marginals


def batch(seed, kind, n=None):
    """Random cases with waiting free, and limits between a fifth and nine tenths of what they would use."""
    rng = np.random.default_rng(seed)
    n, options, resources = n or int(rng.integers(400, 600)), int(rng.integers(2, 7)), int(rng.integers(1, 5))
    if kind == "ties":
        values = rng.integers(0, 4, (n, options)).astype(float)
        use = rng.integers(0, 3, (options, resources)).astype(float)
    else:
        values = rng.normal(size=(n, options))
        shape = (options, resources) if kind == "shared" else (n, options, resources)
        use = rng.random(shape) * (rng.random(shape) < 0.7)
    values[rng.random((n, options)) < 0.15] = NO
    values[:, 0] = np.where(np.isfinite(values[:, 0]), values[:, 0], 0.0)
    use[..., 0, :] = 0.0
    per_case = np.broadcast_to(use, (n, options, resources))
    wanted = per_case[np.arange(n), values.argmax(axis=1)].sum(axis=0)
    return values, use, np.ceil(wanted * rng.uniform(0.2, 0.9, resources))


def test_the_only_letter_goes_to_the_case_that_gains_most_by_it():
    values, use, limits = np.array([[0, 3], [1, 6], [0, 4.0]]), np.array([[0], [1.0]]), np.array([1.0])
    found = prices(values, use, limits)
    assert 4 <= found.dual[0] <= 5
    assert found.bound == pytest.approx(5)
    assert assign(values, use, limits, found).tolist() == [0, 1, 0]


def test_a_limit_that_does_not_bind_has_no_price():
    values = np.array([[0, 3, 2], [0, 1, 2], [0, -1, -1.0]])
    use = np.array([[0, 0], [1, 0], [0, 5.0]])
    found = prices(values, use, np.array([1.0, 7.0]))
    assert found.dual.tolist() == [0, 0]
    assert assign(values, use, np.array([1.0, 7.0]), found).tolist() == [1, 2, 0]


@pytest.mark.parametrize("kind", ["shared", "per case", "ties"])
def test_prices_and_plans_are_those_of_the_linear_program(kind):
    for seed in range(16):
        values, use, limits = batch(seed, kind)
        waiting = np.where((np.asarray(use) == 0).all(axis=-1), values, NO).max(axis=1).sum()
        best, duals = program(values, use, limits)
        found = prices(values, use, limits)
        assert found.bound == pytest.approx(best - waiting, rel=3e-6)
        assert found.gap <= 1e-6 * found.bound
        choice = assign(values, use, limits, found)
        spent, most = used(choice, use, limits)
        assert (spent <= most).all()
        gained = values[np.arange(len(values)), choice].sum() - waiting
        assert gained >= 0.99 * (best - waiting) - 1e-9
        largest = np.asarray(use).reshape(-1, len(limits)).max(axis=0)
        assert ((found.dual == 0) | (spent > most - 3 * largest)).all(), "a price, but room is left"
        assert (duals[found.dual == 0] * most[found.dual == 0] <= 1e-3 * found.bound + 1e-6).all()


def test_the_price_of_each_resource_is_the_linear_programs():
    values, use, limits = batch(5, "per case", n=250)
    found = prices(values, use, limits)
    assert found.dual == pytest.approx(program(values, use, limits)[1], abs=0.02)


def test_six_cases_are_planned_as_well_as_trying_out_every_plan():
    shortfalls = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        values, use = rng.random((6, 3)).round(2), rng.integers(0, 4, (3, 2)).astype(float)
        values[:, 0], use[0] = 0, 0
        limits = rng.integers(2, 9, 2).astype(float)
        plans = np.array(list(product(range(3), repeat=6)))
        legal = (use[plans].sum(axis=1) <= limits).all(axis=1)
        best = values[np.arange(6), plans[legal]].sum(axis=1).max()
        gained = values[np.arange(6), decided(values, use, limits)].sum()
        shortfalls.append(1 - (gained + 1e-9) / (best + 1e-9))
    assert max(shortfalls) < 0.15
    assert np.mean(shortfalls) < 0.01


def test_equal_cases_use_up_both_resources_between_them():
    values = np.tile([0, 3, 3.0], (250, 1))
    choice = decided(values, [[0, 0], [2, 1], [1, 2]], [300, 300])
    assert np.bincount(choice).tolist() == [50, 100, 100]


def test_a_limit_of_zero_and_an_option_above_its_limit_are_never_chosen():
    values = np.tile([0, 1, 5, 9.0], (4, 1))
    use = [[0, 0], [0, 1], [1, 0], [0, 3]]
    assert decided(values, use, [0, 2]).tolist().count(1) == 2
    assert set(decided(values, use, [0, 2]).tolist()) == {0, 1}
    found = prices(values, np.array(use, float), np.array([0, 2.0]))
    assert found.dual[0] == 5, "the least price at which nobody wants what cannot be had"
    assert found.bound == pytest.approx(2), "a part of what does not fit in counts for nothing"


def test_prices_of_a_tighter_limit_still_fill_the_room_there_is():
    values, use, limits = batch(3, "shared", n=4000)
    best = prices(values, use, limits).bound
    choice = assign(values, use, limits, prices(values, use, limits / 10))
    spent, most = used(choice, use, limits)
    assert (spent <= most).all()
    gained = values[np.arange(len(values)), choice].sum()
    assert gained - np.where((use == 0).all(axis=1), values, NO).max(axis=1).sum() >= 0.95 * best


def test_without_limits_everybody_gets_the_best():
    values = np.array([[0, 3, 4], [0, -1, NO], [NO, 2, NO]])
    assert decided(values, np.zeros((3, 0)), []).tolist() == [2, 0, 1]
    assert decided(values, [[0], [1], [1]], [np.inf]).tolist() == [2, 0, 1]


def test_cases_that_may_not_wait_come_first_and_get_nothing_only_when_nothing_fits():
    values = np.array([[0, 9], [NO, 1], [0, 8], [NO, 2], [NO, NO]])
    use = [[0], [1]]
    assert decided(values, use, [3]).tolist() == [1, 1, 0, 1, -1]
    assert sorted(decided(values, use, [1]).tolist()) == [-1, -1, 0, 0, 1]
    assert decided(values, use, [0]).tolist() == [0, -1, 0, -1, -1]


def test_decimal_uses_never_add_up_to_more_than_the_limit():
    rng = np.random.default_rng(3)
    values = np.stack([np.zeros(60), rng.random(60)], axis=1)
    for limit in (0.3, 0.7, 1.1, 2.3):
        choice = decided(values, [[0], [0.1]], [limit])
        assert math.fsum([0.1] * int(choice.sum())) <= limit < 0.1 * (choice.sum() + 1.01)


def test_the_order_of_cases_and_options_does_not_matter():
    values, use, limits = batch(2, "shared")
    choice = decided(values, use, limits)
    rng = np.random.default_rng(1)
    rows, options = rng.permutation(len(values)), rng.permutation(values.shape[1])
    turned = decided(values[rows][:, options], use[options], limits)
    assert (options[turned] == choice[rows]).all()


def test_no_case_one_case_and_values_that_are_no_numbers():
    use, limits = np.array([[0], [1.0]]), np.array([1.0])
    assert decided(np.zeros((0, 2)), use, limits).tolist() == []
    assert prices(np.zeros((0, 2)), use, limits).dual.tolist() == [0]
    assert decided([[0, 1]], use, limits).tolist() == [1]
    for bad in (np.nan, np.inf):
        with pytest.raises(InputError, match="not allowed"):
            prices(np.array([[0, bad]]), use, limits)
    with pytest.raises(InputError, match="at least zero"):
        prices(np.zeros((1, 2)), -use, limits)
    with pytest.raises(InputError, match="limit"):
        prices(np.zeros((1, 2)), use, np.array([np.nan]))
    with pytest.raises(InputError, match="shape"):
        prices(np.zeros((1, 3)), use, limits)
    with pytest.raises(InputError, match="prices"):
        assign(np.zeros((1, 2)), use, limits, prices(np.zeros((1, 2)), np.zeros((2, 0)), np.zeros(0)))


def test_what_was_drawn_beyond_the_limits_is_cut_where_it_gains_least_per_use():
    gain = np.array([5, 9, 4, 1, 2, 3.0])
    use = np.array([[1, 0], [2, 0], [1, 0], [0, 0], [0, 7], [1, 0.0]])
    assert within(gain, use, np.array([2, 7.0])).tolist() == [True, False, True, True, True, False]
    assert within(gain, use, np.array([5, 6.0])).tolist() == [True, True, True, True, False, True]
    assert within(gain, use, np.array([0, np.inf])).tolist() == [False, False, False, True, True, False]


def test_whatever_was_drawn_what_is_kept_is_within_the_limits():
    for seed in range(50):
        rng = np.random.default_rng(seed)
        use = rng.random((200, 3)) * (rng.random((200, 3)) < 0.6)
        limits = use.sum(axis=0) * rng.uniform(0, 1.2, 3)
        keep = within(rng.normal(size=200), use, limits)
        assert all(math.fsum(column) <= limit for column, limit in zip(use[keep].T, limits, strict=True))
        assert keep[(use == 0).all(axis=1)].all()
    with pytest.raises(InputError):
        within(np.array([np.nan]), np.ones((1, 1)), np.ones(1))
    with pytest.raises(InputError):
        within(np.zeros(2), np.ones((1, 1)), np.ones(1))


def test_a_shortlist_opens_letters_where_they_gain_most_and_vetoes_them_elsewhere():
    values = np.array([[0, 3], [0, 5], [0, 4], [0, NO], [NO, 1.0]])
    use, limits = np.array([[0], [1.0]]), np.array([1.0])
    opened = shortlist(values, use, limits, np.array([4.5]), reach=3)
    assert opened[:, 1].tolist() == [False, True, True, False, True]
    assert opened[:, 0].tolist() == [True, True, True, True, False]
    equal = np.tile([0, 1.0], (4, 1))
    turn = np.array([0.3, 0.9, 0.1, 0.2])
    opened = shortlist(equal, use, limits, np.array([1.0]), reach=2, ties=turn)
    assert opened[:, 1].tolist() == [False, False, True, True]
    assert not shortlist(equal, use, np.array([0.5]), np.array([1.0]))[:, 1].any()
    must = np.tile([NO, 1.0], (3, 1))
    assert shortlist(must, use, limits, np.array([1.0]), reach=1)[:, 1].all()


@pytest.mark.parametrize("margin", [0.0, 3.0])
def test_the_price_of_a_policy_that_draws_solves_its_equation(margin):
    """1,000 equal cases that take a letter with probability exp(-price): 1000 p + margin sd = 100."""

    def chances(dual, rows):
        letter = np.full(len(range(1000)[rows]), math.exp(-dual[0]))
        return np.stack([1 - letter, letter], axis=1)

    values = np.stack([np.zeros(1000), np.linspace(0, 2, 1000)], axis=1)
    found = stochastic_prices(chances, values, np.array([[0], [1.0]]), np.array([100.0]), margin=margin)
    wanted = brentq(lambda p: 1000 * p + margin * math.sqrt(1000 * p * (1 - p)) - 100, 1e-6, 0.5)
    assert found.met
    assert -math.log(wanted) <= found.dual[0] <= -math.log(wanted) + 0.02
    assert found.expected[0] == pytest.approx(1000 * wanted, rel=0.02)
    p = found.expected[0] / 1000
    assert found.spread[0] == pytest.approx(math.sqrt(1000 * p * (1 - p)))


def explorer(scores, steepness, floor=0.02):
    """The chances that the scores lead to at given prices: a softmax with a floor."""

    def chances(dual, opened, rows):
        priced = scores[rows] - WAIT_EMAIL_LETTER_CALL @ dual
        best = np.where(opened, priced, NO).max(axis=1, keepdims=True)
        weight = np.exp(np.minimum(steepness * (priced - best), 0.0)) * opened
        even = opened / opened.sum(axis=1, keepdims=True)
        return (1 - floor) * weight / weight.sum(axis=1, keepdims=True) + floor * even

    return chances


def draw(p, rng):
    return (p.cumsum(axis=1) < rng.random((len(p), 1))).sum(axis=1).clip(max=p.shape[1] - 1)


@pytest.mark.parametrize("steepness", [100.0, 30.0, 0.0])
def test_a_policy_that_draws_stays_within_the_limits_and_is_hardly_ever_cut(steepness):
    rng = np.random.default_rng(4)
    n, limits = 3000, np.array([100, 600, 20_000.0])
    scores = rng.normal(0, 0.05, (n, 4)) + WORTH
    allowed = rng.random((n, 4)) < 0.8
    allowed[:, 0] = True
    chances = explorer(scores, steepness)
    values = np.where(allowed, scores, NO)
    found = plan(chances, values, WAIT_EMAIL_LETTER_CALL, limits, ties=rng.random(n))
    assert found.met
    assert not (found.open & ~allowed).any()
    p = chances(found.dual, found.open, slice(None))
    assert (p[~found.open] == 0).all()
    drawn = np.stack([draw(p, rng) for _ in range(100)])
    spent = WAIT_EMAIL_LETTER_CALL[drawn].sum(axis=1)
    assert spent.mean(axis=0) == pytest.approx(found.expected, abs=0.5 * found.spread.max())
    assert (np.abs(spent.mean(axis=0) - found.expected) <= 5 * found.spread / 10 + 1e-9).all()
    assert spent.std(axis=0) == pytest.approx(found.spread, rel=0.3)
    cut = 0
    for choice in drawn:
        keep = within(scores[np.arange(n), choice], WAIT_EMAIL_LETTER_CALL[choice], limits)
        assert (WAIT_EMAIL_LETTER_CALL[choice][keep].sum(axis=0) <= limits).all()
        cut += not keep.all()
    assert cut <= 3
    if steepness > 0:
        assert (found.expected[[LETTERS, MINUTES]] > 0.6 * limits[[LETTERS, MINUTES]]).all()


def test_without_a_shortlist_the_floor_alone_would_eat_a_small_limit():
    n, limits = 20_000, np.array([20, 200, 1e6])
    scores = np.random.default_rng(1).normal(0, 0.05, (n, 4)) + WORTH
    chances = explorer(scores, 100.0)
    everything = np.ones((n, 4), dtype=bool)
    alone = stochastic_prices(
        lambda dual, rows: chances(dual, everything[rows], rows), scores, WAIT_EMAIL_LETTER_CALL, limits
    )
    assert not alone.met
    assert alone.expected[LETTERS] >= 0.999 * n * 0.02 / 4
    assert plan(chances, scores, WAIT_EMAIL_LETTER_CALL, limits).met


def test_a_sample_of_a_large_batch_leads_to_the_same_prices():
    scores = np.random.default_rng(1).normal(0, 0.05, (120_000, 4)) + WORTH
    limits = np.array([4000, 20_000, 1e9])
    asked = []
    chances = explorer(scores, 100.0)

    def counted(dual, opened, rows):
        asked.append(len(opened))
        return chances(dual, opened, rows)

    found = plan(counted, scores, WAIT_EMAIL_LETTER_CALL, limits)
    planned = found.expected + 3 * found.spread
    assert (planned[:MONEY] <= limits[:MONEY]).all()
    assert (planned[:MONEY] >= 0.99 * limits[:MONEY]).all()
    assert asked.count(20_000) > 0
    assert asked.count(120_000) <= 5


def test_a_budget_knows_what_the_channels_use_and_survives_json():
    space = ActionSpace(("email", "letter", "call"), channel_costs=(1, 90, 50), channel_minutes=(0, 0, 10.0))
    budget = Budget({"letter": 100, "minutes": 600, "money": 5000, "stamps": 9}, {"stamps": (0, 2, 0)})
    assert budget.matrix(space).tolist() == [[0, 0, 0, 0], [0, 0, 1, 0], [1, 0, 90, 2], [0, 10, 50, 0]]
    assert budget.amounts.tolist() == [100, 600, 5000, 9]
    assert Budget.from_json(budget.to_json()) == budget
    assert Budget({}).matrix(space).shape == (4, 0)


@pytest.mark.parametrize(
    ("limits", "use", "says"),
    [
        ({"money": -1}, {}, "limit of money"),
        ({"money": math.nan}, {}, "limit of money"),
        ({"money": 1}, {"letters": (1, 1)}, "no limit"),
        ({"letters": 1}, {"letters": (1, -1)}, "at least zero"),
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(limits, use, says):
    with pytest.raises(InputError, match=says):
        Budget(limits, use)


def test_a_budget_for_something_no_channel_is_known_to_use_is_refused():
    with pytest.raises(InputError, match="letters"):
        Budget({"letters": 10}).matrix(ActionSpace(("email", "letter")))
