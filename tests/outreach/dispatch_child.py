"""Forks dispatchers on command, so that a test can kill them without paying for their start.

Reads one JSON command per line: {"start": ISO instant, "creditor": id, "limit": n} forks a dispatcher and answers with
its process id; {"wait": pid} answers with its exit status once it has ended. SKIP_RECHECK makes them ignore the gate.
"""

import json
import os
import sys
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import django
from django.core.mail.backends.smtp import EmailBackend

LEASE = timedelta(seconds=5)


class AskableBackend(EmailBackend):
    """SMTP to a server whose record of Message-IDs can be read."""

    def was_delivered(self, wire_id: str) -> bool:
        record = Path(os.environ["SINK_RECORD"])
        return record.exists() and wire_id in record.read_text().split()


def run(at: datetime, creditor: int, limit: int) -> None:
    from kulanz.kernel import clock  # noqa: PLC0415 - after django.setup()
    from kulanz.outreach import dispatcher  # noqa: PLC0415
    from kulanz.tenancy.scope import scope  # noqa: PLC0415

    if os.environ.get("SKIP_RECHECK"):
        dispatcher._may_leave = lambda *_: True
    with clock.virtual(at), scope(creditor):
        dispatcher.dispatch(limit, lease=LEASE)


def fork(at: datetime, creditor: int, limit: int) -> int:
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            run(at, creditor, limit)
            status = 0
        finally:
            sys.stderr.flush()
            os._exit(status)
    return pid


def warm_up() -> None:
    """Load and compile once what every fork needs."""
    from kulanz.documents.layout import Look, layout  # noqa: PLC0415
    from kulanz.kernel.money import Money  # noqa: PLC0415
    from kulanz.outreach import dispatcher, texts  # noqa: F401, PLC0415

    layout(Look("Lindenhof", "de", "#1f5c4d", "#ffffff", "", "", "", "", "", simulated=False))
    texts.find("reminder_1", "friendly", "de")
    Money(1, "EUR").format("de")


def main(lines: Iterable[str]) -> None:
    for line in lines:
        command = json.loads(line)
        if "wait" in command:
            answer = os.waitstatus_to_exitcode(os.waitpid(command["wait"], 0)[1])
        else:
            answer = fork(datetime.fromisoformat(command["start"]), command["creditor"], command["limit"])
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    django.setup()
    warm_up()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    main(sys.stdin)
