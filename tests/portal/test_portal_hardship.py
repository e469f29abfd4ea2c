"""Short of money: the budget check, what it proposes, and the peace that follows."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.claims.holds import lift_hold
from kulanz.claims.models import Hold
from kulanz.desk.actions import add_note
from kulanz.desk.queries import tasks
from kulanz.events.models import Event
from kulanz.payments.actions import book_transfer
from kulanz.payments.models import PlanPolicy
from kulanz.portal.hardship.reach import reach
from kulanz.portal.hardship.rules import ROUND, Budget, Way, advise
from kulanz.tenancy.models import Creditor

POOR = {
    "step": "check",
    "maintained": "2",
    "income": "1.900,00",
    "housing": "950",
    "living": "900",
    "debts": "150",
}
FAIR = {
    "step": "check",
    "maintained": "0",
    "income": "2.400,00",
    "housing": "1.000",
    "living": "900",
    "debts": "",
}
money = st.integers(0, 10_000_00)


@pytest.mark.parametrize(
    ("left", "seizable", "least", "expected"),
    [
        (0, None, 2000, (Way.REST, 0)),
        (-5000, 90_000, 2000, (Way.REST, 0)),
        (50_000, 0, 2000, (Way.REST, 0)),  # all of the income is protected
        (50_000, 350, 2000, (Way.REST, 0)),  # half of 3.50 is no rate
        (50_000, None, 2000, (Way.SMALL_RATE, 10_000)),  # half is 250; no more than the 100 that are owed
        (9_900, None, 2000, (Way.SMALL_RATE, 4_500)),  # half of 99.00, in steps of 5.00
        (3_000, None, 2000, (Way.PERSON, 1_500)),
    ],
)
def test_what_helps(left, seizable, least, expected) -> None:
    advice = advise(Budget(0, left + 100_000, 100_000, 0, 0), seizable, least, owed=10_000)
    assert (advice.way, advice.rate) == expected


@given(money, money, money, st.none() | money, st.integers(1, 100_000), st.integers(1, 10**7))
def test_a_rate_never_takes_more_than_half_of_what_is_left_or_may_be_taken(
    income, housing, living, seizable, least, owed
) -> None:
    budget = Budget(0, income, housing, living, 0)
    advice = advise(budget, seizable, least, owed)
    assert 0 <= advice.rate <= owed
    assert 2 * advice.rate <= max(0, budget.left)
    assert seizable is None or 2 * advice.rate <= seizable
    assert (advice.rate == 0) == (advice.way is Way.REST)
    assert advice.rate % ROUND == 0 or advice.rate == owed


def test_nothing_is_stored_while_somebody_counts(visitor):
    page = visitor.post("help/", POOR)
    text = page.content.decode()
    assert page.status_code == 200
    assert "Jeden Monat fehlen schon 100,00" in text
    assert "Nach den gesetzlichen Freigrenzen ist Ihr ganzes Einkommen geschützt" in text
    assert "§ 850c ZPO" in text
    assert "meine-schulden.de" in text
    assert visitor.holds() == []
    assert not Event.objects.filter(type="help.asked").exists()


def test_everything_rests_for_thirty_days_and_the_figures_are_gone(visitor):
    assert visitor.post("help/", {**POOR, "step": "rest", "wish": "rest"}).status_code == 303
    hold = Hold.objects.get()
    assert (hold.reason, hold.note, hold.placed_by) == ("hardship", "[rest]", "customer")
    assert hold.until_at == datetime(2026, 4, 2, 22, tzinfo=UTC), "midnight in Berlin after 2 April"
    assert (hold.stops_contact, hold.stops_interest, hold.stops_fees) == (True, True, True)
    assert Event.objects.get(type="help.asked").payload == {"wish": "rest"}
    page = visitor.text()
    assert "Bis 2.\xa0April 2026 gibt es keine Erinnerungen" in page
    assert "meine-schulden.de" in page


def test_the_fourth_rest_in_a_year_is_short_until_a_person_has_talked(visitor, clock):
    for _ in range(3):
        visitor.post("help/", {"step": "rest"})
        lift_hold(Hold.objects.latest("id").id, by="agent:1")
    assert "Alles ruhen lassen bis 10.\xa0März 2026" in visitor.text("help/"), "the page promises no more"
    visitor.post("help/", {"step": "rest"})
    assert Hold.objects.latest("id").until_at == datetime(2026, 3, 10, 23, tzinfo=UTC)


def test_who_asks_again_after_an_answer_waits_for_a_person_again(visitor, clock):
    visitor.post("help/", {"step": "rest"})
    assert [task.case_id for task in tasks().helped] == [visitor.case.id]
    clock.advance(timedelta(hours=1))
    add_note(visitor.case.id, "Talked.", author="agent")
    assert tasks().helped == ()
    clock.advance(timedelta(hours=1))
    visitor.post("help/", {"step": "rest"})
    assert [task.case_id for task in tasks().helped] == [visitor.case.id]


def test_rest_needs_no_figures(visitor):
    visitor.post("help/", {"step": "rest"})
    assert visitor.holds() == ["hardship"]


def test_only_who_allows_it_leaves_a_result_and_never_the_figures(visitor):
    visitor.post("help/", {**POOR, "step": "rest", "wish": "person", "keep": "yes"})
    note = Hold.objects.get().note
    assert note.startswith("[person] left=-100,00")
    assert "900" not in note
    assert "950" not in note


def test_who_can_pay_a_little_is_shown_a_plan_with_a_small_rate(visitor):
    text = visitor.post("help/", FAIR).content.decode()
    assert "bleiben im Monat 500,00" in text
    assert "100,00\xa0€ im Monat lassen Ihnen Luft zum Leben" in text, "owed: 100.00; half of 500.00 is more"
    assert 'name="rhythm" value="monthly"' in text


def test_a_rate_below_the_creditors_least_is_for_a_person(creditor, visitor):
    PlanPolicy.objects.update_or_create(creditor_id=creditor.id, defaults={"min_rate": 20_000})
    tight = {**FAIR, "living": "1.340"}
    text = visitor.post("help/", tight).content.decode()
    assert "30,00\xa0€ im Monat würden zu Ihnen passen" in text
    assert 'value="person"' in text


def test_without_a_sure_figure_the_answer_does_without_it(creditor, visitor):
    Creditor.objects.filter(id=creditor.id).update(jurisdiction="AT")
    text = visitor.post("help/", FAIR).content.decode()
    assert "keinen sicheren Wert" in text
    assert "850c" not in text
    assert "schuldenberatung.at" in text


def test_figures_of_another_currency_or_year_are_no_figures(creditor):
    budget = Budget(0, 240_000, 0, 0, 0)
    assert reach(budget, "EUR", "de", date(2026, 6, 30)) is not None
    assert reach(budget, "EUR", "de", date(2026, 7, 1)) is None
    assert reach(budget, "CHF", "de", date(2026, 6, 30)) is None


def test_unverified_figures_say_so(creditor, visitor):
    Creditor.objects.filter(id=creditor.id).update(jurisdiction="US")
    found = reach(Budget(0, 240_000, 0, 0, 0), "USD", "en", date(2026, 3, 1))
    assert found is not None
    assert (found.protected, found.seizable) == (180_000, 60_000)
    assert "Unverified: protected income" in found.warnings[0]


@pytest.mark.parametrize("field", ["income", "housing", "living", "debts"])
@pytest.mark.parametrize("typed", ["viel", "-5", "9" * 20])
def test_what_is_no_amount_is_asked_again(visitor, field, typed):
    page = visitor.post("help/", {**FAIR, field: typed})
    assert (page.status_code, visitor.holds()) == (422, [])
    assert f'href="#{field}"' in page.content.decode()


def test_nobody_is_asked_who_owes_nothing(visitor):
    book_transfer(visitor.case.id, visitor.owed(), date(2026, 3, 3), "test")
    assert visitor.get("help/").status_code == 303


def test_how_long_it_rests_is_the_creditors_choice(creditor, visitor):
    Creditor.objects.filter(id=creditor.id).update(hardship_days=60)
    assert "2. Mai 2026".replace(" ", "\xa0", 1) in visitor.text("help/")
