"""Credit before the horizon ends, and the bookkeeping that takes it back when more is known.

A discrete-time hazard model (Singer and Willett 1993; the product of 1 - hazard is the Kaplan-Meier curve) says
what a decision that is still unpaid can be expected to bring. Its figure is provisional: `corrections` names the
rows whose old figure is taken out and whose new one is learned, so that nothing counts twice.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.special import betaln

from kulanz.engine.arrays import Bools, Floats, Indices
from kulanz.kernel.errors import InputError

WEIGHT_STEP = 2.0**-4
_STRENGTHS = 10.0 ** np.arange(0.0, 5.5, 0.5)


@dataclass(frozen=True, slots=True)
class Credit:
    """What n decisions count for now: reward float64[n], NaN where nothing is known, and weight float64[n] in 0..1.

    Weights come in steps of `WEIGHT_STEP`, a power of two, so that taking a row out restores the very bits.
    """

    reward: Floats
    weight: Floats

    def __post_init__(self) -> None:
        if self.reward.ndim != 1 or self.reward.shape != self.weight.shape or np.isinf(self.reward).any():
            raise InputError("Credit needs one finite reward (or NaN for none) and one weight per decision.")
        if not ((self.weight >= 0) & (self.weight <= 1)).all():
            raise InputError("A credit's weight lies between 0 and 1.")

    def __len__(self) -> int:
        return len(self.reward)

    @property
    def counts(self) -> Bools:
        """bool[n]: whether there is anything to learn."""
        return ~np.isnan(self.reward) & (self.weight > 0)

    @classmethod
    def certain(cls, reward: Floats) -> Self:
        """Weight 1; NaN is none."""
        return cls(np.asarray(reward, dtype=np.float64), np.ones(len(reward)))

    @classmethod
    def none(cls, n: int) -> Self:
        return cls.certain(np.full(n, np.nan))


@dataclass(frozen=True, slots=True)
class Corrections:
    """Rows to take out with their old credit, rows to learn with their new one, and what counts for each row
    from then on: to be kept as `old` for the next time.
    """

    take_out: Indices
    learn: Indices
    counted: Credit


def corrections(old: Credit, new: Credit, *, least: float = 0.0) -> Corrections:
    """Plan the way from what was learned to what is known now.

    A row whose reward moved by `least` or less keeps its old figure; what must be exact needs `least` 0. Learning
    each planned row leaves what `new` alone would have left. Raises InputError for unequal lengths.
    """
    if len(old) != len(new) or not least >= 0:
        raise InputError("Corrections need one old and one new credit per decision, and least >= 0.")
    was, will = old.counts, new.counts
    both = was & will
    moved = np.zeros(len(old), dtype=np.bool_)
    moved[both] = np.abs(new.reward[both] - old.reward[both]) > least
    moved |= (was != will) | (both & (old.weight != new.weight))
    counted = Credit(np.where(moved, new.reward, old.reward), np.where(moved, new.weight, old.weight))
    return Corrections(np.flatnonzero(was & moved), np.flatnonzero(will & moved), counted)


@dataclass(slots=True)
class Hazard:
    """Chance of payment in each step since the decision, per group (a channel, a stage), shrunk to all groups.

    Steps are equal periods, days as a rule, numbered from 0. `left[g, s]` counts the parts of open amounts whose
    last whole step under watch was s, `events[g, s]` those of them that were paid then: float64[G, S]. A row is
    one open amount, or with a weight below 1 the share of it that was paid at one time. Whole weights (and
    binary fractions) add up without rounding: -1 takes a row out exactly, in any order; others to rounding.
    """

    left: Floats
    events: Floats
    prior_rows: float = 1.0

    @classmethod
    def empty(cls, groups: int, steps: int, *, prior_rows: float = 1.0) -> Self:
        """`prior_rows`: for how many rows the mean hazard of all steps counts in each step."""
        if groups < 1 or steps < 1 or not 0 <= prior_rows < np.inf:
            raise InputError("A hazard needs at least one group and one step, and prior_rows >= 0.")
        return cls(np.zeros((groups, steps)), np.zeros((groups, steps)), prior_rows)

    @property
    def at_risk(self) -> Floats:
        """float64[G, S]: what was still unpaid when a step began, and was watched to its end."""
        return np.asarray(self.left[:, ::-1].cumsum(axis=1)[:, ::-1])

    def learn(
        self, groups: Indices, paid: Floats, watched: Floats, *, weight: "float | Floats" = 1.0
    ) -> None:
        """Count rows: groups int[n], step of payment float64[n] (NaN: none yet), steps watched float64[n].

        Only whole steps teach: a payment in a step that is not over says nothing yet. Raises InputError for
        groups that do not exist, payments later than watched, or more taken out than was learned; nothing
        is learned then.
        """
        groups, paid, watched = self._checked(groups, paid, watched)
        counts = np.asarray(weight, dtype=np.float64)
        if counts.shape not in ((), paid.shape) or not np.isfinite(counts).all():
            raise InputError("Rows are counted by one finite weight, or by one for each row.")
        counts = np.broadcast_to(counts, paid.shape)
        steps = self.left.shape[1]
        whole = np.minimum(np.floor(watched), steps)
        event = ~np.isnan(paid) & (np.floor(paid) < whole)
        last = np.where(event, np.floor(paid), whole - 1).astype(np.intp)
        cell = groups * steps + last
        seen = last >= 0
        left = self.left + self._summed(cell[seen], counts[seen])
        events = self.events + self._summed(cell[event], counts[event])
        if min(left.min(), events.min(), (left - events).min()) < -1e-9:
            raise InputError("More rows are taken out than were ever learned; check which rows are reversed.")
        self.left, self.events = left, events

    def forget(self, keep: float) -> None:
        """Let all rows learned so far count `keep` (0..1) of what they did.

        Whoever takes such a row out later does so with weight -keep.
        """
        if not 0 <= keep <= 1:
            raise InputError("What is kept lies between 0 and 1.")
        self.left, self.events = self.left * keep, self.events * keep

    def rates(self) -> Floats:
        """Hazards float64[G, S]: the posterior mean under a beta prior around the hazard of all groups.

        How strongly the groups are held together is averaged over a grid by marginal (beta-binomial) likelihood.
        A step that nobody was watched through has the mean hazard; all are 0 before the first payment.
        """
        risk, events = self.at_risk, np.maximum(self.events, 0.0)
        pooled = np.broadcast_to(self._pooled(risk.sum(axis=0), events.sum(axis=0)), risk.shape)
        shares = self._strength_shares(risk, events, pooled)
        each = [(events + k * pooled) / (risk + k) for k in _STRENGTHS]
        return np.asarray(np.clip((shares[:, None, None] * np.array(each)).sum(axis=0), 0.0, 1.0))

    def survival(self) -> Floats:
        """Chance float64[G, S] that a row is still unpaid after each step."""
        return np.asarray(np.cumprod(1.0 - self.rates(), axis=1))

    def to_come(self, worth: Floats) -> Floats:
        """Expected worth of what is unpaid after w = 0..S steps, float64[G, S + 1]; 0 at the horizon.

        worth float64[S]: what a payment in each step counts.
        """
        rates = self.rates()
        worth = self._checked_worth(worth)
        out = np.zeros((len(rates), len(worth) + 1))
        for step in range(len(worth) - 1, -1, -1):
            out[:, step] = rates[:, step] * worth[step] + (1.0 - rates[:, step]) * out[:, step + 1]
        return out

    def information(self, worth: Floats) -> Floats:
        """Share float64[G, S + 1] of the final worth's variance that is known after w steps: 0 at first, 1 at the
        horizon.

        As a weight it depends on the time gone by alone, never on the outcome: paid rows must not count sooner
        than unpaid ones, or every mean would be too high until the horizon.
        """
        rates, ahead = self.rates(), self.to_come(worth)
        open_after = np.cumprod(np.column_stack([np.ones(len(rates)), 1.0 - rates]), axis=1)
        settled = np.cumsum(open_after[:, :-1] * rates * np.asarray(worth) ** 2, axis=1)
        known = np.column_stack([np.zeros(len(rates)), settled]) + open_after * ahead**2 - ahead[:, :1] ** 2
        total = known[:, -1:]
        share = np.divide(known, total, out=np.zeros_like(known), where=total > 1e-12)
        share[:, -1] = 1.0
        return np.clip(share, 0.0, 1.0)

    def partial(self, groups: Indices, paid: Floats, watched: Floats, worth: Floats) -> Credit:
        """Expected final worth float64[n] of each row: of paid ones what they are worth, of others what may come.

        Its weight is the information after the whole steps watched. In a step that has begun, payments count
        as evenly spread. Raises InputError as `learn` does.
        """
        groups, paid, watched = self._checked(groups, paid, watched)
        worth, steps = self._checked_worth(worth), self.left.shape[1]
        whole = np.minimum(np.floor(watched), steps).astype(np.intp)
        begun = np.where(whole < steps, watched - whole, 0.0)
        step = np.minimum(whole, steps - 1)
        rate, ahead = self.rates()[groups, step], self.to_come(worth)
        rest = np.divide(rate * (1.0 - begun), 1.0 - rate * begun, out=np.zeros_like(rate), where=rate < 1)
        rest = np.where(begun > 0, rest, rate)
        unpaid = np.where(whole < steps, rest * worth[step] + (1.0 - rest) * ahead[groups, step + 1], 0.0)
        bought = np.append(worth, 0.0)[np.minimum(np.nan_to_num(paid), steps).astype(np.intp)]
        share = self.information(worth)[groups, whole]
        return Credit(np.where(np.isnan(paid), unpaid, bought), np.round(share / WEIGHT_STEP) * WEIGHT_STEP)

    def to_json(self) -> dict[str, Any]:
        return {"left": self.left.tolist(), "events": self.events.tolist(), "prior_rows": self.prior_rows}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(np.array(data["left"]), np.array(data["events"]), data["prior_rows"])

    def _pooled(self, risk: Floats, events: Floats) -> Floats:
        mean = float(events.sum() / risk.sum()) if risk.sum() > 0 else 0.0
        count = risk + self.prior_rows
        return np.divide(
            events + self.prior_rows * mean, count, out=np.full_like(count, mean), where=count > 0
        )

    @staticmethod
    def _strength_shares(risk: Floats, events: Floats, pooled: Floats) -> Floats:
        tells = (risk > 0) & (pooled > 0) & (pooled < 1)
        n, e, h = risk[tells], events[tells], pooled[tells]
        evidence = np.array(
            [(betaln(e + k * h, n - e + k * (1 - h)) - betaln(k * h, k * (1 - h))).sum() for k in _STRENGTHS]
        )
        share = np.exp(evidence - evidence.max())
        return np.asarray(share / share.sum())

    def _summed(self, cell: Indices, counts: Floats) -> Floats:
        sums = np.bincount(cell, counts, self.left.size)
        return np.asarray(sums.reshape(self.left.shape), dtype=np.float64)

    def _checked(self, groups: Indices, paid: Floats, watched: Floats) -> tuple[Indices, Floats, Floats]:
        groups = np.asarray(groups, dtype=np.intp)
        paid, watched = np.asarray(paid, dtype=np.float64), np.asarray(watched, dtype=np.float64)
        if groups.ndim != 1 or not groups.shape == paid.shape == watched.shape:
            raise InputError(
                "Each row needs one group, one step of payment (NaN for none) and the steps watched."
            )
        if len(groups) and not (groups.min() >= 0 and groups.max() < len(self.left)):
            raise InputError(f"Groups are numbered from 0 to {len(self.left) - 1}.")
        if not (watched >= 0).all() or (paid < 0).any() or (paid > watched).any():
            raise InputError("Steps are not negative, and no payment lies after the steps watched.")
        return groups, paid, watched

    def _checked_worth(self, worth: Floats) -> Floats:
        worth = np.asarray(worth, dtype=np.float64)
        if worth.shape != self.left.shape[1:] or not np.isfinite(worth).all():
            raise InputError(f"Worth needs one finite number for each of the {self.left.shape[1]} steps.")
        return worth
