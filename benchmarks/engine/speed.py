"""The speed part: who is timed, at which sizes."""

import warnings
from collections.abc import Iterator

from engine import peers_contextualbandits, peers_mabwiser, peers_regression, speed_ours, speed_vw
from engine.results import Decided, Learned
from engine.scene import make

FEATURES = 32
LEARNED_ACTIONS = 48
VW_PAST = 4_000


def decide(*, quick: bool = False) -> Iterator[Decided]:
    """8, 48 and 200 flat actions for all, and the factored 5,040 for ours."""
    warnings.filterwarnings("ignore", module="contextualbandits|mabwiser|sklearn")
    for actions in (8, 48) if quick else (8, 48, 200):
        scene = make(actions, FEATURES, speed_ours.ROWS[actions])
        yield from speed_ours.decide(scene)
        if not quick:
            yield from speed_vw.decide(scene)
            yield from peers_contextualbandits.decide(scene)
        yield from peers_mabwiser.decide(scene)
    yield from speed_ours.decide_factored()


def learn(*, quick: bool = False) -> Iterator[Learned]:
    """48 actions; Vowpal Wabbit learns fewer rows, at the same cost for each."""
    yield speed_ours.learn(LEARNED_ACTIONS, FEATURES)
    scene = make(LEARNED_ACTIONS, FEATURES, rows=1)
    yield from peers_mabwiser.learn(scene)
    yield from peers_contextualbandits.learn(scene)
    yield from peers_regression.learn(scene)
    if not quick:
        yield from speed_vw.learn(make(LEARNED_ACTIONS, FEATURES, rows=1, past=VW_PAST))
