"""Service messages that other rooms' events cause, and what clicks leave."""

import time
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from django.db import transaction

from kulanz.claims.actions import book_payment
from kulanz.claims.holds import place_hold
from kulanz.contact.actions import mark_bounced, withdraw
from kulanz.contact.models import ContactLog
from kulanz.events.delivery import deliver
from kulanz.events.log import record
from kulanz.events.models import Event
from kulanz.kernel.clock import VirtualClock
from kulanz.kernel.errors import InputError
from kulanz.outreach.actions import NewMessages, queue_block, queue_service
from kulanz.outreach.dispatcher import dispatch
from kulanz.outreach.models import DeliveryEvent, Message
from kulanz.payments import links
from kulanz.payments.models import PaymentIntent

pytestmark = pytest.mark.usefixtures("creditor")
TODAY = date(2026, 3, 3)


def queued() -> list[str]:
    return list(Message.objects.filter(kind="service").order_by("id").values_list("stage", flat=True))


def subjects(sink: Any) -> list[str]:
    return [mail["Subject"].replace("\xa0", " ") for mail in sink.mails]


def test_a_payment_gets_one_receipt(make_case: Any, sink: Any) -> None:
    case = make_case()
    book_payment(case.id, 10000, value_date=TODAY, key="p1", method="psp")
    deliver()
    deliver()
    assert dispatch().sent == 1
    assert subjects(sink) == ["Danke, 100,00 € sind angekommen"]
    assert [contact.demanding for contact in ContactLog.objects.all()] == [False]


def test_a_receipt_leaves_at_night_and_in_spite_of_an_opt_out_from_reminders(
    make_case: Any, sink: Any, clock: VirtualClock
) -> None:
    case = make_case()
    withdraw(case.customer_id, "email", proof="test")
    clock.advance(timedelta(hours=14))
    book_payment(case.id, 10000, value_date=TODAY, key="p1", method="psp")
    deliver()
    dispatch()
    assert "Danke, 100,00 € sind angekommen" in subjects(sink)


def test_who_pays_an_invoice_unasked_gets_no_mail(make_case: Any) -> None:
    case = make_case()
    book_payment(case.id, 10000, value_date=TODAY, key="p1", method="transfer")
    deliver()
    assert queued() == []


def test_who_has_no_working_address_gets_no_receipt(make_case: Any) -> None:
    nobody, bounced = make_case("K1", email=None), make_case("K2")
    mark_bounced(bounced.customer_id, "email")
    for case in (nobody, bounced):
        book_payment(case.id, 10000, value_date=TODAY, key=f"p{case.id}", method="transfer")
    deliver()
    assert queued() == []


def test_a_customers_promise_and_dispute_are_confirmed_an_agents_hold_is_not(
    make_case: Any, sink: Any, clock: VirtualClock
) -> None:
    promised, disputed, held = make_case("K1"), make_case("K2"), make_case("K3")
    midnight_after = clock.at.replace(hour=23, minute=0) + timedelta(days=17)
    place_hold(promised.id, "promise", by="customer", until=midnight_after)
    place_hold(disputed.id, "dispute", by="customer", note="wrong size")
    place_hold(held.id, "dispute", by="agent:1")
    deliver()
    assert queued() == ["promise_noted", "dispute_received"]
    dispatch()
    assert subjects(sink)[0] == "Notiert: Sie zahlen bis zum 20. März 2026"


def test_an_opt_out_is_confirmed_once(make_case: Any, sink: Any) -> None:
    case = make_case()
    withdraw(case.customer_id, "email", proof="test")
    withdraw(case.customer_id, "email", proof="test")
    withdraw(case.customer_id, "sms", proof="test")
    deliver()
    assert queued() == ["opt_out_confirmed"]
    assert dispatch().sent == 1


def test_a_failed_payment_is_told_unless_another_was_begun(make_case: Any, clock: VirtualClock) -> None:
    first, second = make_case("K1"), make_case("K2")
    fields = {"method": "psp", "amount": 10000, "created_at": clock.at, "creditor_id": first.creditor_id}
    told, retried, _ = (
        PaymentIntent.objects.create(case=case, idempotency_key=f"i{n}", **fields)
        for n, case in enumerate([first, second, second])
    )
    for intent in (told, retried):
        record("intent.failed", intent.id, {"case": intent.case_id, "amount": 10000})
    deliver()
    assert queued() == ["payment_failed"]
    assert Message.objects.get().case_id == first.id


def test_the_first_opening_of_a_link_is_a_click_on_its_message(make_case: Any, queue: Any, sink: Any) -> None:
    case = make_case()
    message = queue(case)
    dispatch()
    for _ in range(2):
        record("link.opened", case.id, {"link": message.link_id})
        deliver()
    assert [(e.message_id, e.kind) for e in DeliveryEvent.objects.all()] == [(message.id, "clicked")]
    assert list(Event.objects.filter(type="message.clicked").values_list("subject_id", "payload")) == [
        (message.id, {"case": case.id})
    ]


def test_a_link_that_came_with_no_message_is_no_click(make_case: Any) -> None:
    case = make_case()
    [link] = links.create_block(np.array([case.id]), case.opened_at + timedelta(days=60))
    record("link.opened", case.id, {"link": int(link)})
    deliver()
    assert not DeliveryEvent.objects.exists()


def test_the_same_cause_writes_once_and_an_unknown_text_is_refused(make_case: Any) -> None:
    case = make_case()
    assert queue_service(case.id, case.customer_id, "receipt", "receipt:1", {"paid": 100})
    assert not queue_service(case.id, case.customer_id, "receipt", "receipt:1", {"paid": 100})
    with pytest.raises(InputError, match="no service text love_letter"):
        queue_service(case.id, case.customer_id, "love_letter", "x", {})


def test_a_block_of_messages_is_written_by_columns(make_case: Any, clock: VirtualClock) -> None:
    """Measured at more than 100,000 rows per second on an idle core; the bound leaves room for a busy machine."""
    case, n = make_case(), 20_000
    cases = np.full(n, case.id)
    link = links.create_block(cases[:1], clock.at + timedelta(days=60))
    block = NewMessages(
        case_id=cases,
        customer_id=np.full(n, case.customer_id),
        stage=["reminder_1"] * n,
        channel=["email"] * n,
        tone=["friendly"] * n,
        offer=["none"] * n,
        not_before=[clock.at] * n,
        expires_at=[clock.at + timedelta(hours=2)] * n,
        decision_id=np.arange(n),
        link_id=np.repeat(link, n),
        allowed=["{}"] * n,
    )
    started = time.process_time()
    with transaction.atomic():
        ids = queue_block(block)
    assert n / (time.process_time() - started) > 20_000
    assert len(set(ids.tolist())) == n
    assert Message.objects.get(id=ids[5]).key == f"demanding:{case.id}:5"
