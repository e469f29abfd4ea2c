"""The options that a budget weighs: waiting, and each channel at its best allowed slot, tone and offer."""

from dataclasses import dataclass

import numpy as np

from kulanz.engine.arrays import Bools, Floats, Singles
from kulanz.engine.exploring.deciders import Stage, new_kernel, padded
from kulanz.engine.exploring.explore import Explorer


@dataclass(frozen=True, slots=True)
class Options:
    """value float32[n, 1 + C] of waiting and of each channel, -inf where vetoed; variance alike, above zero."""

    value: Singles
    variance: Singles
    explorer: Explorer

    def chances(self, price: Floats, opened: Bools, rows: slice) -> Floats:
        """Probability float64[rows, 1 + C] of each option when prices float64[1 + C] are taken off the values and
        only those with opened bool[rows, 1 + C] stand. A cap on the cost of exploring is left out of account.
        """
        value = np.where(opened, self.value[rows] - price.astype(np.float32), -np.inf).astype(np.float32)
        variance = self.variance[rows]
        may = value > -np.inf
        acts = value[:, 1:].max(axis=1)
        lead = np.take_along_axis(variance[:, 1:], value[:, 1:].argmax(axis=1)[:, None], axis=1)[:, 0]
        root = self._chosen(
            np.stack([value[:, 0], acts], axis=1),
            np.stack([variance[:, 0], lead], axis=1),
            np.stack([may[:, 0], may[:, 1:].any(axis=1)], axis=1),
        )
        below = self._chosen(value[:, 1:], variance[:, 1:], may[:, 1:])
        return np.concatenate([root[:, :1], root[:, 1:] * below], axis=1)

    def _chosen(self, value: Singles, variance: Singles, may: Bools) -> Floats:
        """Probabilities float64[n, K] of one choice; a row in which nothing is allowed is zero throughout."""
        n, width = len(value), padded(len(value))
        tables = np.zeros((3, value.shape[1], width), dtype=np.float32)
        tables[0, :, :n] = np.where(may, value, 0.0).T
        tables[1] = 1.0
        tables[1, :, :n] = np.sqrt(variance).T
        tables[2, 0] = 1.0
        tables[2, :, :n] = may.T
        tables[2, 0, :n] += ~may.any(axis=1)
        stage = Stage(
            tables[0],
            tables[1] if self.explorer.needs_spreads else None,
            tables[2].astype(np.uint8),
        )
        p = new_kernel("numpy").probabilities(stage, self.explorer)
        return np.where(may, p.T[:n], 0.0).astype(np.float64)
