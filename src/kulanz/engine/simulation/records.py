"""What a creditor's records say about each case: the contexts that a chooser sees, and never the hidden cause."""

from typing import Any

import numpy as np

from kulanz.engine.arrays import Bools, Indices, Singles
from kulanz.engine.features import Feature, FeatureSpec
from kulanz.engine.simulation.world import SPACE, World

_CHANNELS = len(SPACE.channels)
_FLAGS = ("promise_broken", "disputed", "complained")

FEATURES = FeatureSpec((
    Feature("amount", "log10 of minor units", 1.0, 9.0, 4.0, 4.1, 0.5),
    Feature("days_past_due", "days", 0.0, 120.0, 0.0, 20.0, 16.0),
    Feature("overdue_long", "days over 30", 0.0, 120.0, 0.0, 5.0, 9.0),
    Feature("contacts", "contacts in this case", 0.0, 20.0, 0.0, 2.5, 2.5),
    Feature("days_since_contact", "days", 0.0, 14.0, 14.0, 8.0, 4.0),
    *(Feature(f"seen_{name}", "share of contacts, (seen + 1) / (sent + 2)", 0.0, 1.0, 0.5, 0.45, 0.15)
      for name in SPACE.channels),
    *(Feature(f"sent_{name}", "contacts ever", 0.0, 30.0, 0.0, 1.5, 2.0) for name in SPACE.channels),
    Feature("clicked", "share of contacts, (clicks + 1) / (sent + 4)", 0.0, 1.0, 0.25, 0.25, 0.1),
    Feature("invoices", "earlier invoices", 0.0, 60.0, 0.0, 7.0, 6.0),
    Feature("share_late", "share of earlier invoices", 0.0, 1.0, 0.5, 0.4, 0.25),
    Feature("business", "", 0.0, 1.0, 0.0, 0.25, 0.43),
    Feature("promise_broken", "", 0.0, 1.0, 0.0, 0.05, 0.25),
    Feature("disputed", "", 0.0, 1.0, 0.0, 0.05, 0.25),
    Feature("complained", "", 0.0, 1.0, 0.0, 0.02, 0.15),
    Feature("paid_in_part", "", 0.0, 1.0, 0.0, 0.05, 0.25),
    Feature("weekday_sin", "", -1.0, 1.0, 0.0, 0.0, 0.7),
    Feature("weekday_cos", "", -1.0, 1.0, 0.0, 0.0, 0.7),
    Feature("month_sin", "", -1.0, 1.0, 0.0, 0.0, 0.7),
    Feature("month_cos", "", -1.0, 1.0, 0.0, 0.0, 0.7),
))  # fmt: skip
"""What a creditor could know of a case on the morning of a day; never its cause."""

_AT = {name: at for at, name in enumerate(FEATURES.names)}
_CENTRE = np.array([feature.centre for feature in FEATURES.features], dtype=np.float32)
_SCALE = np.array([feature.scale for feature in FEATURES.features], dtype=np.float32)


class Records:
    """Kept per case, in the units of the model, and per customer, so that a new case starts with what is known."""

    def __init__(self, world: World) -> None:
        n, m = len(world), len(world.customers)
        people = world.customers
        self._customer = world.customer
        self._sent = np.zeros((m, _CHANNELS), dtype=np.int64)
        self._seen = np.zeros((m, _CHANNELS), dtype=np.int64)
        self._clicks = np.zeros(m, dtype=np.int64)
        self._flags = {name: np.zeros(m, dtype=np.bool_) for name in _FLAGS}
        self._contexts = np.zeros((n, len(FEATURES)), dtype=np.float32)
        every = np.arange(n)
        self._put(every, "amount", np.log10(world.amount_minor))
        self._put(every, "invoices", people.invoices[world.customer])
        self._put(every, "share_late", people.share_late[world.customer])
        self._put(every, "business", people.business[world.customer])
        self._put(every, "paid_in_part", 0.0)

    def open(self, rows: Indices) -> None:
        """New cases."""
        self._show(rows)
        for name, flags in self._flags.items():
            self._put(rows, name, flags[self._customer[rows]])

    def sent(self, rows: Indices, channel: Indices, *, seen: Bools, clicked: Bools) -> None:
        customer = self._customer[rows]
        self._sent[customer, channel] += 1
        self._seen[customer, channel] += seen
        self._clicks[customer] += clicked
        self._show(rows)

    def flag(self, rows: Indices, name: str) -> None:
        """promise_broken, disputed or complained: remembered for the customer."""
        self._flags[name][self._customer[rows]] = True
        self._put(rows, name, 1.0)

    def paid(self, rows: Indices) -> None:
        self._put(rows, "paid_in_part", 1.0)

    def contexts(self, rows: Indices, today: dict[str, Any]) -> Singles:
        """float32[k, d] in the order of FEATURES, with the columns of `today` in their own units."""
        out = self._contexts[rows]
        for name, values in today.items():
            at = _AT[name]
            out[:, at] = (values - _CENTRE[at]) / _SCALE[at]
        return out

    def _put(self, rows: Indices, name: str, values: Any) -> None:
        at = _AT[name]
        self._contexts[rows, at] = (values - _CENTRE[at]) / _SCALE[at]

    def _show(self, rows: Indices) -> None:
        customer = self._customer[rows]
        sent = self._sent[customer]
        seen = (self._seen[customer] + 1.0) / (sent + 2.0)
        for at, name in enumerate(SPACE.channels):
            self._put(rows, f"seen_{name}", seen[:, at])
            self._put(rows, f"sent_{name}", np.minimum(sent[:, at], 30))
        self._put(rows, "clicked", (self._clicks[customer] + 1.0) / (sent.sum(axis=1) + 4.0))
