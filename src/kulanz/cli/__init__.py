"""The `kulanz` command: tables and progress bars for people, one JSON document with --json."""

import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small matrices: threads only wait for each other

import django
from django.db import OperationalError, ProgrammingError

from kulanz.demo.environment import prepare
from kulanz.kernel.errors import KulanzError


def main() -> None:
    """Entry point of the installed command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kulanz.config.settings")
    if sys.argv[1:2] == ["demo"] and "--help" not in sys.argv:
        prepare()
    try:
        django.setup()
        from kulanz.cli.commands import app

        app()
    except KulanzError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    except (OperationalError, ProgrammingError) as error:
        sys.stderr.write(f"{_about_database(str(error))}\n")
        sys.exit(2)


def _about_database(error: str) -> str:
    """What a person does about a database that is not there, or has no tables."""
    reason = error.strip().partition("\n")[0]
    if "no such table" in reason or "does not exist" in reason:
        return f"The database has not been set up: run kulanz migrate. ({reason})"
    return f"The database cannot be used: {reason}. Is the server running, and is KULANZ_DATABASE_URL right?"
