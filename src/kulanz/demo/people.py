"""The simulated customers: when they pay, what they do with a message, and how they do it on the real pages."""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np

from kulanz.claims.holds import lift_hold
from kulanz.claims.models import Hold
from kulanz.claims.queries import holds_at, open_amount, open_items
from kulanz.demo.agenda import Agenda
from kulanz.demo.letters import Letter
from kulanz.demo.visitor import Page, PageError, Visitor
from kulanz.engine import Act, Population
from kulanz.kernel import clock
from kulanz.payments.actions import book_transfer
from kulanz.payments.models import Plan
from kulanz.payments.offers.rules import Kind
from kulanz.payments.reference import case_of

KEEPS_PROMISE = 0.75
DISPUTE_DAYS = 5
DECLINED = 0.04
WANTS_RATES = 0.6
"""Of those who react to an offered plan with money, so many take the plan."""
KEEPS_RATE = 0.85
LATE_DAYS = (3, 6, 40)
_DISCOUNT = re.compile(r"\?offer=\d+")
_PART = re.compile(r'name="part" value="(\d+)"')
_REFERENCE = re.compile(r"\bRF\d\d(?:\s?[0-9]{1,4})+")
_WORDS = (
    "Die Ware kam beschädigt an.",
    "Das habe ich zurückgeschickt.",
    "Der Betrag stimmt nicht mit dem Angebot überein.",
)
_COMPLAINT = "Diese Nachricht empfinde ich als zu streng."


@dataclass
class People:
    """Acts for every customer of the time-lapse; `row_of_case` gives each case's row in `population`.

    Every act draws from a stream of its own, so that what one customer does never changes another.
    """

    population: Population
    seed: int
    timezone: ZoneInfo
    agenda: Agenda
    visitor: Visitor
    provider_told: Callable[[], object]
    row_of_case: dict[int, int] = field(default_factory=dict)
    transfers: int = 0

    def expect_payment(self, case_id: int, claim_id: int, at: datetime) -> None:
        """The customer will settle this invoice by bank transfer at `at`, unless it is settled by then."""
        self.agenda.note(at, partial(self._pay_invoice, case_id, claim_id))

    def read(self, letters: Sequence[Letter]) -> None:
        """Let the customers react to messages that have just arrived."""
        if not letters:
            return
        reactions = self.population.react(
            np.array([self.row_of_case[letter.case_id] for letter in letters]),
            day=np.array([letter.days_past_due for letter in letters], np.float64),
            weekday=np.array([letter.weekday for letter in letters]),
            band=np.array([letter.band for letter in letters]),
            tone=np.array([letter.tone for letter in letters]),
            offer=np.array([int(letter.offer != "none") for letter in letters]),
            contacts=np.array([letter.contacts for letter in letters]),
            seed=self.seed,
            message_ids=np.array([letter.message_id for letter in letters]),
        )
        rows = zip(letters, reactions.opens_page, reactions.action, reactions.delay_hours, strict=True)
        for letter, opens, action, hours in rows:
            if opens or action != Act.NONE:
                at = letter.at + timedelta(hours=float(hours), minutes=2)
                self.agenda.note(at, partial(self._act, letter, Act(int(action))))

    def _act(self, letter: Letter, act: Act) -> None:
        own = random.Random(f"{self.seed}:{letter.message_id}")  # noqa: S311 - a simulation, not a secret
        if act == Act.OPT_OUT:
            self.visitor.one_click(letter.unsubscribe)
            return
        page = self.visitor.get(letter.link)
        if act == Act.NONE or open_amount(letter.case_id) == 0:
            return
        {
            Act.PAY: self._pay,
            Act.PROMISE: self._promise,
            Act.DISPUTE: self._dispute,
            Act.ALREADY_PAID: self._say_paid,
            Act.COMPLAIN: self._complain,
        }[act](letter, page, own)

    def _pay(self, letter: Letter, page: Page, own: random.Random) -> None:
        """By what was offered, if that suits; the page's first form and link are those of a discount."""
        if letter.offer == Kind.PLAN and own.random() < WANTS_RATES and self._agree(letter, own):
            return
        if not self.population.pays_by_transfer[self.row_of_case[letter.case_id]]:
            self._pay_online(letter, page, own)
            return
        offer, part = _DISCOUNT.search(page.text), _PART.search(page.text)
        details = self.visitor.get(f"{letter.link}transfer/{offer[0] if offer else ''}")
        found = _REFERENCE.search(details.text)
        if found is None:
            raise PageError("The page for a bank transfer shows no reference.")
        self.agenda.note(
            self._bank_opens(clock.now()),
            partial(
                self._bank_books,
                case_of(found[0]),
                int(part[1]) if offer and part else open_amount(letter.case_id),
            ),
        )

    def _agree(self, letter: Letter, own: random.Random) -> bool:
        """Agree to the offered plan as its page shows it, and pay its rates, most of them on their day."""
        shown = self.visitor.get(f"{letter.link}plan/")
        if "plan/agree/" not in shown.text:
            return False
        self.visitor.submit(shown, "plan/agree/")
        plan = Plan.objects.filter(case_id=letter.case_id, state=Plan.State.ACTIVE).first()
        for rate in plan.rates.all() if plan else ():
            late = own.choice(LATE_DAYS) if own.random() > KEEPS_RATE else 0
            noon = datetime.combine(rate.due_on + timedelta(days=late), time(12), self.timezone)
            self.agenda.note(noon, partial(self._pay_rate, letter.case_id, rate.amount))
        return True

    def _pay_rate(self, case_id: int, amount: int) -> None:
        self._bank_books(case_id, min(amount, open_amount(case_id)))

    def _pay_online(self, letter: Letter, page: Page, own: random.Random) -> None:
        checkout = self.visitor.submit(page, "pay/")
        if own.random() < DECLINED:
            self.visitor.submit(checkout, "/decline")
            self.provider_told()
            page = self.visitor.get(letter.link)
            checkout = self.visitor.submit(page, "pay/")
        self.visitor.submit(checkout, "/pay")
        self.provider_told()

    def _promise(self, letter: Letter, page: Page, own: random.Random) -> None:
        form = self.visitor.get(f"{letter.link}later/")
        days = self.visitor.choices(form, "day")
        if not days:
            return
        day = own.choice(days)
        self.visitor.submit(form, "later/", day=day)
        if own.random() < KEEPS_PROMISE:
            noon = datetime.combine(date.fromisoformat(day), time(12), self.timezone)
            self.agenda.note(noon, partial(self._settle_all, letter.case_id))

    def _dispute(self, letter: Letter, page: Page, own: random.Random) -> None:
        self._write(letter, "goods", own.choice(_WORDS))

    def _complain(self, letter: Letter, page: Page, own: random.Random) -> None:
        self._write(letter, "complaint", _COMPLAINT)

    def _write(self, letter: Letter, kind: str, text: str) -> None:
        form = self.visitor.get(f"{letter.link}problem/")
        self.visitor.submit(form, "problem/", kind=kind, text=text)
        settled = clock.now() + timedelta(days=DISPUTE_DAYS)
        self.agenda.note(settled, partial(self._dispute_is_settled, letter.case_id))

    def _say_paid(self, letter: Letter, page: Page, own: random.Random) -> None:
        form = self.visitor.get(f"{letter.link}paid/")
        self.visitor.submit(form, "paid/")
        self.agenda.note(self._bank_opens(clock.now()), partial(self._settle_all, letter.case_id))

    def _dispute_is_settled(self, case_id: int) -> None:
        """An agent has answered; the claim stands."""
        for hold in holds_at(clock.now()).filter(case_id=case_id, reason=Hold.Reason.DISPUTE):
            lift_hold(hold.id, by="agent:simulated")

    def _pay_invoice(self, case_id: int, claim_id: int) -> None:
        amount = {item.claim_id: item.total for item in open_items(case_id)}.get(claim_id, 0)
        self._bank_books(case_id, min(amount, open_amount(case_id)))

    def _settle_all(self, case_id: int) -> None:
        self._bank_books(case_id, open_amount(case_id))

    def _bank_books(self, case_id: int, amount: int) -> None:
        if amount > 0 and open_amount(case_id) > 0:
            self.transfers += 1
            day = clock.now().astimezone(self.timezone).date()
            book_transfer(case_id, amount, day, f"BANK{self.transfers:08d}")

    def _bank_opens(self, after: datetime) -> datetime:
        """The morning of the next banking day after `after`."""
        day = after.astimezone(self.timezone).replace(hour=7, minute=5) + timedelta(days=1)
        return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() >= 5 else 0)
