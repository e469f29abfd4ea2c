"""Default interest: charged once a day, caught up, stopped by holds, and never on interest.

Consumers owe 5 points over the base rate of 1.27 percent (first half of 2026, section 288 BGB): 6.27 percent a year,
1/365 of it a day.
"""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from typer.testing import CliRunner

from kulanz.claims import tasks
from kulanz.claims.accrual import accrue
from kulanz.claims.actions import book_payment
from kulanz.claims.checks import check_ledger
from kulanz.claims.defaulting import set_default
from kulanz.claims.holds import lift_hold, place_hold
from kulanz.claims.models import Case, Claim, Journal, Posting
from kulanz.cli.commands import app
from kulanz.events.delivery import deliver
from kulanz.events.log import record
from kulanz.events.models import Event
from kulanz.kernel.clock import VirtualClock
from kulanz.kernel.errors import InputError, NotFoundError
from kulanz.law.holds import HoldEffects
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import scope

FIRST = date(2026, 2, 21)
"""The first day of default: the day after the due date."""


@pytest.fixture
def charging(creditor: Creditor) -> Creditor:
    """A creditor that charges interest."""
    creditor.charges_interest = True
    creditor.save()
    return creditor


@pytest.fixture
def late(charging: Creditor, make_case: Callable[..., Case]) -> Case:
    """100,000.00 EUR, in default from 21 February 2026 on: 17.1781 EUR of interest a day."""
    case = make_case(amount=10_000_000)
    set_default(claim_of(case), FIRST, "test")
    return case


def claim_of(case: Case) -> int:
    return int(Claim.objects.filter(case_id=case.id).values_list("id", flat=True).get())


def interest(case: Case) -> int:
    rows = Posting.objects.filter(case_id=case.id, account="interest", journal__kind="interest")
    return sum(rows.values_list("amount", flat=True))


def postings(case: Case) -> list[tuple[date, int]]:
    rows = Posting.objects.filter(case_id=case.id, account="interest", journal__kind="interest").order_by(
        "id"
    )
    return list(rows.values_list("journal__value_date", "amount"))


def test_the_days_that_are_over_are_charged(late: Case) -> None:
    """21 February to 2 March: 10 days x 10,000,000 x 6.27 % / 365 = 17,178.08 cents."""
    done = accrue(date(2026, 3, 3))
    assert (done.claims, done.posted, done.total, done.without_rate) == (1, 1, 17_178, 0)
    assert interest(late) == 17_178
    journal = Journal.objects.get(kind="interest")
    assert journal.key == f"interest:{claim_of(late)}:2026-03-03"
    assert (journal.value_date, journal.cause) == (date(2026, 3, 3), "claims")
    assert {k: journal.details[k] for k in ("from", "to", "percent", "day_count")} == {
        "from": "2026-02-21",
        "to": "2026-03-02",
        "percent": "5",
        "day_count": "act/act",
    }
    lines = Posting.objects.filter(journal=journal).values_list("account", "amount", "claim_id", "basis")
    claim = claim_of(late)
    assert set(lines) == {("interest", 17_178, claim, "interest"), ("earned", -17_178, claim, "interest")}


def test_unverified_figures_reach_the_result_and_the_journal(late: Case) -> None:
    done = accrue(date(2026, 3, 3))
    assert {caveat.what for caveat in done.caveats} == {"base rate", "day count"}
    assert Journal.objects.get(kind="interest").details["unverified"] == ["base rate", "day count"]


def test_a_second_run_of_a_day_posts_nothing(late: Case) -> None:
    accrue(date(2026, 3, 3))
    again = accrue(date(2026, 3, 3))
    assert (again.claims, again.posted, again.total) == (1, 0, 0)
    assert interest(late) == 17_178


def test_a_run_for_an_earlier_day_posts_nothing(late: Case) -> None:
    accrue(date(2026, 3, 3))
    assert accrue(date(2026, 3, 1)).posted == 0


def test_each_day_posts_the_rounded_total_less_what_was_posted(late: Case) -> None:
    """1,717.8082 cents a day: 1,718, then 3,436 - 1,718, then 5,153 (5,153.42) - 3,436."""
    for day in (22, 23, 24):
        accrue(date(2026, 2, day))
    assert [amount for _, amount in postings(late)] == [1718, 1718, 1717]


def test_after_days_off_one_posting_catches_up(late: Case) -> None:
    accrue(date(2026, 2, 22))
    accrue(date(2026, 3, 3))
    assert postings(late) == [(date(2026, 2, 22), 1718), (date(2026, 3, 3), 17_178 - 1718)]


def test_the_first_day_of_default_charges_nothing_yet(late: Case) -> None:
    assert accrue(FIRST).claims == 0
    assert accrue(date(2026, 2, 22)).total == 1718


def test_interest_bears_no_interest(late: Case) -> None:
    """Daily postings end at the same total as one posting: 100 days x 1,717.8082 = 171,780.82."""
    for n in range(1, 101):
        accrue(FIRST + timedelta(days=n))
    assert interest(late) == 171_781


def test_a_payment_lowers_the_interest_from_its_own_day_on(late: Case) -> None:
    """Of 50,000.00 paid on 3 March, 171.78 settle the interest of 10 days and 49,828.22 the principal.

    50,171.78 are left and bear 5,017,178 x 6.27 % / 365 = 861.855 cents a day: 10 more days 8,618.55.
    """
    book_payment(late.id, 5_000_000, value_date=date(2026, 3, 3), key="p", method="transfer")
    accrue(date(2026, 3, 13))
    assert interest(late) == 17_178 + 8_619
    claim = claim_of(late)
    rows = Posting.objects.filter(claim_id=claim, journal__key="p").values_list("account", "amount")
    assert dict(rows) == {"interest": -17_178, "principal": -(5_000_000 - 17_178)}


def test_a_creditor_who_charges_none_charges_none(late: Case, charging: Creditor) -> None:
    charging.charges_interest = False
    charging.save()
    assert accrue(date(2026, 3, 3)).claims == 0
    assert interest(late) == 0


def test_a_creditors_highest_rate_only_lowers(late: Case, charging: Creditor) -> None:
    """4 percent: 10 days x 10,000,000 x 4 % / 365 = 10,958.90."""
    charging.max_interest_rate = Decimal(4)
    charging.save()
    assert accrue(date(2026, 3, 3)).total == 10_959


def test_a_lower_rate_counts_from_the_next_run_on_for_all_of_the_time(late: Case, charging: Creditor) -> None:
    """At 4 percent 11 days bear 12,054.79: the second day takes back what was too much of 17,178."""
    accrue(date(2026, 3, 3))
    charging.max_interest_rate = Decimal(4)
    charging.save()
    assert accrue(date(2026, 3, 3)).posted == 0
    assert accrue(date(2026, 3, 4)).total == 12_055 - 17_178


class TestACreditorWhoStopsCharging:
    @pytest.fixture
    def stopped(self, late: Case, charging: Creditor) -> Case:
        accrue(date(2026, 3, 3))
        charging.charges_interest = False
        charging.save()
        return late

    def test_no_more_is_charged_by_a_payment(self, stopped: Case) -> None:
        book_payment(stopped.id, 100_000, value_date=date(2026, 3, 20), key="p", method="transfer")
        assert interest(stopped) == 17_178
        assert balances(stopped)["interest"] == 0

    def test_what_was_too_much_is_taken_back(self, stopped: Case) -> None:
        """100,000.00 and 5 days' interest of 26 February, found in March: 8,589.04 stay charged."""
        book_payment(stopped.id, 10_008_589, value_date=date(2026, 2, 26), key="p", method="transfer")
        assert interest(stopped) == 8_589
        assert balances(stopped)["principal"] == 0

    def test_a_claim_that_was_never_charged_is_not_charged_by_a_payment(
        self, charging: Creditor, late: Case
    ) -> None:
        charging.charges_interest = False
        charging.save()
        book_payment(late.id, 100_000, value_date=date(2026, 3, 20), key="p", method="transfer")
        assert interest(late) == 0


def test_a_creditors_day_count_is_taken_and_named(late: Case, charging: Creditor) -> None:
    """30/360: 21 February to 2 March is 12 days: 10,000,000 x 6.27 % x 12 / 360 = 20,900."""
    charging.day_count = "30/360"
    charging.save()
    assert accrue(date(2026, 3, 3)).total == 20_900
    assert Journal.objects.get(kind="interest").details["day_count"] == "30/360"


def test_a_business_owes_nine_points(charging: Creditor, make_case: Callable[..., Case]) -> None:
    """1.27 + 9 = 10.27 percent: 10 days x 10,000,000 x 10.27 % / 365 = 28,136.99."""
    set_default(claim_of(make_case(amount=10_000_000, kind="business")), FIRST, "test")
    assert accrue(date(2026, 3, 3)).total == 28_137


def test_claims_that_are_not_in_default_bear_nothing(
    charging: Creditor, make_case: Callable[..., Case]
) -> None:
    make_case()
    assert accrue(date(2026, 3, 3)).claims == 0


def test_a_trial_run_says_the_same_and_posts_nothing(late: Case) -> None:
    assert accrue(date(2026, 3, 3), dry_run=True).total == 17_178
    assert interest(late) == 0


def test_past_the_tables_nothing_is_guessed(late: Case) -> None:
    done = accrue(date(2027, 3, 1))
    assert (done.claims, done.posted, done.without_rate) == (1, 0, 1)


def test_another_creditors_claims_stay_as_they_are(late: Case, other_creditor: Creditor) -> None:
    other_creditor.charges_interest = True
    other_creditor.save()
    with scope(other_creditor.id):
        assert accrue(date(2026, 3, 3)).claims == 0
        with pytest.raises(NotFoundError):
            set_default(claim_of_any(late), FIRST, "test")
    assert interest(late) == 0


def claim_of_any(case: Case) -> int:
    with scope(case.creditor_id):
        return claim_of(case)


def test_a_block_ends_anywhere(
    charging: Creditor, make_case: Callable[..., Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five cases in blocks of two; 1,000.00 for 10 days bear 171.78 cents, the one with a hold none."""
    monkeypatch.setattr("kulanz.claims.accrual.BLOCK", 2)
    cases = [make_case(f"K{n}", amount=100_000) for n in range(5)]
    for case in cases:
        set_default(claim_of(case), FIRST, "test")
    place_hold(cases[3].id, "moratorium", by="agent:1", from_at=datetime(2026, 2, 1, tzinfo=UTC))
    done = accrue(date(2026, 3, 3))
    assert (done.claims, done.posted, done.total) == (5, 4, 4 * 172)
    assert interest(cases[3]) == 0


class TestHolds:
    def test_interest_stops_with_a_hold_that_stops_it(self, late: Case, clock: VirtualClock) -> None:
        """Hardship from 3 to 12 March: 10 days before it and, on 15 March, 2 after it (13 and 14 March)."""
        hold = place_hold(late.id, "hardship", by="customer")
        clock.advance(timedelta(days=9))
        lift_hold(hold.id, by="agent:1")
        accrue(date(2026, 3, 15))
        assert interest(late) == round(12 * 10_000_000 * 6.27 / 36_500)

    def test_other_holds_leave_interest_running(self, late: Case) -> None:
        place_hold(late.id, "dispute", by="customer")
        accrue(date(2026, 3, 15))
        assert interest(late) == round(22 * 10_000_000 * 6.27 / 36_500)

    def test_what_a_hold_stops_can_be_said(self, late: Case) -> None:
        place_hold(late.id, "dispute", by="agent:1", effects=HoldEffects(True, True, True))
        accrue(date(2026, 3, 15))
        assert interest(late) == 17_178

    def test_a_hold_that_reaches_back_takes_interest_back_at_once(self, late: Case) -> None:
        """Charged until 3 March; the moratorium began on 26 February: 5 days stay, 8,589.04."""
        accrue(date(2026, 3, 3))
        place_hold(late.id, "moratorium", by="agent:1", from_at=datetime(2026, 2, 26, 9, tzinfo=UTC))
        assert interest(late) == 8_589
        assert check_ledger().imbalances == 0
        accrue(date(2026, 3, 20))
        assert interest(late) == 8_589

    def test_a_payment_meanwhile_is_spread_anew(self, late: Case) -> None:
        """1,000.00 on 3 March had settled 171.78 of interest. Only 85.89 was owed: 85.89 more go to the principal."""
        book_payment(late.id, 100_000, value_date=date(2026, 3, 3), key="p", method="transfer")
        place_hold(late.id, "moratorium", by="agent:1", from_at=datetime(2026, 2, 26, 9, tzinfo=UTC))
        sums = balances(late)
        assert sums["interest"] == 0
        assert sums["principal"] == 10_000_000 - (100_000 - 8_589)


def balances(case: Case) -> dict[str, int]:
    found: dict[str, int] = {}
    for account, amount in Posting.objects.filter(case_id=case.id).values_list("account", "amount"):
        found[account] = found.get(account, 0) + amount
    return found


class TestDefault:
    def test_it_begins_once(self, charging: Creditor, make_case: Callable[..., Case]) -> None:
        claim = claim_of(make_case())
        assert set_default(claim, FIRST, "calendar")
        assert not set_default(claim, date(2026, 3, 1), "reminder")
        found = Claim.objects.get(id=claim)
        assert (found.default_from, found.default_cause) == (FIRST, "calendar")

    def test_not_before_the_claim_was_due(self, charging: Creditor, make_case: Callable[..., Case]) -> None:
        with pytest.raises(InputError, match="after it fell due"):
            set_default(claim_of(make_case()), date(2026, 2, 20), "calendar")

    def test_payments_since_then_are_spread_anew(
        self, charging: Creditor, make_case: Callable[..., Case]
    ) -> None:
        """1,000.00 of 100,000.00 paid on 3 March, default since 21 February found on 9 March: 171.78 are interest."""
        case = make_case(amount=10_000_000)
        book_payment(case.id, 100_000, value_date=date(2026, 3, 3), key="p", method="transfer")
        set_default(claim_of(case), FIRST, "calendar")
        assert balances(case)["principal"] == 10_000_000 - (100_000 - 17_178)
        assert balances(case)["interest"] == 0

    def test_instalments_fall_due_by_the_calendar(
        self, charging: Creditor, make_case: Callable[..., Case]
    ) -> None:
        """Due on 20 February, in default from 21 February (section 286(2) no. 1)."""
        case = make_case(amount=10_000_000)
        Claim.objects.filter(case=case).update(kind="instalment")
        assert accrue(FIRST).claims == 0
        assert accrue(date(2026, 3, 3)).total == 17_178
        found = Claim.objects.get(case=case)
        assert (found.default_from, found.default_cause) == (FIRST, "calendar_date")
        assert defaulted() == [(found.id, {"case": case.id, "from": "2026-02-21", "cause": "calendar_date"})]

    def test_businesses_after_thirty_days(self, charging: Creditor, make_case: Callable[..., Case]) -> None:
        """Due on 20 February: 30 days end on 22 March, default begins on 23 March (section 286(3))."""
        case = make_case(kind="business")
        accrue(date(2026, 3, 23))
        assert Claim.objects.get(case=case).default_from is None
        accrue(date(2026, 3, 24))
        found = Claim.objects.get(case=case)
        assert (found.default_from, found.default_cause) == (date(2026, 3, 23), "thirty_days")

    def test_consumers_only_when_a_reminder_has_arrived(
        self, charging: Creditor, make_case: Callable[..., Case]
    ) -> None:
        case = make_case()
        make_case(claim="later", due=date(2026, 3, 20))
        make_case(claim="credit", amount=-100, due=date(2026, 2, 20))
        accrue(date(2026, 3, 3))
        assert set(Claim.objects.values_list("default_from", flat=True)) == {None}
        sent(7, case, demanding=False)
        sent(8, case, channel="letter")
        deliver()
        assert set(Claim.objects.values_list("default_from", flat=True)) == {None}
        sent(9, case)
        deliver()
        found = {each.number: (each.default_from, each.default_cause) for each in Claim.objects.all()}
        assert found == {
            "R-K1": (date(2026, 3, 4), "reminder:9"),
            "later": (None, ""),
            "credit": (None, ""),
        }

    def test_a_claim_that_is_paid_is_in_no_default(
        self, charging: Creditor, make_case: Callable[..., Case]
    ) -> None:
        case = make_case(kind="business", due=date(2026, 1, 2))
        book_payment(case.id, 10_000, value_date=date(2026, 3, 3), key="p", method="transfer")
        sent(9, case)
        deliver()
        accrue(date(2026, 3, 3))
        assert Claim.objects.get(case=case).default_from is None


def sent(message: int, case: Case, *, channel: str = "email", demanding: bool = True) -> None:
    """What outreach tells of a message that left."""
    with transaction.atomic():
        record("message.sent", message, {"case": case.id, "channel": channel, "demanding": demanding})


def defaulted() -> list[tuple[int, dict[str, object]]]:
    return list(Event.objects.filter(type="claim.defaulted").values_list("subject_id", "payload"))


def test_the_worker_charges_up_to_the_creditors_own_today(late: Case, charging: Creditor) -> None:
    assert tasks.accrue.call(charging.id) == 1
    assert interest(late) == 17_178


class TestCommand:
    def test_it_speaks_json(self, late: Case) -> None:
        words = ["ledger", "accrue", "--creditor", "lindenhof", "--day", "2026-03-03", "--json"]
        told = json.loads(CliRunner().invoke(app, [*words, "--dry-run"]).stdout)
        assert told["total"] == {"EUR": "171.78"}
        assert interest(late) == 0
        told = json.loads(CliRunner().invoke(app, words).stdout)
        assert (told["day"], told["claims"], told["posted"]) == ("2026-03-03", 1, 1)
        assert (told["total"], told["without_rate"], len(told["caveats"])) == ({"EUR": "171.78"}, 0, 2)
        assert interest(late) == 17_178

    def test_it_speaks_to_people(self, late: Case) -> None:
        words = ["ledger", "accrue", "--creditor", "lindenhof"]
        told = " ".join(CliRunner().invoke(app, words).stdout.split())
        assert told.startswith("1 claims in default on 2026-03-03: 1 got a posting, 171.78 EUR in all.")
        told = " ".join(CliRunner().invoke(app, [*words, "--day", "2027-01-02"]).stdout.split())
        assert "1 claims have no rate: the law's tables end before 2027-01-02." in told
