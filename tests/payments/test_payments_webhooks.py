"""Providers call late, twice, out of order and wrongly; the ledger hears each fact once."""

import json
from datetime import date, timedelta

import pytest

from kulanz.claims.models import Journal
from kulanz.claims.queries import active_holds
from kulanz.events.models import Event
from kulanz.kernel import clock as kernel_clock
from kulanz.kernel.errors import ConflictError, InputError, NotFoundError
from kulanz.payments import signature
from kulanz.payments.actions import AmountChangedError, book_transfer, settle, start
from kulanz.payments.methods.port import ProviderError
from kulanz.payments.models import Payment, PaymentIntent, WebhookCall
from kulanz.tenancy.scope import scope
from kulanz.testing.psp import Behaviour

SECRET = "test-webhook-secret"


def kinds():
    return list(Journal.objects.exclude(kind="opened").order_by("id").values_list("kind", flat=True))


def outcomes():
    return list(WebhookCall.objects.order_by("id").values_list("outcome", flat=True))


def test_a_paid_checkout_is_booked_by_its_webhook(till):
    started = till.start()
    till.psp.pay(till.checkout(started))
    assert till.owed() == 10000
    assert till.psp.deliver() == 1
    assert till.owed() == 0
    payment = Payment.objects.get()
    assert (payment.amount, payment.method, payment.value_date) == (10000, "psp", date(2026, 3, 3))
    assert PaymentIntent.objects.get().state == "succeeded"
    booked = Event.objects.get(type="payment.booked")
    assert booked.subject_id == till.case.id
    assert (booked.payload["amount"], booked.payload["method"]) == (10000, "psp")
    assert outcomes() == ["booked"]


def test_the_same_call_three_times_is_booked_once(till):
    till.psp._behaviour = Behaviour(duplicates=2)
    till.psp.pay(till.checkout(till.start()))
    assert till.psp.deliver() == 3
    assert (till.owed(), kinds(), outcomes()) == (0, ["payment"], ["booked"])


def test_the_customer_comes_back_before_the_webhook(till):
    till.psp._behaviour = Behaviour(webhook_delay=timedelta(hours=3))
    started = till.start()
    till.psp.pay(till.checkout(started))
    settle(started.intent_id)
    assert till.owed() == 0


def test_a_webhook_after_the_customer_came_back_changes_nothing(till, clock):
    till.psp._behaviour = Behaviour(webhook_delay=timedelta(hours=3))
    started = till.start()
    till.psp.pay(till.checkout(started))
    settle(started.intent_id)
    clock.advance(timedelta(hours=4))
    assert till.psp.deliver() == 1
    assert (kinds(), outcomes()) == (["payment"], ["no_change"])


def test_a_call_that_overtakes_the_answer_finds_its_intent(till):
    started = till.start()
    PaymentIntent.objects.update(provider_reference="")
    till.psp.pay(till.checkout(started))
    till.psp.deliver()
    assert (till.owed(), PaymentIntent.objects.get().provider_reference) == (0, till.checkout(started))


def test_pending_then_paid_rests_reminders_in_between(till, clock):
    till.psp._behaviour = Behaviour(settle_after=timedelta(days=1))
    till.psp.pay(till.checkout(till.start()))
    till.psp.deliver()
    assert (till.owed(), [h.reason for h in active_holds(till.case.id)]) == (10000, ["payment_pending"])
    clock.advance(timedelta(days=1))
    till.psp.deliver()
    assert (till.owed(), active_holds(till.case.id), outcomes()) == (0, (), ["pending", "booked"])


def test_paid_before_pending_stays_paid(till, clock):
    till.psp._behaviour = Behaviour(settle_after=timedelta(hours=1), delays={"pending": timedelta(hours=9)})
    till.psp.pay(till.checkout(till.start()))
    clock.advance(timedelta(hours=1))
    till.psp.deliver()
    clock.advance(timedelta(hours=9))
    till.psp.deliver()
    assert (outcomes(), PaymentIntent.objects.get().state) == (["booked", "no_change"], "succeeded")


def test_a_declined_payment_fails_and_can_be_tried_again(till):
    first = till.start()
    till.psp.decline(till.checkout(first))
    till.psp.deliver()
    assert (outcomes(), till.owed(), Event.objects.filter(type="intent.failed").count()) == (
        ["failed"],
        10000,
        1,
    )
    second = till.start("form-0002")
    assert second.intent_id != first.intent_id
    till.psp.pay(till.checkout(second))
    till.psp.deliver()
    assert till.owed() == 0


def test_money_after_a_failure_is_still_money(till):
    checkout = till.checkout(till.start())
    till.psp.tell(checkout, "failed")
    till.psp.tell(checkout, "paid")
    till.psp.deliver()
    assert (outcomes(), till.owed()) == (["failed", "booked_after_failure"], 0)


def test_a_failure_told_after_the_payment_takes_nothing_back(till):
    checkout = till.checkout(till.start())
    till.psp.tell(checkout, "paid")
    till.psp.tell(checkout, "failed")
    till.psp.deliver()
    assert (outcomes(), till.owed(), kinds()) == (["booked", "contradicts_payment"], 0, ["payment"])


def test_an_amount_that_was_never_asked_for_is_not_booked(till):
    checkout = till.checkout(till.start())
    till.psp.tell(checkout, "paid", amount=1)
    till.psp.deliver()
    assert (outcomes(), till.owed(), kinds()) == (["amount_differs"], 10000, [])


def test_a_chargeback_opens_the_case_again_once(till):
    checkout = till.checkout(till.start())
    till.psp.pay(checkout)
    till.psp.deliver()
    till.psp.take_back(checkout)
    till.psp.tell(checkout, "returned")
    till.psp.deliver()
    assert outcomes() == ["booked", "returned", "no_change"]
    assert (till.owed(), kinds()) == (10000, ["payment", "payment_return"])
    assert Payment.objects.get().returned_at is not None
    assert Event.objects.filter(type="payment.returned").count() == 1


def test_a_chargeback_that_overtakes_its_payment_books_both(till):
    checkout = till.checkout(till.start())
    till.psp.tell(checkout, "returned")
    till.psp.tell(checkout, "paid")
    till.psp.deliver()
    assert outcomes() == ["booked_and_returned", "no_change"]
    assert (till.owed(), kinds()) == (10000, ["payment", "payment_return"])


def test_a_refund_asked_for_by_us_comes_back_as_a_return(till):
    checkout = till.checkout(till.start())
    till.psp.pay(checkout)
    till.method.refund(checkout, 10000, "refund-1")
    till.psp.deliver()
    assert (till.owed(), kinds()) == (10000, ["payment", "payment_return"])
    with pytest.raises(ProviderError):
        till.method.refund(checkout, 1, "refund-2")


def test_a_checkout_nobody_asked_for_is_kept_for_a_person(till, client):
    body = json.dumps(
        {
            "id": "ev_x",
            "created_at": "2026-03-03T08:00:00+00:00",
            "checkout": {"id": "co_unknown", "state": "paid", "amount": 5, "currency": "EUR"},
        }
    ).encode()
    answer = client.post(
        "/webhooks/psp/",
        body,
        content_type="application/json",
        headers={"Kulanz-Signature": signature.sign(body, SECRET, _now())},
    )
    assert answer.json() == {"outcomes": ["unknown"]}
    assert WebhookCall.objects.get().creditor_id is None


@pytest.mark.parametrize("age", [timedelta(minutes=-6), timedelta(minutes=6)])
def test_a_call_from_another_time_is_refused(till, client, age):
    body = b'{"id":"ev"}'
    header = signature.sign(body, SECRET, _now() + age)
    answer = client.post(
        "/webhooks/psp/", body, content_type="application/json", headers={"Kulanz-Signature": header}
    )
    assert (answer.status_code, WebhookCall.objects.count()) == (400, 0)


def test_calls_nobody_signed_are_refused(till, client):
    for header in (
        "",
        "t=1",
        "t=,v1=",
        "v1=abc",
        f"t={'9' * 30},v1=0",
        signature.sign(b"{}", "guess", _now()),
    ):
        answer = client.post(
            "/webhooks/psp/", b"{}", content_type="application/json", headers={"Kulanz-Signature": header}
        )
        assert answer.status_code == 400
    signed = signature.sign(b"[]", SECRET, _now())
    broken = client.post(
        "/webhooks/psp/", b"[]", content_type="application/json", headers={"Kulanz-Signature": signed}
    )
    assert broken.status_code == 400
    assert client.post("/webhooks/transfer/", b"{}", content_type="application/json").status_code == 404
    assert client.post("/webhooks/nobody/", b"{}", content_type="application/json").status_code == 404
    assert client.get("/webhooks/psp/").status_code == 405


def test_a_receiver_that_was_down_gets_the_call_again(till, clock):
    queue, answers = till.psp._calls, iter([500, 0])
    real = queue._send
    queue._send = lambda *call: next(answers, None) or real(*call)
    till.psp.pay(till.checkout(till.start()))
    for _ in range(5):
        till.psp.deliver()
        clock.advance(timedelta(minutes=10))
    assert (till.owed(), till.psp.next_due()) == (0, None)


def test_double_click_and_second_tab_join_one_attempt(till):
    first = till.start()
    assert till.start() == first
    assert till.start("form-0002") == first
    assert PaymentIntent.objects.count() == 1
    assert Event.objects.filter(type="intent.created").count() == 1


def test_a_form_from_before_the_amount_changed_moves_no_money(till):
    book_transfer(till.case.id, 4000, date(2026, 3, 2), "bank-1")
    with pytest.raises(AmountChangedError) as changed:
        till.start()
    assert (changed.value.shown, changed.value.now) == (10000, 6000)
    assert PaymentIntent.objects.count() == 0


def test_the_back_button_after_paying_starts_nothing(till):
    till.psp.pay(till.checkout(till.start()))
    till.psp.deliver()
    with pytest.raises(AmountChangedError) as changed:
        till.start()
    assert changed.value.now == 0


def test_a_provider_that_is_down_leaves_a_failed_attempt_and_no_money(till):
    till.psp.outage = True
    with pytest.raises(ProviderError):
        till.start()
    assert PaymentIntent.objects.get().state == "failed"
    till.psp.outage = False
    assert till.start("form-0002").url


def test_a_provider_cannot_send_customers_elsewhere(till):
    till.psp.public_url = "https://evil.example"
    with pytest.raises(ProviderError):
        till.start()
    assert PaymentIntent.objects.get().redirect_url == ""


def test_forms_without_a_proper_key_and_unknown_methods_are_refused(till):
    with pytest.raises(InputError):
        till.start("x")
    with pytest.raises(NotFoundError):
        start(till.link, till.payee, "shells", shown=10000, form_key="form-0001", language="de")


def test_a_bank_transfer_is_booked_once(till, make_case):
    first = book_transfer(till.case.id, 12500, date(2026, 3, 2), "bank-7")
    assert book_transfer(till.case.id, 12500, date(2026, 3, 2), "bank-7").id == first.id
    assert (till.owed(), kinds()) == (0, ["payment"])
    for case_id, amount, day in (
        (till.case.id, 12501, date(2026, 3, 2)),
        (till.case.id, 12500, date(2026, 3, 3)),
        (make_case("K2").id, 12500, date(2026, 3, 2)),
    ):
        with pytest.raises(ConflictError):
            book_transfer(case_id, amount, day, "bank-7")
    with pytest.raises(InputError):
        book_transfer(till.case.id, 0, date(2026, 3, 2), "bank-8")
    with pytest.raises(InputError):
        book_transfer(till.case.id, 5, date(2026, 3, 2), "")


def test_another_creditors_case_gets_no_money(till, other_creditor):
    with scope(other_creditor.id), pytest.raises(NotFoundError):
        book_transfer(till.case.id, 100, date(2026, 3, 2), "bank-9")


def _now():
    return kernel_clock.now()
