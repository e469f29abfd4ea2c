"""The `kulanz` command: tables and progress bars for people, one JSON document with --json."""

import os
import sys

import django

from kulanz.kernel.errors import KulanzError


def main() -> None:
    """Entry point of the installed command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kulanz.config.settings")
    try:
        django.setup()
        from kulanz.cli.commands import app  # noqa: PLC0415 - commands need Django to be set up

        app()
    except KulanzError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
