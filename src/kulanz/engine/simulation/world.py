"""The world of a simulated year: its customers, their invoices, its calendar, and the truth about contacts.

A world is drawn from one seed: figures inside their ranges (figures.py), customers (customers.py), and one to
three overdue invoices for each, never two at a time. Row i of a seed is the same whatever the number
of rows. Day 0 is START; a day begins at midnight, moments are days with fractions; age is days past due.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import ndtri

from kulanz.engine.actions import ActionSpace
from kulanz.engine.arrays import Bools, Floats, Indices, Ints, Small
from kulanz.engine.draws import Stream, uniforms
from kulanz.engine.simulation.customers import FIRST_WORD, Customers, mean_response
from kulanz.engine.simulation.figures import Figures
from kulanz.engine.simulation.simulate import BANDS, SATURDAY
from kulanz.kernel.errors import InputError

START = np.datetime64("2026-01-01")
CASE_DAYS = 60
APART = 7
MOST_INVOICES = 3
LETTER = 2
PLAN = 1
INSTALMENTS = 3
INSTALMENT_DAYS = 14
LIKELIEST = 0.7
"""No contact gets more than this share of those it reaches to pay."""
_OWN_WORDS = 4

SPACE = ActionSpace(
    channels=("email", "sms", "letter", "phone"),
    tones=("friendly", "neutral", "firm", "formal"),
    offers=("none", "plan"),
    weekdays=("today",),
    channel_costs=tuple(int(cost) for cost in Figures.published().numbers("channels", "price_minor")),
    harshness=tuple(Figures.published().numbers("effects", "harshness")),
    channel_minutes=(0.0, 0.0, 0.0, 4.0),
)
"""The slot is a band of the day on which the decision is made."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """weekday int8[days] (Monday 0), day_of_month int8[days], with_cash bool[paydays, days]."""

    weekday: Small
    day_of_month: Small
    with_cash: Bools

    @classmethod
    def of(cls, days: int, figures: Figures) -> Self:
        dates = START + np.arange(days)
        weekday = (dates.astype(np.int64) + 3) % 7
        day = (dates - dates.astype("datetime64[M]")).astype(np.int64) + 1
        paydays = figures.numbers("payday", "days_of_month").astype(np.int64)
        since = (day - paydays[:, None]) % 30
        return cls(
            weekday.astype(np.int8),
            day.astype(np.int8),
            since < round(figures.number("payday", "days_with_cash")),
        )


@dataclass(frozen=True, slots=True)
class World:
    """customer int64[n], due_day int64[n] (last day to pay in time), amount_minor int64[n], own_at float64[n]
    (moment at which the case is paid without any contact, beyond the year if never).
    """

    seed: int
    days: int
    figures: Figures
    calendar: Calendar
    customers: Customers
    customer: Ints
    due_day: Ints
    amount_minor: Ints
    own_at: Floats

    def __len__(self) -> int:
        return len(self.customer)

    @classmethod
    def draw(cls, cases: int, seed: int, *, days: int = 365, figures: Figures | None = None) -> Self:
        """n cases, all over by the last day; `figures` replaces those drawn from the seed.

        Raises InputError when the year is too short for one case, or the number of cases is negative.
        """
        window = days - CASE_DAYS - 2
        if window < 1 or cases < 0:
            raise InputError(f"A year needs at least {CASE_DAYS + 3} days and a number of cases.")
        found = figures or Figures.drawn(seed)
        each = int(np.clip(window // (CASE_DAYS + APART + 1), 1, MOST_INVOICES))
        customer, turn = np.divmod(np.arange(cases, dtype=np.int64), each)
        calendar = Calendar.of(days, found)
        people = Customers.draw(-(-cases // each), seed, found)
        u = uniforms(seed, np.arange(len(people)), Stream.CUSTOMER, FIRST_WORD)[:, -_OWN_WORDS:]
        apart = window // each
        due = turn * apart + (u[:, 0] * apart).astype(np.int64)[customer]
        v = uniforms(seed, np.arange(cases), Stream.BY_ITSELF, 4)
        amount = _amounts(found, people.business[customer], u[customer, 1], v[:, 0])
        own = _own_moments(found, calendar, people, customer, due, -np.log(v[:, 1]))
        return cls(seed, days, found, calendar, people, customer, due, amount, own)

    def with_cash(self, customer: Indices, day: Ints | int) -> Bools:
        """bool[m]: whether each customer has money on that day; only the short of cash ever have none."""
        people = self.customers
        return np.asarray(~people.short[customer] | self.calendar.with_cash[people.payday[customer], day])

    def daily_chance(self, customer: Indices, day: Ints | int, age: Ints | int) -> Floats:
        """Chance float64[m] that an open case is paid without contact on that day."""
        hazard = _hazard(self.figures, self.customers, customer, self.with_cash(customer, day), age)
        return np.asarray(-np.expm1(-hazard))

    def wear(self, contacts: Ints, gap: Ints) -> Floats:
        """What is left of the response after `contacts` in this case, the last one `gap` days ago."""
        f = self.figures
        rested = f.number("year", "rested")
        rest = np.clip(rested + (1.0 - rested) * (gap - 2) / (APART - 2), rested, 1.0)
        worn = f.number("response", "fatigue") ** np.asarray(contacts, dtype=np.float64)
        return np.asarray(worn * np.where(np.asarray(contacts) > 0, rest, 1.0))

    def appeal(self, customer: Indices, day: Ints | int, channel: Indices) -> Floats:
        """Response float64[m] of those reached by a fresh, plain contact, before hour and tone."""
        f, people = self.figures, self.customers
        base = np.where(self.with_cash(customer, day), people.flush[customer], people.response[customer])
        weekend = f.number("effects", "weekend") / mean_response(f)
        base = base * np.where(self.calendar.weekday[day] >= SATURDAY, 1.0 + weekend, 1.0)
        return np.asarray(base * f.numbers("channels", "effect")[channel])

    def chance(
        self,
        customer: Indices,
        *,
        day: Ints | int,
        channel: Indices,
        band: Indices,
        tone: Indices,
        offer: Indices,
        contacts: Ints,
        gap: Ints,
    ) -> Floats:
        """Chance float64[m] that somebody who is reached pays within days: the planted truth."""
        people = self.customers
        matters = self.figures.numbers("channels", "hours_matter")[channel]
        lift = 1.0 + people.hours[customer, band] * matters + people.tones[customer, tone]
        plan = np.where((offer == PLAN) & ~self.with_cash(customer, day), people.plan[customer], 0.0)
        fresh = np.clip(self.appeal(customer, day, channel) * lift + plan, 0.0, LIKELIEST)
        return np.asarray(fresh * self.wear(contacts, gap))

    def others(self, customer: Indices, channel: Indices, tone: Indices, contacts: Ints) -> Floats:
        """Chances float64[m, 5] of the acts from PROMISE on, in the order of Act, among those reached."""
        f = self.figures
        cause = self.customers.cause[customer]
        harsh = f.numbers("effects", "harshness")[tone]
        more = f.number("harm", "per_contact") * contacts
        leaves = f.number("harm", "opts_out") + f.number("harm", "opts_out_pressed") * harsh + more
        return np.stack([
            f.numbers("response", "promises")[cause],
            f.numbers("response", "disputes")[cause],
            np.full(len(cause), f.number("response", "says_paid")),
            leaves * f.numbers("channels", "opts_out")[channel],
            f.number("harm", "complains") + f.number("harm", "complains_pressed") * harsh + more,
        ], axis=1)  # fmt: skip


def _amounts(f: Figures, business: Bools, person: Floats, invoice: Floats) -> Ints:
    """int64[n] minor units, log-normal, within 5 and 5,000 units of the currency."""
    spread = f.number("year", "amount_spread") * (ndtri(person) + ndtri(invoice)) / np.sqrt(2.0)
    amount = f.number("year", "amount_minor") * np.where(business, 4.0, 1.0) * np.exp(spread)
    return np.asarray(np.clip(np.round(amount), 500, 500_000), dtype=np.int64)


def _hazard(f: Figures, people: Customers, customer: Indices, cash: Bools, age: Ints | int) -> Floats:
    fading = np.exp(-(np.asarray(age, dtype=np.float64) - 1.0) / f.number("year", "early_days"))
    early = 1.0 + f.number("year", "early") * fading
    paid = f.number("time", "hazard_with_cash") * (people.short[customer] & cash)
    return np.asarray(people.hazard[customer] * early + paid)


def _own_moments(
    f: Figures, calendar: Calendar, people: Customers, customer: Ints, due: Ints, need: Floats
) -> Floats:
    """When the hazard summed over the days from the first past due reaches `need`."""
    out = np.full(len(customer), np.inf)
    summed = np.zeros(len(customer))
    for age in range(1, CASE_DAYS + 2):
        cash = ~people.short[customer] | calendar.with_cash[people.payday[customer], due + age]
        rate = _hazard(f, people, customer, cash, age)
        now = (summed < need) & (need <= summed + rate)
        out[now] = (due + age + (need - summed) / rate)[now]
        summed += rate
    return out


assert len(SPACE.bands) == BANDS
