"""What the gate decides on, as plain values: a stage's set, the facts of cases, a creditor's rules."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from kulanz.kernel.errors import InputError
from kulanz.law.packs import ContactLimits, Pack
from kulanz.law.vetoes import HoldReason

Bools = NDArray[np.bool_]

HOLDS = (
    HoldReason.DECEASED,
    HoldReason.INSOLVENCY,
    HoldReason.REPRESENTED,
    HoldReason.MINOR,
    HoldReason.DISPUTE,
    HoldReason.MORATORIUM,
    HoldReason.VULNERABLE,
    HoldReason.HARDSHIP,
    HoldReason.QUESTION,
    HoldReason.PLAN,
    HoldReason.PROMISE,
    HoldReason.PAYMENT_PENDING,
    HoldReason.MANUAL,
)
"""Strongest first; `CaseFacts.hold` is the index."""

OF_THE_PERSON = frozenset(
    {
        HoldReason.DECEASED,
        HoldReason.INSOLVENCY,
        HoldReason.REPRESENTED,
        HoldReason.MINOR,
        HoldReason.MORATORIUM,
        HoldReason.VULNERABLE,
        HoldReason.HARDSHIP,
    }
)
"""Holds that say something about the customer: they stop every case of this customer, not only their own."""

NO_HOLD = -1


@dataclass(frozen=True, slots=True)
class StageSet:
    """What a stage of a journey allows, by name. Messages leave within `window_hours` of the decision.

    `min_amount` is in minor units of the case's currency: less than that is not pursued in this stage.
    """

    stage: str
    demanding: bool
    channels: tuple[str, ...]
    tones: tuple[str, ...]
    offers: tuple[str, ...]
    window_hours: int
    min_amount: int

    def to_data(self) -> dict[str, Any]:
        """Plain JSON, as it is copied onto a message."""
        return asdict(self) | {name: list(getattr(self, name)) for name in ("channels", "tones", "offers")}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_data`; raises InputError where a key is missing or unknown."""
        try:
            lists = {name: tuple(data[name]) for name in ("channels", "tones", "offers")}
            return cls(**{**data, **lists})
        except (KeyError, TypeError) as error:
            raise InputError(f"This is not the allowed set of a stage: {error}.") from None


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """n cases as they stand at one instant; C channels in the order in which they were asked for.

    case_id, customer_id, open_amount int64[n] (minor units); minor, pending bool[n]; has_point, bounced,
    opted_out, no_consent bool[n, C]; hold int8[n], index into HOLDS of the strongest hold in force, else NO_HOLD.

    Counted per customer over all channels: last_contact int64[n], epoch seconds of the last demanding contact
    (0 never); contacts_7d int16[n], demanding contacts of the last 7 days and those still on their way; pending,
    whether a message that was decided on is queued, being sent or of unknown fate.

    region object[n]: "DE-BE", "DE", or None where the creditor's own country counts.

    returns_at int64[n], epoch seconds: no demand before it, because a hold ended lately (0 none). barred bool[n]:
    everything open on the case is time-barred. last_talk int64[n] (epoch seconds, 0 never) and calls_7d int16[n]:
    talks and calls by telephone, for the caps that some jurisdictions have on them.
    """

    case_id: NDArray[np.int64]
    customer_id: NDArray[np.int64]
    open_amount: NDArray[np.int64]
    minor: Bools
    has_point: Bools
    bounced: Bools
    opted_out: Bools
    no_consent: Bools
    hold: NDArray[np.int8]
    last_contact: NDArray[np.int64]
    contacts_7d: NDArray[np.int16]
    pending: Bools
    region: NDArray[Any]
    returns_at: NDArray[np.int64]
    barred: Bools
    last_talk: NDArray[np.int64]
    calls_7d: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.case_id)


@dataclass(frozen=True)
class CreditorRules:
    """The law where the creditor works, its own tighter limits, and the channels that it uses.

    `polite_when_barred`: time-barred claims get no demand, but what does not demand may still be sent.
    """

    pack: Pack
    timezone: str
    limits: ContactLimits
    channels_on: frozenset[str]
    polite_when_barred: bool = False

    @cached_property
    def tightened(self) -> Pack:
        """The pack under the creditor's limits; raises InputError where they would loosen the law."""
        return self.pack.tightened(self.limits)
