"""What a creditor's book of cases looks like day by day: who is open, what may be done, what a contact leads to.

Columns only: one entry per case (n) or per customer (m). All random numbers are keyed by (seed, case, age), so
the same contact on the same day meets the same luck whatever was decided for others, or before.
"""

import numpy as np

from kulanz.engine.actions import Allowed
from kulanz.engine.arrays import Bools, Codes, Floats, Indices, Ints, Singles
from kulanz.engine.draws import Stream, uniforms
from kulanz.engine.reward import RewardSettings
from kulanz.engine.simulation.records import Records
from kulanz.engine.simulation.simulate import Act
from kulanz.engine.simulation.world import CASE_DAYS, INSTALMENT_DAYS, INSTALMENTS, LETTER, PLAN, SPACE, World

SUNDAY = 6
GAP_DAYS = 2
CAP_DAYS = 7
PROMISE_DAYS = 7
DISPUTE_DAYS = 10
ANSWER_DAYS = 5
CHANNEL_FROM = (1, 1, 7, 14)
"""First age, per channel, at which the ladder's stage opens it; TONE_FROM the same per tone."""
TONE_FROM = (1, 1, 10, 20)

_NEVER = -1000
_KEYS = 128
_CHANNELS = len(SPACE.channels)
_LONGEST_DELAY = 4.0
_HOLDS = (
    (Act.PROMISE, PROMISE_DAYS),
    (Act.DISPUTE, DISPUTE_DAYS),
    (Act.ALREADY_PAID, ANSWER_DAYS),
    (Act.COMPLAIN, ANSWER_DAYS),
)
_VISIBLE = (Act.PAY, Act.PROMISE, Act.DISPUTE, Act.ALREADY_PAID)

OPEN, PAID_AT, COST, HARM = range(4)
"""Columns of a case's running sums, float64: open minor units; paid minor units times the moment of payment; minor
units of contacts; penalties as shares of the amount at the time.
"""


class Book:
    """The state of a world under one chooser. A day is: `begin`, `askable`, `contexts`, `allowed`, `contact`."""

    def __init__(self, world: World, rewards: RewardSettings) -> None:
        n, m = len(world), len(world.customers)
        self.world, self.rewards = world, rewards
        self.active: Indices = np.empty(0, dtype=np.intp)
        self.sums = np.zeros((n, 4))
        self.sums[:, OPEN] = world.amount_minor
        self.closed = np.zeros(n, dtype=np.bool_)
        self.contacts = np.zeros(n, dtype=np.int64)
        self.last = np.full(n, _NEVER)
        self.last_but_one = np.full(n, _NEVER)
        self.hold_until = np.zeros(n, dtype=np.int64)
        self.optouts = np.zeros(m, dtype=np.int64)
        self.acts = np.zeros(len(Act), dtype=np.int64)
        self.by_channel = np.zeros(_CHANNELS, dtype=np.int64)
        self.next_at = world.own_at.copy()
        self._planned_at = np.full(n, np.inf)
        self._planned_minor = np.zeros(n)
        self._instalments = np.zeros(n, dtype=np.int64)
        self._penalties = np.array([0, 0, 0, rewards.dispute, 0, rewards.opt_out, rewards.complaint])
        self._records = Records(world)
        self._order = np.argsort(world.due_day, kind="stable")
        self._due = world.due_day[self._order]
        self._when, self._how = _templates()
        self._something: Bools = np.asarray(self._when.any(axis=1))

    def begin(self, day: int) -> None:
        """Take in the cases that are due, book the payments of the day before, close what is over."""
        first, after = np.searchsorted(self._due, [day - 1, day])
        new = self._order[first:after]
        self._records.open(new)
        self.active = np.concatenate([self.active, new])
        rows = self.active[self.next_at[self.active] < day]
        while len(rows):
            self._settle(rows)
            rows = rows[~self.closed[rows] & (self.next_at[rows] < day)]
        over = self.active[self.world.due_day[self.active] < day - CASE_DAYS]
        self.closed[over] = True
        self.active = self.active[~self.closed[self.active]]

    def askable(self, day: int) -> Indices:
        """Open cases that something may be done for; all others wait without a decision."""
        if self.world.calendar.weekday[day] == SUNDAY:
            return self.active[:0]
        rows = self.active
        free = (self.hold_until[rows] <= day) & (self.last[rows] <= day - GAP_DAYS)
        rows = rows[free & (self.last_but_one[rows] <= day - CAP_DAYS)]
        return rows[self._something[self._template(rows, day)]]

    def allowed(self, rows: Indices, day: int) -> Allowed:
        at = self._template(rows, day)
        return Allowed(np.ones(len(rows), dtype=np.bool_), self._when[at], self._how[at])

    def contexts(self, rows: Indices, day: int) -> Singles:
        """float32[k, d] in the order of FEATURES."""
        age = day - self.world.due_day[rows]
        week = 2.0 * np.pi * self.world.calendar.weekday[day] / 7.0
        month = 2.0 * np.pi * (self.world.calendar.day_of_month[day] - 1) / 30.4
        today = {
            "days_past_due": age,
            "overdue_long": np.maximum(age - 30, 0),
            "contacts": np.minimum(self.contacts[rows], 20),
            "days_since_contact": np.minimum(day - self.last[rows], 14),
            "weekday_sin": np.sin(week),
            "weekday_cos": np.cos(week),
            "month_sin": np.sin(month),
            "month_cos": np.cos(month),
        }
        return self._records.contexts(rows, today)

    def contact(self, rows: Indices, actions: Codes, day: int) -> None:
        """Contact cases `rows` as `actions` int16[k, 4] say (none of them a wait), and let customers react."""
        world = self.world
        channel, band, tone, offer = actions.astype(np.intp).T
        customer, age = world.customer[rows], day - world.due_day[rows]
        u = uniforms(world.seed, rows * _KEYS + age, Stream.REACTION, 8)
        gap = day - self.last[rows]
        pays = world.chance(
            customer, day=day, channel=channel, band=band, tone=tone, offer=offer,
            contacts=self.contacts[rows], gap=gap,
        )  # fmt: skip
        others = world.others(customer, channel, tone, self.contacts[rows])
        edges = np.cumsum(np.concatenate([pays[:, None], others], axis=1), axis=1)
        act = (u[:, 1][:, None] >= edges).sum(axis=1) + Act.PAY
        reached = u[:, 0] < world.customers.reach[customer, channel]
        act = np.where(reached & (act < len(Act)), act, Act.NONE)
        self._note(rows, customer, channel, act, reached, u, day)
        self._respond(rows, channel, band, offer, act, u, day)

    def _settle(self, rows: Indices) -> None:
        """Book the earliest payment of each row: all that is open when paid alone, else what was agreed."""
        moment, left = self.next_at[rows], self.sums[rows, OPEN]
        alone = self.world.own_at[rows] <= self._planned_at[rows]
        minor = np.where(alone, left, np.minimum(self._planned_minor[rows], left))
        self.sums[rows, OPEN] -= minor
        self.sums[rows, PAID_AT] += minor * moment
        self.closed[rows] = minor == left
        self._records.paid(rows)
        agreed = rows[~alone]
        more = self._instalments[agreed] > 0
        self._planned_at[agreed] = np.where(more, self._planned_at[agreed] + INSTALMENT_DAYS, np.inf)
        self._instalments[agreed] -= more
        self.next_at[rows] = np.minimum(self.world.own_at[rows], self._planned_at[rows])

    def _note(
        self,
        rows: Indices,
        customer: Indices,
        channel: Indices,
        act: Ints,
        reached: Bools,
        u: Floats,
        day: int,
    ) -> None:
        """What the creditor's records say after the contact."""
        f = self.world.figures
        self.last_but_one[rows], self.last[rows] = self.last[rows], day
        self.contacts[rows] += 1
        price = f.numbers("channels", "price_minor")
        self.sums[rows, COST] += price[channel] + f.number("channels", "goodwill_minor")
        self.sums[rows, HARM] += self._penalties[act]
        self.by_channel += np.bincount(channel, minlength=_CHANNELS)
        self.acts += np.bincount(act, minlength=len(Act))
        clicks = np.isin(act, _VISIBLE) | (reached & (u[:, 2] < self.world.customers.looks[customer]))
        seen = (act != Act.NONE) | clicks | (reached & (u[:, 5] < f.numbers("channels", "seen")[channel]))
        self._records.sent(rows, channel, seen=seen, clicked=clicks)
        left = act == Act.OPT_OUT
        self.optouts[customer[left]] |= 1 << channel[left]

    def _respond(
        self,
        rows: Indices,
        channel: Indices,
        band: Indices,
        offer: Indices,
        act: Ints,
        u: Floats,
        day: int,
    ) -> None:
        """What the customer's act does to the case: payments to come, and days without demands."""
        f = self.world.figures
        delay = np.minimum(-f.number("response", "delay_hours") * np.log(u[:, 3]) / 24.0, _LONGEST_DELAY)
        post = np.where(channel == LETTER, f.number("channels", "letter_days"), 0.0)
        moment = day + (9.0 + 2.0 * band) / 24.0 + delay + post
        pays = (act == Act.PAY) & np.isinf(self._planned_at[rows])
        able = self.world.with_cash(self.world.customer[rows], day).astype(np.intp)
        takes = u[:, 6] < f.numbers("year", "takes_plan")[1 - able]
        plan = pays & (offer == PLAN) & takes
        half = u[:, 7] < f.numbers("year", "in_part")[self.world.customers.cause[self.world.customer[rows]]]
        self._agree(rows[pays], moment[pays], np.where(half, 2, 1)[pays])
        self._agree_plan(rows[plan], moment[plan], u[plan, 4])
        promise = (act == Act.PROMISE) & np.isinf(self._planned_at[rows])
        keeps = promise & (u[:, 4] < f.number("year", "keeps_promise"))
        self._agree(rows[keeps], np.full(int(keeps.sum()), day + PROMISE_DAYS + 0.5), np.int64(1))
        for kind, days in _HOLDS:
            held = rows[act == kind]
            self.hold_until[held] = np.maximum(self.hold_until[held], day + days + 1)
        self._records.flag(rows[promise & ~keeps], "promise_broken")
        self._records.flag(rows[act == Act.DISPUTE], "disputed")
        self._records.flag(rows[act == Act.COMPLAIN], "complained")

    def _agree(self, rows: Indices, moment: Floats, parts: Ints | np.int64) -> None:
        self._planned_at[rows] = moment
        self._planned_minor[rows] = np.ceil(self.sums[rows, OPEN] / parts)
        self.next_at[rows] = np.minimum(self.world.own_at[rows], moment)

    def _agree_plan(self, rows: Indices, moment: Floats, chance: Floats) -> None:
        """Three instalments; after the first one that is missed the plan is over and demands go on."""
        keeps = self.world.figures.number("year", "keeps_instalment")
        kept = (chance < keeps).astype(np.int64) + (chance < keeps**2)
        self._agree(rows, moment, np.int64(INSTALMENTS))
        self._instalments[rows] = kept
        self.hold_until[rows] = np.ceil(moment).astype(np.int64) + INSTALMENT_DAYS * (kept + 1)

    def _template(self, rows: Indices, day: int) -> Indices:
        age = day - self.world.due_day[rows]
        return np.asarray(age * (1 << _CHANNELS) + self.optouts[self.world.customer[rows]])


def permitted(allowed: Allowed, rows: Indices, actions: Codes) -> Bools:
    """bool[k]: whether `actions` int16[k, 4], none of them a wait, are allowed for these rows of `allowed`."""
    channel, slot, tone, offer = actions.astype(np.intp).T
    pair = (channel * len(SPACE.tones) + tone) * len(SPACE.offers) + offer
    when = allowed.channel_slot[rows, channel * SPACE.slots + slot]
    return np.asarray(when & allowed.channel_tone_offer[rows, pair])


def _templates() -> tuple[Bools, Bools]:
    """Allowed tables bool[ages * 16, cells] per age and set of channels opted out of (as bits)."""
    age, bits = np.divmod(np.arange((CASE_DAYS + 1) << _CHANNELS), 1 << _CHANNELS)
    channels = age[:, None] >= np.array(CHANNEL_FROM)
    channels &= (bits[:, None] >> np.arange(_CHANNELS)) & 1 == 0
    tones = age[:, None] >= np.array(TONE_FROM)
    when = np.repeat(channels, SPACE.slots, axis=1)
    how = channels[:, :, None, None] & tones[:, None, :, None] & np.ones(len(SPACE.offers), dtype=np.bool_)
    return when, how.reshape(len(age), -1)
