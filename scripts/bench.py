"""`make bench`: runs every benchmark, or one topic; each prints its tables and writes build/bench/<topic>.json."""

import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "benchmarks"


def main(wanted: list[str]) -> int:
    topics = {path.stem.removesuffix("_bench"): path for path in sorted(FOLDER.glob("*_bench.py"))}
    unknown = [topic for topic in wanted if topic not in topics]
    if unknown:
        print(f"There is no benchmark {', '.join(unknown)}. There are: {', '.join(topics)}.")
        return 2
    environment = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    failed = False
    for topic in wanted or topics:
        print(f"--- {topic}", flush=True)
        failed |= (
            subprocess.run([sys.executable, topics[topic]], env=environment, check=False).returncode != 0
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
