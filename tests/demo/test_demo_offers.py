"""Simulated customers take offers on the real pages."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest

from kulanz.claims.models import Case
from kulanz.claims.queries import active_holds, open_amount
from kulanz.demo.agenda import Agenda
from kulanz.demo.letters import Letter
from kulanz.demo.people import People
from kulanz.demo.visitor import Visitor
from kulanz.engine import Act, Population
from kulanz.payments import links
from kulanz.payments.models import Plan
from kulanz.payments.offers.models import Offer, OfferPolicy
from kulanz.payments.plans import advancing
from kulanz.testing.psp import PspSimulator


@pytest.fixture
def people(creditor, psp: PspSimulator) -> Iterator[People]:
    OfferPolicy.objects.create(creditor=creditor, discounts=True, on_principal=True)
    with httpx.Client(transport=httpx.WSGITransport(app=psp.app)) as browser:
        population, zone = Population.draw(1, 1), ZoneInfo("Europe/Berlin")
        yield People(population, 1, zone, Agenda(), Visitor(browser), psp.deliver)


@pytest.fixture
def receive(people: People, make_case, make_offer, clock) -> Callable[..., Case]:
    """A customer reads a message with an offer and does something."""

    def read(kind: str, act: Act, message_id: int, *, transfers: bool = False) -> Case:
        case: Case = make_case("K1", 10_000, date(2026, 1, 22))
        people.row_of_case[case.id] = 0
        people.population.pays_by_transfer[0] = transfers
        make_offer(case.id, kind)
        (link,) = links.create_block(np.array([case.id]), clock.at + timedelta(days=60)).tolist()
        letter = Letter(case.id, message_id, links.url(link), "", clock.at, 40, 1, 0, 0, kind, 0)
        people._act(letter, act)
        return case

    return read


def wait(people: People, clock, days: int) -> None:
    """Let everything happen that was noted for the coming days."""
    end = clock.at + timedelta(days=days)
    while (entry := people.agenda.due(end)) is not None:
        clock.advance_to(max(clock.at, entry[0]))
        entry[1]()
        advancing.check_plans()
    clock.advance_to(end)


@pytest.mark.parametrize("transfers", [False, True])
def test_one_pays_the_reduced_sum(people: People, receive, clock, transfers: bool) -> None:
    case = receive("discount", Act.PAY, 3, transfers=transfers)
    wait(people, clock, 3)
    assert (open_amount(case.id), Offer.objects.get().state) == (0, "used")


def test_one_agrees_to_the_plan_and_pays_its_rates(people: People, receive, clock) -> None:
    case = receive("plan", Act.PAY, 2)
    assert [hold.reason for hold in active_holds(case.id)] == ["plan"]
    assert (Offer.objects.get().state, Plan.objects.get().state) == ("used", "active")
    wait(people, clock, 200)
    assert Plan.objects.get().state in {"completed", "broken"}
    assert open_amount(case.id) < 10_000


def test_one_chooses_the_offered_day_or_another(people: People, receive) -> None:
    case = receive("later", Act.PROMISE, 1)
    assert [hold.reason for hold in active_holds(case.id)] == ["promise"]
    assert Offer.objects.get().state == "used"
