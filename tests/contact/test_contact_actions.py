"""Addresses, consent and the log of contacts."""

from typing import Any

import pytest

from kulanz.contact.actions import add_points, give, log_contact, mark_bounced, withdraw
from kulanz.contact.models import Consent, ContactLog, ContactPoint
from kulanz.events.models import Event
from kulanz.kernel import clock as time
from kulanz.kernel.errors import InputError, NotFoundError
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import scope


def events(kind: str) -> list[tuple[int, dict[str, str]]]:
    return list(Event.objects.filter(type=kind).order_by("id").values_list("subject_id", "payload"))


def test_addresses_are_added_in_bulk_and_only_once(creditor: Creditor, make_case: Any) -> None:
    one, two = (make_case(number, email=None).customer_id for number in ("K1", "K2"))
    rows = [one, two, one, one], ["a@x.example", " b@x.example ", "a@x.example", ""]
    assert add_points(rows[0], "email", rows[1], source="import") == 2
    assert add_points(rows[0], "email", rows[1], source="import") == 0
    assert add_points([one], "sms", ["a@x.example"], source="import") == 1
    found = ContactPoint.objects.order_by("id").values_list(
        "customer_id", "channel", "value", "state", "source"
    )
    assert list(found) == [
        (one, "email", "a@x.example", "ok", "import"),
        (two, "email", "b@x.example", "ok", "import"),
        (one, "sms", "a@x.example", "ok", "import"),
    ]


def test_an_import_does_not_revive_an_address_that_bounced(creditor: Creditor, make_case: Any) -> None:
    customer = make_case(email="a@x.example").customer_id
    mark_bounced(customer, "email")
    assert add_points([customer], "email", ["a@x.example"], source="import") == 0
    assert ContactPoint.objects.get().state == "bounced"


def test_an_opt_out_is_recorded_once_with_its_proof(creditor: Creditor, make_case: Any) -> None:
    customer = make_case().customer_id
    assert withdraw(customer, "email", proof="unsubscribe link of message 7")
    assert not withdraw(customer, "email", proof="a second click")
    consent = Consent.objects.get()
    assert (consent.withdrawn_at, consent.proof) == (time.now(), "unsubscribe link of message 7")
    assert events("consent.withdrawn") == [(customer, {"channel": "email", "purpose": "reminders"})]


def test_a_consent_ends_an_opt_out_and_the_other_way_round(creditor: Creditor, make_case: Any) -> None:
    customer = make_case().customer_id
    withdraw(customer, "whatsapp", proof="preferences page")
    assert give(customer, "whatsapp", proof="preferences page")
    assert not give(customer, "whatsapp", proof="preferences page")
    consent = Consent.objects.get()
    assert (consent.given_at, consent.withdrawn_at) == (time.now(), None)
    assert withdraw(customer, "whatsapp", proof="preferences page")
    assert len(events("consent.given")) == 1
    assert len(events("consent.withdrawn")) == 2


def test_returned_mail_marks_the_address_it_came_from(creditor: Creditor, make_case: Any) -> None:
    customer = make_case(email="a@x.example").customer_id
    add_points([customer], "email", ["b@x.example"], source="customer")
    assert mark_bounced(customer, "email", "a@x.example") == 1
    assert mark_bounced(customer, "email", "a@x.example") == 0
    assert events("contact_point.bounced") == [(customer, {"channel": "email"})]
    assert ContactPoint.objects.get(value="b@x.example").state == "ok"


def test_a_contact_is_logged_at_this_moment(creditor: Creditor, make_case: Any) -> None:
    case = make_case()
    log_contact(case.id, case.customer_id, "email", demanding=True, message_id=9)
    logged = ContactLog.objects.get()
    assert (logged.at, logged.demanding, logged.message_id) == (time.now(), True, 9)


def test_what_does_not_exist_is_refused(creditor: Creditor, other_creditor: Creditor, make_case: Any) -> None:
    customer = make_case().customer_id
    with pytest.raises(InputError, match="channel"):
        withdraw(customer, "pigeon", proof="x")
    with pytest.raises(InputError, match="purpose"):
        give(customer, "email", purpose="everything", proof="x")
    with scope(other_creditor.id):
        with pytest.raises(NotFoundError):
            withdraw(customer, "email", proof="x")
        assert mark_bounced(customer, "email") == 0
    assert not Consent.objects.exists()
