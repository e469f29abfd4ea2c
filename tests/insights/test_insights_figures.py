"""The dashboard's figures against sums written out by hand and against a plain walk over all postings."""

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from statistics import median

import pytest
from django.db import transaction

from kulanz.claims.actions import book_payment, return_payment
from kulanz.claims.models import Claim, Posting
from kulanz.contact.models import ContactLog
from kulanz.events.log import record
from kulanz.insights import charts, figures
from kulanz.outreach.models import Message
from kulanz.tenancy.scope import scope

TODAY = date(2026, 3, 3)
OWED = {"principal", "interest", "cost"}


def pay(case, amount, day, key):
    book_payment(case.id, amount, value_date=day, key=key, method="transfer")


@pytest.fixture
def books(creditor, other_creditor, make_case):
    """Paid late; paid in part with a credit note; paid and returned; paid too much before the day; dollars."""
    with scope(other_creditor.id):
        pay(make_case("K1", 77700), 77700, TODAY, "other")
    pay(make_case("K1", 10000, date(2026, 2, 20)), 10000, TODAY, "a")
    partly = make_case("K2", 20000, date(2026, 2, 10))
    pay(partly, 5000, date(2026, 2, 15), "b")
    make_case("K2", -2000, date(2026, 2, 20), claim="GS-1")
    pay(make_case("K3", 8000, date(2026, 2, 25)), 8000, date(2026, 2, 27), "c")
    return_payment("c", value_date=date(2026, 3, 2), key="c-back")
    pay(make_case("K4", 6000, date(2026, 3, 20)), 7000, date(2026, 3, 1), "d")
    pay(make_case("K5", 3000, date(2026, 2, 20), currency="USD"), 3000, date(2026, 3, 2), "e")


def test_money_in_is_what_came_less_what_went_back(books):
    euros, dollars = figures.money_in(TODAY)
    assert (euros.currency, euros.today, euros.window) == ("EUR", 100_00, 100_00 + 50_00 + 70_00)
    assert (dollars.currency, dollars.today, dollars.window) == ("USD", 0, 30_00)
    by_day = dict(zip([euros.first_day + timedelta(days=n) for n in range(30)], euros.days, strict=True))
    assert by_day[date(2026, 2, 27)] == 80_00
    assert by_day[date(2026, 3, 2)] == -80_00


def test_the_share_realised_counts_only_what_fell_due(books):
    euros = figures.balances(TODAY)["EUR"]
    assert euros.due == 100_00 + 200_00 - 20_00 + 80_00
    assert euros.paid_of_due == 100_00 + 50_00
    assert euros.realised == 150 / 360
    assert euros.received == 220_00
    assert euros.open == (200_00 - 50_00 - 20_00) + 80_00


def test_days_to_payment_leave_a_returned_payment_out(books):
    found = figures.delay("EUR")
    assert found is not None
    assert found.payments == 3
    assert found.median == 5
    assert found.mean == pytest.approx((11 * 100 + 5 * 50 - 19 * 60) / 210)


def test_before_anything_happened_there_are_no_figures(creditor):
    assert figures.money_in(TODAY) == ()
    assert figures.balances(TODAY) == {}
    assert figures.delay("EUR") is None
    assert figures.outcomes() == figures.Outcomes(0, 0, 0, 0, 0)
    assert figures.contacts("Europe/Berlin").demanding == 0


def test_every_figure_equals_a_plain_walk_over_the_postings(creditor, make_case):
    chance = random.Random(7)
    cases = []
    for n in range(40):
        due = date(2026, 1, 15) + timedelta(days=chance.randrange(70))
        cases.append(make_case(f"K{n % 25}", chance.randrange(100, 50_000), due, claim=f"R{n}"))
    for n in range(60):
        case, day = chance.choice(cases), date(2026, 1, 20) + timedelta(days=chance.randrange(43))
        pay(case, chance.randrange(50, 30_000), day, f"p{n}")
        if chance.random() < 0.2:
            return_payment(f"p{n}", value_date=min(day + timedelta(days=3), TODAY), key=f"back{n}")
    walked = walk()
    euros = figures.balances(TODAY)["EUR"]
    money = figures.money_in(TODAY)[0]
    late = figures.delay("EUR")
    assert late is not None
    assert (euros.due, euros.paid_of_due, euros.received, euros.open) == (
        walked["due"], walked["paid"], walked["received"], walked["open"],
    )  # fmt: skip
    assert (money.today, money.window) == (walked["today"], walked["window"])
    assert late.mean == pytest.approx(walked["mean"])
    assert late.median == walked["median"]


def walk():
    """Every posting one by one, with nothing but dictionaries."""
    due_dates = dict(Claim.objects.values_list("id", "due_date"))
    cases, found = defaultdict(int), defaultdict(int)
    rows = list(Posting.objects.select_related("journal").order_by("id"))
    backs = {p.journal.key.replace("back", "p") for p in rows if p.journal.kind == "payment_return"}
    days = defaultdict(int)
    for posting in rows:
        kind, day = posting.journal.kind, posting.journal.value_date
        if posting.account in OWED | {"credit"}:
            cases[posting.case_id] += posting.amount
        if posting.account in OWED and due_dates[posting.claim_id] <= TODAY:
            if kind in ("payment", "payment_return"):
                found["paid"] -= posting.amount
            else:
                found["due"] += posting.amount
        if posting.account == "received":
            found["received"] += posting.amount
            found["today"] += posting.amount if day == TODAY else 0
            found["window"] += posting.amount if (TODAY - day).days in range(30) else 0
        if kind == "payment" and posting.account in OWED and posting.journal.key not in backs:
            days[posting.claim_id, day] -= posting.amount
    waits = [((day - due_dates[claim]).days, amount) for (claim, day), amount in days.items()]
    return {
        **found,
        "open": sum(max(0, owed) for owed in cases.values()),
        "mean": sum(wait * amount for wait, amount in waits) / sum(amount for _, amount in waits),
        "median": median(wait for wait, _ in waits),
    }


def message(case, at, tone="friendly", kind="demanding", state="sent"):
    return Message.objects.create(
        creditor_id=case.creditor_id, key=f"{case.id}:{at}:{kind}", case=case, customer_id=case.customer_id,
        kind=kind, state=state, channel="email", stage="reminder_1", tone=tone, offer="none",
        not_before=at, expires_at=at, created_at=at, sent_at=at,
    )  # fmt: skip


def test_contacts_are_counted_by_the_hour_on_the_customers_clock(creditor, make_case):
    case = make_case()
    message(case, datetime(2026, 3, 2, 9, 30, tzinfo=UTC))
    message(case, datetime(2026, 4, 1, 8, 30, tzinfo=UTC), tone="firm")
    message(case, datetime(2026, 4, 1, 9, 0, tzinfo=UTC), kind="service")
    message(case, datetime(2026, 4, 2, 9, 0, tzinfo=UTC), state="stopped")
    made = figures.contacts("Europe/Berlin")
    assert made.cells == {("email", 10, "friendly"): 1, ("email", 10, "firm"): 1}
    assert made.by(1) == {10: 2}
    assert made.sent == {"email": 3}


def test_what_contacts_cost_is_set_against_the_money_that_came():
    assert figures.cost_per_unit(3, 300_00) == 0.0001
    assert figures.cost_per_unit(3, 0) is None


def test_cases_avoided_were_reminded_and_paid_without_a_hand_over(creditor, clock, make_case):
    paid, running, given, silent = (make_case(f"K{n}", 5000) for n in range(4))
    for case in (paid, running, given):
        ContactLog.objects.create(
            creditor_id=creditor.id, case=case, customer_id=case.customer_id, channel="email",
            at=clock.at, demanding=True,
        )  # fmt: skip
    for case in (paid, silent):
        pay(case, 5000, TODAY, f"p{case.id}")
    with transaction.atomic():
        record("handover.due", given.id, {})
    make_case("K0", 900, date(2026, 4, 20), claim="R-again")
    found = figures.outcomes()
    assert (found.settled, found.handed_over, found.running) == (0, 1, 2), "the new invoice is open again"
    pay(paid, 900, TODAY, "again")
    found = figures.outcomes()
    assert (found.settled, found.handed_over, found.running) == (1, 1, 1)
    assert (found.paid_customers, found.returned) == (1, 1)


def test_columns_are_as_high_as_their_share_of_the_highest():
    low, none, high = charts.columns([50, 0, 100], ["a", "b", "c"], width=300, height=80)
    assert (low.height, none.height, high.height) == (40, 0, 80)
    assert low.y == 40
    assert high.last


def test_the_axis_of_the_interval_ends_at_a_round_number_beyond_it():
    drawn = charts.whisker(-0.02, 0.08, 0.03)
    assert drawn.limit == 0.1
    assert (drawn.low, drawn.dot, drawn.high) == (200 - 38, 200 + 57, 200 + 152)
