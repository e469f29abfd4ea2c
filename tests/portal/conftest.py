"""A customer with one open invoice, their link, and the simulated provider in process."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pytest
from django.db import connections
from django.test import Client
from tests.outreach.conftest import sink  # noqa: F401 - a fixture
from tests.portal.browsing import Site

from kulanz.claims.models import Case
from kulanz.claims.queries import active_holds, open_amount
from kulanz.kernel import clock as kernel_clock
from kulanz.payments import links
from kulanz.payments.methods.psp import Psp
from kulanz.payments.methods.registry import installed
from kulanz.tenancy.actions import NewCreditor, add_creditor
from kulanz.tenancy.models import Creditor
from kulanz.testing.psp import PspSimulator, serve


@dataclass
class Visitor:
    """A customer at their page: 100.00 EUR, due on 20 February 2026, today is 3 March."""

    creditor: Creditor
    case: Case
    link_id: int
    psp: PspSimulator
    client: Client = field(default_factory=Client)

    @property
    def home(self) -> str:
        return f"/p/{links.token(self.link_id)}/"

    def get(self, path: str = "", **extra):
        return self.client.get(self.home + path, **extra)

    def text(self, path: str = "", **extra) -> str:
        return self.get(path, **extra).content.decode()

    def post(self, path: str, data: dict[str, object] | None = None, **extra):
        return self.client.post(self.home + path, data or {}, **extra)

    def pay(self, form: str = "form-0001", amount: int = 10000):
        return self.post("pay/", {"amount": amount, "form": form})

    def holds(self) -> list[str]:
        return [hold.reason for hold in active_holds(self.case.id)]

    def owed(self) -> int:
        return open_amount(self.case.id)


def new_link(case: Case, days: int = 60) -> int:
    expires = kernel_clock.now() + timedelta(days=days)
    return int(links.create_block(np.array([case.id]), expires)[0])


@pytest.fixture
def site(live_url, clock, make_case, browser, monkeypatch) -> Iterator[Site]:
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    creditor = add_creditor(
        NewCreditor(
            slug="lindenhof",
            name="Lindenhof Versand",
            legal_name="Lindenhof Versand GmbH",
            address="Lindenallee 1, 10115 Berlin",
            sender_email="rechnung@lindenhof.example",
            iban="DE89370400440532013000",
            simulated=True,
        )
    )
    psp = PspSimulator(api_key="key", webhook_secret="secret")
    with serve(psp) as url, installed(Psp(url, "key", "secret")):
        yield Site(live_url, creditor.id, browser, make_case, [], psp)


@pytest.fixture
def visitor(creditor: Creditor, make_case, psp: PspSimulator) -> Visitor:
    case = make_case("K1", 10000, date(2026, 2, 20))
    return Visitor(creditor, case, new_link(case), psp)
