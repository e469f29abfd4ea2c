"""A budget for a batch: limits by name, and how a policy that draws stays within them.

Prices are taken off the scores of what uses a resource before probabilities are formed, so propensities stay
exact; they are set so that the expected use and a margin for the luck of the draw meet the limits. A
shortlist, which acts as a veto, keeps the least probabilities of a large batch from eating a small limit.
What the draw still oversteps is cut.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from kulanz.engine.actions import ActionSpace
from kulanz.engine.arrays import Bools, Floats, Indices
from kulanz.engine.budgeting.assignment import admit, overrun
from kulanz.engine.budgeting.budget_search import Probabilities, stochastic_prices
from kulanz.engine.budgeting.duals import checked, fallbacks, prices
from kulanz.kernel.errors import InputError

_ATTEMPTS = 5

Chances = Callable[[Floats, Bools, slice], Floats]
"""(prices float64[R], open bool[rows, A], rows of the batch) -> probabilities float64[rows, A] of a draw."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one batch by resource, and per resource what one contact of each channel uses.

    A resource without an entry in `use` is read from the action space: "money" is its `channel_costs` (minor
    units), "minutes" its `channel_minutes`, and the name of a channel counts that channel's contacts.
    """

    limits: dict[str, float]
    use: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "limits", {name: float(limit) for name, limit in self.limits.items()})
        object.__setattr__(self, "use", {name: tuple(map(float, uses)) for name, uses in self.use.items()})
        for name, limit in self.limits.items():
            if not (math.isfinite(limit) and limit >= 0):
                raise InputError(f"The limit of {name} must be a number of at least zero, not {limit}.")
        for name, uses in self.use.items():
            if name not in self.limits:
                raise InputError(f"The budget says what uses {name}, but sets no limit for it; add one.")
            if not all(math.isfinite(use) and use >= 0 for use in uses):
                raise InputError(f"What a contact uses of {name} must be a number of at least zero.")

    @property
    def amounts(self) -> Floats:
        """The limits float64[R], in the order of `limits`."""
        return np.array(list(self.limits.values()), dtype=np.float64)

    def matrix(self, space: ActionSpace) -> Floats:
        """float64[1 + C, R]: what waiting (nothing) and one contact of each channel use of each resource."""
        columns = [(0.0, *self._uses(name, space)) for name in self.limits]
        return np.array(columns, dtype=np.float64).reshape(len(self.limits), 1 + len(space.channels)).T

    def _uses(self, name: str, space: ActionSpace) -> tuple[float, ...]:
        known: dict[str, tuple[float, ...]] = {
            channel: tuple(float(channel == other) for other in space.channels) for channel in space.channels
        }
        known |= {"money": space.channel_costs, "minutes": space.channel_minutes} | self.use
        if len(known.get(name, ())) != len(space.channels):
            raise InputError(
                f"The budget needs to say how much {name} one contact of each channel uses, in the order of "
                f"{', '.join(space.channels)}."
            )
        return known[name]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(data["limits"], {name: tuple(uses) for name, uses in data.get("use", {}).items()})


@dataclass(frozen=True, slots=True)
class BudgetPlan:
    """How a batch is to be drawn: prices dual float64[R] to take off the scores, open bool[n, A] (a veto).

    expected float64[R] is the use to expect, spread float64[R] its standard deviation. Not `met`: expected
    use plus margin is above a limit even so, and `within` may cut more than rarely.
    """

    dual: Floats
    open: Bools
    expected: Floats
    spread: Floats
    met: bool


def plan(
    chances: Chances,
    values: NDArray[Any],
    use: NDArray[Any],
    limits: NDArray[Any],
    *,
    margin: float = 3.0,
    reach: float = 4.0,
    ties: NDArray[Any] | None = None,
) -> BudgetPlan:
    """Prices and shortlist with which a drawn batch stays within its limits but for a rare stroke of luck.

    values, use and limits as in `prices`, margin as in `stochastic_prices`, reach and ties as in `shortlist`;
    a resource's reach is halved, up to four times, where no prices are enough. Depends on nothing drawn, so
    the chances at these prices among the open options are exact propensities. Raises InputError.
    """
    worth, spent, most = checked(values, use, limits)
    start = prices(worth, spent, most).dual
    reaches = np.full(len(most), float(reach))
    for _ in range(_ATTEMPTS):
        opened = shortlist(worth, spent, most, start, reach=reaches, ties=ties)
        found = stochastic_prices(
            _among(opened, chances),
            np.where(opened, worth, -np.inf),
            spent,
            most,
            margin=margin,
            start=start,
        )
        if found.met:
            break
        reaches[found.expected + margin * found.spread > most] /= 2.0
    return BudgetPlan(found.dual, opened, found.expected, found.spread, found.met)


def _among(opened: Bools, chances: Chances) -> Probabilities:
    return lambda dual, rows: chances(dual, opened[rows], rows)


def shortlist(
    values: NDArray[Any],
    use: NDArray[Any],
    limits: NDArray[Any],
    dual: Floats,
    *,
    reach: float | Floats = 4.0,
    ties: NDArray[Any] | None = None,
) -> Bools:
    """bool[n, A]: where an option stays open, so that a policy's least probabilities cannot eat a limit.

    Per resource, options are open in order of priced gain per unit until `reach` (one, or float[R]) times the
    limit is spoken for, equal ones in order of `ties` float[n] (random numbers keyed by case; default: by
    row). Free options, and what fits in of a case without a free one, stay open. Nothing here is drawn, so it
    acts as a veto.
    """
    worth, spent, most = checked(values, use, limits)
    reaches = np.broadcast_to(reach, most.shape)
    if not (reaches > 0).all():
        raise InputError("The reach of a shortlist must be above zero.")
    fallback, base = fallbacks(worth, spent)
    each = np.broadcast_to(spent, (*worth.shape, len(most)))
    opened = np.isfinite(worth) & (each <= most).all(axis=2)
    gain = worth - base[:, None] - spent @ dual
    closed = np.zeros(worth.shape, dtype=np.bool_)
    turn = np.arange(len(worth)) if ties is None else np.asarray(ties)
    for resource in np.flatnonzero(np.isfinite(most)):
        row, option = np.nonzero(opened & (each[:, :, resource] > 0))
        amount = each[row, option, resource]
        late = _late(gain[row, option] / amount, amount, turn[row], float(reaches[resource] * most[resource]))
        closed[row[late], option[late]] = True
    return np.asarray(opened & (~closed | (fallback < 0)[:, None]))


def within(gain: NDArray[Any], use_of_choice: NDArray[Any], limits: NDArray[Any]) -> Bools:
    """bool[n]: which of the drawn options are kept so that the total use is within every limit in any case.

    gain float[n] over falling back, use_of_choice float[n, R]. What uses nothing is kept, the rest in order
    of gain per use (as shares of the limits). A case that is cut falls back to waiting, which has no exact
    propensity: report it and leave it out of learning.
    """
    worth, use, most = (np.asarray(array, dtype=np.float64) for array in (gain, use_of_choice, limits))
    if use.shape != (*worth.shape, *most.shape) or use.ndim != 2:
        raise InputError("Each case needs one gain and its use of every limited resource.")
    checked(worth[:, None], use[:, None, :], most)
    keep = np.asarray((use <= most).all(axis=1))
    if not overrun(use[keep], most).any():
        return keep
    limited = np.isfinite(most) & (most > 0)
    share = (use[:, limited] / most[limited]).sum(axis=1)
    costly = np.flatnonzero(keep & (share > 0))
    order = costly[np.argsort(-worth[costly] / share[costly], kind="stable")]
    order = order[admit(use[order], most)]
    while overrun(use[order], most).any():
        order = order[:-1]
    keep[costly] = False
    keep[order] = True
    return keep


def _late(density: Floats, amount: Floats, turn: NDArray[Any], room: float) -> Indices:
    """The entries after `room` is spoken for, in order of density, then turn."""
    late = np.zeros(len(density), dtype=np.bool_)
    if amount.sum() <= room:
        return np.flatnonzero(late)
    count = min(int(room / amount.min()) + 1, len(density))
    head = np.flatnonzero(density >= np.partition(density, len(density) - count)[len(density) - count])
    head = head[np.lexsort((turn[head], -density[head]))]
    late[:] = True
    late[head[np.cumsum(amount[head]) <= room]] = False
    return np.flatnonzero(late)
