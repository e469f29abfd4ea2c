"""The example of docs/engine.md: it stands there word for word, and runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs/examples/hillstrom.py"
LOG = Path(os.environ.get("KULANZ_DATA_DIR", ROOT.parent / "shared/data")) / "experiments/hillstrom.csv"


def test_the_page_shows_the_example_as_it_is():
    page = (ROOT / "docs/engine.md").read_text(encoding="utf-8")
    assert f"```python\n{EXAMPLE.read_text(encoding='utf-8').rstrip()}\n```" in page


@pytest.mark.skipif(not LOG.exists(), reason="the randomised e-mail log (hillstrom.csv) is not here")
def test_the_example_finds_more_visits_than_chance():
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, str(EXAMPLE), str(LOG)]
    said = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    found, low, high, chance = (float(figure) for figure in re.findall(r"\d\.\d+", said))
    assert low < found < high
    assert found > chance + 0.02
