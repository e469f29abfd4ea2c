"""Money that counts from an earlier day: the ledger ends where a replay in the order of value dates ends.

The reference below is slow and obvious: it sorts the facts by value date, walks through them day by day, adds interest
per day as a fraction, and spreads each payment over the oldest claim first: costs, interest, principal.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kulanz.claims import ledger
from kulanz.claims.accrual import accrue
from kulanz.claims.actions import book_payment, return_payment
from kulanz.claims.checks import check_ledger
from kulanz.claims.defaulting import set_default
from kulanz.claims.holds import place_hold
from kulanz.claims.models import Case, Claim, Journal, Posting
from kulanz.claims.offsetting import offset
from kulanz.kernel.clock import VirtualClock
from kulanz.tenancy.models import Creditor

DUE = (date(2026, 2, 10), date(2026, 2, 15), date(2026, 2, 20))
START = date(2026, 2, 25)
"""The first day of default of every claim, and the first day on which money arrives."""
YEARLY = Fraction(627, 100 * 100)
"""1.27 percent base rate and 5 points."""


def balances(case: Case) -> dict[tuple[int | None, str], int]:
    """By claim and account, without what is zero."""
    found: dict[tuple[int | None, str], int] = defaultdict(int)
    for claim, account, amount in Posting.objects.filter(case=case).values_list(
        "claim_id", "account", "amount"
    ):
        found[claim, account] += amount
    return {where: amount for where, amount in found.items() if amount}


def claims_of(case: Case) -> list[int]:
    return list(Claim.objects.filter(case=case).order_by("due_date").values_list("id", flat=True))


@pytest.fixture
def case(creditor: Creditor, make_case: Callable[..., Case]) -> Case:
    """Three invoices of one customer: 100.00, 200.00 and 300.00."""
    for number, day in enumerate(DUE):
        made = make_case(claim=f"R{number}", amount=10_000 * (number + 1), due=day)
    return made


@pytest.fixture
def bearing(case: Case, creditor: Creditor) -> Case:
    """The same, each in default from 25 February on at a creditor that charges interest."""
    creditor.charges_interest = True
    creditor.save()
    for claim in claims_of(case):
        set_default(claim, START, "test")
    return case


def pay(case: Case, amount: int, day: date, key: str) -> None:
    book_payment(case.id, amount, value_date=day, key=key, method="transfer")


class TestStories:
    def test_a_payment_found_late_takes_the_place_it_should_have_had(self, case: Case) -> None:
        """100.00 of 5 March settled R0. Then 100.00 of 2 March turn up: they settle R0, the others half of R1."""
        first, second, _ = claims_of(case)
        pay(case, 10_000, date(2026, 3, 5), "p5")
        pay(case, 10_000, date(2026, 3, 2), "p2")
        owed = balances(case)
        assert (first, "principal") not in owed
        assert owed[second, "principal"] == 10_000
        lines = list(
            Posting.objects.filter(journal__kind="reallocation").values_list(
                "claim_id", "account", "amount", "basis", "journal__value_date"
            )
        )
        day = date(2026, 3, 5)
        assert sorted(lines) == [
            (first, "principal", 10_000, "payment", day),
            (second, "principal", -10_000, "payment", day),
        ]
        assert Journal.objects.get(kind="reallocation").details == {"because": "p2"}
        assert check_ledger().differences == check_ledger().imbalances == 0

    def test_what_lies_before_the_payment_stays(self, case: Case) -> None:
        pay(case, 4_000, date(2026, 3, 2), "p2")
        pay(case, 2_000, date(2026, 3, 4), "p4")
        assert not Journal.objects.filter(kind="reallocation").exists()

    def test_interest_charged_beyond_the_day_is_taken_back(self, bearing: Case) -> None:
        """600.00 bear 10.3068 cents a day; 7 days until 4 March. 300.00 of 27 February turn up on 7 March.

        Two days to the 27th: R0 3.4356, R1 6.8712, R2 10.3068 -> 3, 7, 10 cents. The payment settles R0 with its 3
        cents and of R1 7 cents and 199.90. What is left bears: R1 10 cents at 0.0017 a day -> still 7, R2 5.1534 a day:
        10 days until 7 March: 51.534 -> 52 cents.
        """
        first, second, third = claims_of(bearing)
        accrue(date(2026, 3, 4))
        assert interest_charged(bearing) == {first: 12, second: 24, third: 36}
        pay(bearing, 30_000, date(2026, 2, 27), "late")
        assert interest_charged(bearing) == {first: 3, second: 7, third: 36}
        accrue(date(2026, 3, 7))
        assert interest_charged(bearing) == {first: 3, second: 7, third: 52}
        owed = balances(bearing)
        assert (first, "principal") not in owed
        assert owed[second, "principal"] == 10
        assert (second, "interest") not in owed

    def test_a_return_restores_exactly_what_was_owed(self, bearing: Case) -> None:
        accrue(date(2026, 3, 1))
        before = balances(bearing)
        pay(bearing, 35_000, date(2026, 3, 1), "p")
        return_payment("p", value_date=date(2026, 3, 1), key="r")
        assert balances(bearing) == before

    def test_while_the_money_was_here_no_interest_ran(self, bearing: Case) -> None:
        """600.00 in full on 1 March, returned on 11 March: charged are 4 days before and 4 after, on 15 March."""
        pay(bearing, 60_041, date(2026, 3, 1), "p")
        return_payment("p", value_date=date(2026, 3, 11), key="r")
        accrue(date(2026, 3, 15))
        assert sum(interest_charged(bearing).values()) == rounded(8, 10_000) + rounded(8, 20_000) + rounded(
            8, 30_000
        )

    def test_a_return_takes_back_what_the_payment_settles_now(self, case: Case) -> None:
        """p5 first settled R0, since p2 turned up it settles half of R1: its return opens R1 and leaves R0 settled."""
        first, second, _ = claims_of(case)
        pay(case, 10_000, date(2026, 3, 5), "p5")
        pay(case, 10_000, date(2026, 3, 2), "p2")
        return_payment("p5", value_date=date(2026, 3, 6), key="r5")
        owed = balances(case)
        assert (first, "principal") not in owed
        assert owed[second, "principal"] == 20_000

    def test_a_return_never_counts_before_its_payment(self, case: Case) -> None:
        pay(case, 10_000, date(2026, 3, 5), "p5")
        return_payment("p5", value_date=date(2026, 3, 1), key="r5")
        assert Journal.objects.get(key="r5").value_date == date(2026, 3, 5)

    def test_a_return_takes_back_credit_that_was_used(
        self, case: Case, make_case: Callable[..., Case]
    ) -> None:
        """650.00 for 600.00 leave 50.00, set off against a new invoice of 80.00. The return opens all four again."""
        pay(case, 65_000, date(2026, 3, 1), "p")
        make_case(claim="R3", amount=8_000, due=date(2026, 3, 20))
        new = Claim.objects.get(number="R3").id
        assert balances(case)[new, "principal"] == 3_000
        return_payment("p", value_date=date(2026, 3, 10), key="r")
        owed = balances(case)
        assert owed[new, "principal"] == 8_000
        assert (None, "credit") not in owed
        assert check_ledger().differences == 0

    def test_a_waiver_takes_away_no_more_than_was_open(self, case: Case) -> None:
        """The rest of R0, 40.00, is waived on 5 March; then 70.00 of 1 March turn up: only 30.00 were left to waive."""
        first, *_ = claims_of(case)
        pay(case, 6_000, date(2026, 3, 2), "p")
        lines = (
            ledger.Line("principal", -4_000, first, "waiver"),
            ledger.Line("waived", 4_000, first, "waiver"),
        )
        with transaction.atomic():
            ledger.post(ledger.Entry("w", "waiver", case.id, date(2026, 3, 5), lines))
        pay(case, 1_000, date(2026, 3, 1), "late")
        owed = balances(case)
        assert owed[first, "waived"] == 3_000
        assert (first, "principal") not in owed
        assert (None, "credit") not in owed

    def test_what_was_handed_over_comes_back_as_far_as_it_went(self, case: Case) -> None:
        """R0 is handed over and called back, 100.00 both times; then 30.00 of an earlier day turn up."""
        first, *_ = claims_of(case)
        for key, day, sign in (("t", 5, 1), ("u", 9, -1)):
            lines = (
                ledger.Line("principal", -10_000 * sign, first, "transfer"),
                ledger.Line("transferred", 10_000 * sign, first, "transfer"),
            )
            with transaction.atomic():
                ledger.post(ledger.Entry(key, "transfer", case.id, date(2026, 3, day), lines))
        pay(case, 3_000, date(2026, 3, 1), "late")
        owed = balances(case)
        assert owed[first, "principal"] == 7_000
        assert (first, "transferred") not in owed

    def test_money_for_what_was_not_written_off_after_all_is_credit(self, case: Case) -> None:
        """R0 is written off and recovered in full; 30.00 of an earlier day turn up: 30.00 were received twice."""
        first, second, _ = claims_of(case)
        entries = [
            ("w", "write_off", 5, [("principal", -10_000, first), ("written_off", 10_000, first)]),
            ("x", "recovery", 9, [("received", 10_000, first), ("written_off", -10_000, first)]),
        ]
        for key, kind, day, postings in entries:
            lines = tuple(ledger.Line(account, amount, claim, kind) for account, amount, claim in postings)
            with transaction.atomic():
                ledger.post(ledger.Entry(key, kind, case.id, date(2026, 3, day), lines))
        pay(case, 3_000, date(2026, 3, 1), "late")
        owed = balances(case)
        assert (first, "principal") not in owed
        assert (first, "written_off") not in owed
        assert owed[second, "principal"] == 17_000
        assert check_ledger().imbalances == 0

    def test_the_payer_names_the_claim(self, case: Case) -> None:
        _, _, third = claims_of(case)
        book_payment(
            case.id, 5_000, value_date=date(2026, 3, 5), key="a", method="transfer", designated=third
        )
        pay(case, 5_000, date(2026, 3, 1), "b")
        assert balances(case)[third, "principal"] == 25_000

    def test_without_a_rate_payments_are_booked_all_the_same(self, bearing: Case) -> None:
        """Past the tables no interest is guessed; what was charged stays."""
        accrue(date(2026, 3, 4))
        pay(bearing, 1_000, date(2027, 2, 1), "p")
        first, *_ = claims_of(bearing)
        assert balances(bearing)[first, "principal"] == 10_000 - (1_000 - 12)


def interest_charged(case: Case) -> dict[int, int]:
    found: dict[int, int] = defaultdict(int)
    rows = Posting.objects.filter(case=case, account="interest", journal__kind="interest")
    for claim, amount in rows.values_list("claim_id", "amount"):
        found[claim] += amount
    return dict(found)


def rounded(days: int, principal: int) -> int:
    return half_up(Fraction(principal) * YEARLY * days / 365)


def half_up(value: Fraction) -> int:
    return int(value + Fraction(1, 2))


@dataclass(frozen=True)
class Step:
    """One fact: `day` counts from START. kind pay, back (takes back payment number `amount`) or rest (a moratorium)."""

    kind: str
    day: int
    amount: int


steps = st.lists(
    st.one_of(
        st.builds(Step, st.just("pay"), st.integers(0, 20), st.integers(1, 40_000)),
        st.builds(Step, st.just("back"), st.integers(0, 25), st.integers(0, 5)),
        st.builds(Step, st.just("rest"), st.integers(0, 20), st.integers(1, 6)),
        st.builds(Step, st.just("accrue"), st.integers(0, 25), st.just(0)),
    ),
    min_size=1,
    max_size=9,
)


@dataclass
class Reference:
    """The slow replay. All of it is written here again, from the law and not from the code."""

    claims: list[int]
    principal: dict[int, int]
    open_interest: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    exact: dict[int, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    charged: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    credit: int = 0
    received: int = 0
    spread: dict[int, list[tuple[str, int, int]]] = field(default_factory=dict)

    def charge(self) -> None:
        for claim in self.claims:
            total = half_up(self.exact[claim])
            self.open_interest[claim] += total - self.charged[claim]
            self.charged[claim] = total

    def night(self, resting: bool) -> None:
        """The day is over: it bears interest on what is open at its end."""
        for claim in self.claims:
            if not resting:
                self.exact[claim] += self.principal[claim] * YEARLY / 365

    def pay(self, number: int, amount: int) -> None:
        self.charge()
        self.received += amount
        rows = []
        for claim in self.claims:
            for name, account in (("interest", self.open_interest), ("principal", self.principal)):
                part = min(amount, account[claim])
                account[claim] -= part
                amount -= part
                rows.append((name, claim, part))
        self.credit += amount
        rows.append(("credit", 0, amount))
        self.spread[number] = rows

    def back(self, number: int) -> None:
        for name, claim, part in self.spread[number]:
            if name == "credit":
                self.credit -= part
            else:
                account = self.open_interest if name == "interest" else self.principal
                account[claim] += part
            self.received -= part
        self.charge()
        self.use_credit()

    def use_credit(self) -> None:
        """What was opened again is settled from credit; settled so it stays, whatever becomes of later payments."""
        for claim in self.claims:
            for account in (self.open_interest, self.principal):
                part = min(self.credit, account[claim])
                account[claim] -= part
                self.credit -= part


def expected(claims: list[int], facts: list[tuple[int, int, Step]], last: int) -> Reference:
    """`facts`: (day, order of booking, step), the payments numbered by their order."""
    book = Reference(claims, dict(zip(claims, (10_000, 20_000, 30_000), strict=True)))
    rests = [(step.day, step.day + step.amount) for _, _, step in facts if step.kind == "rest"]
    for day in range(last + 1):
        for _, order, step in sorted((f for f in facts if f[0] == day), key=lambda f: f[1]):
            if step.kind == "pay":
                book.pay(order, step.amount)
            elif step.kind == "back":
                book.back(step.amount)
        if day == last:
            book.charge()
        book.night(any(first <= day < end for first, end in rests))
    return book


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
@example([Step("pay", 5, 10_000), Step("pay", 2, 10_000), Step("back", 6, 0)])
@example([Step("pay", 5, 70_000), Step("pay", 2, 10_000), Step("back", 6, 1), Step("rest", 1, 3)])
def test_any_order_of_arrival_ends_where_the_slow_replay_ends(
    bearing: Case, clock: VirtualClock, given_steps: list[Step]
) -> None:
    claims = claims_of(bearing)
    with transaction.atomic():
        facts, last = arrive(bearing, clock, given_steps)
        book = expected(claims, facts, last)
        accrue(START + timedelta(days=last))
        found = balances(bearing)
        wanted = {(claim, "principal"): book.principal[claim] for claim in claims}
        wanted |= {(claim, "interest"): book.open_interest[claim] for claim in claims}
        wanted |= {(None, "credit"): -book.credit, (None, "received"): book.received}
        shown = {w: a for w, a in found.items() if w[1] in ("principal", "interest", "credit", "received")}
        assert shown == {where: amount for where, amount in wanted.items() if amount}
        assert interest_charged(bearing) == {c: book.charged[c] for c in claims if book.charged[c]} | {
            c: 0 for c in interest_charged(bearing) if not book.charged[c]
        }
        settled = Journal.objects.count()
        assert offset(bearing.id) == 0
        assert Journal.objects.count() == settled
        assert check_ledger().differences == check_ledger().imbalances == 0
        transaction.set_rollback(True)


def arrive(
    case: Case, clock: VirtualClock, given_steps: list[Step]
) -> tuple[list[tuple[int, int, Step]], int]:
    """Book the steps in the order given; returns the facts with the day on which each counts, and the last day."""
    facts: list[tuple[int, int, Step]] = []
    paid: dict[int, int] = {}
    last = 0
    for order, step in enumerate(given_steps):
        day = START + timedelta(days=step.day)
        if step.kind == "pay":
            pay(case, step.amount, day, f"p{order}")
            paid[order] = step.day
            facts.append((step.day, order, step))
        elif step.kind == "back" and paid:
            number = sorted(paid)[step.amount % len(paid)]
            counts = max(step.day, paid.pop(number))
            return_payment(f"p{number}", value_date=day, key=f"r{number}")
            facts.append((counts, order, Step("back", counts, number)))
        elif step.kind == "rest":
            begins = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=5)
            place_past_hold(case, begins, step.amount)
            facts.append((step.day, order, step))
        elif step.kind == "accrue":
            accrue(day)
        last = max([last, *(f[0] for f in facts), step.day])
    return facts, last


def place_past_hold(case: Case, begins: datetime, days: int) -> None:
    """A moratorium of whole days that is over by now."""
    ends = begins.replace(hour=0) + timedelta(days=days) - timedelta(hours=1)
    place_hold(case.id, "moratorium", by="agent:1", from_at=begins, until=ends)


@pytest.fixture(autouse=True)
def _in_summer(clock: VirtualClock) -> None:
    """Everything that happens here lies in the past."""
    clock.advance_to(datetime(2026, 6, 1, 8, tzinfo=UTC))
