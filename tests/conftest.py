"""Fixtures that every room's tests share."""

import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import httpx
import numpy as np
import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connection, connections, transaction
from django.test import Client
from playwright.sync_api import Browser, sync_playwright
from pytest_django.plugin import DjangoDbBlocker

from kulanz.claims.guards import LEDGER_GUARDS
from kulanz.claims.models import Case
from kulanz.claims.opening import NewClaims, open_claims
from kulanz.claims.queries import open_amount
from kulanz.contact.models import ContactPoint
from kulanz.events.guards import EVENT_GUARDS
from kulanz.events.log import record
from kulanz.kernel import clock as kernel_clock
from kulanz.payments.methods.psp import Psp
from kulanz.payments.methods.registry import installed
from kulanz.payments.offers import actions as offers
from kulanz.payments.offers.models import Offer
from kulanz.tenancy.actions import NewCreditor, add_creditor
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import scope
from kulanz.testing.psp import PspSimulator

TUESDAY_NINE = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
CHROMIUM = Path("/usr/bin/chromium")
MakeCase = Callable[..., Case]


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real inputs; tests that need it are left out, visibly, where it is absent."""
    folder = Path(os.environ.get("KULANZ_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real inputs are not here ({folder}); set KULANZ_DATA")
    return folder


@pytest.fixture
def clock() -> Iterator[kernel_clock.VirtualClock]:
    """Virtual time that starts on Tuesday 3 March 2026, 9:00 in Berlin."""
    with kernel_clock.virtual(TUESDAY_NINE) as virtual:
        yield virtual


@pytest.fixture
def creditor(db: None, clock: kernel_clock.VirtualClock) -> Iterator[Creditor]:
    """A German creditor, in scope for the test."""
    made = new_creditor()
    with scope(made.id):
        yield made


@pytest.fixture
def other_creditor(creditor: Creditor) -> Creditor:
    """A second creditor, not in scope."""
    return new_creditor("birkenhof", name="Birkenhof Strom")


@pytest.fixture
def make_creditor() -> Callable[..., Creditor]:
    """Adds a creditor; not in scope."""
    return new_creditor


def new_creditor(slug: str = "lindenhof", **changes: object) -> Creditor:
    fields: dict[str, object] = {
        "slug": slug,
        "name": "Lindenhof Versand",
        "legal_name": "Lindenhof Versand GmbH",
        "address": "Lindenallee 1, 10115 Berlin",
        "sender_email": f"rechnung@{slug}.example",
        "iban": "DE89370400440532013000",
        "holdout_share": 0.0,
    }
    return add_creditor(NewCreditor(**(fields | changes)))  # type: ignore[arg-type]


@pytest.fixture
def make_case() -> MakeCase:
    """Opens one claim for the creditor in scope and returns its case."""
    return open_case


def open_case(
    number: str = "K1",
    amount: int = 10000,
    due: date = date(2026, 2, 20),
    *,
    claim: str = "",
    email: str | None = "",
    currency: str = "EUR",
    name: str = "Erika Beispiel",
    language: str = "de",
    kind: str = "person",
) -> Case:
    """`email` empty: an address made from the number; None: no contact point."""
    with transaction.atomic():
        opened = open_claims(
            NewClaims(
                numbers=[claim or f"R-{number}"],
                customer_numbers=[number],
                amounts=[amount],
                currencies=[currency],
                contract_dates=[date.fromordinal(due.toordinal() - 14)],
                due_dates=[due],
                jurisdictions=["DE"],
                products=["goods"],
                customer_names=[name],
                customer_kinds=[kind],
                languages=[language],
                countries=["DE"],
                postal_codes=["10115"],
            )
        )
    case: Case = Case.objects.get(customer__number=number, currency=currency)
    if email is not None and number in opened.new_customers:
        ContactPoint.objects.create(
            creditor_id=case.creditor_id,
            customer_id=case.customer_id,
            channel="email",
            value=email or f"{number.lower()}@customers.example",
            source="import",
            created_at=kernel_clock.now(),
        )
    return case


@pytest.fixture
def make_offer() -> Callable[..., Offer]:
    """Makes an offer of a creditor in scope as a run does, and tells it as the dispatcher does."""
    return offer_of


def offer_of(case_id: int, kind: str, number: int = 1, *, told: bool = True) -> Offer:
    """`number` names the decision; its message has the number plus 1,000."""
    ids, message = np.array([case_id]), 1_000 + number
    with transaction.atomic():
        today = TUESDAY_NINE.date()
        drafts = offers.draft(ids, np.array([open_amount(case_id)]), [kind], [today])
        offers.make(drafts, offers.Origin(np.array([number]), np.array([message]), ids))
    if told:
        record("message.sent", message, {"case": case_id, "offer": kind})
    made: Offer = Offer.objects.get(decision_id=number)
    return made


@pytest.fixture(scope="module")
def browser(django_db_setup: None) -> Iterator[Browser]:
    """Started after the database: Playwright's event loop would keep Django from setting it up."""
    if not CHROMIUM.exists():
        if "browser" in os.environ.get("KULANZ_REQUIRE", ""):
            pytest.fail("KULANZ_REQUIRE asks for a browser, but /usr/bin/chromium is not there")
        pytest.skip("there is no /usr/bin/chromium here")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        made = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-background-networking"]
        )
        yield made
        made.close()


@pytest.fixture
def psp(clock: kernel_clock.VirtualClock) -> Iterator[PspSimulator]:
    """The simulated provider in process; its webhooks reach the site."""
    site = Client()

    def send(url: str, body: bytes, headers) -> int:
        extra = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        path = "/" + url.split("/", 3)[3]
        return int(site.post(path, body, content_type="application/json", **extra).status_code)

    made = PspSimulator(api_key="key", webhook_secret="secret", send=send)
    method = Psp(made.public_url, "key", "secret", transport=httpx.WSGITransport(app=made.app))
    with installed(method):
        yield made


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """SQLite tests use a file, so that several connections see one database as in production; threads of servers and
    workers close their connections at once."""
    connection.settings_dict["CONN_MAX_AGE"] = 0
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.db")


@pytest.fixture
def _guards_afterwards(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Torn down last: puts the guards back into the emptied tables."""
    yield
    with django_db_blocker.unblock():
        EVENT_GUARDS.install(connection)
        LEDGER_GUARDS.install(connection)
        connections.close_all()


@pytest.fixture
def committed_db(_guards_afterwards: None, transactional_db: None) -> Iterator[None]:
    """Real commits, for tests with several connections; the tables are emptied afterwards."""
    assert "test" in Path(str(connection.settings_dict["NAME"])).name, "this is not the test database"
    yield
    LEDGER_GUARDS.remove(connection)
    EVENT_GUARDS.remove(connection)


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        pass


class _Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True


@pytest.fixture
def live_url(committed_db: None, settings: Any) -> Iterator[str]:
    """The site over a real HTTP server on a free port; links in messages point to it."""
    server = make_server("127.0.0.1", 0, get_wsgi_application(), _Threaded, _Quiet)
    url = f"http://127.0.0.1:{server.server_port}"
    settings.PUBLIC_URL = url
    settings.CSRF_TRUSTED_ORIGINS = [url]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
