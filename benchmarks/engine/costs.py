"""CPU microseconds per decision against the number of actions, features and rows, for the three plots."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from engine import peers_mabwiser, scene, speed_ours, speed_vw
from engine.results import Decided
from kulanz.engine.learners import KernelName

ACTIONS = (2, 4, 8, 16, 48, 100, 200, 500)
FEATURES = (8, 16, 32, 64, 128)
ROWS = (1, 10, 100, 1_000, 10_000, 100_000)
CELLS = 4_000_000
VW_CELLS = 120_000
VW_ROWS = 1_000
KERNEL: tuple[KernelName, ...] = ("compiled",)
LABELS = {
    "actions": "actions (32 features)",
    "features": "features (48 actions)",
    "rows": "rows in one call (48 actions, 32 features)",
}


@dataclass(frozen=True, slots=True)
class Cost:
    """One point of a plot; `axis` is what varies: actions, features or rows."""

    axis: str
    at: int
    engine: str
    microseconds: float


def measure(*, quick: bool = False) -> Iterator[Cost]:
    """All points; at 32 features and 48 actions where these do not vary."""
    share = 20 if quick else 1
    for actions in ACTIONS[1:5:3] if quick else ACTIONS:
        yield from _point("actions", actions, scene.make(actions, 32, CELLS // share // actions))
    for features in FEATURES[1:4:2] if quick else FEATURES:
        yield from _point("features", features, scene.make(48, features, CELLS // share // 48))
    for rows in ROWS[:4:3] if quick else ROWS:
        yield from _point("rows", rows, scene.make(48, 32, rows))


def series(points: Sequence[Cost], axis: str) -> dict[str, list[tuple[float, float]]]:
    """(x, microseconds) by engine for one plot."""
    out: dict[str, list[tuple[float, float]]] = {}
    for point in points:
        if point.axis == axis:
            out.setdefault(point.engine, []).append((point.at, point.microseconds))
    return out


def _point(axis: str, at: int, cases: scene.Scene) -> Iterator[Cost]:
    engines: dict[str, Callable[[], Decided | None]] = {
        "kulanz, inverse gap": lambda: _first(speed_ours.decide(cases, ("inverse_gap",), KERNEL)),
        "kulanz, Gaussian gap": lambda: _first(speed_ours.decide(cases, ("gaussian_gap",), KERNEL)),
        "mabwiser LinUCB": lambda: _first(peers_mabwiser.decide(cases, min(len(cases.contexts), 10_000))),
        "Vowpal Wabbit squarecb": lambda: _vowpal_wabbit(axis, cases),
    }
    for engine, run in engines.items():
        found = run()
        if found is not None:
            yield Cost(axis, at, engine, 1e6 / found.per_cpu_s)


def _vowpal_wabbit(axis: str, cases: scene.Scene) -> Decided | None:
    """Its best way for many rows is the command line, for a few the Python API."""
    rows = min(len(cases.contexts), max(VW_CELLS // cases.actions, 200))
    if axis != "rows":
        return speed_vw.by_command(cases.first(rows), "crossed text")
    return speed_vw.by_python(cases, "crossed text") if rows <= VW_ROWS else None


def _first(found: Iterator[Decided]) -> Decided:
    return next(found)
