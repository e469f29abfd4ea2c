"""What a decision was worth, as a share of the open amount."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kulanz.engine.arrays import Floats
from kulanz.kernel.errors import InputError


@dataclass(frozen=True, slots=True)
class RewardSettings:
    """Payments after `horizon_days` count nothing; each day before costs `discount_per_day` of their worth.

    Penalties are shares of the open amount; the contact's cost counts up to `most_cost` of it.
    """

    horizon_days: float = 14.0
    discount_per_day: float = 0.02
    complaint: float = 0.5
    opt_out: float = 0.3
    dispute: float = 0.1
    most_cost: float = 0.5


def reward(
    paid: ArrayLike,
    open: ArrayLike,  # noqa: A002 - the field's own word
    days: ArrayLike,
    contact_cost_minor: ArrayLike,
    complaint: ArrayLike,
    opt_out: ArrayLike,
    dispute: ArrayLike,
    *,
    settings: RewardSettings | None = None,
) -> Floats:
    """float64[n], at most 1.

    `paid` (net of what was taken back again), `open` at the decision and `contact_cost_minor` are minor units
    of one currency per row; `days` from decision to payment; the rest are truth values. Raises InputError
    where nothing was open, or days are negative.
    """
    chosen = settings or RewardSettings()
    due = np.asarray(open, dtype=np.float64)
    late = np.asarray(days, dtype=np.float64)
    if not (due > 0).all() or not (late >= 0).all():
        raise InputError("A reward needs an open amount above zero and days that are not negative.")
    share = np.clip(np.asarray(paid, dtype=np.float64) / due, 0.0, 1.0)
    worth = np.where(late <= chosen.horizon_days, np.maximum(1.0 - chosen.discount_per_day * late, 0.0), 0.0)
    cost = np.minimum(np.asarray(contact_cost_minor, dtype=np.float64) / due, chosen.most_cost)
    penalty = chosen.complaint * np.asarray(complaint, dtype=np.bool_)
    penalty = penalty + chosen.opt_out * np.asarray(opt_out, dtype=np.bool_)
    penalty = penalty + chosen.dispute * np.asarray(dispute, dtype=np.bool_)
    return np.asarray(share * worth - cost - penalty)
