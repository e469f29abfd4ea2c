"""Customer, agent, provider and bank act in any order; the ledger, the attempts to pay and the plans stay what a simple
model of them says. 30 lives of up to 30 steps here, 500 with KULANZ_NIGHTLY=1 (`make nightly`).
"""

import os
import re
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.portal.conftest import new_link
from tests.portal.life_model import Attempt, Money
from tests.portal.test_portal_plan import FORM, hidden

from kulanz.claims import adjusting
from kulanz.claims.adjusting import Cause
from kulanz.claims.checks import check_ledger
from kulanz.claims.holds import lift_hold, place_hold
from kulanz.claims.models import Claim, Hold
from kulanz.claims.queries import active_holds, open_items, statement
from kulanz.kernel import money
from kulanz.kernel.clock import VirtualClock, virtual
from kulanz.kernel.errors import ConflictError, InputError
from kulanz.payments import links
from kulanz.payments.actions import book_transfer
from kulanz.payments.methods.psp import Psp
from kulanz.payments.methods.registry import installed
from kulanz.payments.models import Payment, PaymentIntent, Plan, Rate
from kulanz.payments.plans import actions as plans
from kulanz.payments.plans.advancing import check_plans
from kulanz.payments.plans.queries import RUNNING, standing
from kulanz.testing.psp import Behaviour, PspSimulator

START = datetime(2026, 3, 3, 8, tzinfo=UTC)
LIVES = int(os.environ.get("KULANZ_LIVES", "500" if os.environ.get("KULANZ_NIGHTLY") else "30"))
LEAST = 1000
WHICH = st.integers(0, 7)


class Life(RuleBasedStateMachine):
    """One customer with a link, a provider whose calls come late and twice, and everybody else."""

    make_case = staticmethod(lambda *words, **more: None)

    @initialize(duplicates=st.integers(0, 2), late=st.sampled_from(["", "paid", "returned", "failed"]))
    def begins(self, duplicates: int, late: str) -> None:
        delays = {late: timedelta(minutes=7)} if late else {}
        self.psp._behaviour = Behaviour(delays=delays, duplicates=duplicates)
        self.an_invoice(10_000)

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.clock: VirtualClock = self.stack.enter_context(virtual(START))
        self.stack.enter_context(transaction.atomic())
        self.stack.callback(transaction.set_rollback, True)
        self.client = Client()
        self.psp = PspSimulator(api_key="key", webhook_secret="secret", send=self.receive)
        transport = httpx.WSGITransport(app=self.psp.app)
        method = Psp(self.psp.public_url, "key", "secret", transport=transport)
        self.stack.enter_context(installed(method))
        self.model = Money()
        self.number = 0
        self.home = ""

    def teardown(self) -> None:
        try:
            if self.home:
                found = check_ledger()
                assert (found.imbalances, found.differences) == (0, 0)
        finally:
            self.stack.close()

    # the customer

    @precondition(lambda self: self.model.owed)
    @rule(clicks=st.integers(1, 2), tabs=st.integers(1, 2))
    def pays_everything(self, clicks: int, tabs: int) -> None:
        for _tab in range(tabs):
            form = self.form()
            for _click in range(clicks):
                self.pays(self.model.owed, form)

    @precondition(lambda self: self.model.owed > LEAST)
    @rule(share=st.integers(1, 99))
    def pays_a_part(self, share: int) -> None:
        part = max(LEAST, self.model.owed * share // 100)
        self.pays(part, self.form(), part=part)

    @rule(off=st.sampled_from([-1, 1, 500]))
    def pays_what_an_old_page_showed(self, off: int) -> None:
        before = PaymentIntent.objects.count()
        fields = {"amount": self.model.owed + off, "form": self.form()}
        answer = self.client.post(f"{self.home}pay/", fields)
        assert answer.status_code in (303, 409)
        assert "/checkout/" not in answer.get("Location", "")
        assert PaymentIntent.objects.count() == before

    @precondition(lambda self: self.model.attempts)
    @rule(which=WHICH)
    def comes_back_from_the_provider(self, which: int) -> None:
        attempt = self.attempt(which)
        intent = PaymentIntent.objects.get(provider_reference=attempt.checkout)
        assert self.client.get(f"{self.home}return/{intent.id}/").status_code == 200
        if attempt.told != "paid":
            self.model.hears(attempt)

    @precondition(lambda self: self.model.owed)
    @rule(rate=st.integers(2_000, 9_000), clicks=st.integers(1, 2))
    def agrees_a_plan(self, rate: int, clicks: int) -> None:
        first = (self.clock.at + timedelta(days=10)).date().isoformat()
        fields = FORM | {"rate": f"{rate / 100:.2f}".replace(".", ","), "first_on": first}
        shown = self.client.post(f"{self.home}plan/", fields)
        if shown.status_code != 200 or "plan/agree/" not in shown.content.decode():
            return
        before = Plan.objects.count()
        for _click in range(clicks):
            assert (
                self.client.post(f"{self.home}plan/agree/", hidden(shown, "plan/agree/")).status_code == 303
            )
        if Plan.objects.count() > before:
            assert Plan.objects.count() == before + 1
            self.model.agrees(self.model.owed)

    @rule(page=st.sampled_from(["plan/pause/", "later/", "paid/", "problem/", "help/", "messages/"]))
    def says_something(self, page: str) -> None:
        """Nothing that a customer says moves money."""
        told = {
            "day": "2026-03-10",
            "text": "Bitte prüfen.",
            "kind": "amount",
            "rest": "yes",
            "form": self.form(),
        }
        assert self.client.post(self.home + page, told).status_code in (200, 303, 409, 422)

    @rule()
    def wants_credit_back(self) -> None:
        assert self.client.post(f"{self.home}credit/", {"amount": self.model.credit}).status_code == 303

    # the provider and the bank

    @precondition(lambda self: self.model.attempts)
    @rule(which=WHICH, act=st.sampled_from(["pay", "pay", "decline", "cancel", "take_back"]))
    def the_provider_acts(self, which: int, act: str) -> None:
        attempt = self.attempt(which)
        try:
            getattr(self.psp, act)(attempt.checkout)
        except ConflictError:
            return
        attempt.happened = self.psp.find(attempt.checkout).state(self.clock.at)[1]

    @rule(minutes=st.sampled_from([0, 0, 10, 31]))
    def calls_arrive(self, minutes: int) -> None:
        """After a while everything that happened has been told, however often and in whatever order."""
        self.passes(timedelta(minutes=max(minutes, 8)))
        while self.psp.deliver():
            pass
        for attempt in self.model.attempts:
            self.model.hears(attempt)

    @precondition(lambda self: self.model.owed)
    @rule(taken_back=st.booleans())
    def pays_and_it_arrives(self, taken_back: bool) -> None:
        """The common way, whole: the page, the provider, the call."""
        self.pays_everything(1, 1)
        self.the_provider_acts(len(self.model.attempts) - 1, "pay")
        self.calls_arrive(0)
        if taken_back:
            self.the_provider_acts(len(self.model.attempts) - 1, "take_back")
            self.calls_arrive(0)

    @rule(amount=st.integers(1, 15_000), exact=st.sampled_from(["", "owed", "rest"]), again=st.booleans())
    def a_transfer_arrives(self, amount: int, exact: str, again: bool) -> None:
        if exact and self.model.owed:
            amount = self.model.rest if exact == "rest" and self.model.plan else self.model.owed
        reference = f"bank-{self.next()}"
        for _time in range(1 + again):
            book_transfer(self.case, amount, self.clock.at.date(), reference)
        with pytest.raises(ConflictError):
            book_transfer(self.case, amount + 1, self.clock.at.date(), reference)
        self.model.arrives(reference, amount)

    # the agent, and time

    @rule(amount=st.integers(1_000, 20_000))
    def an_invoice(self, amount: int) -> None:
        made = self.make_case("LIFE", amount, date(2026, 2, 20), claim=f"L{self.next()}")
        self.case = made.id
        if not self.home:
            self.home = f"/p/{links.token(new_link(made, days=3_000))}/"
        self.model.change(amount)

    @rule(
        which=WHICH,
        amount=st.integers(1, 5_000),
        whole=st.booleans(),
        act=st.sampled_from(["credit", "waive"]),
    )
    def an_agent_lowers_it(self, which: int, amount: int, whole: bool, act: str) -> None:
        claims = list(Claim.objects.order_by("id").values_list("id", flat=True))
        claim, cause = claims[which % len(claims)], Cause(f"a{self.next()}", self.clock.at.date(), "agent:1")
        if whole:
            left = {item.claim_id: item.total for item in open_items(self.case)}
            amount = left.get(claim, amount)
        try:
            if act == "credit":
                adjusting.credit(claim, amount, cause)
            else:
                adjusting.waive(claim, "principal", amount, cause)
        except InputError:
            return
        self.model.change(-amount)

    @precondition(lambda self: self.model.credit)
    @rule(share=st.integers(1, 100))
    def an_agent_sends_credit_back(self, share: int) -> None:
        amount = max(1, self.model.credit * share // 100)
        adjusting.refund(self.case, amount, Cause(f"r{self.next()}", self.clock.at.date(), "agent:1"))
        self.model.change(amount)

    @rule(reason=st.sampled_from(["dispute", "hardship", "manual"]))
    def an_agent_lets_it_rest(self, reason: str) -> None:
        place_hold(self.case, reason, by="agent:1")

    @rule()
    def an_agent_ends_a_rest(self) -> None:
        holds = [hold for hold in active_holds(self.case) if hold.reason != Hold.Reason.PLAN]
        if holds:
            lift_hold(holds[0].id, by="agent:1")

    @precondition(lambda self: self.model.plan)
    @rule()
    def an_agent_ends_the_plan(self) -> None:
        plans.cancel(Plan.objects.get(state__in=RUNNING).id, by="agent:1")
        self.model.plan = None

    @rule(days=st.integers(1, 25))
    def days_go_by(self, days: int) -> None:
        """A plan may break, and does only when a rate has been missing for longer than the grace."""
        self.passes(timedelta(days=days))
        running = Plan.objects.filter(state__in=RUNNING).first()
        check_plans()
        if running and Plan.objects.get(id=running.id).state == Plan.State.BROKEN:
            late = self.clock.at.date() - timedelta(days=7)
            rates = Rate.objects.filter(plan=running, due_on__lt=late)
            assert sum(rates.values_list("amount", flat=True)) > max(0, self.model.plan.received)
            self.model.plan = None

    # what must hold

    @invariant()
    def the_books_are_what_the_model_says(self) -> None:
        if self.home:
            found = statement(self.case)
            assert (found.open_amount, found.credit) == (self.model.owed, self.model.credit)
            kept = Payment.objects.filter(returned_at=None).values_list("amount", flat=True)
            assert sorted(kept) == sorted(self.model.received.values())

    @invariant()
    def attempts_are_counted_once(self) -> None:
        told = sorted(each.checkout for each in self.model.attempts)
        assert sorted(PaymentIntent.objects.values_list("provider_reference", flat=True)) == told
        booked = sum(each.told in ("paid", "returned") for each in self.model.attempts)
        assert Payment.objects.exclude(intent=None).count() == booked

    @invariant()
    def a_plan_runs_while_something_of_it_is_left(self) -> None:
        running = list(Plan.objects.filter(state__in=RUNNING))
        assert bool(running) == bool(self.model.plan)
        for plan in running:
            rates = Rate.objects.filter(plan=plan).values_list("amount", flat=True)
            assert sum(rates) == plan.total == self.model.plan.total
            now = standing(plan, self.clock.at.date())
            assert now.rest == self.model.rest > 0
            assert sum(rate.rest for rate in now.rates) == now.rest
        held = (
            [hold for hold in active_holds(self.case) if hold.reason == Hold.Reason.PLAN] if self.home else []
        )
        assert len(held) == len(running)

    @invariant()
    def the_page_shows_it(self) -> None:
        if self.home:
            answer = self.client.get(self.home)
            assert answer.status_code == 200
            assert money.Money(self.model.owed, "EUR").format("de") in answer.content.decode()

    # how it is done

    def pays(self, amount: int, form: str, part: int = 0) -> None:
        """Presses the button: a new attempt, or the one under way for the same amount."""
        joined = self.model.to_join(amount)
        fields = {"amount": self.model.owed, "form": form} | ({"part": part} if part else {})
        answer = self.client.post(f"{self.home}pay/", fields)
        assert answer.status_code == 303, answer.content.decode()
        checkout = re.fullmatch(r"http://psp\.simulated/checkout/(co_\d+)", answer["Location"])
        assert checkout
        if joined is not None:
            assert joined.checkout == checkout[1]
        else:
            self.model.attempts.append(Attempt(amount, self.model.minute, checkout[1]))

    def receive(self, url: str, body: bytes, headers) -> int:
        extra = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        path = "/" + url.split("/", 3)[3]
        return int(Client().post(path, body, content_type="application/json", **extra).status_code)

    def passes(self, time: timedelta) -> None:
        self.clock.advance(time)
        self.model.minute += int(time.total_seconds() // 60)

    def attempt(self, which: int) -> Attempt:
        return self.model.attempts[which % len(self.model.attempts)]

    def form(self) -> str:
        return f"form-{self.next():06d}"

    def next(self) -> int:
        self.number += 1
        return self.number


@pytest.mark.slow
@pytest.mark.anydatabase
def test_a_customers_life(creditor, make_case) -> None:
    Life.make_case = staticmethod(make_case)
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[
                HealthCheck.too_slow,
                HealthCheck.data_too_large,
                HealthCheck.filter_too_much,
            ],
        ),
    )
