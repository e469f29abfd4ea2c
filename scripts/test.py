"""`make test`: the whole suite on SQLite, then again on PostgreSQL; says what was left out and why.

KULANZ_REQUIRE=postgres,browser turns a missing server or browser into a failure.
"""

import os
import secrets
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

CHROMIUM = Path("/usr/bin/chromium")
POSTGRES = os.environ.get("KULANZ_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
REQUIRED = set(filter(None, os.environ.get("KULANZ_REQUIRE", "").split(",")))


def main(arguments: list[str]) -> int:
    left_out = []
    marks = []
    if not CHROMIUM.exists():
        left_out.append(("browser", f"{CHROMIUM} is not installed (Debian: apt install chromium)"))
        marks.append("not browser")
    failed = run("sqlite", "sqlite:///build/test.db", marks, arguments)
    reason = unreachable(POSTGRES)
    if reason is None:
        name = f"kulanz_{secrets.token_hex(4)}"
        url = urlsplit(POSTGRES)._replace(path=f"/{name}").geturl()
        failed |= run("postgres", url, ["not browser", "not anydatabase"], arguments)
    else:
        left_out.append(("postgres", f"no PostgreSQL at KULANZ_TEST_POSTGRES_URL ({reason})"))
    for what, why in left_out:
        print(f"left out: {what} tests: {why}")
    missing = REQUIRED & {what for what, _ in left_out}
    if missing:
        print(f"KULANZ_REQUIRE asks for {', '.join(sorted(missing))}: failed")
    return int(failed or bool(missing))


def run(name: str, url: str, marks: list[str], arguments: list[str]) -> bool:
    """Run pytest against one database; the marks of a call are joined with 'and'."""
    print(f"--- tests on {name}", flush=True)
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup", *arguments]
    if marks:
        command += ["-m", " and ".join(marks)]
    environment = os.environ | {"KULANZ_DATABASE_URL": url}
    return subprocess.run(command, env=environment, check=False).returncode not in (
        0,
        *_nothing_to_run(arguments),
    )


def _nothing_to_run(arguments: list[str]) -> tuple[int, ...]:
    return (5,) if arguments else ()


def unreachable(url: str) -> str | None:
    """Why the server cannot be used, or None."""
    try:
        with psycopg.connect(url, connect_timeout=3):
            return None
    except psycopg.OperationalError as error:
        return str(error).strip().splitlines()[0]


if __name__ == "__main__":
    Path("build").mkdir(exist_ok=True)
    sys.exit(main(sys.argv[1:]))
