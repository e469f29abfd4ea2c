"""The whole demo: a portfolio, a creditor, the time-lapse and its result."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx
import numpy as np
from django.test import Client

from kulanz.claims.models import Claim
from kulanz.demo import creditor as creditors
from kulanz.demo import deliveries, portfolio
from kulanz.demo.agenda import Agenda
from kulanz.demo.home import home_of_file
from kulanz.demo.letters import Postman
from kulanz.demo.people import People
from kulanz.demo.result import result
from kulanz.demo.timelapse import TimeLapse
from kulanz.demo.visitor import Visitor
from kulanz.engine import Population
from kulanz.intake.actions import Options
from kulanz.intake.mapping import load
from kulanz.kernel import clock
from kulanz.kernel.settings import settings as environment
from kulanz.payments.methods import registry
from kulanz.payments.methods.psp import Psp
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import scope
from kulanz.testing.psp import Behaviour, Checkout, PspSimulator
from kulanz.testing.webhooks import Sender

FIRST_DAY = date(2026, 1, 5)
DAYS = 120
QUIET_SHARE = 0.35
"""The last part of the time in which a generated portfolio has no new invoices, so that its ladder is walked on."""
LONGEST = 3650.0
"""Days; who would pay later than that does not pay by themselves."""
BEFORE_ALL = date(2000, 1, 3)
Progress = Callable[[str, int, int], None]
"""Called with what is going on, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for. `days` None: 120 for the generated portfolio, a file's whole span otherwise.

    `customers` and `bills` (invoices) are the size of a generated portfolio.
    """

    invoices: Path | None = None
    days: int | None = None
    seed: int = 1
    currency: str = ""
    jurisdiction: str = ""
    mapping: Path | None = None
    customers: int = 5000
    bills: int = 8000


@dataclass(frozen=True, slots=True)
class Played:
    """`document` is what --json prints; `ends_at` is the virtual time at which the pages go on."""

    document: dict[str, Any]
    login: creditors.Login
    creditor: Creditor
    provider: PspSimulator
    webhooks: "Webhooks"
    ends_at: datetime


def play(wish: Wish, progress: Progress) -> Played:
    """Play the time-lapse into this process's empty database; raises InputError for a file that cannot be used."""
    begun = time.monotonic()
    with clock.virtual(datetime.combine(BEFORE_ALL, clock_time(), UTC)) as virtual:
        path, mapping = wish.invoices or _generated(wish), load(wish.mapping) if wish.mapping else None
        home = home_of_file(path, mapping, jurisdiction=wish.jurisdiction, currency=wish.currency)
        creditor, login = creditors.set_up(home)
        with scope(creditor.id):
            delivered = deliveries.read(
                path, Options(mapping, wish.currency, wish.jurisdiction, skip_bad=True)
            )
            days = _days(delivered, wish)
            virtual.advance_to(datetime.combine(days[0], clock_time(), ZoneInfo(creditor.timezone)))
            stage = _Stage(wish, creditor, delivered)
            stage.play(virtual, days, progress)
            document = result(creditor, days, stage.population.best_band)
        ends_at = virtual.at
    invoices = {"imported": delivered.imported, "rejected": delivered.rejected}
    document = {
        "invoices": invoices,
        **document,
        "seed": wish.seed,
        "seconds": round(time.monotonic() - begun, 1),
    }
    return Played(document, login, creditor, stage.provider, stage.webhooks, ends_at)


def _generated(wish: Wish) -> Path:
    """Write the made-up portfolio beside the database, as a shop would hand it over."""
    days = max(1, round((wish.days or DAYS) * (1 - QUIET_SHARE)))
    path = environment().data_dir / "demo-invoices.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        portfolio.generate(wish.seed, FIRST_DAY, portfolio.Size(wish.customers, wish.bills, days)),
        encoding="utf-8",
    )
    return path


def _days(delivered: deliveries.Portfolio, wish: Wish) -> list[date]:
    first = delivered.first_day
    last = delivered.last_day if wish.invoices else first + timedelta(days=DAYS - 1)
    if wish.days:
        last = first + timedelta(days=wish.days - 1)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


@dataclass
class Webhooks:
    """How the provider reaches the site: by the real view in process while time is virtual, later over HTTP."""

    over_http: Sender | None = None
    _client: Client = field(
        default_factory=lambda: Client(SERVER_NAME=urlsplit(environment().public_url).hostname or "")
    )

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        if self.over_http is not None:
            return self.over_http(url, body, headers)
        kind = headers["Content-Type"]
        answer = self._client.post(urlsplit(url).path, data=body, content_type=kind, headers=dict(headers))
        return int(answer.status_code)


@dataclass
class _Stage:
    """Everything that plays: the population, the payment provider and the pages."""

    wish: Wish
    creditor: Creditor
    delivered: deliveries.Portfolio
    population: Population = field(init=False)
    _place: dict[str, int] = field(init=False)
    provider: PspSimulator = field(init=False)
    webhooks: Webhooks = field(default_factory=Webhooks)

    def __post_init__(self) -> None:
        found = self.delivered
        self._place = {number: row for row, number in enumerate(found.customers)}
        self.population = Population.draw(len(found.customers), self.wish.seed, business=found.business)
        env = environment()
        self.provider = PspSimulator(
            api_key=env.psp_api_key.get_secret_value(),
            webhook_secret=env.psp_webhook_secret.get_secret_value(),
            send=self.webhooks,
            behaviour=_behaviour,
            public_url=env.psp_url,
        )

    def play(self, virtual: clock.VirtualClock, days: list[date], progress: Progress) -> None:
        env, zone = environment(), ZoneInfo(self.creditor.timezone)
        transport = httpx.WSGITransport(app=self.provider.app)
        method = Psp(
            env.psp_url,
            env.psp_api_key.get_secret_value(),
            env.psp_webhook_secret.get_secret_value(),
            transport=transport,
        )
        agenda = Agenda()
        with httpx.Client(transport=transport) as browser, registry.installed(method):
            people = People(
                self.population, self.wish.seed, zone, agenda, Visitor(browser), self.provider.deliver
            )
            lapse = TimeLapse(
                clock=virtual,
                timezone=zone,
                seed=self.wish.seed,
                agenda=agenda,
                people=people,
                postman=Postman(self.creditor.timezone),
                deliver_file=lambda day: self._deliver(day, people, zone),
                provider_calls=self.provider.deliver,
            )
            for number, day in enumerate(days):
                progress(day.isoformat(), number, len(days))
                lapse.play([day])
            progress(days[-1].isoformat(), len(days), len(days))

    def _deliver(self, day: date, people: People, zone: ZoneInfo) -> None:
        """Import the file of a day; each customer has a day on which they would pay without being asked."""
        if not self.delivered.deliver(day).height:
            return
        claims = list(
            Claim.objects.filter(contract_date=day, kind=Claim.Kind.INVOICE)
            .order_by("id")
            .values_list("id", "case_id", "number", "case__customer__number", "due_date")
        )
        rows = np.array([self._place[customer] for *_, customer, _ in claims], np.int64)
        own = self.population.own_day(rows, self.wish.seed, ids=np.array([c[0] for c in claims], np.int64))
        for (claim, case, number, _, due), row, days in zip(claims, rows.tolist(), own.tolist(), strict=True):
            people.row_of_case[case] = row
            paid_on = self.delivered.settled_on.get(number)
            if paid_on is None and self.delivered.settled_on:
                continue
            at = datetime.combine(paid_on or due, clock_time(9), zone)
            if paid_on is None:
                at += timedelta(days=min(days, LONGEST))
            people.expect_payment(case, claim, max(at, clock.now() + timedelta(hours=1)))


def _behaviour(checkout: Checkout) -> Behaviour:
    """Most calls come at once; some come twice, some late, some payments take a while to settle."""
    number = int(checkout.id.rsplit("_", 1)[1])
    return Behaviour(
        webhook_delay=timedelta(minutes=20 if number % 13 == 0 else 0),
        duplicates=int(number % 9 == 0),
        settle_after=timedelta(hours=5 if number % 17 == 0 else 0),
    )
