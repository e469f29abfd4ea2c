from pathlib import Path

import numpy as np
import pytest
from engine.data import bank, classes, hillstrom, z_scored
from engine.scene import make

pytestmark = pytest.mark.anydatabase

HILLSTROM = """\
recency,history_segment,history,mens,womens,zip_code,newbie,channel,segment,visit,conversion,spend
10,2) $100 - $200,100,1,0,Rural,0,Phone,Womens E-Mail,0,0,0
6,3) $200 - $350,10000,1,1,Urban,1,Web,No E-Mail,1,0,0
"""
BANK = (
    '"age";"job";"balance";"day";"duration";"campaign";"pdays";"previous";"y"\n'
    '20;"clerk";0;5;999;1;-1;0;"no"\n'
    '40;"nurse";0;7;1;1;-1;0;"yes"\n'
    '60;"clerk";0;6;5;1;-1;0;"no"\n'
)


def test_the_email_log_is_read_as_columns_that_every_policy_gets(tmp_path: Path):
    path = tmp_path / "log.csv"
    path.write_text(HILLSTROM)
    log = hillstrom(path)
    assert log.features == (
        "recency",
        "log history",
        "mens",
        "womens",
        "newbie",
        "zip_code Rural",
        "zip_code Urban",
        "channel Phone",
        "channel Web",
    )
    assert log.contexts.tolist() == [[1, -1, 1, 0, 0, 1, 0, 1, 0], [-1, 1, 1, 1, 1, 0, 1, 0, 1]]
    assert [log.names[action] for action in log.actions] == ["Womens E-Mail", "No E-Mail"]
    assert log.rewards.tolist() == [0.0, 1.0]


def test_a_call_costs_and_its_duration_is_not_known_before(tmp_path: Path):
    path = tmp_path / "bank.csv"
    path.write_text(BANK)
    calls = bank(path)
    assert calls.payoffs.tolist() == [[0, -0.15], [0, 1], [0, -0.15]]
    assert calls.features == (
        "age",
        "balance",
        "day",
        "campaign",
        "pdays",
        "previous",
        "job clerk",
        "job nurse",
    )
    root = np.sqrt(1.5)
    assert calls.contexts[:, 0] == pytest.approx([-root, 0, root])
    assert calls.contexts[:, 1].tolist() == [0, 0, 0]


def test_an_outlier_is_cut_at_five_deviations():
    column = np.zeros((101, 1))
    column[0] = 1.0
    assert z_scored(column)[0, 0] == 5.0


def test_a_class_becomes_an_action_that_brings_one():
    found = classes("kinds", {"size": [0.0, 2.0]}, ["sky", "path"])
    assert found.names == ("path", "sky")
    assert found.payoffs.tolist() == [[0, 1], [1, 0]]


def test_a_speed_scene_vetoes_a_fifth_and_never_everything():
    scene = make(actions=8, features=3, rows=20_000, past=100)
    assert scene.allowed.any(axis=1).all()
    # One action of eight stays allowed in any case, so 7/8 of a fifth is vetoed.
    assert 1 - scene.allowed.mean() == pytest.approx(0.2 * 7 / 8, abs=0.005)
    assert scene.first(5).contexts.shape == (5, 3)
