"""The upper reference of the simulated year: what could be had by knowing every customer's chances.

For each case the oracle solves by backward induction, from the planted truth, when to contact and how, and when to
wait: the best response to all chances, though it never knows the luck of a draw. The state is the case's age, the
contacts so far (eight and more count as eight), and the days since the last two, as the legal limits need them.
Simplified: a payment comes at its mean moment; while one is on its way nothing else happens; what a missed
instalment leaves open is lost; after an opt-out or complaint the case goes on as before, until the next morning's plan
takes the closed channel into account. So this is a reference close to the optimum, not a bound that is proved.
"""

from dataclasses import replace

import numpy as np

from kulanz.engine.actions import WAIT, Allowed
from kulanz.engine.arrays import Codes, Floats, Indices, Ints, Singles, Small
from kulanz.engine.reward import RewardSettings
from kulanz.engine.simulation.book import (
    ANSWER_DAYS,
    CAP_DAYS,
    CHANNEL_FROM,
    DISPUTE_DAYS,
    GAP_DAYS,
    PROMISE_DAYS,
    SUNDAY,
    TONE_FROM,
    Book,
)
from kulanz.engine.simulation.choosers import Unteachable
from kulanz.engine.simulation.simulate import Cause
from kulanz.engine.simulation.world import (
    CASE_DAYS,
    INSTALMENT_DAYS,
    INSTALMENTS,
    LETTER,
    LIKELIEST,
    PLAN,
    SPACE,
    World,
)

MOST_CONTACTS = 8
_NEVER = 1e6
_BLOCK = 128
_COUNTS = np.arange(MOST_CONTACTS + 1)
_NEXT_COUNT = np.minimum(_COUNTS + 1, MOST_CONTACTS)
_GAPS = np.arange(GAP_DAYS, CAP_DAYS + 1)
_STATES = [
    (last, before)
    for last in range(1, CAP_DAYS + 1)
    for before in range(1, CAP_DAYS + 1)
    if before == CAP_DAYS or before >= last + GAP_DAYS
]
"""Days since the last contact and since the one before, both cut at the week that the limits look back."""


_CHANNEL_FROM, _TONE_FROM = np.array(CHANNEL_FROM), np.array(TONE_FROM)


def _state(last: int, before: int) -> int:
    return _STATES.index((min(last, CAP_DAYS), min(before, CAP_DAYS)))


_TOMORROW = np.array([_state(last + 1, before + 1) for last, before in _STATES])
_CAN = np.array([_state(int(gap), CAP_DAYS) for gap in _GAPS])
_AFTER = np.array([_state(1, int(gap) + 1) for gap in _GAPS])
_FREE = _state(CAP_DAYS, CAP_DAYS)
_CHANNEL, _TONE, _OFFER = (
    grid.ravel()
    for grid in np.meshgrid(
        np.arange(len(SPACE.channels)),
        np.arange(len(SPACE.tones)),
        np.arange(len(SPACE.offers)),
        indexing="ij",
    )
)


class Oracle(Unteachable):
    """Plays each case's best plan; replans a customer's cases when a channel has closed.

    Without `tastes`, what no record could tell is unknown to it: a person's own liking of hours and tones counts
    with its average. `reluctance` is a further price of each contact, as a share of the amount, that counts in
    the plan alone: it shows what can be had with fewer contacts. Memory: about 3.3 kB per case.
    """

    def __init__(self, *, tastes: bool = True, reluctance: float = 0.0) -> None:
        self.tastes = tastes
        self.reluctance = reluctance

    def meet(self, book: Book) -> None:
        n = len(book.world)
        self.book = book
        self.known = book.world if self.tastes else _without_tastes(book.world)
        self.plans = np.empty((n, CASE_DAYS + 1, len(_COUNTS), len(_GAPS)), dtype=np.int8)
        self.expected = np.zeros(n)
        """float64[n]: what each case's plan promises, as a reward of the whole case."""
        self._closed = np.zeros(n, dtype=np.int64)
        self._plan(np.arange(n))

    def choose(self, day: int, contexts: Singles, allowed: Allowed, ids: Ints) -> Codes:
        book, world = self.book, self.known
        customer = world.customer[ids]
        self._plan(ids[book.optouts[customer] != self._closed[ids]])
        count = np.minimum(book.contacts[ids], MOST_CONTACTS)
        gap = np.clip(day - book.last[ids], GAP_DAYS, CAP_DAYS) - GAP_DAYS
        best = self.plans[ids, day - world.due_day[ids], count, gap].astype(np.intp)
        band = world.customers.hours[customer].argmax(axis=1)
        out = np.stack([_CHANNEL[best], band, _TONE[best], _OFFER[best]], axis=1).astype(np.int16)
        out[best < 0] = WAIT
        return out

    def _plan(self, rows: Indices) -> None:
        short = self.known.customers.short[self.known.customer[rows]]
        rows = rows[np.argsort(short, kind="stable")]
        for first in range(0, len(rows), _BLOCK):
            part = rows[first : first + _BLOCK]
            closed = self.book.optouts[self.known.customer[part]]
            self._closed[part] = closed
            problem = _Problem(self.known, part, closed, self.book.rewards, self.reluctance)
            self.plans[part], self.expected[part] = problem.solve()


class _Problem:
    """k cases, ages 1 to CASE_DAYS; values are shares of the case's amount, seen from its due day.

    What a contact is worth is linear in five numbers of the state (contacts, gap), so that all actions and states of
    a case and day are one matrix product: [actions, 5] @ [5, contacts x gaps].
    """

    def __init__(
        self, world: World, rows: Indices, closed: Ints, rewards: RewardSettings, reluctance: float
    ) -> None:
        f, people = world.figures, world.customers
        self.world, self.rewards = world, rewards
        self.customer, self.due = world.customer[rows], world.due_day[rows]
        self.cause = people.cause[self.customer]
        channels = np.arange(len(SPACE.channels))
        self.codes = np.flatnonzero((_OFFER != PLAN) | bool((self.cause == Cause.SHORT_OF_CASH).any()))
        price = f.numbers("channels", "price_minor") + f.number("channels", "goodwill_minor")
        self.cost = price / world.amount_minor[rows][:, None] + reluctance
        self.reach = people.reach[self.customer] * ((closed[:, None] >> channels) & 1 == 0)
        hours = people.hours[self.customer].max(axis=1)[:, None] * f.numbers("channels", "hours_matter")
        self.lift = 1.0 + hours[:, _CHANNEL] + people.tones[self.customer][:, _TONE]
        self.wear = world.wear(_COUNTS[:, None], _GAPS)
        self.harm = self._harm()
        self._day_by_day()

    def solve(self) -> tuple[Small, Floats]:
        """Best code per age, contacts and gap (-1 to wait): int8[k, ages, M, G]; and the value from age 1."""
        k = len(self.customer)
        plans = np.full((k, CASE_DAYS + 1, len(_COUNTS), len(_GAPS)), WAIT, dtype=np.int8)
        self.free = np.zeros((CASE_DAYS + 2, k, len(_COUNTS)))
        value = np.zeros((k, len(_COUNTS), len(_STATES)))
        for age in range(CASE_DAYS, 0, -1):
            own = self.own[:, age, None, None]
            morning = own * self._worth(age + 0.5) + (1.0 - own) * value
            value = morning[:, :, _TOMORROW]
            gain, best = self._best(age, morning[:, _NEXT_COUNT][:, :, _AFTER], value[:, :, _CAN])
            plans[:, age] = np.where(gain > 0, best, WAIT)
            value[:, :, _CAN] += np.maximum(gain, 0.0)
            self.free[age] = value[:, :, _FREE]
        return plans, value[:, 0, _FREE]

    def _best(self, age: int, contacted: Floats, waited: Floats) -> tuple[Floats, Small]:
        """What the best contact is worth above waiting, and its code: [k, M, G].

        contacted and waited [k, M, G]: value of the next morning, if nothing comes of the contact, or without
        one.
        """
        codes = self.codes[((age >= _CHANNEL_FROM[_CHANNEL]) & (age >= _TONE_FROM[_TONE]))[self.codes]]
        state = np.empty((len(contacted), 5, *self.wear.shape), dtype=np.float32)
        state[:, 0], state[:, 1] = self.wear, self.wear * contacted
        state[:, 2], state[:, 3] = self._else(age, contacted), 1.0
        state[:, 4] = _COUNTS[:, None]
        gain = self._actions(age, codes) @ state.reshape(len(state), 5, -1)
        best = gain.argmax(axis=1)
        top = gain.max(axis=1).reshape(contacted.shape)
        return top + contacted - waited, codes[best].astype(np.int8).reshape(contacted.shape)

    def _actions(self, age: int, codes: Indices) -> Singles:
        """[k, X, 5]: per unit of wear; of wear times what stays open; of other acts; fixed; and per contact."""
        channel = _CHANNEL[codes]
        reach = self.reach[:, channel]
        needs = self.needs[:, age, None] & (_OFFER[codes] == PLAN)
        fresh = self.appeal[:, age, None] * self.effect[channel] * self.lift[:, codes]
        fresh += self.world.customers.plan[self.customer][:, None] * needs
        pays = reach * np.clip(fresh, 0.0, LIKELIEST)
        money, part = self._payment(age, codes)
        shut = (reach == 0) | self.sunday[:, age, None]
        out = np.empty((*pays.shape, 5), dtype=np.float32)
        out[..., 0], out[..., 1] = pays * money, pays * (part - 1.0)
        out[..., 2] = reach
        out[..., 3] = np.where(shut, -_NEVER, reach * self.harm[0, codes] - self.cost[:, channel])
        out[..., 4] = reach * self.harm[1, codes]
        return out

    def _payment(self, age: int, codes: Indices) -> tuple[Floats, Floats]:
        """Value [k, X] of the money that a payer sends, and the share of it that stays open."""
        f = self.world.figures
        post = np.where(_CHANNEL[codes] == LETTER, f.number("channels", "letter_days"), 0.0)
        moment = age + 0.6 + f.number("response", "delay_hours") / 24.0 + post
        half = f.numbers("year", "in_part")[self.cause][:, None]
        once = self._worth(moment) * (1.0 - 0.5 * half)
        kept = f.number("year", "keeps_instalment") ** np.arange(INSTALMENTS)
        later = moment[:, None] + INSTALMENT_DAYS * np.arange(INSTALMENTS, dtype=np.float64)
        parts = self._worth(later) @ kept / INSTALMENTS
        chance = f.numbers("year", "takes_plan")[self.needs[:, age].astype(np.intp)]
        takes = chance[:, None] * (_OFFER[codes] == PLAN)
        return takes * parts + (1.0 - takes) * once, (1.0 - takes) * 0.5 * half

    def _else(self, age: int, contacted: Floats) -> Floats:
        """Worth [k, M, G] of promises, disputes and payments that crossed, above nothing coming of it."""
        f = self.world.figures
        keeps = f.number("year", "keeps_promise")
        broken = (1.0 - keeps) * self._hold(age, PROMISE_DAYS)
        promised = keeps * self._worth(age + PROMISE_DAYS + 0.5) + broken - contacted
        disputed = self._hold(age, DISPUTE_DAYS) - self.rewards.dispute - contacted
        crossed = self._hold(age, ANSWER_DAYS) - contacted
        promises = f.numbers("response", "promises")[self.cause][:, None, None]
        disputes = f.numbers("response", "disputes")[self.cause][:, None, None]
        says = f.number("response", "says_paid")
        return np.asarray(promises * promised + disputes * disputed + says * crossed)

    def _hold(self, age: int, days: int) -> Floats:
        """Value [k, M, 1], by contacts before, of leaving the case alone until the day after `days`."""
        to = min(age + days + 1, CASE_DAYS + 1)
        left = (self.stays[:, to] / self.stays[:, age])[:, None]
        alone = ((self.gained[:, to] - self.gained[:, age]) / self.stays[:, age])[:, None]
        return np.asarray(alone + left * self.free[to][:, _NEXT_COUNT])[:, :, None]

    def _day_by_day(self) -> None:
        """Per age [k, ages]: appeal (by e-mail), needs (no money), sunday; own: chance to be paid alone that day;
        stays: still open that morning; gained: worth of own payments until then.
        """
        world, customer = self.world, self.customer[:, None]
        ages = np.arange(CASE_DAYS + 1)
        days = self.due[:, None] + ages
        self.effect = world.figures.numbers("channels", "effect")
        self.appeal = world.appeal(customer, days, np.zeros_like(days)) / self.effect[0]
        self.needs = ~world.with_cash(customer, days)
        self.sunday = np.asarray(world.calendar.weekday[days] == SUNDAY)
        self.own = world.daily_chance(customer, days, ages)
        self.own[:, 0] = 0.0
        none = np.zeros((len(self.own), 1))
        self.stays = np.concatenate([none + 1.0, np.cumprod(1.0 - self.own, axis=1)], axis=1)
        gained = self.stays[:, :-1] * self.own * self._worth(ages.astype(np.float64) + 0.5)
        self.gained = np.concatenate([none, np.cumsum(gained, axis=1)], axis=1)

    def _harm(self) -> Floats:
        """Penalties [2, X] per one reached: of a first contact, and added by each contact before."""
        anyone = np.full(len(_CHANNEL), self.customer[0])
        price = np.array([0.0, 0.0, 0.0, self.rewards.opt_out, self.rewards.complaint])
        first, second = (
            self.world.others(anyone, _CHANNEL, _TONE, np.full(len(_CHANNEL), count)) @ price
            for count in (0, 1)
        )
        return -np.stack([first, second - first])

    def _worth(self, age: Floats | float) -> Floats:
        """What money is worth that comes at this age."""
        late = np.asarray(age, dtype=np.float64)
        return np.where(late <= CASE_DAYS + 1, 1.0 - self.rewards.discount_per_day * late, 0.0)


def _without_tastes(world: World) -> World:
    """The same world, but everybody's liking of hours and tones is the average of all."""
    people = world.customers
    hours, tones = (
        np.broadcast_to(taste.mean(axis=0, keepdims=True), taste.shape) if len(taste) else taste
        for taste in (people.hours, people.tones)
    )
    return replace(world, customers=replace(people, hours=hours, tones=tones))
