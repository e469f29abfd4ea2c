"""What another policy would have earned over whole episodes: several decisions on one case, in order."""

import numpy as np

from kulanz.engine.arrays import Floats, Indices, Ints
from kulanz.engine.evaluation.estimators import Estimate, importance_weights, matching_columns
from kulanz.kernel.errors import InputError


def sequential_dr(
    episodes: Ints,
    steps: Ints,
    rewards: Floats,
    logged: Floats,
    target: Floats,
    q_hat: Floats,
    v_hat: Floats,
    *,
    discount: float = 1.0,
) -> Estimate:
    """Doubly robust for sequences, decision by decision (Jiang and Li 2016): discounted sums of rewards.

    One row per decision in any order, int64[n] and float64[n]. From the last step of an episode to its first,
    V = v_hat + target / logged * (reward + discount^(steps to the next row) V_next - q_hat); q_hat is the
    model's value of the logged action with all that follows, v_hat its mean under the target. The terms are
    the episodes' V in ascending order of their ids. Their noise grows with the product of the weights: long
    episodes need close policies.
    """
    rewards, logged, target, q_hat, v_hat = matching_columns(rewards, logged, target, q_hat, v_hat)
    episodes, steps = np.asarray(episodes), np.asarray(steps)
    if not len(episodes) == len(steps) == len(rewards):
        raise InputError("Every row needs its episode and its step.")
    order = np.lexsort((steps, episodes))
    weights = importance_weights(logged, target)
    first, lengths = _bounds(episodes[order])
    gaps = np.append(np.diff(steps[order]), 0)
    gaps[first + lengths - 1] = 0
    if (np.delete(gaps, first + lengths - 1) <= 0).any():
        raise InputError("An episode has the same step twice; number its decisions in their order.")
    onwards = np.power(float(discount), gaps)
    value = np.zeros(len(first))
    for back in range(int(lengths.max()) - 1, -1, -1):
        long_enough = lengths > back
        place = first[long_enough] + back
        row = order[place]
        seen = rewards[row] + onwards[place] * value[long_enough]
        value[long_enough] = v_hat[row] + weights[row] * (seen - q_hat[row])
    return Estimate.of(value)


def _bounds(sorted_ids: Ints) -> tuple[Indices, Indices]:
    """Where each episode begins and how many rows it has."""
    first = np.flatnonzero(np.append(True, np.diff(sorted_ids) != 0))
    return first, np.diff(np.append(first, len(sorted_ids)))
