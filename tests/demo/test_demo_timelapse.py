"""The time-lapse as its user runs it: a process of its own, one JSON document, alike for a seed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.anydatabase]
PLAY = """
import os, sys, json
from kulanz.demo.environment import prepare
prepare()
import django
os.environ["DJANGO_SETTINGS_MODULE"] = "kulanz.config.settings"
django.setup()
from kulanz.demo.play import Wish, play
wish = Wish(days=60, seed=int(sys.argv[1]), customers=60, bills=90)
print(json.dumps(play(wish, lambda *_: None).document))
"""


def small_demo(folder: Path, seed: int, hash_seed: str) -> dict[str, Any]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("KULANZ_")}
    environment |= {"PYTHONHASHSEED": hash_seed, "OPENBLAS_NUM_THREADS": "1"}
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", PLAY, str(seed)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return small_demo(tmp_path_factory.mktemp("demo") / "first", 7, "1")


def test_a_seed_makes_two_runs_alike(played: dict[str, Any], tmp_path: Path) -> None:
    again = small_demo(tmp_path / "again", 7, "2")
    assert played.pop("seconds") >= 0
    again.pop("seconds")
    assert again == played


def test_the_ledger_holds_after_the_time_lapse(played: dict[str, Any]) -> None:
    assert played["ledger"]["journals"] >= 90
    assert (played["ledger"]["imbalances"], played["ledger"]["differences"]) == (0, 0)


def test_the_document_says_what_was_promised(played: dict[str, Any]) -> None:
    assert played["simulated"] is True
    assert played["seed"] == 7
    assert played["invoices"] == {"imported": 90, "rejected": 0}
    assert played["cases"] == 60
    assert played["payments"] > 0
    assert played["recovered"]["EUR"] > 0
    assert played["offers"]["later"]["told"] >= played["offers"]["later"]["taken"]
    assert sum(each["told"] for each in played["offers"].values()) > 0
    messages = played["messages"]
    assert messages["total"] > 0
    for name in ("by_channel", "by_hour", "by_tone"):
        assert sum(messages[name].values()) == messages["total"]
    assert set(messages["by_hour"]) <= {f"{hour:02d}" for hour in range(8, 20)}
    assert played["lift"]["low"] <= played["lift"]["difference"] <= played["lift"]["high"]
