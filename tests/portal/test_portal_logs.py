"""What real processes write to their logs: no token, no code, nothing personal, whatever goes wrong."""

import os
import re
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from django.db import connection
from tests.conftest import new_creditor
from tests.insights.conftest import _await, _database_url
from tests.portal.conftest import new_link

from kulanz.contact.login.actions import digits
from kulanz.contact.login.models import LoginCode
from kulanz.outreach.models import Message
from kulanz.payments import links
from kulanz.tenancy.scope import scope

pytestmark = pytest.mark.slow
NAME, NUMBER, MAIL = "Xaverine Quastenflosser", "KDNR-4711-XY", "refused-xaverine@quasten.example"
WORDS, IBAN = "Meine Waschmaschine heißt Brunhilde", "DE89370400440532013000"
SECRET = "s3cr3t-of-the-test-that-nobody-may-read"


@dataclass
class Served:
    """A customer's page behind a real `kulanz serve`, and the file with everything that it says."""

    url: str
    token: str
    expired: str
    log: Path
    environment: dict[str, str]

    def run(self, *words: str) -> None:
        """Another process of the same installation; what it says goes to the same file."""
        with self.log.open("ab") as out:
            command = [sys.executable, "-m", "kulanz.cli", *words]
            subprocess.run(command, env=self.environment, stdout=out, stderr=out, timeout=120, check=False)


@contextmanager
def serving(environment: dict[str, str], port: int, log: Path) -> Iterator[None]:
    with log.open("wb") as out:
        command = [sys.executable, "-m", "kulanz.cli", "serve", "--port", str(port)]
        server = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    try:
        _await(f"http://127.0.0.1:{port}/healthz")
        yield
    finally:
        server.terminate()
        server.wait(timeout=20)


@pytest.fixture(params=["false", "true"], ids=["as installed", "debugging"])
def served(request, committed_db, make_case, sink, settings, tmp_path) -> Iterator[Served]:
    settings.SECRET_KEY = SECRET
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    creditor = new_creditor()
    with scope(creditor.id):
        due = datetime.now(UTC).date() - timedelta(days=20)
        case = make_case(NUMBER, 12990, due, email=MAIL, name=NAME)
        token, expired = links.token(new_link(case)), links.token(new_link(case, days=-1))
    environment = {
        **os.environ,
        "KULANZ_DATABASE_URL": _database_url(),
        "KULANZ_SECRET_KEY": SECRET,
        "KULANZ_DEBUG": request.param,
        "KULANZ_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "KULANZ_SMTP_URL": f"smtp://{sink.host}:{sink.port}",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    log = tmp_path / "log.txt"
    with serving(environment, port, log):
        yield Served(f"http://127.0.0.1:{port}", token, expired, log, environment)
    with scope(creditor.id):
        codes = [digits(each) for each in LoginCode.objects.values_list("id", flat=True)]
    _nothing_personal(log.read_text("utf-8", "replace"), [token, expired], codes)


def _nothing_personal(said: str, tokens: list[str], codes: list[str]) -> None:
    for token in tokens:
        parts = {token[at : at + 12] for at in range(len(token) - 11)} - {"A" * 12}
        assert not [part for part in parts if part in said and not part.startswith("AAAAAAAA")]
    for words in (NAME, "Xaverine", "xaverine", "quasten.example", NUMBER, WORDS, "Brunhilde", IBAN, SECRET):
        assert words not in said, words
    assert not [code for code in codes if re.search(rf"\b{code}\b", said)]
    assert "csrftoken=" not in said


def test_pages_forms_and_wrong_requests(served):
    with httpx.Client(base_url=served.url, follow_redirects=False) as visitor:
        home = f"/p/{served.token}/"
        statuses = [visitor.get(home).status_code]
        page = visitor.get(home + "messages/").text
        csrf = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]
        for path, fields in (
            ("messages/", {"text": WORDS, "form": "form-0001"}),
            ("problem/", {"text": WORDS, "kind": "amount"}),
            ("paid/", {"note": WORDS}),
            ("account/enter/", {"answer": NUMBER}),
            ("account/enter/", {"answer": "wrong"}),
            ("plan/agree/", {"holder": NAME, "iban": IBAN, "form": "form-0002"}),
            ("pay/", {"amount": "1", "form": "form-0003"}),
        ):
            answer = visitor.post(home + path, data=fields | {"csrfmiddlewaretoken": csrf})
            statuses.append(answer.status_code)
            statuses.append(visitor.post(home + path, data=fields).status_code)
        paths = ("account/data.json", "statement/", "transfer/", "nowhere/", f"?name={NAME}&t={served.token}")
        back = {"Referer": served.url + home}
        statuses += [visitor.get(home + path, headers=back).status_code for path in paths]
        tokens = (served.expired, served.token[:-1] + "_", served.token[::-1])
        statuses += [visitor.get(f"/p/{token}/").status_code for token in tokens]
        statuses.append(visitor.get(home, headers={"Host": "evil.example"}).status_code)
        statuses.append(visitor.get(home + "x" * 4_000).status_code)
        statuses.append(visitor.post(home + "messages/", content=b"\xff\x00" * 50).status_code)
    assert {200, 303, 400, 403, 404, 410} <= set(statuses)
    assert 500 not in statuses


def test_a_broken_database_and_a_mail_server_that_refuses(served):
    if connection.vendor == "sqlite":
        with sqlite3.connect(str(connection.settings_dict["NAME"])) as database:
            database.execute("ALTER TABLE outreach_answer RENAME TO outreach_answer_gone")
        try:
            assert httpx.get(f"{served.url}/p/{served.token}/messages/").status_code == 500
        finally:
            with sqlite3.connect(str(connection.settings_dict["NAME"])) as database:
                database.execute("ALTER TABLE outreach_answer_gone RENAME TO outreach_answer")
        assert "500" in served.log.read_text() or "no such table" in served.log.read_text()
    with httpx.Client(base_url=served.url) as visitor:
        page = visitor.get(f"/p/{served.token}/account/").text
        csrf = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]
        visitor.post(f"/p/{served.token}/account/send/", data={"csrfmiddlewaretoken": csrf})
    for _round in range(2):
        served.run("worker", "--once")
    served.run("ledger", "check")
    with scope(Message._base_manager.values_list("creditor_id", flat=True).first()):
        assert Message.objects.get(stage="login_code").state == "failed"
