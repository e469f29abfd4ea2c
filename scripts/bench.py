"""`make bench`: runs every benchmark, or the topics named; each prints its tables and writes build/bench/<topic>.json.

A topic with a lock of its own (benchmarks/<topic>.lock) is measured against other packages: they are installed from it
into .venv-bench, apart from Kulanz's own environment. Words from the first option on are the benchmark's own:
`make bench TOPIC="engine --quick"`.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "benchmarks"
PEERS = ROOT / ".venv-bench"


def main(words: list[str]) -> int:
    topics = {path.stem.removesuffix("_bench"): path for path in sorted(FOLDER.glob("*_bench.py"))}
    wanted = list(takewhile(lambda word: not word.startswith("-"), words))
    unknown = [topic for topic in wanted if topic not in topics]
    if unknown:
        print(f"There is no benchmark {', '.join(unknown)}. There are: {', '.join(topics)}.")
        return 2
    environment = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    environment["PYTHONPATH"] = str(ROOT / "src")
    failed = False
    for topic in wanted or topics:
        print(f"--- {topic}", flush=True)
        python = interpreter(FOLDER / f"{topic}.lock")
        command = [python, topics[topic], *words[len(wanted) :]]
        failed |= subprocess.run(command, env=environment, check=False).returncode != 0
    return int(failed)


def interpreter(lock: Path) -> Path:
    """The Python for a topic: this one, or that of .venv-bench with what is in the topic's lock."""
    if not lock.is_file():
        return Path(sys.executable)
    python, stamp = PEERS / "bin" / "python", PEERS / f".installed-{lock.stem}"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not python.exists() or not stamp.is_file() or stamp.read_text("utf-8") != digest:
        install(lock, python)
        stamp.write_text(digest, "utf-8")
    return python


def install(lock: Path, python: Path) -> None:
    """With uv where it is installed, else with venv and pip, as scripts/setup.sh does."""
    print(f"installing what {lock.name} names into {PEERS.name}", flush=True)
    uv = shutil.which("uv")
    if not python.exists():
        make = [uv, "venv", "--quiet", "--python", sys.executable] if uv else [sys.executable, "-m", "venv"]
        subprocess.run([*make, PEERS], check=True)
    if uv:
        command = [uv, "pip", "install", "--quiet", "--python", python]
    else:
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, "--require-hashes", "-r", lock], check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
