"""A case with a link, and the simulated provider in process."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import httpx
import numpy as np
import pytest
from django.test import Client

from kulanz.claims.models import Case
from kulanz.claims.queries import open_amount
from kulanz.kernel import clock as kernel_clock
from kulanz.payments import links
from kulanz.payments.actions import Started, start
from kulanz.payments.methods.port import Payee
from kulanz.payments.methods.psp import Psp
from kulanz.payments.methods.registry import installed
from kulanz.tenancy.models import Creditor
from kulanz.testing.psp import PspSimulator

KEY, SECRET = "test-key", "test-webhook-secret"


@dataclass
class Till:
    """One case of 100.00 EUR, its link, and the provider whose calls reach the webhook address in process."""

    psp: PspSimulator
    creditor: Creditor
    case: Case
    link: links.OpenLink
    method: Psp

    @property
    def payee(self) -> Payee:
        return Payee(
            self.creditor.account_holder, self.creditor.iban, self.creditor.bic, self.creditor.currency
        )

    def start(self, form_key: str = "form-0001", shown: int = 10000) -> Started:
        return start(self.link, self.payee, "psp", shown=shown, form_key=form_key, language="de")

    def checkout(self, started: Started) -> str:
        return started.url.rsplit("/", 1)[1]

    def owed(self) -> int:
        return open_amount(self.case.id)


@pytest.fixture
def till(creditor: Creditor, make_case, clock: kernel_clock.VirtualClock) -> Iterator[Till]:
    site = Client()

    def send(url: str, body: bytes, headers) -> int:
        path = "/" + url.split("/", 3)[3]
        extra = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        return int(site.post(path, body, content_type="application/json", **extra).status_code)

    psp = PspSimulator(api_key=KEY, webhook_secret=SECRET, send=send)
    method = Psp(psp.public_url, KEY, SECRET, transport=httpx.WSGITransport(app=psp.app))
    case = make_case("K1", 10000, date(2026, 2, 20))
    (link_id,) = links.create_block(np.array([case.id]), kernel_clock.now() + timedelta(days=60))
    with installed(method):
        yield Till(psp, creditor, case, links.resolve(links.token(int(link_id))), method)
