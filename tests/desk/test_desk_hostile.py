"""What strangers write stays text: on the desk's pages, in mails and on paper."""

import re
import threading
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
from tests.outreach.conftest import sink  # noqa: F401 - a fixture

from kulanz.claims import paper
from kulanz.claims.account import statement_of_account
from kulanz.claims.holds import place_hold
from kulanz.claims.models import Claim, Customer
from kulanz.claims.personal import paper as personal
from kulanz.claims.personal.collecting import copy_of
from kulanz.contact.correcting.actions import ask
from kulanz.contact.models import ContactPoint
from kulanz.desk.actions import add_note
from kulanz.kernel import clock as kernel_clock
from kulanz.outreach.actions import queue_service
from kulanz.outreach.dispatcher import dispatch
from kulanz.outreach.inbound.actions import take_in, write
from kulanz.outreach.inbound.answering import answer
from kulanz.payments import links
from kulanz.tenancy.models import Brand

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 | times: 7 }}{% assign x = 1 %}",
    "</title><svg onload=alert(1)>",
    "javascript:alert(1)//",
    "\u202eetirW",
    "🙂" * 40,
)
MARKUP = re.compile(r"<script>alert|<img src=x|<svg onload|<[^>]*\bon(error|load)=(?![^<]*&)", re.IGNORECASE)


@pytest.fixture(params=HOSTILE, ids=["script", "image", "template", "svg", "address", "turning", "emoji"])
def words(request) -> str:
    return request.param


@pytest.fixture
def hostile(desk, words):
    """A case in which everything that somebody outside may write is hostile."""
    customer = desk.case.customer_id
    Customer.objects.filter(id=customer).update(name=words[:200])
    Claim.objects.filter(case=desk.case).update(product=words[:100], number=words[:64])
    write(desk.case.id, words, "form-0009")
    answer(desk.case.id, words, author="agnes", by="agent:1")
    place_hold(desk.case.id, "dispute", by="customer", note=words)
    add_note(desk.case.id, words, author="agnes")
    ask(desk.case.id, "other", words, "form-0010")
    take_in(f"From: x@x.example\nSubject: {words}\nMessage-ID: <9@x>\n\n{words}".encode())
    return desk


def pages(desk, client):
    yield client.get(desk.url("tasks/"))
    yield client.get(desk.url("cases/?state=all"))
    yield client.get(desk.case_url())
    yield client.get(desk.url(f"mails/{desk.inbound.id}/"))
    yield client.get(desk.url(f"corrections/{desk.correction.id + 1}/"))
    yield client.get(desk.url(f"messages/{desk.message.id}/"))


def test_desk_pages_show_text(hostile, login, words):
    for response in pages(hostile, login()):
        assert response.status_code == 200
        assert not MARKUP.search(response.content.decode())
        assert "49" not in re.findall(r"Erika|\b49\b", response.content.decode())


def test_the_customers_own_pages_show_text(hostile, client, words):
    home = f"/p/{hostile.token}/"
    assert client.post(f"{home}account/enter/", {"answer": "K1"}).status_code == 303
    for path in ("", "messages/", "statement/", "account/", "account/data/", "preferences/", "plan/"):
        response = client.get(home + path, follow=True)
        assert response.status_code == 200
        assert not MARKUP.search(response.content.decode())


def test_a_mail_carries_text(hostile, words, sink):  # noqa: F811 - the fixture
    queue_service(hostile.case.id, hostile.case.customer_id, "receipt", "receipt:9", {"paid": 100})
    assert dispatch().sent >= 1
    mail = sink.mails[-1]
    html = mail.get_body(("html",)).get_content()
    assert not MARKUP.search(html)
    assert "> 49" not in html
    assert len(mail.get_all("Subject")) == len(mail.get_all("To")) == 1


@pytest.mark.parametrize(
    "name",
    [
        "Erika\r\nBcc: spy@evil.example",
        "Erika\nX-Evil: 1",
        "Erika\x00",
        "=?utf-8?q?Erika=0d=0aBcc:_spy=40evil.example?=",
        "Erika\u2028Bcc: spy@evil.example",
        "x" * 200,
    ],
)
def test_a_name_adds_no_header(desk, name, sink):  # noqa: F811 - the fixture
    if "\x00" not in name:
        Customer.objects.filter(id=desk.case.customer_id).update(name=name)
        Brand.objects.update(sender_name=name[:100])
    queue_service(desk.case.id, desk.case.customer_id, "receipt", "receipt:8", {"paid": 100})
    dispatch()
    assert sink.mails
    for mail, recipients in zip(sink.mails, sink.recipients, strict=True):
        assert recipients == ["k1@customers.example"]
        assert mail["Bcc"] is None
        assert mail["X-Evil"] is None
        assert all("evil" not in key.lower() for key in mail)


def test_paper_fetches_nothing(desk):
    asked = []

    class Trap(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)

        def log_message(self, *words: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Trap)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        there = f"http://127.0.0.1:{server.server_port}/"
        evil = f'<img src="{there}a"><link rel=stylesheet href="{there}b"><img src="file:///etc/hostname">'
        Customer.objects.filter(id=desk.case.customer_id).update(name=evil[:200])
        Claim.objects.filter(case=desk.case).update(product=evil[:100])
        Brand.objects.update(imprint=evil)
        add_note(desk.case.id, evil, author="agnes")
        account = statement_of_account(desk.case.id, date(2026, 3, 3))
        for made in (
            paper.as_pdf(paper.sheet(account, date(2026, 3, 3), "de"), paper.letterhead()),
            personal.as_pdf(copy_of(desk.case.customer_id, "de", by="operator"), paper.letterhead()),
        ):
            assert made.startswith(b"%PDF")
    finally:
        server.shutdown()
        server.server_close()
    assert asked == []


def test_a_very_long_name_is_shown_and_breaks_nothing(make_case, client, creditor):
    case = make_case("K9", 500, date(2026, 2, 1), name="Ö" * 200)
    (link,) = links.create_block(np.array([case.id]), kernel_clock.now() + timedelta(days=9))
    page = client.get(f"/p/{links.token(int(link))}/")
    assert page.status_code == 200
    assert "Ö" * 200 in page.content.decode()
    assert ContactPoint.objects.filter(customer=case.customer_id).exists()
