"""The command says what to do when the database is not there or empty."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.anydatabase


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://nobody@127.0.0.1:9/nowhere", "The database cannot be used"),
        ("sqlite:///{folder}/empty.db", "run kulanz migrate"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_sentence(tmp_path, url: str, words: str) -> None:
    environment = os.environ | {
        "KULANZ_DATABASE_URL": url.format(folder=tmp_path),
        "KULANZ_DATA_DIR": str(tmp_path),
    }
    command = [sys.executable, "-c", "from kulanz.cli import main; main()", "ledger", "check"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
