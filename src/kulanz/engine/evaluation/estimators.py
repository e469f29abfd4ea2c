"""What another policy (the target) would have earned, from a log of rewards, of the chance with which each
action was drawn, and of the chance with which the target would have taken it.
"""

from dataclasses import dataclass, field

import numpy as np

from kulanz.engine.arrays import Floats
from kulanz.kernel.errors import InputError

_CANDIDATES = 21


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean reward, its standard error (infinite for one row), and the rows' contributions, float64[n].

    The value is the mean of `terms`: slices, bootstraps and always-valid intervals take them as they are, the
    difference of two policies on one log is the mean of the difference of their terms.
    """

    value: float
    error: float
    terms: Floats = field(repr=False, compare=False)

    @classmethod
    def of(cls, terms: Floats) -> "Estimate":
        error = float(terms.std(ddof=1) / np.sqrt(len(terms))) if len(terms) > 1 else float("inf")
        return cls(float(terms.mean()), error, terms)


def ips(rewards: Floats, logged: Floats, target: Floats) -> Estimate:
    """Inverse propensity scoring (Horvitz and Thompson 1952): unbiased, noisy where weights are heavy.

    All float64[n]; `logged` are the propensities the actions were drawn with, above zero.
    """
    rewards, logged, target = matching_columns(rewards, logged, target)
    return Estimate.of(importance_weights(logged, target) * rewards)


def snips(rewards: Floats, logged: Floats, target: Floats) -> Estimate:
    """Self-normalised IPS (Swaminathan and Joachims 2015): a little biased, far less noisy.

    Never outside the rewards' range. The terms are linearised, so the error is the delta method's; for
    always-valid intervals take those of `ips` or `dr`.
    """
    rewards, logged, target = matching_columns(rewards, logged, target)
    weights = importance_weights(logged, target)
    if not weights.sum() > 0:
        raise InputError("The target policy takes none of the logged actions; nothing can be estimated.")
    value = float(weights @ rewards / weights.sum())
    return Estimate.of(value + weights * (rewards - value) / weights.mean())


def dm(v_hat: Floats) -> Estimate:
    """Direct method: the reward model's word for it. v_hat[i] = sum over a of target(a | x_i) q_hat(x_i, a).

    The error is that of the mean over contexts; what the model gets wrong is not in it.
    """
    (v_hat,) = matching_columns(v_hat)
    return Estimate.of(v_hat)


def dr(rewards: Floats, logged: Floats, target: Floats, q_hat: Floats, v_hat: Floats) -> Estimate:
    """Doubly robust (Dudik, Langford and Li 2011): the model corrected by what was seen, unbiased.

    All float64[n]: q_hat is the model's reward for the logged action, v_hat as in `dm`. The model must not
    have learnt from the row it predicts (fit it on earlier rows, or crosswise).
    """
    rewards, logged, target, q_hat, v_hat = matching_columns(rewards, logged, target, q_hat, v_hat)
    return Estimate.of(v_hat + importance_weights(logged, target) * (rewards - q_hat))


def switch_dr(
    rewards: Floats,
    logged: Floats,
    target: Floats,
    q_hat: Floats,
    v_hat: Floats,
    *,
    threshold: float | None = None,
) -> Estimate:
    """SWITCH-DR (Wang, Agarwal and Dudik 2017): the model, corrected where weights are small.

    That is where they are at most `threshold`. Infinity gives `dr`, below every weight `dm`; None leaves it
    to `switch_threshold`. The error has no bias in it.
    """
    rewards, logged, target, q_hat, v_hat = matching_columns(rewards, logged, target, q_hat, v_hat)
    if threshold is None:
        threshold = switch_threshold(rewards, logged, target, q_hat, v_hat)
    weights = importance_weights(logged, target)
    return Estimate.of(v_hat + np.where(weights <= threshold, weights * (rewards - q_hat), 0.0))


def switch_threshold(
    rewards: Floats,
    logged: Floats,
    target: Floats,
    q_hat: Floats,
    v_hat: Floats,
    *,
    largest: float | None = None,
) -> float:
    """The threshold with the least variance plus squared bias, taking the bias at its worst.

    Wang, Agarwal and Dudik 2017, over quantiles of the weights. The worst bias is the target's chance of
    actions beyond the threshold times `largest`, the most by which the model can be wrong (None: the most by
    which it was). That chance is 1 less the mean of the weights within the threshold: the log alone says so,
    with little noise.
    """
    rewards, logged, target, q_hat, v_hat = matching_columns(rewards, logged, target, q_hat, v_hat)
    weights, missed = importance_weights(logged, target), rewards - q_hat
    bound = float(np.abs(missed).max()) if largest is None else largest
    found = np.append(-1.0, np.quantile(weights, np.linspace(0.0, 1.0, _CANDIDATES), method="higher"))
    within = weights <= found[:, None]
    terms = v_hat + np.where(within, weights * missed, 0.0)
    bias = bound * np.clip(1.0 - (weights * within).mean(axis=1), 0.0, 1.0)
    return float(found[np.argmin(terms.var(axis=1) / len(rewards) + bias**2)])


def cut_predictions(q_hat: Floats, weights: Floats, most: float, *, low: float = 0.0) -> Floats:
    """Predictions cut to low + most / weight, so that no DR term made from them falls below low - most.

    For whole tables float64[n, K] (or a row of them): v_hat comes from the table that was cut. Cutting
    depends on the context and the action alone, so DR stays unbiased; its low bound holds however heavy a
    weight may become (Waudby-Smith, Wu, Ramdas, Karampatziakis and Mineiro 2022).
    """
    with np.errstate(divide="ignore"):
        return np.asarray(np.minimum(q_hat, low + most / np.asarray(weights)))


def importance_weights(logged: Floats, target: Floats) -> Floats:
    """target / logged, float64[n]; InputError where the log cannot be true."""
    if not (logged > 0).all():
        raise InputError("A logged propensity is not above zero: this row cannot have been drawn.")
    if not (target >= 0).all():
        raise InputError("A target propensity is below zero; propensities are chances.")
    return np.asarray(target / logged)


def matching_columns(*given: Floats) -> list[Floats]:
    """The columns as float64[n]; InputError unless all have the same rows, at least one, without gaps."""
    columns = [np.asarray(column, dtype=np.float64) for column in given]
    if not len(columns[0]) or any(len(column) != len(columns[0]) for column in columns):
        raise InputError("An estimate needs rewards and both propensities for the same rows, at least one.")
    if not all(np.isfinite(column).all() for column in columns):
        raise InputError("An estimate needs a finite number in every column; leave rows with gaps out.")
    return columns
