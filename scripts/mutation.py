"""`make mutation`: changes the law and the ledger line by line and counts what no test notices.

Works on a copy of what is committed, in build/mutation. `make mutation ARGS="law/allocation claims/ledger"` takes
only these modules. Prints a table and writes build/mutation.json; exits 1 where law or ledger fall below the least
score.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
COPY = ROOT / "build" / "mutation"
LEAST = 0.90
LEDGER = ("ledger", "sealing", "adjusting", "rules", "checks")
"""What writes, guards and judges the ledger; `claims/replay` and the others can be named in ARGS."""
TESTS = {
    "law": [path for path in sorted((ROOT / "tests" / "law").glob("test_*.py")) if "_cli" not in path.name],
    "claims": [
        path for path in sorted((ROOT / "tests" / "claims").glob("test_*.py")) if "_life" not in path.name
    ],
}
SETTINGS = """
[tool.mutmut]
paths_to_mutate = {paths}
tests_dir = {tests}
also_copy = ["src", "tests", "docs", "scripts", "benchmarks", "README.md", "CHANGELOG.md", "Makefile", "pyproject.toml"]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-p", "no:xdist", "-p", "migrated_once", "-m", "not browser"]
"""


def main(wanted: list[str]) -> int:
    modules = {
        "law": [
            path.stem for path in sorted((ROOT / "src/kulanz/law").glob("*.py")) if path.stem != "__init__"
        ],
        "claims": list(LEDGER),
    }
    figures: dict[str, dict[str, int]] = {}
    scores: dict[str, float] = {}
    for room, names in modules.items():
        asked = [each.partition("/")[2] for each in wanted if each.startswith(f"{room}/")]
        chosen = asked or ([] if wanted else names)
        if chosen:
            figures |= run(room, chosen)
            scores = show(figures)
            report = {"modules": figures, "scores": scores}
            (ROOT / "build" / "mutation.json").write_text(json.dumps(report, indent=2), "utf-8")
    return int(any(score < LEAST for score in scores.values()))


def run(room: str, names: list[str]) -> dict[str, dict[str, int]]:
    """What became of the mutants of a room's modules."""
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True)
    tree = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", COPY], input=tree, check=True)
    paths = [f"src/kulanz/{room}/{name}.py" for name in names]
    tests = [str(path.relative_to(ROOT)) for path in TESTS[room]]
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    (COPY / "pyproject.toml").write_text(project + SETTINGS.format(paths=paths, tests=tests), "utf-8")
    mutmut = Path(sys.executable).parent / "mutmut"
    environment = os.environ | {
        "KULANZ_DATABASE_URL": "sqlite:///build/test.db",
        "PYTHONPATH": str(COPY / "scripts"),
        "HYPOTHESIS_PROFILE": "default",
    }
    subprocess.run([mutmut, "run", "--max-children", "2"], cwd=COPY, env=environment, check=True)
    return {
        f"{room}/{name}": counted(COPY / "mutants" / f"src/kulanz/{room}/{name}.py.meta") for name in names
    }


def counted(meta: Path) -> dict[str, int]:
    """Exit codes by mutant, as mutmut keeps them: 0 survived, 33 no test reached it, all else killed."""
    codes = json.loads(meta.read_text("utf-8"))["exit_code_by_key"].values() if meta.is_file() else []
    kinds = Counter("survived" if code in (0, 33) else "killed" for code in codes if code is not None)
    return {"mutants": sum(kinds.values()), "killed": kinds["killed"], "survived": kinds["survived"]}


def show(figures: dict[str, dict[str, int]]) -> dict[str, float]:
    """Print the table; the score of each room."""
    print(f"{'module':<24}{'mutants':>9}{'killed':>9}{'survived':>10}{'score':>8}")
    sums: dict[str, Counter[str]] = {}
    for name, each in figures.items():
        sums.setdefault(name.split("/")[0], Counter()).update(each)
        print(line(name, each))
    for room, each in sums.items():
        print(line(f"{room}, all", each))
    return {room: round(each["killed"] / max(1, each["mutants"]), 4) for room, each in sums.items()}


def line(name: str, each: dict[str, int]) -> str:
    score = each["killed"] / each["mutants"] if each["mutants"] else 1
    return f"{name:<24}{each['mutants']:>9}{each['killed']:>9}{each['survived']:>10}{score:>8.1%}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
