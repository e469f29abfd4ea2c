"""Two creditors with everything a staff page can show, and staff of the first."""

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pytest
from django.db import transaction
from django.test import Client

from kulanz.claims.holds import place_hold
from kulanz.claims.models import Case, Hold
from kulanz.contact.correcting.actions import ask
from kulanz.contact.correcting.models import Correction
from kulanz.demo.models import ReceivedMail
from kulanz.desk.actions import add_note
from kulanz.kernel.clock import VirtualClock
from kulanz.outreach.dispatcher import dispatch
from kulanz.outreach.inbound.actions import take_in
from kulanz.outreach.models import InboundMessage, Message
from kulanz.payments import links
from kulanz.payments.actions import book_transfer
from kulanz.payments.models import PaymentIntent
from kulanz.strategy import journeys, runs
from kulanz.strategy.models import Decision
from kulanz.tenancy.actions import add_user
from kulanz.tenancy.models import Creditor, Role
from kulanz.tenancy.scope import scope

PASSWORD = "a-long-pass-phrase"


@dataclass(frozen=True)
class Desk:
    """One creditor with a decided, reminded, part-paid and held case."""

    creditor: Creditor
    case: Case
    hold: Hold
    message: Message
    decision: Decision
    intent: PaymentIntent
    token: str
    mail: ReceivedMail
    inbound: InboundMessage
    correction: Correction
    number: str

    def url(self, rest: str = "") -> str:
        return f"/desk/{self.creditor.slug}/{rest}"

    def case_url(self, rest: str = "") -> str:
        return self.url(f"cases/{self.case.id}/{rest}")


@pytest.fixture
def login(creditor: Creditor) -> Callable[..., Client]:
    """A client that is logged in with a role at the creditor of the test, or at another."""

    def log_in(role: Role = Role.AGENT, at: Creditor = creditor, language: str = "en") -> Client:
        client = Client(headers={"accept-language": language})
        client.force_login(add_user(f"{role}-{at.slug}", PASSWORD, at, role))
        return client

    return log_in


@pytest.fixture
def make_desk(make_case: Callable[..., Case], clock: VirtualClock, settings: object) -> Callable[..., Desk]:
    """Runs, sends, books and holds through the rooms' own doors."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"  # type: ignore[attr-defined]

    def make(creditor: Creditor, name: str = "Erika Beispiel", prefix: str = "K") -> Desk:
        with _at(creditor):
            journeys.install(creditor, "standard")
            case = make_case(f"{prefix}1", 12990, date(2026, 2, 20), name=name)
            runs.run(seed=1)
            message = Message.objects.get(case=case)
            clock.advance_to(max(clock.at, message.not_before))
        with scope(creditor.id):
            dispatch()
        with _at(creditor):
            book_transfer(case.id, 2990, date(2026, 3, 2), f"bank-{creditor.id}")
            hold = place_hold(case.id, "dispute", by="customer", note="The parcel never came.")
            add_note(case.id, "Called back, waiting for the carrier.", author="agnes")
            (link,) = links.create_block(np.array([case.id]), clock.at + timedelta(days=60)).tolist()
            intent = PaymentIntent.objects.create(
                creditor=creditor, case=case, link_id=link, method="psp", amount=10000,
                idempotency_key=f"intent-{creditor.id}", created_at=clock.at,
            )  # fmt: skip
            mail = ReceivedMail.objects.create(
                creditor=creditor, recipient="k1@customers.example", subject="Reminder", received_at=clock.at,
                source=zlib.compress(b"Subject: Reminder\n\nHello"),
            )  # fmt: skip
            raw = b"From: somebody@x.example\nSubject: Hello\n\nWho are you?"
            inbound = take_in(raw)
            correction = ask(case.id, "name", "It is wrong.", f"form-{creditor.id}")
            return Desk(
                creditor, case, hold, Message.objects.get(id=message.id), Decision.objects.get(case=case),
                intent, links.token(link), mail, inbound, correction, f"{prefix}1",
            )  # fmt: skip

    return make


@contextmanager
def _at(creditor: Creditor) -> Iterator[None]:
    with scope(creditor.id), transaction.atomic():
        yield


@pytest.fixture
def desk(creditor: Creditor, make_desk: Callable[..., Desk]) -> Desk:
    return make_desk(creditor)
