import copy
import tomllib
from importlib import resources

import numpy as np
import pytest

from kulanz.engine import Act, Cause, Population
from kulanz.engine.simulation.figures import Figures


def facts(m, **given):
    zero = np.zeros(m, dtype=int)
    base = {
        "day": np.full(m, 6.0),
        "weekday": zero + 1,
        "band": zero,
        "tone": zero,
        "offer": zero,
        "contacts": zero,
    }
    return base | given


def test_a_customer_is_the_same_in_any_population_and_any_order():
    small, large = Population.draw(50, 3), Population.draw(500, 3)
    assert (small.cause == large.cause[:50]).all()
    assert (small.hour_preference == large.hour_preference[:50]).all()
    rows = np.arange(500)
    turn = np.random.default_rng(1).permutation(500)
    straight = large.react(rows, **facts(500), seed=3, message_ids=rows)
    mixed = large.react(rows[turn], **facts(500), seed=3, message_ids=rows[turn])
    assert (mixed.action == straight.action[turn]).all()
    assert (mixed.delay_hours == straight.delay_hours[turn]).all()


@pytest.mark.parametrize("business", [False, True])
def test_a_demand_is_answered_as_often_as_in_practice(business):
    n = 30_000
    population = Population.draw(n, 1, business=business)
    rows = np.arange(n)
    reactions = population.react(rows, **facts(n, band=rows % 6, tone=rows % 3), seed=1, message_ids=rows)
    assert 0.10 < (reactions.action == Act.PAY).mean() < 0.20
    assert (reactions.action == Act.COMPLAIN).mean() < 0.02
    assert not reactions.opens_page[~reactions.reads].any()
    assert (reactions.delay_hours <= 96).all()
    wrong = population.cause == Cause.CLAIM_WRONG
    assert (reactions.action[wrong] == Act.DISPUTE).mean() > 5 * (
        reactions.action[~wrong] == Act.DISPUTE
    ).mean()
    unreachable = population.cause == Cause.UNREACHABLE
    assert reactions.reads[unreachable].mean() < 0.25
    assert reactions.reads[~unreachable].mean() > 0.5


def test_one_hour_band_is_best_for_all_and_differs_between_seeds():
    best = {Population.draw(1, seed).best_band for seed in range(40)}
    assert best == set(range(6))
    n = 20_000
    for seed in (1, 2, 3):
        population = Population.draw(n, seed)
        rows = np.arange(n)
        by_band = [
            population.payment_chance(rows, **facts(n, band=rows * 0 + band)).mean() for band in range(6)
        ]
        assert int(np.argmax(by_band)) == population.best_band
        read = population.read_probability.mean()
        lead = read * (max(by_band) - np.mean(np.delete(by_band, population.best_band)))
        assert 0.025 < lead < 0.055


def test_tone_offer_and_pressure_stay_within_their_bounds():
    n = 20_000
    population = Population.draw(n, 5)
    rows = np.arange(n)
    assert np.abs(population.tone_effects).max() <= 0.04
    assert population.offer_effect.max() <= 0.01
    assert population.pressure_effect.max() <= 0.08
    calm = population.react(rows, **facts(n), seed=5, message_ids=rows)
    firm = population.react(rows, **facts(n, tone=rows * 0 + 2), seed=5, message_ids=rows)
    assert (firm.action == Act.COMPLAIN).sum() > 3 * (calm.action == Act.COMPLAIN).sum()


def test_most_pay_by_the_due_date_by_themselves_and_intervals_agree():
    n = 20_000
    population = Population.draw(n, 2)
    rows = np.arange(n)
    assert 0.5 < population.by_itself(rows, np.full(n, -30.0), np.zeros(n), 2).mean() < 0.75
    parts = [population.by_itself(rows, np.full(n, a), np.full(n, a + 10.0), 2) for a in range(-30, 60, 10)]
    assert (np.sum(parts, axis=0) == population.by_itself(rows, np.full(n, -30.0), np.full(n, 60.0), 2)).all()
    other = population.by_itself(rows, np.full(n, -30.0), np.zeros(n), 2, ids=rows + n)
    assert (other != population.by_itself(rows, np.full(n, -30.0), np.zeros(n), 2)).any()


def test_a_ladder_brings_in_most_within_sixty_days():
    n = 10_000
    population = Population.draw(n, 4)
    rows = np.arange(n)
    paid = population.own_day(rows, 4)
    alone = (paid <= 60).mean()
    for step, day in enumerate((-3, 0, 5, 12, 20, 30, 42)):
        still = np.flatnonzero(paid > day)
        now = facts(len(still), day=np.full(len(still), float(day)), contacts=np.full(len(still), step))
        reactions = population.react(still, **now, seed=4, message_ids=still * 10 + step)
        payers = still[reactions.action == Act.PAY]
        paid[payers] = day + reactions.delay_hours[reactions.action == Act.PAY] / 24
    assert 0.85 < (paid <= 60).mean() < 0.95
    assert (paid <= 60).mean() > alone + 0.05


def test_every_figure_names_its_source():
    text = resources.files("kulanz.engine.simulation").joinpath("simulate.toml").read_text(encoding="utf-8")
    for section in tomllib.loads(text).values():
        for figure in section.values():
            assert {"value", "source"} <= set(figure) <= {"value", "source", "range", "factor"}
            assert figure["source"]
            assert isinstance(figure["value"], list) or "factor" not in figure
            low, high = figure.get("range", figure.get("factor", (0, 1)))
            assert low < high
            if "range" in figure:
                assert low <= figure["value"] <= high


def test_a_drawn_world_stays_inside_the_ranges_and_keeps_the_rest():
    text = resources.files("kulanz.engine.simulation").joinpath("simulate.toml").read_text(encoding="utf-8")
    worlds = [Figures.drawn(seed).tables for seed in range(60)]
    for name, section in tomllib.loads(text).items():
        for key, figure in section.items():
            drawn = np.array([world[name][key] for world in worlds], dtype=float)
            value = np.array(figure["value"], dtype=float)
            assert (Figures.published().numbers(name, key) == value).all()
            if "range" not in figure and "factor" not in figure:
                assert (drawn == value).all()
                continue
            low, high = np.array(figure.get("range", figure.get("factor")))
            scaled = drawn if "range" in figure else drawn / value
            assert ((scaled >= low - 1e-12) & (scaled <= high + 1e-12)).all()
            reach = scaled.max(axis=0) - scaled.min(axis=0)
            assert (reach > 0.8 * (high - low)).all()


def test_shares_sum_to_one_and_a_seed_always_draws_the_same_figures():
    for seed in range(5):
        assert Figures.drawn(seed).shares("consumer", "causes").sum() == pytest.approx(1.0)
    published = Figures.published()
    assert (published.shares("consumer", "causes") == published.numbers("consumer", "causes")).all()
    assert Figures.drawn(1).tables == Figures.drawn(1).tables != Figures.drawn(2).tables


def test_a_population_takes_the_figures_it_is_given():
    tables = copy.deepcopy(Figures.published().tables)
    tables["response"]["pays"] = [0.0] * 5
    tables["response"]["with_cash"] = 0.0
    tables["effects"] |= {"tone": 0.0, "pressure": 0.0, "offer": 0.0, "personal_hours": 0.0, "weekend": 0.0}
    tables["effects"] |= {"best_hour": [0.0, 0.0], "other_hours": [0.0, 0.0]}
    rows = np.arange(200)
    silent = Population.draw(200, 1, figures=Figures(tables))
    assert (silent.payment_chance(rows, **facts(200)) == 0).all()
    assert (silent.cause == Population.draw(200, 1).cause).all()
