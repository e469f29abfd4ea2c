"""What leaves, what does not, and what is kept of it."""

from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, transaction

from kulanz.claims.actions import book_payment
from kulanz.claims.holds import lift_hold, place_hold
from kulanz.contact.actions import give, withdraw
from kulanz.contact.models import ContactLog, ContactPoint
from kulanz.events.models import Event
from kulanz.kernel.clock import VirtualClock
from kulanz.kernel.errors import NotFoundError
from kulanz.outreach import queries
from kulanz.outreach.channels.email import EmailChannel
from kulanz.outreach.channels.registry import installed
from kulanz.outreach.dispatcher import Dispatched, dispatch
from kulanz.outreach.models import ArchivedMessage, Layout, Message
from kulanz.outreach.settling import settle
from kulanz.payments import links
from kulanz.tenancy.models import Brand, Creditor
from kulanz.tenancy.scope import scope

pytestmark = pytest.mark.usefixtures("creditor")
TODAY = date(2026, 3, 3)


def text_of(sink: Any, number: int = -1) -> str:
    text: str = sink.mails[number].get_body(("plain",)).get_content()
    return text.replace("\xa0", " ")


def events(name: str) -> list[dict[str, Any]]:
    return list(Event.objects.filter(type=name).values_list("payload", flat=True))


def test_a_due_message_leaves_and_leaves_its_traces(make_case: Any, queue: Any, sink: Any) -> None:
    case = make_case()
    message = queue(case)
    assert dispatch() == Dispatched(sent=1)
    message.refresh_from_db()
    [mail] = sink.mails
    assert (message.state, message.attempts, message.lease_until) == ("sent", 1, None)
    assert mail["To"] == "Erika Beispiel <k1@customers.example>"
    assert mail["Date"] == "Tue, 03 Mar 2026 08:00:00 +0000"
    assert mail["Subject"].replace("\xa0", " ") == "Kleine Erinnerung: 100,00 € sind noch offen"
    assert mail["List-Unsubscribe"].strip() == f"<{links.url(message.link_id)}unsubscribe/>"
    assert [c.demanding for c in ContactLog.objects.filter(case=case, message_id=message.id)] == [True]
    assert events("message.sent") == [
        {
            "case": case.id,
            "channel": "email",
            "demanding": True,
            "stage": "reminder_1",
            "tone": "friendly",
            "offer": "none",
            "code": "",
        }
    ]


def test_nothing_leaves_before_its_time_or_twice(
    make_case: Any, queue: Any, sink: Any, clock: VirtualClock
) -> None:
    queue(make_case(), not_before=[clock.at + timedelta(hours=1)])
    assert dispatch() == Dispatched()
    clock.advance(timedelta(hours=1))
    assert dispatch() == Dispatched(sent=1)
    assert dispatch() == Dispatched()
    assert len(sink.mails) == 1


def test_a_payment_stops_the_reminder(make_case: Any, queue: Any, sink: Any) -> None:
    case = make_case()
    message = queue(case)
    book_payment(case.id, 10000, value_date=TODAY, key="p1", method="transfer")
    assert dispatch() == Dispatched(stopped=1)
    message.refresh_from_db()
    assert (message.state, message.outcome) == ("stopped", "nothing_open")
    assert sink.mails == []
    assert [event["code"] for event in events("message.stopped")] == ["nothing_open"]


def test_a_part_payment_stops_the_reminder_that_was_under_way(make_case: Any, queue: Any, sink: Any) -> None:
    case = make_case()
    message = queue(case)
    book_payment(case.id, 4000, value_date=TODAY, key="p1", method="transfer")
    assert dispatch() == Dispatched(stopped=1)
    message.refresh_from_db()
    assert (message.state, message.outcome) == ("stopped", "payment_received")
    assert sink.mails == []


def test_a_reminder_written_after_a_part_payment_asks_for_the_rest(
    make_case: Any, queue: Any, sink: Any, clock: VirtualClock
) -> None:
    case = make_case()
    book_payment(case.id, 4000, value_date=TODAY, key="p1", method="transfer")
    clock.advance(timedelta(minutes=1))
    queue(case)
    assert dispatch().sent == 1
    assert "60,00 €" in text_of(sink)
    assert "100,00 €" not in text_of(sink)


def test_a_payment_between_writing_and_sending_is_seen(
    make_case: Any, queue: Any, sink: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages are written ahead in blocks; the second is overtaken by a payment while the first is sent."""
    first, second = make_case("K1"), make_case("K2")
    queue(first, 1)
    queue(second, 2)
    send = EmailChannel.send

    def pay_meanwhile(channel: EmailChannel, outgoing: Any) -> Any:
        book_payment(second.id, 2500, value_date=TODAY, key="p1", method="transfer")
        return send(channel, outgoing)

    monkeypatch.setattr(EmailChannel, "send", pay_meanwhile)
    assert dispatch() == Dispatched(sent=1, stopped=1)


@pytest.mark.parametrize(
    ("reason", "code"), [("dispute", "disputed"), ("promise", "on_hold"), ("payment_pending", "on_hold")]
)
def test_a_hold_stops_the_reminder(make_case: Any, queue: Any, sink: Any, reason: str, code: str) -> None:
    case = make_case()
    message = queue(case)
    place_hold(case.id, reason, by="customer")
    assert dispatch() == Dispatched(stopped=1)
    message.refresh_from_db()
    assert message.outcome == code
    assert sink.mails == []


def test_a_renewed_consent_stops_nothing_and_after_a_lifted_hold_a_message_waits(
    make_case: Any, queue: Any, sink: Any, clock: VirtualClock
) -> None:
    case = make_case()
    queue(case)
    withdraw(case.customer_id, "email", proof="test")
    give(case.customer_id, "email", proof="test")
    assert dispatch().sent == 1
    held = make_case("K2")
    message = queue(held, expires_at=[clock.at + timedelta(days=5)])
    lift_hold(place_hold(held.id, "manual", by="agent:1").id, by="agent:1")
    assert dispatch().postponed == 1
    message.refresh_from_db()
    assert message.outcome == "returning"
    clock.advance(timedelta(days=3))
    assert dispatch().sent == 1


def test_an_opt_out_stops_the_reminder(make_case: Any, queue: Any, sink: Any) -> None:
    case = make_case()
    message = queue(case)
    withdraw(case.customer_id, "email", proof="one click")
    assert dispatch() == Dispatched(stopped=1)
    message.refresh_from_db()
    assert message.outcome == "opted_out"
    assert sink.mails == []


def test_outside_of_contact_hours_a_message_waits_until_it_expires(
    make_case: Any, queue: Any, sink: Any, clock: VirtualClock
) -> None:
    clock.advance(timedelta(hours=13))
    message = queue(make_case(), expires_at=[clock.at + timedelta(hours=3)])
    assert dispatch() == Dispatched(postponed=1)
    assert dispatch() == Dispatched(), "it is not tried again at once"
    clock.advance(timedelta(hours=3))
    assert dispatch() == Dispatched(stopped=1)
    message.refresh_from_db()
    assert message.outcome == "expired"
    assert sink.mails == []


def test_two_messages_to_one_customer_do_not_both_leave(make_case: Any, queue: Any, sink: Any) -> None:
    euros, dollars = make_case(), make_case(claim="R-2", currency="USD")
    assert euros.customer_id == dollars.customer_id
    queue(euros, 1)
    queue(dollars, 2)
    assert dispatch().sent <= 1


def test_an_address_that_the_server_refuses_is_marked_bounced(make_case: Any, queue: Any, sink: Any) -> None:
    case = make_case(email="refused@customers.example")
    message = queue(case)
    assert dispatch() == Dispatched(failed=1)
    message.refresh_from_db()
    assert message.outcome.startswith("550 5.1.1")
    assert ContactPoint.objects.get(customer_id=case.customer_id).state == "bounced"
    assert events("contact_point.bounced") == [{"channel": "email"}]
    assert ContactLog.objects.count() == 0


def test_a_message_refused_for_its_content_does_not_blame_the_address(
    make_case: Any, queue: Any, sink: Any
) -> None:
    case = make_case(email="content@customers.example")
    queue(case)
    assert dispatch() == Dispatched(failed=1)
    assert ContactPoint.objects.get(customer_id=case.customer_id).state == "ok"


def test_a_server_that_is_busy_is_tried_again_five_times(
    make_case: Any, queue: Any, sink: Any, clock: VirtualClock
) -> None:
    message = queue(make_case(email="later@customers.example"), expires_at=[clock.at + timedelta(days=2)])
    assert dispatch() == Dispatched(postponed=1)
    assert dispatch() == Dispatched(), "not before five minutes have passed"
    for minutes in (5, 20, 80):
        clock.advance(timedelta(minutes=minutes))
        assert dispatch() == Dispatched(postponed=1)
    clock.advance(timedelta(minutes=320))
    assert dispatch() == Dispatched(failed=1)
    message.refresh_from_db()
    assert message.attempts == 5
    assert ArchivedMessage.objects.filter(message=message).count() == 1


def test_a_server_that_cannot_be_reached_leaves_everything_queued(
    make_case: Any, queue: Any, sink: Any, settings: Any
) -> None:
    message = queue(make_case())
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    assert dispatch() == Dispatched(down=("email",))
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("queued", 0)
    settings.EMAIL_PORT = port
    assert dispatch() == Dispatched(sent=1)


def test_a_channel_without_provider_fails_loudly(make_case: Any, queue: Any, sink: Any) -> None:
    message = queue(make_case(), channel=["letter"])
    assert dispatch() == Dispatched(failed=1)
    message.refresh_from_db()
    assert "letter" in message.outcome


class Asked(EmailChannel):
    """A provider that can be asked."""

    def __init__(self, answer: bool | None) -> None:
        super().__init__()
        self.answer = answer

    def was_delivered(self, wire_id: str) -> bool | None:
        return self.answer


def test_a_broken_hand_over_is_unknown_and_never_sent_again_unasked(
    make_case: Any, queue: Any, sink: Any, clock: VirtualClock
) -> None:
    message = queue(make_case(email="breaks@customers.example"))
    assert dispatch() == Dispatched(unknown=1)
    clock.advance(timedelta(minutes=30))
    assert dispatch() == Dispatched()
    message.refresh_from_db()
    assert message.state == "unknown"
    assert len(sink.mails) == 1
    assert "100,00 €" in queries.archived(message.id).text.replace("\xa0", " "), (
        "a person can read what it said"
    )


def test_a_provider_that_knows_settles_what_is_unknown(make_case: Any, queue: Any, sink: Any) -> None:
    message = queue(make_case(email="breaks@customers.example"))
    dispatch()
    with installed(Asked(None)):
        dispatch()
    message.refresh_from_db()
    assert message.state == "unknown"
    with installed(Asked(answer=True)):
        dispatch()
    message.refresh_from_db()
    assert message.state == "sent"
    assert ContactLog.objects.filter(message_id=message.id).count() == 1
    assert len(sink.mails) == 1


def test_what_surely_did_not_arrive_is_checked_anew(make_case: Any, queue: Any, sink: Any) -> None:
    case = make_case(email="breaks@customers.example")
    message = queue(case)
    dispatch()
    book_payment(case.id, 10000, value_date=TODAY, key="p1", method="transfer")
    with installed(Asked(answer=False)):
        assert dispatch() == Dispatched(stopped=1)
    message.refresh_from_db()
    assert message.outcome == "nothing_open"


def test_a_person_settles_a_message_once(make_case: Any, queue: Any, sink: Any) -> None:
    message = queue(make_case(email="breaks@customers.example"))
    dispatch()
    settle(message.id, delivered=True, by="agent:1")
    with pytest.raises(NotFoundError):
        settle(message.id, delivered=False, by="agent:2")
    assert dispatch() == Dispatched()


def test_what_a_crash_left_behind_becomes_unknown_when_its_lease_is_over(
    make_case: Any, queue: Any, sink: Any, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = queue(make_case())

    def crash(channel: EmailChannel, outgoing: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(EmailChannel, "send", crash)
        dispatch()
    assert dispatch() == Dispatched(), "another process may still be at it"
    clock.advance(timedelta(minutes=10))
    dispatch()
    message.refresh_from_db()
    assert message.state == "unknown"
    assert sink.mails == []


def test_the_archive_keeps_the_layout_once_and_no_token(make_case: Any, queue: Any, sink: Any) -> None:
    messages = [queue(make_case(f"K{number}"), number) for number in range(3)]
    dispatch()
    assert Layout.objects.count() == 1
    for number, message in enumerate(messages):
        kept = queries.archived(message.id)
        token = links.token(message.link_id)
        html = sink.mails[number].get_body(("html",)).get_content()
        assert kept.html.replace("{token}", token).split() == html.split(), "what was sent, to the letter"
        assert token not in kept.html + kept.text
        assert kept.wire_id == sink.mails[number]["Message-ID"]
        assert len(ArchivedMessage.objects.get(message=message).content) < 1500


def test_the_wire_id_follows_from_the_key_alone(make_case: Any, queue: Any, sink: Any) -> None:
    message = queue(make_case())
    dispatch()
    first = sink.mails[0]["Message-ID"]
    ArchivedMessage.objects.filter(message=message).delete()
    Message.objects.filter(id=message.id).update(state="queued")
    ContactLog.objects.all().delete()
    dispatch()
    assert [mail["Message-ID"] for mail in sink.mails] == [first, first]


def test_the_same_decision_cannot_write_two_messages(make_case: Any, queue: Any) -> None:
    case = make_case()
    queue(case, 7)
    with pytest.raises((IntegrityError, psycopg.IntegrityError)), transaction.atomic():
        queue(case, 7)


def test_names_with_line_breaks_become_neither_headers_nor_recipients(
    make_case: Any, queue: Any, sink: Any, creditor: Creditor
) -> None:
    Brand.objects.update(sender_name="Lindenhof\r\nBcc: other@customers.example")
    queue(make_case(name="Eve\r\nBcc: other@customers.example\r\n\r\nHello"))
    assert dispatch().sent == 1
    assert sink.mails[0]["Bcc"] is None
    assert sink.recipients == [["k1@customers.example"]]
    assert "\nBcc" not in text_of(sink)


def test_another_creditors_messages_stay_where_they_are(
    make_case: Any, queue: Any, sink: Any, other_creditor: Creditor
) -> None:
    message = queue(make_case())
    with scope(other_creditor.id):
        assert dispatch() == Dispatched()
        with pytest.raises(NotFoundError):
            queries.archived(message.id)
    assert dispatch().sent == 1
