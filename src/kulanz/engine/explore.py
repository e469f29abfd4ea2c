"""From scores to probabilities: gap weighting in closed form, with a floor, and the draw.

Every function works row by row on [n, K] with at least one allowed entry per row; a vetoed entry has
probability exactly 0, rows sum to 1, and entries with equal values have equal probabilities.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc

from kulanz.engine.arrays import Bools, Floats, Indices
from kulanz.kernel.errors import KulanzError

_NEWTON_STEPS = 8


class ProbabilityError(KulanzError):
    """Scores or spreads cannot be turned into probabilities; nothing was drawn."""


def inverse_gap(means: NDArray[Any], allowed: Bools, gamma: float) -> Floats:
    """p_a = 1 / (level + gamma sqrt(K) (best - mean_a)), `level` such that a row sums to 1.

    The normalised form of inverse-gap weighting (Foster, Gentile, Mohri, Zimmert 2020): the usual form gives
    the whole remainder to one of several equally good actions. K counts the allowed ones; gamma 0 is uniform.
    """
    masked = np.where(allowed, means, -np.inf).astype(np.float64)
    best = masked.max(axis=1)
    _check(means, allowed, best)
    steep = gamma * np.sqrt(allowed.sum(axis=1))
    gaps = steep[:, None] * (best[:, None] - np.where(allowed, masked, best[:, None]))
    gaps[~allowed] = np.inf
    level = np.ones(len(means))
    for _ in range(_NEWTON_STEPS):
        inverse = 1.0 / (level[:, None] + gaps)
        total = inverse.sum(axis=1)
        level += total * (total - 1.0) / np.square(inverse).sum(axis=1)
    weights = 1.0 / (level[:, None] + gaps)
    return np.asarray(weights / weights.sum(axis=1)[:, None])


def gaussian_gap(means: NDArray[Any], spreads: NDArray[Any], allowed: Bools) -> Floats:
    """q_a = chance that a beats the best under independent normals; p_a = q_a / max(1, K/(K-1) sum q).

    Two actions: Thompson sampling. The best ones of a tie share what they get together.
    """
    masked = np.where(allowed, means, -np.inf).astype(np.float64)
    best = masked.max(axis=1)
    _check(means, allowed, best)
    if not (np.where(allowed, spreads, 1.0) > 0).all():
        raise ProbabilityError(
            "An action has no spread (sd must be above zero); refit the policy before deciding."
        )
    ties = allowed & (masked == best[:, None])
    widest = np.where(ties, spreads, 0.0).max(axis=1)
    gaps = best[:, None] - np.where(allowed, masked, best[:, None])
    beats = 0.5 * erfc(gaps / np.sqrt(2.0 * (np.square(spreads) + np.square(widest)[:, None])))
    beats[~allowed] = 0.0
    count = allowed.sum(axis=1)
    total = beats.sum(axis=1) - 0.5
    share = beats / np.maximum(1.0, total * count / np.maximum(count - 1, 1))[:, None]
    rest = 1.0 - np.where(ties, 0.0, share).sum(axis=1)
    return np.asarray(np.where(ties, (rest / ties.sum(axis=1))[:, None], share))


def with_floor(probabilities: Floats, allowed: Bools, floor: float) -> Floats:
    """Every one of the K allowed entries gets at least floor / K."""
    uniform = allowed / allowed.sum(axis=1)[:, None]
    mixed = np.asarray((1.0 - floor) * probabilities + floor * uniform)
    if len(mixed) and not np.abs(mixed.sum(axis=1) - 1.0).max() < 1e-9:
        raise ProbabilityError("Probabilities do not sum to 1; refit the policy before deciding.")
    return mixed


def pick(probabilities: Floats, uniform: Floats) -> Indices:
    """The entry that each row's uniform number (inside (0, 1)) falls on."""
    edges = np.cumsum(probabilities, axis=1)
    return np.asarray(np.argmax(edges > (uniform * edges[:, -1])[:, None], axis=1))


def _check(means: NDArray[Any], allowed: Bools, best: Floats) -> None:
    if not np.isfinite(best).all() or not np.isfinite(np.where(allowed, means, 0.0)).all():
        raise ProbabilityError(
            "A score is not finite; check the contexts for missing values and refit the policy."
        )
