import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from engine.pairs import rows
from engine.plots import chart
from engine.results import Decided, Learned, Results, Rewarded
from engine.table import decide

pytestmark = pytest.mark.anydatabase

SVG = "{http://www.w3.org/2000/svg}"


def test_differences_are_paired_with_the_reference_on_the_same_permutation():
    means = {"beta_ts": np.array([1.0, 2.0, 6.0]), "kulanz": np.array([2.0, 3.0, 7.0])}
    better, reference = rows("hillstrom", 0, means)
    assert (better.policy, better.reference) == ("kulanz", "beta_ts")
    assert better.mean == pytest.approx(4.0)
    # Deviations -2, -1, 3: variance 14 / 2, its root over sqrt(3).
    assert better.se == pytest.approx(np.sqrt(7 / 3))
    assert (better.paired_difference, better.paired_se) == (1.0, 0.0)
    assert (reference.paired_difference, reference.paired_se) == (0.0, 0.0)


def test_the_file_has_the_four_parts_and_the_promised_names(tmp_path: Path):
    path = tmp_path / "bench" / "engine.json"
    Results(
        decide=[Decided("kulanz", "inverse_gap", 8, 32, 100, 1e6, True, True)],
        learn=[Learned("kulanz", "ridge", 48, 32, 100, 1e6)],
        rewards=[Rewarded("bank", "kulanz", 0, 2, 0.1, 0.01, "linear_ts", 0.0, 0.0)],
    ).write(path)
    found = json.loads(path.read_text())
    assert list(found) == ["decide", "learn", "rewards", "year"]
    assert {"engine", "exploration", "actions", "per_cpu_s"} <= found["decide"][0].keys()
    promised = {"data", "policy", "delay", "mean", "se", "reference", "paired_difference", "paired_se"}
    assert promised <= found["rewards"][0].keys()
    assert found["year"] == []


def test_a_part_that_was_not_run_again_stays(tmp_path: Path):
    path = tmp_path / "engine.json"
    Results(learn=[Learned("old", "ridge", 48, 32, 100, 1e6)]).write(path)
    fresh = Results(rewards=[Rewarded("bank", "kulanz", 0, 2, 0.1, 0.01, "linear_ts", 0.0, 0.0)])
    fresh.write(path, keep=["decide", "learn", "year"])
    found = json.loads(path.read_text())
    assert found["learn"][0]["engine"] == "old"
    assert len(found["rewards"]) == 1


def test_ratios_are_to_the_best_way_of_a_peer_and_epsilon_greedy_stands_outside():
    def timed(engine: str, exploration: str, rate: float) -> Decided:
        return Decided(engine, exploration, 8, 32, 100, rate, True, True)

    rows = [
        timed("kulanz", "inverse_gap", 6_000.0),
        timed("vowpalwabbit (vw command line)", "squarecb", 40.0),
        timed("vowpalwabbit (vw Python)", "squarecb", 60.0),
        timed("mabwiser LinUCB", "ucb", 1_500.0),
        timed("mabwiser LinGreedy", "epsilon_greedy", 9_000.0),
    ]
    line = next(line for line in decide(rows).splitlines() if line.startswith("kulanz  "))
    assert line.split() == ["kulanz", "inverse_gap", "6,000", "100x", "4.0x"]


def test_a_chart_puts_the_dearer_point_higher_and_names_each_line():
    drawn = ElementTree.fromstring(  # noqa: S314 - drawn here
        chart("Cost", "rows", "us", {"a < b": [(1, 10.0), (100, 1.0)], "none": [], "c": [(1, 3.0)]})
    )
    first, second = [
        (float(dot.get("cx", "")), float(dot.get("cy", ""))) for dot in drawn.iter(f"{SVG}circle")
    ][:2]
    assert first[0] < second[0]
    assert first[1] < second[1]
    names = {text.text for text in drawn.iter(f"{SVG}text")}
    assert {"a < b", "c"} <= names
    assert "none" not in names


def test_a_chart_refuses_more_lines_than_it_has_colours():
    with pytest.raises(ValueError, match="at most 4"):
        chart("Cost", "rows", "us", {str(at): [(1, 1.0)] for at in range(5)})
