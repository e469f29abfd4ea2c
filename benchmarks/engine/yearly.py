"""The simulated ladder year of kulanz.engine, with the peers among its choosers. All of it is simulated.

Beta TS, linear TS and Vowpal Wabbit see one flat set: to wait, and every combination of channel, slot, tone and
offer. Vowpal Wabbit gets the four names of a combination as the action's features, the others its number.
"""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product

import numpy as np

from engine.flat import ACTIONS, SIZES, FlatChooser
from engine.pairs import mean_and_error
from engine.peers_vw import VowpalWabbit
from engine.references import BetaThompson, LinearThompson
from engine.results import Year
from kulanz.engine import Policy
from kulanz.engine.simulation import year as simulated
from kulanz.engine.simulation.choosers import Ladder, PolicyChooser, Random
from kulanz.engine.simulation.oracle import Oracle
from kulanz.engine.simulation.records import FEATURES
from kulanz.engine.simulation.world import SPACE, World

CASES = 1_000
QUICK_CASES = 200
PROCESSES = 2
LINES = ["|a wait", *(f"|a c{c} s{s} t{t} o{o}" for c, s, t, o in product(*map(range, SIZES)))]
CHOOSERS: dict[str, Callable[[int], simulated.Chooser]] = {
    "ladder": lambda seed: Ladder(),
    "random": Random,
    "beta_ts": lambda seed: FlatChooser(BetaThompson(ACTIONS, seed)),
    "linear_ts": lambda seed: FlatChooser(LinearThompson(ACTIONS, len(FEATURES), seed)),
    "vw_squarecb": lambda seed: FlatChooser(VowpalWabbit(LINES, seed, "--squarecb")),
    "kulanz": lambda seed: PolicyChooser(Policy(SPACE, FEATURES), seed),
    "oracle": lambda seed: Oracle(),
}


def measure(seeds: int, *, quick: bool = False) -> list[Year]:
    """One row per chooser, over years with the seeds 1, 2, ..."""
    play = partial(_play, cases=QUICK_CASES if quick else CASES)
    with ProcessPoolExecutor(PROCESSES) as pool:
        played = list(pool.map(play, range(1, seeds + 1)))
    years = {name: [found[name] for found in played] for name in CHOOSERS}
    return [_row(name, years) for name in CHOOSERS]


def _play(seed: int, cases: int) -> dict[str, simulated.Year]:
    """Every chooser in the same world."""
    world = World.draw(cases, seed, days=365)
    return {
        name: simulated.play(make(seed), seed=seed, cases=cases, world=world)
        for name, make in CHOOSERS.items()
    }


def _row(name: str, years: dict[str, list[simulated.Year]]) -> Year:
    found, ladder = years[name], years["ladder"]
    value, se = mean_and_error(np.array([year.value for year in found]))
    pairs = zip(found, ladder, strict=True)
    difference, paired_se = mean_and_error(np.array([each.value - base.value for each, base in pairs]))
    share = simulated.gap_share(found, ladder, years["oracle"])
    return Year(
        policy=name,
        seeds=len(found),
        cases=found[0].cases,
        value=value,
        se=se,
        paired_difference=difference,
        paired_se=paired_se,
        share_of_gap=share.share,
        share_se=share.se,
        contacts=float(np.mean([year.contacts_made for year in found])),
        complaints=float(np.mean([year.complaints for year in found])),
        recovered=float(np.mean([year.recovered for year in found])),
    )
