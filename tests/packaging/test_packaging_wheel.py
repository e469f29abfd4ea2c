"""The wheel holds everything that runs: law packs, texts, templates, static files, compiled catalogues."""

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.anydatabase]
PACKAGED = (".toml", ".liquid", ".mjml", ".html", ".css", ".js", ".svg", ".mo")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_every_data_file_is_in_the_wheel(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    source = ROOT / "src"
    files = {str(p.relative_to(source)) for p in (source / "kulanz").rglob("*") if p.suffix in PACKAGED}
    assert files
    assert files <= inside


def test_the_wheel_starts_where_the_source_is_not(wheel: Path, tmp_path: Path) -> None:
    """Installed without the source tree; the dependencies come from this environment."""
    home = tmp_path / "elsewhere"
    venv.create(home, with_pip=False)
    site = next(home.glob("lib/python*/site-packages"))
    zipfile.ZipFile(wheel).extractall(site)
    here = next(p for p in sys.path if p.endswith("site-packages"))
    (site / "dependencies.pth").write_text("\n".join(_packages_without_kulanz(Path(here), tmp_path)))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "KULANZ_DATABASE_URL": f"sqlite:///{tmp_path}/installed.db",
        "KULANZ_SECRET_KEY": "only-for-this-test",
    }

    def kulanz(*arguments: str) -> str:
        command = [str(home / "bin/python"), "-c", "from kulanz.cli import main; main()", *arguments]
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    kulanz("migrate")
    kulanz("creditor", "add", "hof", "--name", "Hof", "--sender-email", "post@hof.example")
    answer = json.loads(kulanz("run", "--creditor", "hof", "--json"))
    assert answer["cases"] == 0
    assert json.loads(kulanz("ledger", "check", "--json"))["imbalances"] == 0


def _packages_without_kulanz(packages: Path, tmp_path: Path) -> list[str]:
    """A folder of links to the installed packages, but not to this project's editable install."""
    links = tmp_path / "dependencies"
    links.mkdir()
    for entry in packages.iterdir():
        if "kulanz" not in entry.name.lower() and entry.suffix != ".pth":
            (links / entry.name).symlink_to(entry)
    return [str(links)]
