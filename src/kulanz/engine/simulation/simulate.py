"""Simulated customers: five causes of not paying, with effects bounded as in published experiments.

Figures and their sources are in simulate.toml (figures.py reads them). Every draw is keyed by (seed, id), so it
comes out the same in any order and any block. Rates are shares, effects are shares of contacts, time is days
past due (negative: before).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

import numpy as np
from scipy.special import ndtri

from kulanz.engine.arrays import Bools, Floats, Ints, Small
from kulanz.engine.draws import Stream, uniforms
from kulanz.engine.simulation.figures import Figures

BANDS = 6
SATURDAY = 5
_LONGEST_DELAY = 96.0


class Cause(IntEnum):
    FORGOT = 0
    SHORT_OF_CASH = 1
    UNREACHABLE = 2
    UNWILLING = 3
    CLAIM_WRONG = 4


class Act(IntEnum):
    """What a customer does after a message."""

    NONE = 0
    PAY = 1
    PROMISE = 2
    DISPUTE = 3
    ALREADY_PAID = 4
    OPT_OUT = 5
    COMPLAIN = 6


@dataclass(frozen=True, slots=True)
class Reactions:
    """reads bool[m], opens_page bool[m], action int8[m] (codes of Act), delay_hours float64[m] after the
    message.
    """

    reads: Bools
    opens_page: Bools
    action: Small
    delay_hours: Floats


@dataclass(frozen=True, slots=True)
class Population:
    """n customers, one row each; row i of a seed is the same in a population of any size.

    best_band (0-5) and band_effects float64[6] are planted: the same for all customers of a seed.
    """

    seed: int
    business: bool
    best_band: int
    band_effects: Floats
    cause: Small
    daily_hazard: Floats
    cash_return_day: Floats
    read_probability: Floats
    response: Floats
    tone_effects: Floats
    offer_effect: Floats
    pressure_effect: Floats
    hour_preference: Floats
    pays_by_transfer: Bools
    opens_without_paying: Floats
    figures: Figures

    def __len__(self) -> int:
        return len(self.cause)

    @classmethod
    def draw(cls, n: int, seed: int, *, business: bool = False, figures: Figures | None = None) -> Self:
        """n customers; `business` takes the shares of business customers, `figures` replaces the published
        ones.
        """
        f = figures or Figures.published()
        u = uniforms(seed, np.arange(n), Stream.CUSTOMER, 20)
        kind = "business" if business else "consumer"
        cause = np.searchsorted(np.cumsum(f.shares(kind, "causes"))[:-1], u[:, 0], side="right")
        low, high = f.numbers("time", "personal_factor")
        factor = low + (high - low) * u[:, 1:3]
        first, last = f.numbers("time", "cash_return_days")
        short = cause == Cause.SHORT_OF_CASH
        read = f.numbers("reading", "share_read")[cause]
        spread = f.number("reading", "personal_spread")
        best, effects = _planted_hours(seed, f)
        return cls(
            seed=seed,
            business=business,
            best_band=best,
            band_effects=effects,
            cause=cause.astype(np.int8),
            daily_hazard=f.numbers("time", "daily_hazard")[cause] * factor[:, 0],
            cash_return_day=np.where(short, first + (last - first) * u[:, 3], 0.0),
            read_probability=np.clip(read + spread * (2.0 * u[:, 4] - 1.0), 0.02, 0.98),
            response=f.numbers("response", "pays")[cause] * factor[:, 1],
            tone_effects=f.number("effects", "tone") * (2.0 * u[:, 5:9] - 1.0),
            offer_effect=f.number("effects", "offer") * u[:, 9],
            pressure_effect=f.number("effects", "pressure") * u[:, 10],
            hour_preference=f.number("effects", "personal_hours") * ndtri(u[:, 11:17]),
            pays_by_transfer=u[:, 17] < f.number("response", "by_transfer"),
            opens_without_paying=np.clip(
                f.number("response", "opens_without_paying") * 2.0 * u[:, 18], 0.0, 1.0
            ),
            figures=f,
        )

    def react(  # noqa: PLR0913 - one column per fact of a message
        self,
        rows: Ints,
        *,
        day: Floats,
        weekday: Ints,
        band: Ints,
        tone: Ints,
        offer: Ints,
        contacts: Ints,
        seed: int,
        message_ids: Ints,
    ) -> Reactions:
        """What customers `rows` do after one message each; `contacts` counts the messages before this one.

        band 0-5, tone 0-3 (friendly to firm), offer 0 = none; all arrays have m entries.
        """
        f = self.figures
        u = uniforms(seed, message_ids, Stream.REACTION, 4)
        pays = self.payment_chance(
            rows, day=day, weekday=weekday, band=band, tone=tone, offer=offer, contacts=contacts
        )
        harshness = f.numbers("effects", "harshness")[tone]
        reads = u[:, 0] < self.read_probability[rows]
        chances = self._others(rows, pays, harshness, np.asarray(contacts, dtype=np.float64))
        edges = np.cumsum(chances, axis=1)
        action = (u[:, 1][:, None] >= edges).sum(axis=1) + 1
        action = np.where(reads & (action <= len(Act) - 1), action, Act.NONE).astype(np.int8)
        looks = u[:, 2] < self.opens_without_paying[rows]
        acts_there = (action != Act.NONE) & (action != Act.OPT_OUT) & (action != Act.COMPLAIN)
        delay = -f.number("response", "delay_hours") * np.log(u[:, 3])
        return Reactions(reads, reads & (acts_there | looks), action, np.minimum(delay, _LONGEST_DELAY))

    def payment_chance(
        self, rows: Ints, *, day: Floats, weekday: Ints, band: Ints, tone: Ints, offer: Ints, contacts: Ints
    ) -> Floats:
        """Chance float64[m] that somebody who reads this message pays within four days: the planted truth."""
        f = self.figures
        cause = self.cause[rows]
        day = np.asarray(day, dtype=np.float64)
        flush = (cause == Cause.SHORT_OF_CASH) & (day >= self.cash_return_day[rows])
        base = np.where(flush, f.number("response", "with_cash"), self.response[rows])
        base = base * f.number("response", "fatigue") ** np.asarray(contacts, dtype=np.float64)
        moved = self.band_effects[band] + self.hour_preference[rows, band]
        moved = moved + np.where(np.asarray(weekday) >= SATURDAY, f.number("effects", "weekend"), 0.0)
        moved = moved + self.tone_effects[rows, tone]
        moved = moved + np.where(np.asarray(offer) > 0, self.offer_effect[rows], 0.0)
        moved = moved + self.pressure_effect[rows] * f.numbers("effects", "harshness")[tone]
        chance = base + moved / _mean_reading(self.business, f)
        early = np.where(day < 0, f.number("response", "before_due"), 1.0)
        return np.asarray(np.clip(early * chance, 0.0, 0.6))

    def by_itself(
        self, rows: Ints, day0: Floats, day1: Floats, seed: int, *, ids: Ints | None = None
    ) -> Bools:
        """bool[m]: pays without any contact after day0 and not later than day1.

        Each row has one such day per (seed, id), so adjacent intervals agree. `ids` (default: rows) tell a
        customer's invoices apart.
        """
        moment = self.own_day(rows, seed, ids=ids)
        return (moment > day0) & (moment <= day1)

    def own_day(self, rows: Ints, seed: int, *, ids: Ints | None = None) -> Floats:
        """The day past due float64[m] on which each would pay without any contact."""
        f = self.figures
        u = uniforms(seed, rows if ids is None else ids, Stream.BY_ITSELF, 3)
        in_time = u[:, 0] < f.number("business" if self.business else "consumer", "paid_by_due")
        before = -f.number("time", "days_before_due") * u[:, 1] ** 2
        need = -np.log(u[:, 2])
        slow, cash = self.daily_hazard[rows], self.cash_return_day[rows]
        fast = slow + f.number("time", "hazard_with_cash") * (self.cause[rows] == Cause.SHORT_OF_CASH)
        late = np.where(need <= slow * cash, need / slow, cash + (need - slow * cash) / fast)
        return np.where(in_time, before, late)

    def _others(self, rows: Ints, pays: Floats, harshness: Floats, contacts: Floats) -> Floats:
        """Chances of each act among readers, float64[m, 6] in the order of Act from PAY on."""
        f = self.figures
        cause = self.cause[rows]
        more = f.number("harm", "per_contact") * contacts
        columns = [
            pays,
            f.numbers("response", "promises")[cause],
            f.numbers("response", "disputes")[cause],
            np.full(len(pays), f.number("response", "says_paid")),
            f.number("harm", "opts_out") + f.number("harm", "opts_out_pressed") * harshness + more,
            f.number("harm", "complains") + f.number("harm", "complains_pressed") * harshness + more,
        ]
        return np.stack(columns, axis=1)


def _planted_hours(seed: int, figures: Figures) -> tuple[int, Floats]:
    u = uniforms(seed, np.zeros(1, dtype=np.int64), Stream.PLANT, 2 + BANDS)[0]
    best = int(u[0] * BANDS)
    low, high = figures.numbers("effects", "other_hours")
    effects = low + (high - low) * u[2:]
    low, high = figures.numbers("effects", "best_hour")
    effects[best] = low + (high - low) * u[1]
    return best, effects


def _mean_reading(business: bool, figures: Figures) -> float:
    """Effects are given per contact; only readers can show them."""
    shares = figures.shares("business" if business else "consumer", "causes")
    return float(shares @ figures.numbers("reading", "share_read"))
