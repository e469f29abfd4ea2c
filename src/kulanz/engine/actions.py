"""What may be done (channel, slot of the week, tone, offer), what is allowed, and what was decided."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from kulanz.engine.arrays import Bools, Codes, Floats, Singles
from kulanz.kernel.errors import InputError

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
BANDS = ("08-10", "10-12", "12-14", "14-16", "16-18", "18-20")
MAX_CELLS = 1024

WAIT = -1


@dataclass(frozen=True, slots=True)
class ActionSpace:
    """The factors of an action, by name.

    A slot is `weekday * len(bands) + band`. `channel_costs` are minor units of the creditor's currency per
    contact, `channel_minutes` an agent's minutes per contact, `harshness` is 0 (friendly) to 1 (strong
    pressure) per tone; all default to zero. Without `waits`, waiting is no action of this space.
    """

    channels: tuple[str, ...]
    tones: tuple[str, ...] = ("neutral",)
    offers: tuple[str, ...] = ("none",)
    bands: tuple[str, ...] = BANDS
    weekdays: tuple[str, ...] = WEEKDAYS
    channel_costs: tuple[int, ...] = ()
    harshness: tuple[float, ...] = ()
    channel_minutes: tuple[float, ...] = ()
    waits: bool = True

    def __post_init__(self) -> None:
        for name in ("channels", "tones", "offers", "bands", "weekdays"):
            names = tuple(getattr(self, name))
            if not names or len(set(names)) != len(names):
                raise InputError(
                    f"The action space needs at least one name in {name}, and none of them twice."
                )
            object.__setattr__(self, name, names)
        attributes = (
            ("channel_costs", self.channels, 0),
            ("channel_minutes", self.channels, 0.0),
            ("harshness", self.tones, 0.0),
        )
        for name, per, default in attributes:
            values = tuple(getattr(self, name)) or (default,) * len(per)
            if len(values) != len(per):
                raise InputError(
                    "The action space needs one cost and one duration per channel, and one harshness per tone."
                )
            object.__setattr__(self, name, values)
        if max(self.channel_slots, self.channel_tone_offers) > MAX_CELLS:
            raise InputError(
                f"The action space has more than {MAX_CELLS} combinations in one table; use fewer names."
            )

    @classmethod
    def flat(cls, names: Iterable[str], *, costs: tuple[int, ...] = ()) -> Self:
        """A plain set of actions without any structure, one of which has to be taken."""
        return cls(tuple(names), bands=("any",), weekdays=("any",), channel_costs=costs, waits=False)

    @property
    def is_flat(self) -> bool:
        """One factor and no waiting: an action is its channel."""
        return not self.waits and self.slots == 1 and self.tone_offers == 1

    @property
    def slots(self) -> int:
        return len(self.weekdays) * len(self.bands)

    @property
    def tone_offers(self) -> int:
        return len(self.tones) * len(self.offers)

    @property
    def channel_slots(self) -> int:
        return len(self.channels) * self.slots

    @property
    def channel_tone_offers(self) -> int:
        return len(self.channels) * self.tone_offers

    @property
    def score_columns(self) -> int:
        """Columns of a score row: wait, then channel x slot, then channel x tone x offer."""
        return 1 + self.channel_slots + self.channel_tone_offers

    def slot(self, weekday: int, band: int) -> int:
        return weekday * len(self.bands) + band

    def label(self, action: Codes) -> tuple[str, ...]:
        """`("wait",)`, or the names of channel, weekday, band, tone and offer of one action (int16[4]).

        Of a flat set the action's name alone.
        """
        if action[0] == WAIT:
            return ("wait",)
        if self.is_flat:
            return (self.channels[int(action[0])],)
        channel, slot, tone, offer = (int(code) for code in action)
        weekday, band = divmod(slot, len(self.bands))
        when = self.channels[channel], self.weekdays[weekday], self.bands[band]
        return (*when, self.tones[tone], self.offers[offer])

    def check(self, actions: Codes) -> None:
        """Raises InputError unless every row is a wait (all -1) or codes of this space."""
        limits = np.array([len(self.channels), self.slots, len(self.tones), len(self.offers)])
        if actions.ndim != 2 or actions.shape[1] != 4:
            raise InputError(f"Actions need the shape [n, 4], not {list(actions.shape)}.")
        if not len(actions) or (actions.min() >= 0 and (actions.max(axis=0) < limits).all()):
            return
        inside = ((actions >= 0) & (actions < limits)).all(axis=1)
        waits = (actions == WAIT).all(axis=1)
        if not (inside | waits).all():
            row = int(np.flatnonzero(~(inside | waits))[0])
            raise InputError(f"Row {row} holds {actions[row].tolist()}, which is no action of this space.")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        found: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
        }
        return cls(**found)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What law, holds, consent and the stage leave open, per factor table and never per combination.

    wait bool[n], channel_slot bool[n, C * S] (column channel * S + slot), channel_tone_offer bool[n, C * T *
    O] (column (channel * T + tone) * O + offer). A combination is allowed when both of its cells are.
    """

    wait: Bools
    channel_slot: Bools
    channel_tone_offer: Bools

    def __post_init__(self) -> None:
        for field, ndim in (("wait", 1), ("channel_slot", 2), ("channel_tone_offer", 2)):
            array = getattr(self, field)
            if not isinstance(array, np.ndarray) or array.dtype != np.bool_ or array.ndim != ndim:
                raise InputError(f"Allowed.{field} must be a boolean array of {ndim} dimension(s).")
            if len(array) != len(self.wait):
                raise InputError("The tables of Allowed must have the same number of rows.")

    def __len__(self) -> int:
        return len(self.wait)

    def rows(self, index: NDArray[Any] | slice) -> "Allowed":
        """The same tables for some of the rows."""
        return Allowed(self.wait[index], self.channel_slot[index], self.channel_tone_offer[index])

    @property
    def mask(self) -> Bools:
        """bool[n, K]: what is allowed of a flat set of actions."""
        if self.channel_tone_offer.strides == (0, 0) and self.channel_tone_offer.all():
            return self.channel_slot
        return self.channel_slot & self.channel_tone_offer

    def check(self, space: ActionSpace) -> None:
        """Raises InputError when the tables do not have the columns of `space`."""
        found = self.channel_slot.shape[1], self.channel_tone_offer.shape[1]
        if found != (space.channel_slots, space.channel_tone_offers):
            wanted = space.channel_slots, space.channel_tone_offers
            raise InputError(f"The allowed tables have {found} columns, this action space needs {wanted}.")

    def permits(self, actions: Codes, space: ActionSpace) -> Bools:
        """bool[n]: whether each row's action (int16[n, 4], -1 for wait) is among what is allowed.

        A wait is always permitted where nothing at all is allowed.
        """
        channel, slot, tone, offer = np.maximum(actions, 0).astype(np.intp).T
        row = np.arange(len(actions))
        when = self.channel_slot[row, channel * space.slots + slot]
        pair = (channel * len(space.tones) + tone) * len(space.offers) + offer
        nothing = ~self.may_act(space)
        waits = actions[:, 0] == WAIT
        return np.where(waits, self.wait | nothing, when & self.channel_tone_offer[row, pair])

    def may_act(self, space: ActionSpace) -> Bools:
        """bool[n]: whether at least one combination apart from waiting is allowed."""
        channels = len(space.channels)
        when = np.any(self.channel_slot.reshape(len(self), channels, space.slots), axis=2)
        how = np.any(self.channel_tone_offer.reshape(len(self), channels, space.tone_offers), axis=2)
        return np.asarray(np.any(when & how, axis=1))

    @classmethod
    def flat(cls, mask: Bools) -> "Allowed":
        """For a flat action space: mask bool[n, K]."""
        return cls(np.zeros(len(mask), dtype=np.bool_), mask, np.broadcast_to(np.True_, mask.shape))

    @classmethod
    def everything(cls, space: ActionSpace, n: int) -> "Allowed":
        return cls(
            np.full(n, space.waits),
            np.ones((n, space.channel_slots), dtype=np.bool_),
            np.ones((n, space.channel_tone_offers), dtype=np.bool_),
        )


@dataclass(frozen=True, slots=True)
class Decisions:
    """What was decided for n cases, and all that a replay of the draw needs.

    actions int16[n, 4] (channel, slot, tone, offer; -1 when waiting), wait bool[n], propensity float64[n]
    (exact), score and spread of the chosen and of the best allowed action float32[n] (reward units), scores
    float32[n, 1 + C*S + C*T*O]; vetoed_all bool[n]: nothing at all was allowed, so wait with probability 1.
    """

    actions: Codes
    wait: Bools
    propensity: Floats
    score: Singles
    spread: Singles
    best_score: Singles
    best_spread: Singles
    scores: Singles
    vetoed_all: Bools

    def __len__(self) -> int:
        return len(self.wait)

    def rows(self, index: NDArray[Any] | slice) -> "Decisions":
        return Decisions(*(getattr(self, field.name)[index] for field in fields(self)))

    @classmethod
    def joined(cls, parts: "list[Decisions]") -> "Decisions":
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))
