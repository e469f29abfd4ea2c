"""The decision engine against its peers; writes build/bench/engine.json.

`make bench TOPIC=engine` installs the peers and runs everything. By hand, with PYTHONPATH=src and the peers'
interpreter: python benchmarks/engine_bench.py [--quick] [--only decide|learn|rewards|year] [--permutations 20]
[--seeds 20] [--seed 1] [--plots]. The logs are looked for in ../shared/data, or in the folder that KULANZ_DATA names.
"""

import argparse
from pathlib import Path

from engine.replay import constant, delay_ceiling
from engine.results import Results

from engine import costs, data, plots, rewards, speed, table, yearly

PARTS = ("decide", "learn", "rewards", "year")
OUT = Path("build/bench/engine.json")
IMAGES = Path("docs/images")
FEWEST = 2


def main() -> None:
    options = _options()
    wanted = options.only or PARTS
    found = Results()
    if "decide" in wanted:
        found.decide = list(speed.decide(quick=options.quick))
        print(table.decide(found.decide) + "\n", flush=True)
    if "learn" in wanted:
        found.learn = list(speed.learn(quick=options.quick))
        print(table.learn(found.learn) + "\n", flush=True)
    if "rewards" in wanted:
        _rewards(found, options.permutations, options.seed)
    if "year" in wanted:
        _year(found, options.seeds, quick=options.quick)
    found.write(OUT, keep=[part for part in PARTS if part not in wanted])
    if options.plots:
        _plots(quick=options.quick)


def _rewards(found: Results, permutations: int, seed: int) -> None:
    """Leaves out, and says so, the data sets whose files are not here."""
    names = [name for name in rewards.LOADERS if data.is_here(name)]
    for name in rewards.LOADERS:
        if name not in names:
            print(f"left out: {name}: its file is not in {data.FOLDER}; set KULANZ_DATA\n", flush=True)
    print(table.NOTE_REWARDS + "\n", flush=True)
    for part in rewards.measure(names, permutations, seed):
        found.rewards += part
        print(table.rewards(part, _constants(part[0].data, part[0].delay)) + "\n", flush=True)


def _constants(name: str, delay: int) -> str:
    rows = rewards.loaded(name)
    means = constant(rows)
    said = f"{name}: uniform {means.mean():.4f}, best single action {means.max():.4f}"
    if delay:
        said += f", best single action from the first outcome on {delay_ceiling(rows, delay):.4f}"
    return said


def _year(found: Results, seeds: int, *, quick: bool) -> None:
    found.year = yearly.measure(seeds, quick=quick)
    print(table.year(found.year) + "\n", flush=True)


def _plots(*, quick: bool) -> None:
    points = list(costs.measure(quick=quick))
    IMAGES.mkdir(parents=True, exist_ok=True)
    for axis, label in costs.LABELS.items():
        drawn = plots.chart(
            f"Cost of a decision against {axis}", label, "CPU microseconds", costs.series(points, axis)
        )
        (IMAGES / f"engine-{axis}.svg").write_text(drawn, "utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="2 permutations and seeds, fewer peers: for trying"
    )
    parser.add_argument(
        "--only", action="append", choices=PARTS, help="this part; may be given several times"
    )
    parser.add_argument("--permutations", type=int, help="of each data set (20)")
    parser.add_argument("--seeds", type=int, help="of the simulated year (20)")
    parser.add_argument("--seed", type=int, default=1, help="of the permutations")
    parser.add_argument("--plots", action="store_true", help="also draw docs/images/engine-*.svg")
    options = parser.parse_args()
    usual = FEWEST if options.quick else 20
    options.permutations = options.permutations or usual
    options.seeds = options.seeds or usual
    if min(options.permutations, options.seeds) < FEWEST:
        parser.error(f"A standard error needs at least {FEWEST} permutations and seeds.")
    return options


if __name__ == "__main__":
    main()
