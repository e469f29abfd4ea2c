"""A claim's whole life in any order, beside a slow and obvious model.

The model spreads each payment by itself: plain dictionaries, the oldest claim first, costs before interest before
principal. What reaches back is held against the facts in another way: booked anew in the order of their value dates on
a second case, they must end in the same balances. 100 lives of up to 50 steps here, 1,000 with KULANZ_NIGHTLY=1
(`make nightly`).
"""

import os
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from kulanz.claims import adjusting, settling
from kulanz.claims.account import statement_of_account
from kulanz.claims.accrual import accrue
from kulanz.claims.actions import book_payment, return_payment
from kulanz.claims.adjusting import Cause
from kulanz.claims.checks import check_ledger
from kulanz.claims.defaulting import set_default
from kulanz.claims.fees import charge
from kulanz.claims.holds import lift_hold, place_hold
from kulanz.claims.models import COSTS, OWED, Account, Case, Claim, Hold, Posting
from kulanz.claims.queries import statement
from kulanz.claims.rules import ClaimState
from kulanz.kernel.clock import VirtualClock, virtual
from kulanz.kernel.errors import ConflictError, InputError
from kulanz.law import fees
from kulanz.law.allocation import Account as Part
from kulanz.law.packs import load

FIRST = date(2026, 1, 5)
LIVES = int(os.environ.get("KULANZ_LIVES", "1000" if os.environ.get("KULANZ_NIGHTLY") else "100"))
NOTHING = (InputError, ConflictError)


@dataclass
class Model:
    """Open amounts by claim and account; `credit` is what was paid too much."""

    due: dict[int, date] = field(default_factory=dict)
    owed: Counter[tuple[int, str]] = field(default_factory=Counter)
    credit: int = 0

    def pay(self, amount: int) -> None:
        for claim in sorted(self.due, key=lambda each: (self.due[each], each)):
            for account in (*COSTS, Account.INTEREST, Account.PRINCIPAL):
                part = min(amount, self.owed[claim, account])
                self.owed[claim, account] -= part
                amount -= part
        self.credit += amount


class Life(RuleBasedStateMachine):
    """One case with up to four claims at a creditor that charges interest."""

    make_case = staticmethod(lambda *words, **more: None)
    clock: VirtualClock

    def __init__(self) -> None:
        super().__init__()
        self.today = FIRST
        self.model = Model()
        self.case: Case | None = None
        self.number = 0
        self.facts: list[tuple[date, int, str, tuple[object, ...]]] = []
        self.capped = False
        self.refunded = False
        self.paid: list[str] = []
        self.states: dict[int, ClaimState] = {}
        self.atomic = transaction.atomic()
        self.atomic.__enter__()

    def teardown(self) -> None:
        try:
            if self.case:
                self.an_audit()
                if not self.capped:
                    self.same_in_the_order_of_value_dates()
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    # what happens

    @rule(days=st.integers(0, 6))
    def days_go_by(self, days: int) -> None:
        self.today += timedelta(days=days)
        if days:
            self.clock.advance_to(datetime.combine(self.today, time(9), UTC))

    @precondition(lambda self: len(self.model.due) < 4)
    @rule(amount=st.integers(1, 50_000))
    def a_claim_is_opened(self, amount: int) -> None:
        name = f"L{self.next()}"
        due = FIRST - timedelta(days=20) + timedelta(days=len(self.model.due))
        self.case = self.make_case("LIFE", amount, due, claim=name)
        self.model.due[Claim.objects.get(number=name).id] = due
        self.fact("open", due - timedelta(days=14), name, amount, due)
        self.resync()

    @precondition(lambda self: self.model.due)
    @rule(which=st.integers(0, 3))
    def default_begins(self, which: int) -> None:
        set_default(self.claim(which), self.today + timedelta(days=1), "test")
        self.capped = True

    @precondition(lambda self: self.case)
    @rule()
    def interest_is_charged(self) -> None:
        accrue(self.today)
        self.resync()

    @precondition(lambda self: self.model.due)
    @rule(which=st.integers(0, 3), cents=st.integers(1, 249))
    def a_returned_debit_costs(self, which: int, cents: int) -> None:
        fee = fees.returned(load("DE"), self.today, cents)
        claim, key = self.claim(which), f"fee:{self.next()}"
        try:
            charge(claim, fee, key=key, value_date=self.today, by="payments")
        except NOTHING:
            return
        self.fact("fee", self.today, self.named(claim), cents)
        self.resync()

    @precondition(lambda self: self.case)
    @rule(amount=st.integers(1, 60_000), back=st.integers(0, 12))
    def money_comes(self, amount: int, back: int) -> None:
        key, day = f"p:{self.next()}", max(FIRST, self.today - timedelta(days=back))
        reaches_back = day < max(self.newest(), self.today)
        if not reaches_back:
            accrue(day)
            self.resync()
        book_payment(self.case.id, amount, value_date=day, key=key, method="transfer")
        self.paid.append(key)
        self.fact("pay", day, key, amount)
        if reaches_back:
            self.resync()
        else:
            self.model.pay(amount)
            self.costs_came_first(key)

    @precondition(lambda self: self.paid)
    @rule(which=st.integers(0, 5))
    def money_goes_back(self, which: int) -> None:
        key = self.paid.pop(which % len(self.paid))
        return_payment(key, value_date=self.today, key=f"r:{key}")
        self.fact("return", self.today, key)
        self.resync()

    @precondition(lambda self: self.model.due)
    @rule(which=st.integers(0, 3), amount=st.integers(1, 30_000))
    def a_credit_note(self, which: int, amount: int) -> None:
        claim = self.claim(which)
        adjusting.credit(claim, amount, self.cause())
        self.fact("credit", self.today, self.named(claim), amount)
        self.resync()

    @precondition(lambda self: self.model.due)
    @rule(which=st.integers(0, 3), amount=st.integers(1, 10_000))
    def a_part_is_waived(self, which: int, amount: int) -> None:
        claim = self.claim(which)
        self.tries(lambda: adjusting.waive(claim, Account.PRINCIPAL, amount, self.cause()))

    @precondition(lambda self: self.model.due)
    @rule(
        which=st.integers(0, 3),
        act=st.sampled_from([adjusting.write_off, adjusting.transfer, adjusting.recall]),
    )
    def a_claim_leaves_the_books_or_comes_back(self, which: int, act) -> None:
        self.tries(lambda: act(self.claim(which), self.cause()))

    @precondition(lambda self: self.case)
    @rule(
        amount=st.integers(1, 20_000),
        act=st.sampled_from(["recover", "refund", "discount", "revoke"]),
        which=st.integers(0, 3),
    )
    def the_end_is_settled(self, amount: int, act: str, which: int) -> None:
        if act == "discount":
            self.tries(lambda: adjusting.discount(self.case.id, self.cause()))
        elif act == "revoke":
            claims = list(Claim.objects.filter(case=self.case).values_list("id", flat=True))
            self.tries(lambda: adjusting.revoke_discount(self.case.id, claims, self.cause()))
        elif act == "refund":
            self.tries(lambda: adjusting.refund(self.case.id, amount, self.cause()))
            self.refunded = True
        else:
            self.tries(lambda: adjusting.recover(self.claim(which), amount, self.cause()))

    @precondition(lambda self: self.case)
    @rule(reason=st.sampled_from(["dispute", "plan", "hardship", "moratorium"]), days=st.integers(1, 20))
    def the_case_rests(self, reason: str, days: int) -> None:
        place_hold(self.case.id, reason, by="agent:1", until=self.clock.at + timedelta(days=days))
        self.capped = True
        self.resync()

    @precondition(lambda self: self.case and Hold.objects.filter(lifted_at=None).exists())
    @rule()
    def a_rest_ends_early(self) -> None:
        lift_hold(Hold.objects.filter(lifted_at=None).first().id, by="agent:1")
        self.resync()

    # what must hold

    @precondition(lambda self: self.case)
    @rule()
    def an_audit(self) -> None:
        """What takes long to look at is looked at now and then, and at the end."""
        found = check_ledger()
        assert (found.imbalances, found.differences) == (0, 0)
        assert settling.settle(self.case.id, "again") == 0
        self.interest_from_scratch_is_what_was_charged()
        self.states_are_those_of_the_sums()

    @invariant()
    def the_model_agrees(self) -> None:
        """And nothing is below zero, and no credit waits beside a debt."""
        if self.case:
            owed, credit = self.ledger()
            assert owed == {where: n for where, n in self.model.owed.items() if n}
            assert credit == self.model.credit
            assert all(amount > 0 for amount in owed.values())
            assert credit >= 0 or self.refunded
            assert credit <= 0 or not owed

    def interest_from_scratch_is_what_was_charged(self) -> None:
        for each in statement_of_account(self.case.id, self.today).interest:
            assert each.accrual is not None
            assert each.accrual.total == each.charged

    def states_are_those_of_the_sums(self) -> None:
        shown = statement(self.case.id)
        held = {hold.reason for hold in shown.holds}
        settled = {ClaimState.PAID, ClaimState.CREDITED, ClaimState.WRITTEN_OFF, ClaimState.HANDED_OVER}
        for claim in shown.claims:
            assert (claim.open_amount <= 0) == (claim.state in settled)
            if claim.open_amount > 0 and "dispute" in held:
                assert claim.state is ClaimState.DISPUTED

    # how it is compared

    def costs_came_first(self, key: str) -> None:
        """Within a claim nothing of a later part was settled while an earlier one was open; and older claims first."""
        seen: list[tuple[date, int, int]] = []
        parts = [Part.COST.value, Part.INTEREST.value, Part.PRINCIPAL.value]
        rows = Posting.objects.filter(journal__key=key, account__in=OWED).order_by("id")
        for claim, account in rows.values_list("claim_id", "account"):
            seen.append((self.model.due[claim], claim, parts.index(account.split("_")[0])))
        assert seen == sorted(seen)

    def same_in_the_order_of_value_dates(self) -> None:
        """The facts, booked one after another by their days on another case, end in the same balances."""
        mine = self.by_name(self.case)
        other: Case | None = None
        for _, _, kind, words in sorted(self.facts, key=lambda fact: fact[:2]):
            other = self.again(kind, words, other)
        assert other is not None
        assert self.by_name(other) == mine

    def again(self, kind: str, words: tuple, case: Case | None) -> Case:
        day, *rest = words
        cause = Cause(f"b{self.next()}", day, "agent:1")
        if kind == "open":
            name, amount, due = rest
            return self.make_case("TWIN", amount, due, claim=f"T{name}")
        if kind == "pay":
            book_payment(case.id, rest[1], value_date=day, key=f"t{rest[0]}", method="transfer")
        elif kind == "return":
            return_payment(f"t{rest[0]}", value_date=day, key=f"tr:{rest[0]}")
        elif kind == "credit":
            adjusting.credit(self.twin(rest[0]), rest[1], cause)
        else:
            fee = fees.returned(load("DE"), day, rest[1])
            charge(self.twin(rest[0]), fee, key=cause.key, value_date=day, by="payments")
        return case

    def named(self, claim: int) -> str:
        return Claim.objects.values_list("number", flat=True).get(id=claim)

    def twin(self, name: str) -> int:
        return Claim.objects.values_list("id", flat=True).get(number=f"T{name}")

    def by_name(self, case: Case) -> dict[tuple[str, str], int]:
        sums: dict[tuple[str, str], int] = defaultdict(int)
        rows = Posting.objects.filter(case=case).values_list("claim__number", "account", "amount")
        for name, account, amount in rows:
            sums[(name or "").removeprefix("T"), account] += amount
        return {where: amount for where, amount in sums.items() if amount}

    def ledger(self) -> tuple[dict[tuple[int, str], int], int]:
        sums: Counter[tuple[int, str]] = Counter()
        rows = Posting.objects.filter(case=self.case, account__in=[*OWED, Account.CREDIT])
        for claim, account, amount in rows.values_list("claim_id", "account", "amount"):
            sums[claim or 0, account] += amount
        credit = -sums.pop((0, str(Account.CREDIT)), 0)
        return {where: amount for where, amount in sums.items() if amount}, credit

    def resync(self) -> None:
        """What reached back is not the model's to work out: go on from the ledger."""
        owed, self.model.credit = self.ledger()
        self.model.owed = Counter(owed)

    def tries(self, act) -> None:
        try:
            act()
        except NOTHING:
            return
        self.capped = True
        self.resync()

    def newest(self) -> date:
        return max((fact[0] for fact in self.facts), default=FIRST)

    def fact(self, kind: str, day: date, *words: object) -> None:
        self.facts.append((day, self.next(), kind, (day, *words)))

    def claim(self, which: int) -> int:
        ids = sorted(self.model.due)
        return ids[which % len(ids)]

    def cause(self) -> Cause:
        return Cause(f"a{self.next()}", self.today, "agent:1")

    def next(self) -> int:
        self.number += 1
        return self.number


@pytest.mark.slow
@pytest.mark.anydatabase
def test_a_claims_life(creditor, make_case) -> None:
    creditor.charges_interest = True
    creditor.save()

    class OneLife(Life):
        def __init__(self) -> None:
            self.time = virtual(datetime.combine(FIRST, time(9), UTC))
            self.clock = self.time.__enter__()
            super().__init__()

        def teardown(self) -> None:
            try:
                super().teardown()
            finally:
                self.time.__exit__(None, None, None)

    OneLife.make_case = staticmethod(make_case)
    run_state_machine_as_test(
        OneLife,
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=[
                HealthCheck.too_slow,
                HealthCheck.data_too_large,
                HealthCheck.filter_too_much,
            ],
        ),
    )
