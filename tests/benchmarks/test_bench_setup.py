import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.anydatabase

ROOT = Path(__file__).parents[2]
_PIN = re.compile(r"^([\w.-]+)==(\S+) \\$", re.M)


@pytest.fixture
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("scripts_bench", ROOT / "scripts" / "bench.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pins(path: Path) -> dict[str, str]:
    return dict(_PIN.findall(path.read_text("utf-8")))


def test_the_peers_are_locked_with_hashes_and_without_addresses():
    lock = ROOT / "benchmarks" / "engine.lock"
    text = lock.read_text("utf-8")
    assert "://" not in text
    assert text.count("==") == len(pins(lock))
    for block in re.split(r"\n(?=\w)", text.strip()):
        assert "--hash=sha256:" in block, block[:60]


def test_the_peers_run_beside_the_same_libraries_as_kulanz():
    ours, theirs = pins(ROOT / "requirements.lock"), pins(ROOT / "benchmarks" / "engine.lock")
    for name in ("numpy", "scipy", "polars"):
        assert theirs[name] == ours[name]
    wanted = (ROOT / "benchmarks" / "engine_requirements.in").read_text("utf-8").splitlines()
    assert {line for line in wanted if line and not line.startswith("#")} <= theirs.keys()


def test_a_topic_without_peers_runs_in_this_environment(bench: ModuleType, tmp_path: Path):
    assert bench.interpreter(tmp_path / "intake.lock") == Path(sys.executable)


def test_the_peers_are_installed_once_per_lock(
    bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    installed = []

    def install(lock: Path, python: Path) -> None:
        installed.append(lock.read_text("utf-8"))
        python.parent.mkdir(parents=True, exist_ok=True)
        python.touch()

    monkeypatch.setattr(bench, "PEERS", tmp_path / "venv")
    monkeypatch.setattr(bench, "install", install)
    lock = tmp_path / "engine.lock"
    for content in ("one", "one", "two"):
        lock.write_text(content, "utf-8")
        assert bench.interpreter(lock) == tmp_path / "venv" / "bin" / "python"
    assert installed == ["one", "two"]


def test_an_unknown_topic_is_named(bench: ModuleType, capsys: pytest.CaptureFixture[str]):
    assert bench.main(["enigne"]) == 2
    assert "There is no benchmark enigne" in capsys.readouterr().out
