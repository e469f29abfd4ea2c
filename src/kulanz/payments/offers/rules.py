"""Offers, decided without touching anything: for whom each kind is possible, and its terms.

Arrays have one entry per case. Amounts are minor units of the case's currency.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from kulanz.payments.plans.rules import PlanTerms, Proposal, Rhythm

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

USUAL_RATES = 6
"""A plan is offered in so many rates, or fewer where they would be too small."""
ROUND = 500
"""Rates are offered in multiples of this."""
PROMISE_DAYS = 30
"""A day of one's own choice lies at most this far from the first promise."""
PROMISES = 3
"""So many promises of a case are taken in `PROMISES_WITHIN`; then a person should talk."""
PROMISES_WITHIN = timedelta(days=90)


class Kind(StrEnum):
    """What may be offered: to pay in instalments, less at once, or on a later day."""

    PLAN = "plan"
    DISCOUNT = "discount"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class OfferTerms:
    """What a creditor offers; `share` in percent of what is due.

    `grace_days`: a payment that comes so long after the term still counts.
    """

    valid_days: int = 14
    plans: bool = True
    later: bool = True
    later_days: int = 14
    discounts: bool = False
    share: int = 10
    on_principal: bool = False
    min_days: int = 30
    period_days: int = 365
    min_discount: int = 100
    max_discount: int = 5000
    grace_days: int = 0


@dataclass(frozen=True, slots=True)
class Owing:
    """What discounts depend on.

    `due`: owed on claims that are due; `charges`: interest and costs in it; `days`: since the oldest of them was due;
    `old`: some claim is so old that it may be time-barred; `lately`: a discount was offered within the period.
    """

    due: Ints
    charges: Ints
    days: Ints
    old: Bools
    lately: Bools


@dataclass(frozen=True, slots=True)
class Instalments:
    """The plan that would be offered, in equal monthly rates; `possible` where the creditor's rules accept it."""

    rate: Ints
    possible: Bools


@dataclass(frozen=True, slots=True)
class Discounts:
    """`off`: what would be given up, at most; `possible` where the creditor allows a discount at all."""

    off: Ints
    possible: Bools


@dataclass(frozen=True, slots=True)
class Days:
    """`until`: last day on which an offer may be taken; `day`: of the first rate, or the day to pay on."""

    until: date
    day: date


def instalments(open_amount: Ints, offers: OfferTerms, plan: PlanTerms) -> Instalments:
    """Monthly rates, rounded up, of which there are at least two and none is below the creditor's smallest.

    Where a plan costs something, one rate of the longest plan is left for that.
    """
    longest = plan.max_months - 1 if plan.fee or plan.interest_during else plan.max_months
    most = max(1, min(USUAL_RATES, longest))
    count = np.clip(open_amount // max(1, plan.min_rate), 1, most)
    rate = -(-open_amount // count // ROUND) * ROUND
    allowed = offers.plans and plan.offered and Rhythm.MONTHLY in plan.rhythms and plan.start_within_days > 1
    possible = (count >= 2) & (rate < open_amount) & (open_amount <= plan.max_amount)
    return Instalments(rate, possible & np.bool_(allowed))


def discounts(owing: Owing, offers: OfferTerms) -> Discounts:
    """A share of what is due, out of interest and costs alone unless the creditor gives of the principal too."""
    reach = owing.due if offers.on_principal else np.minimum(owing.charges, owing.due)
    off = np.minimum(np.minimum(owing.due * offers.share // 100, reach), offers.max_discount)
    enough = (off >= max(1, offers.min_discount)) & (off < owing.due)
    free = (owing.days >= offers.min_days) & ~owing.old & ~owing.lately
    return Discounts(off, enough & free & np.bool_(offers.discounts))


def days(kind: str, sent_on: date, offers: OfferTerms, plan: PlanTerms) -> Days:
    """The days of an offer that is told on `sent_on`: it is never open on or after the day that it names."""
    until = sent_on + timedelta(days=offers.valid_days)
    if kind == Kind.DISCOUNT:
        return Days(until, until)
    ahead = offers.later_days
    if kind == Kind.PLAN:
        ahead = max(2, min(offers.valid_days + 1, plan.start_within_days))
    day = sent_on + timedelta(days=ahead)
    return Days(min(until, day - timedelta(days=1)), day)


def proposal(rate: int, first_on: date) -> Proposal:
    """The offered plan as a customer would propose it."""
    return Proposal(Rhythm.MONTHLY, first_on, rate=rate)


def to_give_up(left: int, full: int, changed: int, received: int) -> int:
    """What a discount takes off what is `left` on its claims: all of it, but never more than was agreed.

    `full` was owed on them when it was offered, `changed` came to it since other than by payments (less what was given
    up already), and `received` was paid. What is open because money went to other claims is no part of the discount.
    """
    return max(0, min(left, full + changed - received))
