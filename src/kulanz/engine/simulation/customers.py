"""The customers of a simulated year: why each does not pay, what reaches them, and what they like.

They build on Population (simulate.py), whose draws they share, and add what a year needs: channels, paydays,
businesses among consumers, a history. Row i of a seed is the same whatever the number of rows.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from kulanz.engine.arrays import Bools, Floats, Indices, Singles, Small
from kulanz.engine.draws import Stream, uniforms
from kulanz.engine.simulation.figures import Figures
from kulanz.engine.simulation.simulate import Cause, Population

FIRST_WORD = 24
"""Population has words 0 to 19 of a customer's random numbers, the world the next four."""
_WORDS = 16
_LEAST_RESPONSE = 1e-6


@dataclass(frozen=True, slots=True)
class Customers:
    """m customers, hidden and visible columns; float32 shares.

    reach [m, C]: reads or picks up; response and flush: chance to pay of one who is reached, without and with
    money (only the short of cash differ); hours [m, 6] and tones [m, 4]: added to 1 as factors of the
    response; hazard: pays alone, per day; payday: row of Calendar.with_cash; plan: added by an instalment plan
    while short; looks: opens the page without paying. Visible: business, invoices and share_late of the time
    before.
    """

    cause: Small
    reach: Singles
    response: Singles
    flush: Singles
    hours: Singles
    tones: Singles
    hazard: Singles
    payday: Small
    plan: Singles
    looks: Singles
    business: Bools
    invoices: Singles
    share_late: Singles

    def __len__(self) -> int:
        return len(self.cause)

    @classmethod
    def draw(cls, m: int, seed: int, figures: Figures) -> Self:
        f = figures
        u = uniforms(seed, np.arange(m), Stream.CUSTOMER, FIRST_WORD + _WORDS)[:, FIRST_WORD:]
        business = u[:, 0] < f.number("year", "business")
        people, firms = (Population.draw(m, seed, business=kind, figures=f) for kind in (False, True))

        def either(name: str) -> Floats:
            first, second = getattr(firms, name), getattr(people, name)
            return np.asarray(np.where(business.reshape((m,) + (1,) * (second.ndim - 1)), first, second))

        cause = either("cause").astype(np.int8)
        usual = mean_response(f)
        planted = people.band_effects.copy()
        planted[people.best_band] = f.number("year", "best_hour")
        pressed = either("pressure_effect")[:, None] * f.numbers("effects", "harshness")
        late = f.numbers("year", "late_before")[cause] + f.number("year", "late_spread") * (
            2.0 * u[:, 3] - 1.0
        )
        invoices = np.floor(20.0 * u[:, 2] ** 2)
        low, high = f.numbers("time", "personal_factor")
        with_cash = f.number("response", "with_cash") * (low + (high - low) * u[:, 4])
        return cls(
            cause=cause,
            reach=_reach(f, cause, u[:, 5:12]).astype(np.float32),
            response=either("response").astype(np.float32),
            flush=np.where(cause == Cause.SHORT_OF_CASH, with_cash, either("response")).astype(np.float32),
            hours=((planted + either("hour_preference")) / usual).astype(np.float32),
            tones=((either("tone_effects") + pressed) / usual).astype(np.float32),
            hazard=either("daily_hazard").astype(np.float32),
            payday=_pick(np.broadcast_to(f.shares("payday", "shares"), (m, 3)), u[:, 1]).astype(np.int8),
            plan=(f.number("year", "plan_effect") * 2.0 * u[:, 12]).astype(np.float32),
            looks=either("opens_without_paying").astype(np.float32),
            business=business,
            invoices=invoices.astype(np.float32),
            share_late=np.where(invoices > 0, np.clip(late, 0.0, 1.0), 0.5).astype(np.float32),
        )

    @property
    def short(self) -> Bools:
        return np.asarray(self.cause == Cause.SHORT_OF_CASH)


def mean_response(figures: Figures) -> float:
    """Share of all contacts that are answered by a payment, on average over causes and the month.

    Effects are given in points of this; the world applies them in proportion to each one's own response.
    """
    f = figures
    pays = f.numbers("response", "pays")
    flush = f.number("payday", "days_with_cash") / 30.0
    pays[Cause.SHORT_OF_CASH] += flush * (f.number("response", "with_cash") - pays[Cause.SHORT_OF_CASH])
    found = float(f.shares("consumer", "causes") @ (f.numbers("reading", "share_read") * pays))
    return max(found, _LEAST_RESPONSE)


def _reach(f: Figures, cause: Small, u: Floats) -> Floats:
    """float64[m, C] from seven uniform numbers: one or two channels are read well, the unreachable read one."""
    lost = cause == Cause.UNREACHABLE
    first = np.where(
        lost[:, None], f.shares("channels", "unreachable_prefers"), f.shares("channels", "prefers")
    )
    row = np.arange(len(cause))
    best = _pick(first, u[:, 0])
    rest = first.copy()
    rest[row, best] = 0.0
    second = _pick(rest / rest.sum(axis=1, keepdims=True), u[:, 1])
    well = np.zeros(first.shape, dtype=np.bool_)
    well[row, best] = True
    well[row, second] |= ~lost & (u[:, 2] < f.number("channels", "two_channels"))
    ill = f.numbers("channels", "read_ill") * np.where(lost, f.number("channels", "dead"), 1.0)[:, None]
    share = np.where(well, f.numbers("channels", "read_well"), ill)
    usual = f.numbers("reading", "share_read")
    care = np.where(lost, 1.0, np.minimum(usual[cause] / usual[Cause.FORGOT], 1.0))[:, None]
    spread = f.number("reading", "personal_spread") * (2.0 * u[:, 3:] - 1.0)
    return np.asarray(np.clip(share * care * (1.0 + spread), 0.02, 0.98))


def _pick(shares: Floats, u: Floats) -> Indices:
    """The entry of each row of shares [m, K] that its uniform number falls on."""
    edges = np.cumsum(shares, axis=1)[:, :-1]
    return np.asarray(np.sum(edges <= u[:, None], axis=1, dtype=np.intp))
