"""The live stream in process: what it sends, what it resumes after, and how it ends."""

import asyncio
import json
from datetime import date

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from django.test import AsyncClient

from kulanz.claims.actions import book_payment, return_payment
from kulanz.documents.staff import Staff
from kulanz.events.log import record
from kulanz.events.models import Event
from kulanz.insights import feed, live
from kulanz.tenancy.scope import scope

TODAY = date(2026, 3, 3)


def pay(case, amount, key):
    book_payment(case.id, amount, value_date=TODAY, key=key, method="transfer")


@pytest.fixture
def stream(creditor):
    return live.Stream(Staff(1, "vera", creditor, "viewer"), "de", feed.newest_id())


def parse(text):
    """(event, id, data) of each server-sent event."""
    found = []
    for chunk in filter(None, text.split("\n\n")):
        fields = dict(line.split(": ", 1) for line in chunk.splitlines())
        found.append((fields["event"], fields.get("id"), json.loads(fields["data"])))
    return found


def test_a_payment_is_sent_once_with_the_figures_that_it_changed(creditor, make_case, stream):
    case = make_case(amount=12345)
    assert stream.step() == ""
    pay(case, 12345, "p1")
    payment, figures = parse(stream.step())
    assert payment[0] == "payment"
    assert payment[1] == str(payment[2]["id"]) == str(Event.objects.get(type="payment.booked").id)
    assert "123,45" in payment[2]["html"]
    assert "Erika Beispiel" in payment[2]["html"]
    assert figures[2]["text"]["today"] == "123,45\xa0€"
    assert figures[2]["text"]["realised"] == "100,0\xa0%"
    assert stream.step() == ""


def test_a_returned_payment_shows_as_money_that_went_back(creditor, make_case, stream):
    pay(make_case(), 10000, "p1")
    return_payment("p1", value_date=TODAY, key="back")
    _, returned, figures = parse(stream.step())
    assert "-100,00" in returned[2]["html"]
    assert figures[2]["text"]["today"] == "0,00\xa0€"


def test_a_name_is_text_and_never_markup(creditor, make_case, stream):
    pay(make_case(name="<script>alert(1)</script>"), 10000, "p1")
    assert "<script" not in parse(stream.step())[0][2]["html"]


def test_a_writer_that_commits_late_is_not_missed(creditor, make_case):
    case = make_case()
    pay(case, 100, "early")
    pay(case, 200, "late")
    first, second = Event.objects.filter(type="payment.booked").order_by("id")
    follower = feed.Follower(first.id)
    assert [arrival.id for arrival in follower.poll()] == [second.id]
    follower = feed.Follower(first.id - 1)
    follower._seen[second.id] = feed.monotonic()
    assert [arrival.id for arrival in follower.poll()] == [first.id]
    assert follower.poll() == ()


def test_what_settled_is_forgotten(creditor, make_case, monkeypatch):
    pay(make_case(), 100, "p")
    follower = feed.Follower(0)
    follower.poll()
    later = feed.monotonic() + feed.LOOK_BACK + 1
    monkeypatch.setattr(feed, "monotonic", lambda: later)
    follower.poll()
    assert follower._seen == {}
    assert follower.after == Event.objects.get(type="payment.booked").id


def test_a_burst_shows_the_newest_and_goes_on(creditor, make_case, stream):
    case = make_case()
    with transaction.atomic():
        for n in range(5 * feed.SHOWN):
            record("payment.booked", case.id, {"amount": n, "currency": "EUR", "method": "psp", "journal": n})
    sent = [event for event in parse(stream.step()) if event[0] == "payment"]
    assert len(sent) == feed.SHOWN
    assert sent[-1][2]["id"] == feed.newest_id()
    assert [event for event in parse(stream.step()) if event[0] == "payment"] == []


def test_another_creditors_payment_is_not_sent(creditor, other_creditor, make_case, stream):
    with scope(other_creditor.id):
        pay(make_case(), 10000, "p1")
    assert stream.step() == ""


def test_a_quiet_stream_says_that_it_is_there_and_ends_by_itself(stream, monkeypatch):
    monkeypatch.setattr(live, "PERIOD", 0.001)
    monkeypatch.setattr(live, "HEARTBEAT", 0.0)
    monkeypatch.setattr(live, "LIFETIME", 0.05)
    monkeypatch.setattr(live.Stream, "step", lambda self: "")
    monkeypatch.setattr(live, "_close", lambda: None)

    async def read():
        return [chunk async for chunk in stream.chunks()]

    chunks = asyncio.run(read())
    assert chunks[0].startswith("retry:")
    assert ": still here\n\n" in chunks


def test_without_asgi_the_browser_is_told_not_to_come_back(login, creditor):
    assert login().get(f"/insights/{creditor.slug}/stream").status_code == 204


def test_only_staff_of_the_creditor_may_listen(login, creditor, other_creditor):
    client = login()
    assert client.get(f"/insights/{other_creditor.slug}/stream").status_code == 404
    client.logout()
    assert client.get(f"/insights/{creditor.slug}/stream").status_code == 404


def test_it_resumes_after_the_event_that_the_browser_saw_last(login, creditor, monkeypatch):
    made = []
    monkeypatch.setattr(live.Stream, "__post_init__", lambda self: made.append(self.after))
    client = AsyncClient()
    client.cookies = login().cookies

    async def ask(path, **headers):
        return await client.get(path, headers=headers)

    address = f"/insights/{creditor.slug}/stream?after=5"
    for headers in ({}, {"Last-Event-ID": "9"}, {"Last-Event-ID": "x'y"}):
        response = async_to_sync(ask)(address, **headers)
        assert response["Content-Type"] == "text/event-stream"
        assert response["Cache-Control"] == "no-store"
    assert made == [5, 9, 0]
