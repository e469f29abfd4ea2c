"""What was learned about a flat set of actions: one table of sums per arm.

Sums are of fixed-point numbers (contexts in steps of 2**-10, targets of 2**-14), which float64 adds without
rounding up to 2**33 in value: they do not depend on order or block, and taking rows out again restores the
very bits. Where rows have weights that are no whole numbers, the same holds to rounding.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from kulanz.engine.arrays import Codes, Floats, Singles
from kulanz.kernel.errors import InputError

CONTEXT_STEP = 2.0**-10
TARGET_STEP = 2.0**-14
_BLOCK = 8192
_SLACK = 1e-6


@dataclass(slots=True)
class ArmSums:
    """K arms, d features, z = (1, x, target): products = sum of zz' by arm, float64[K, d + 2, d + 2]."""

    products: Floats

    @classmethod
    def empty(cls, arms: int, d: int) -> Self:
        return cls(np.zeros((arms, d + 2, d + 2)))

    @property
    def counts(self) -> Floats:
        """Rows per arm, by weight: float64[K]."""
        return self.products[:, 0, 0]

    def add(self, contexts: Singles, arms: Codes, targets: Floats, weights: Floats | float) -> None:
        """Count rows with their weights (one number, or float64[n]); a negative one takes a row out again.

        Raises InputError when a row has no arm, or more is taken out than was learned; nothing is counted then.
        """
        if len(arms) == 1:
            self._add_one(contexts[0], int(arms[0]), float(targets[0]), float(np.sum(weights)))
            return
        if not len(arms):
            return
        self._check(arms, weights)
        for first in range(0, len(arms), _BLOCK):
            part = slice(first, first + _BLOCK)
            some = weights[part] if isinstance(weights, np.ndarray) else weights
            self._add_block(contexts[part], arms[part], targets[part], some)

    def _check(self, arms: Codes, weights: Floats | float) -> None:
        if int(arms.min()) < 0:
            raise _NO_ARM
        size = len(self.products)
        change = np.zeros(size)
        if isinstance(weights, np.ndarray):
            change += np.bincount(arms, weights, size)
        else:
            change += weights * np.bincount(arms, minlength=size)
        if (self.counts + change < -_SLACK).any():
            raise _TOO_MANY

    def _add_one(self, context: Singles, arm: int, target: float, weight: float) -> None:
        if arm < 0:
            raise _NO_ARM
        table = self.products[arm]
        if table[0, 0] + weight < -_SLACK:
            raise _TOO_MANY
        z = np.empty(len(table))
        z[0] = 1.0
        z[1:-1] = context
        z *= 1.0 / CONTEXT_STEP
        z.round(out=z)
        z *= CONTEXT_STEP
        z[-1] = round(target / TARGET_STEP) * TARGET_STEP
        table += np.multiply.outer(z * weight, z)

    def _add_block(self, contexts: Singles, arms: Codes, targets: Floats, weights: Floats | float) -> None:
        order = np.argsort(arms, kind="stable")
        z = np.empty((len(arms), contexts.shape[1] + 2))
        z[:, 0] = 1.0
        z[:, 1:-1] = np.rint(contexts[order] * np.float32(1.0 / CONTEXT_STEP))
        z[:, 1:-1] *= CONTEXT_STEP
        z[:, -1] = np.rint(targets[order] / TARGET_STEP) * TARGET_STEP
        edges = np.searchsorted(arms[order], np.arange(len(self.products) + 1))
        for arm in np.flatnonzero(np.diff(edges)):
            rows = z[edges[arm] : edges[arm + 1]]
            if isinstance(weights, np.ndarray):
                self.products[arm] += (rows * weights[order[edges[arm] : edges[arm + 1]], None]).T @ rows
            else:
                self.products[arm] += weights * (rows.T @ rows)


_NO_ARM = InputError("A row without an action cannot be learned; leave out those where all was vetoed.")
_TOO_MANY = InputError("More rows are taken out than were ever learned; check which rows are reversed.")
