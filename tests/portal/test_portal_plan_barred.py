"""Paying in rates acknowledges a debt: for what is time-barred no plan is offered or agreed by the machine."""

from datetime import date

import pytest
from tests.portal.conftest import new_link
from tests.portal.test_portal_plan import agree, offer

from kulanz.claims.models import LimitationFact
from kulanz.kernel.errors import ConflictError
from kulanz.payments.models import Plan
from kulanz.payments.plans import actions
from kulanz.payments.plans.actions import Agreement
from kulanz.payments.plans.rules import Proposal, Rhythm

# Due in 2022: section 199 BGB starts three years at the year's end, so they were over at the end of 2025.
LAST_BARRED, FIRST_OPEN = date(2022, 12, 31), date(2023, 1, 1)


@pytest.fixture
def old(visitor, make_case):
    def make(due: date, number: str = "K9"):
        case = make_case(number, 10000, due)
        visitor.case = case
        visitor.link_id = new_link(case)
        return visitor

    return make


def test_no_way_leads_to_a_plan_and_none_can_be_forced(old) -> None:
    visitor = old(LAST_BARRED)
    assert 'href="../plan/' not in visitor.text()
    assert "plan/" not in visitor.text()
    budget = {"step": "check", "income": "2400", "housing": "1000"}
    assert "plan/" not in visitor.post("help/", budget).content.decode()
    for answer in (visitor.get("plan/"), offer(visitor)):
        assert (answer.status_code, answer["Location"]) == (303, "../")
    wanted = Proposal(Rhythm.MONTHLY, date(2026, 3, 15), rate=3000)
    with pytest.raises(ConflictError, match="time-barred"):
        actions.propose(visitor.case.id, wanted)
    with pytest.raises(ConflictError, match="time-barred"):
        actions.agree(visitor.case.id, wanted, Agreement(10000, "form-0001"))
    assert not Plan.objects.exists()
    assert not LimitationFact.objects.exists()


def test_the_day_after_the_edge_a_plan_is_possible_as_before(old) -> None:
    visitor = old(FIRST_OPEN)
    assert "plan/" in visitor.text()
    assert offer(visitor).status_code == 200
    agree(visitor)
    assert Plan.objects.count() == 1


def test_one_old_invoice_among_new_ones_is_enough(old, visitor, make_case) -> None:
    visitor = old(date(2026, 2, 20), "K8")
    make_case("K8", 5000, LAST_BARRED, claim="R-old")
    assert "plan/" not in visitor.text()
