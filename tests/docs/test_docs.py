"""What README and docs say must be there: files, variables, commands, rooms, capabilities, dependencies."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, metadata
from pathlib import Path
from typing import Any

import pytest
import typer
from django.utils.module_loading import import_string
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from kulanz.cli.commands import app
from kulanz.config.schedule import SCHEDULE
from kulanz.kernel.settings import Settings

pytestmark = pytest.mark.anydatabase

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
IMAGES = ROOT / "docs" / "images"
ROWS = [*(f"M{n}" for n in range(1, 44)), *(f"B{n}" for n in range(1, 11))]
COPYLEFT = re.compile(r"(?<!L)(?<!Lesser )(A?GPL|General Public License|GNU Affero)")
CHOSEN = {"pyphen": "Mozilla Public License"}
"""Packages that leave the choice between licences, and the one under which they are used."""

_LINK = re.compile(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"")
_VARIABLE = re.compile(r"\bKULANZ_[A-Z_]*[A-Z]\b")
_CODE = re.compile(r"`([^`\n]+)`")


def page(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def ids(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_every_relative_link_leads_to_a_file(path: Path) -> None:
    targets = [a or b for a, b in _LINK.findall(path.read_text("utf-8"))]
    files = [t.partition("#")[0] for t in targets if "://" not in t and not t.startswith("#")]
    missing = [t for t in files if not (path.parent / t).exists()]
    if not IMAGES.is_dir():
        missing = [t for t in missing if "images/" not in t]
    assert missing == []


def test_the_variables_are_those_of_the_settings() -> None:
    rows = re.findall(r"^\| `(KULANZ_[A-Z_]+)` \|", page("docs/deployment.md"), re.M)
    expected = [f"KULANZ_{name.upper()}" for name in Settings.model_fields]
    assert sorted(rows) == sorted(expected)


def test_every_variable_that_is_named_is_read_somewhere() -> None:
    sources = [*ROOT.glob("src/**/*.py"), *ROOT.glob("scripts/*"), *ROOT.glob("tests/conftest.py")]
    read = {name for path in sources if path.is_file() for name in _VARIABLE.findall(path.read_text("utf-8"))}
    read |= {f"KULANZ_{name.upper()}" for name in Settings.model_fields}
    named = {name for path in PAGES for name in _VARIABLE.findall(path.read_text("utf-8"))}
    assert named - read == set()


def command_lines() -> Iterator[tuple[str, list[str]]]:
    """(page, words after `kulanz`) of each command in a code span or an indented line."""
    for path in PAGES:
        text = path.read_text("utf-8").replace("\\\n", " ")
        indented = [line.strip() for line in text.splitlines() if line.startswith("    ")]
        for code in [*_CODE.findall(text), *indented]:
            first, _, rest = code.partition(" ")
            if first.rpartition("/")[2] == "kulanz" and rest:
                yield path.name, shlex.split(rest, comments=True)


def test_the_pages_name_the_commands_of_the_circle() -> None:
    named = {words[0] for _, words in command_lines()}
    assert {"demo", "serve", "migrate", "creditor", "user", "import", "worker", "run", "ledger"} <= named


@pytest.mark.parametrize(("name", "words"), list(command_lines()), ids=lambda value: str(value)[:60])
def test_every_command_exists_with_its_options(name: str, words: list[str]) -> None:
    command: Any = typer.main.get_command(app)
    while words and hasattr(command, "commands"):
        assert words[0] in command.commands, f"{name}: kulanz has no command {words[0]!r}"
        command = command.commands[words.pop(0)]
    known = {
        option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
    }
    assert {word for word in words if word.startswith("--")} <= known | {"--help"}


def test_the_worker_does_what_is_said_as_often_as_is_said() -> None:
    seconds = {each.path: each.seconds for each in SCHEDULE if callable(import_string(each.path).call)}
    assert seconds == {
        "kulanz.events.tasks.deliver": 2,
        "kulanz.outreach.tasks.dispatch": 5,
        "kulanz.outreach.tasks.read_mail": 60,
        "kulanz.claims.tasks.seal": 60,
        "kulanz.claims.tasks.accrue": 86_400,
        "kulanz.payments.tasks.check_plans": 86_400,
        "kulanz.payments.tasks.check_offers": 86_400,
        "kulanz.strategy.tasks.decide": 900,
        "kulanz.strategy.tasks.learn": 900,
    }


def test_every_room_is_on_the_map() -> None:
    rooms = {path.parent.name for path in ROOT.glob("src/kulanz/*/__init__.py")}
    mapped = re.findall(r"^\| [\d-]+ \| `(\w+)` \|", page("README.md"), re.M)
    assert sorted(mapped) == sorted(rooms)


def test_every_capability_stands_in_its_table_once() -> None:
    rows = re.findall(r"^\| ([MB]\d+) \|[^|]*\| (\w+) \|", page("docs/capabilities.md"), re.M)
    assert [row for row, _ in rows] == ROWS
    assert {state for _, state in rows} <= {"works", "part", "missing"}


def declared() -> dict[str, list[Requirement]]:
    """The packages in pyproject.toml: core and dev."""
    project = tomllib.loads(page("pyproject.toml"))
    groups = {"Core": project["project"]["dependencies"], "Development": project["dependency-groups"]["dev"]}
    return {group: [Requirement(each) for each in found] for group, found in groups.items()}


@pytest.mark.parametrize("group", ["Core", "Development"])
def test_every_dependency_is_explained(group: str) -> None:
    section = page("docs/dependencies.md").partition(f"## {group}\n")[2].partition("\n## ")[0]
    explained = re.findall(r"^\| ([\w-]+) \| [^|]+ \| [^|]+\. \|$", section, re.M)
    assert sorted(explained) == sorted(each.name for each in declared()[group])


def test_nothing_that_kulanz_needs_is_under_the_gpl_or_agpl() -> None:
    found = {name: licence(name) for name in closure(declared()["Core"])}
    assert {"django", "fido2", "numpy", "psycopg-binary"} <= found.keys()
    wrong = {name: text for name, text in found.items() if COPYLEFT.search(text)}
    assert {name for name, text in wrong.items() if CHOSEN.get(name, "-") not in text} == set()


def licence(name: str) -> str:
    """What a package's metadata says of its licence, without the licence's own text."""
    data = metadata(name)
    classifiers = [each for each in data.get_all("Classifier") or [] if each.startswith("License")]
    short = (data.get("License") or "").partition("\n")[0]
    return " ".join([data.get("License-Expression") or "", short, *classifiers])


def closure(wanted: list[Requirement]) -> set[str]:
    """The packages and everything they need on this machine."""
    seen: set[tuple[str, str]] = set()
    todo = [(canonicalize_name(each.name), extra) for each in wanted for extra in ("", *each.extras)]
    while todo:
        name, extra = todo.pop()
        if (name, extra) in seen:
            continue
        try:
            needs = [Requirement(each) for each in distribution(name).requires or []]
        except PackageNotFoundError:
            continue
        seen.add((name, extra))
        here = [each for each in needs if each.marker is None or each.marker.evaluate({"extra": extra})]
        todo += [(canonicalize_name(each.name), more) for each in here for more in ("", *each.extras)]
    return {name for name, _ in seen}
