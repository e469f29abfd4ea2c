"""The `kulanz` command: tables and progress bars for people, one JSON document with --json."""

import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small matrices: threads only wait for each other

import django

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
