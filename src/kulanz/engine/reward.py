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


def worth(days: ArrayLike, *, settings: RewardSettings | None = None) -> Floats:
    """What a payment of the whole amount counts, float64[n] within 0..1, `days` after the decision.

    Raises InputError for days that are negative or missing.
    """
    chosen = settings or RewardSettings()
    late = np.asarray(days, dtype=np.float64)
    if not (late >= 0).all():
        raise InputError("A payment needs days since the decision that are not negative.")
    left = np.maximum(1.0 - chosen.discount_per_day * late, 0.0)
    return np.where(late <= chosen.horizon_days, left, 0.0)


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
    where nothing was open, an amount is not finite, or days are negative. Before the horizon ends, what
    `Hazard.partial` expects comes on top, for the share that is still unpaid.
    """
    chosen = settings or RewardSettings()
    due = np.asarray(open, dtype=np.float64)
    received = np.asarray(paid, dtype=np.float64)
    charged = np.asarray(contact_cost_minor, dtype=np.float64)
    if not (due > 0).all() or not np.isfinite(due).all():
        raise InputError("A reward needs an open amount above zero.")
    if not (np.isfinite(received).all() and np.isfinite(charged).all()):
        raise InputError("A reward needs finite amounts: what was paid, and what the contact cost.")
    share = np.clip(received / due, 0.0, 1.0)
    cost = np.minimum(charged / due, chosen.most_cost)
    penalty = chosen.complaint * np.asarray(complaint, dtype=np.bool_)
    penalty = penalty + chosen.opt_out * np.asarray(opt_out, dtype=np.bool_)
    penalty = penalty + chosen.dispute * np.asarray(dispute, dtype=np.bool_)
    return np.asarray(share * worth(days, settings=chosen) - cost - penalty)
