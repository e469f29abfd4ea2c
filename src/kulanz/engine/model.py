"""Bayesian linear regression whose prior shrinks to what the factors do on average; context must earn its
weight.

reward = intercept + factor effects + pair effects + x'(shared + own weights of the chosen levels) + noise.
Each group of weights has one prior variance. Those of the biases come from the marginal likelihood of the
model without context, those of the context from a grid over the full model, averaged by marginal likelihood:
the smallest value on that grid is plain action means.

Statistics are sums of fixed-point numbers (contexts in steps of 2**-10, targets of 2**-14), so float64 adds
them without rounding up to 2**33 in value: sums do not depend on order, block or threads, and taking rows out
again restores the very bits. Where rows have weights that are no whole numbers, the same holds to rounding.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from kulanz.engine.arrays import Codes, Floats, Indices
from kulanz.engine.design import Cells, Design
from kulanz.engine.hierarchy import MOST_REACH
from kulanz.kernel.errors import InputError

CONTEXT_STEP = 2.0**-10
TARGET_STEP = 2.0**-14
_LEARN_ROWS = 2048
_SLACK = 1e-6
_MAIN_GRID = 10.0 ** np.array([-3.5, -2.5, -1.5, -0.5])
_PAIR_GRID = 10.0 ** np.array([-5.0, -4.0, -3.0, -2.0])
_SHARED_GRID = (1e-2, 1e-1)
_OWN_GRID = (1e-5, 1e-3, 1e-2, 1e-1, 1.0)
_FIXED_GROUPS = ("intercept", "shared", "own")


@dataclass(slots=True)
class Statistics:
    """Sums over learned rows, by weight: count, gram = sum zz' float64[p, p], moment = sum z target float64[p],
    square = sum target^2.
    """

    count: float
    gram: Floats
    moment: Floats
    square: float

    @classmethod
    def empty(cls, columns: int) -> "Statistics":
        return cls(0.0, np.zeros((columns, columns)), np.zeros(columns), 0.0)

    def add(
        self, design: Design, contexts: Floats, actions: Codes, targets: Floats, weights: Floats | float
    ) -> None:
        """Count rows with their weights (one number, or float64[n]); a negative one takes a row out again."""
        change = float(np.sum(np.broadcast_to(weights, len(actions))))
        if self.count + change < -_SLACK:
            raise InputError("More rows are taken out than were ever learned; check which rows are reversed.")
        for first in range(0, len(actions), _LEARN_ROWS):
            part = slice(first, first + _LEARN_ROWS)
            fixed = np.round(contexts[part] / CONTEXT_STEP) * CONTEXT_STEP
            aim = np.round(targets[part] / TARGET_STEP) * TARGET_STEP
            rows = design.rows(fixed, actions[part])
            self._add_rows(rows, aim, weights[part] if isinstance(weights, np.ndarray) else weights)
        self.count += change

    def _add_rows(self, rows: Floats, targets: Floats, weights: Floats | float) -> None:
        if isinstance(weights, np.ndarray):
            weighted, aim = rows * weights[:, None], targets * weights
            self.gram += weighted.T @ rows
            self.moment += rows.T @ aim
            self.square += float(aim @ targets)
        else:
            self.gram += weights * (rows.T @ rows)
            self.moment += weights * (rows.T @ targets)
            self.square += weights * float(targets @ targets)

    def scaled(self, factor: float) -> "Statistics":
        return Statistics(self.count * factor, self.gram * factor, self.moment * factor, self.square * factor)


@dataclass(frozen=True, slots=True)
class Fit:
    """weights float64[p]; variance of each cell's own effect, averaged over contexts; sd of a single target."""

    weights: Floats
    wait_variance: float
    when_variance: Floats
    how_variance: Floats
    spread: float


@dataclass(frozen=True, slots=True)
class _Posterior:
    evidence: float
    mean: Floats
    factor: Floats


class _Solver:
    """Posterior of the first `size` columns under given prior variances."""

    def __init__(self, statistics: Statistics, size: int, noise: float) -> None:
        self.gram = statistics.gram[:size, :size] / noise
        self.moment = statistics.moment[:size] / noise

    def solve(self, prior: Floats) -> _Posterior:
        """Works in prior units, so that the matrix is I + something positive: safe however small the prior
        is.
        """
        root = np.sqrt(prior)
        matrix = self.gram * root[:, None] * root
        matrix.flat[:: len(prior) + 1] += 1.0
        factor, _ = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
        target = self.moment * root
        scaled = cho_solve((factor, True), target, check_finite=False)
        evidence = 0.5 * float(target @ scaled) - float(np.log(np.diagonal(factor)).sum())
        return _Posterior(evidence, scaled * root, factor)


def fit(
    statistics: Statistics,
    design: Design,
    *,
    prior_sd: float,
    noise: float | None = None,
    pending: Statistics | None = None,
) -> Fit:
    """The posterior given all learned rows: a function of the sums alone, whatever the way they came about.

    `prior_sd` stands for the spread of targets while there are none; `noise`: their variance, where it is
    known. `pending` are decisions whose outcome is awaited: they narrow the spread and leave the mean alone.
    """
    variance = _target_variance(statistics, prior_sd) if noise is None else noise
    prior = _starting_prior(statistics, design, variance)
    biases = design.biases
    prior[:biases] = _bias_prior(statistics, design, prior[:biases], variance)
    level = noise or _noise(statistics, _Solver(statistics, biases, variance).solve(prior[:biases]), variance)
    solver = _Solver(statistics, design.columns, level)
    candidates = _context_priors(statistics, design, prior, variance)
    posteriors = [solver.solve(candidate) for candidate in candidates]
    shares = _shares(np.array([posterior.evidence for posterior in posteriors]))
    weights = np.zeros(design.columns)
    for share, posterior in zip(shares, posteriors, strict=True):
        weights += share * posterior.mean
    best = int(np.argmax(shares))
    seen, factor = statistics, posteriors[best].factor
    if pending is not None:
        seen = _with_pending(statistics, pending)
        factor = _Solver(seen, design.columns, level).solve(candidates[best]).factor
    covariance = _covariance(factor, candidates[best])
    return _with_spreads(design, seen, weights, covariance, level, variance)


def _with_pending(statistics: Statistics, pending: Statistics) -> Statistics:
    """What spreads are taken from: where decisions lie counts, what came of them is not known."""
    gram, count = statistics.gram + pending.gram, statistics.count + pending.count
    return Statistics(count, gram, statistics.moment, statistics.square)


def _target_variance(statistics: Statistics, prior_sd: float) -> float:
    n = max(statistics.count, 1.0)
    total = max(statistics.square - statistics.moment[0] ** 2 / n, 0.0)
    return float((total + prior_sd**2) / (statistics.count + 1.0))


def _starting_prior(statistics: Statistics, design: Design, spread: float) -> Floats:
    prior = np.full(design.columns, 1e-3 * spread)
    mean = statistics.moment[0] / max(statistics.count, 1.0)
    prior[design.groups["intercept"]] = 100.0 * (spread + mean**2)
    return prior


def _bias_prior(statistics: Statistics, design: Design, prior: Floats, spread: float) -> Floats:
    """One variance per group of biases, two rounds over the groups, each averaged over its grid."""
    solver = _Solver(statistics, design.biases, spread)
    prior = prior.copy()
    groups = [group for group in design.groups.items() if group[0] not in _FIXED_GROUPS]
    for _ in range(2):
        for name, columns in groups:
            grid = _PAIR_GRID if name == "pairs" else _MAIN_GRID
            evidence = np.empty(len(grid))
            for at, step in enumerate(grid):
                prior[columns] = step * spread
                evidence[at] = solver.solve(prior).evidence
            prior[columns] = _shares(evidence) @ grid * spread
    return prior


def _noise(statistics: Statistics, posterior: _Posterior, spread: float) -> float:
    size = len(posterior.mean)
    explained = 2.0 * float(posterior.mean @ statistics.moment[:size])
    explained -= float(posterior.mean @ statistics.gram[:size, :size] @ posterior.mean)
    return float((max(statistics.square - explained, 0.0) + spread) / (statistics.count + 1.0))


def _context_priors(statistics: Statistics, design: Design, prior: Floats, spread: float) -> list[Floats]:
    if not design.context_terms:
        return [prior]
    unit = spread / max(float(np.trace(_context_moments(statistics, design))), 1e-6)
    out = []
    for shared in _SHARED_GRID:
        for own in _OWN_GRID:
            candidate = prior.copy()
            candidate[design.groups["shared"]] = shared * unit
            candidate[design.groups["own"]] = own * unit
            out.append(candidate)
    return out


def _context_moments(statistics: Statistics, design: Design) -> Floats:
    """Mean of xx' over all learned rows, float64[d, d]; the identity while there are none."""
    if statistics.count < 1:
        return np.eye(design.d)
    block = slice(design.biases, design.biases + design.d)
    return np.asarray(statistics.gram[block, block] / statistics.count)


def _shares(evidence: Floats) -> Floats:
    weight = np.exp(evidence - evidence.max())
    return np.asarray(weight / weight.sum())


def _covariance(factor: Floats, prior: Floats) -> Floats:
    half = solve_triangular(factor, np.diag(np.sqrt(prior)), lower=True, check_finite=False)
    return np.asarray(half.T @ half)


def _with_spreads(
    design: Design, statistics: Statistics, weights: Floats, covariance: Floats, noise: float, spread: float
) -> Fit:
    """Variance of a cell's distance from the mean of its table (of wait: from what all actions share).

    Averaged over the contexts seen; what moves all cells alike says nothing about which one is best. Context
    reaches as far as in a flat set of actions.
    """
    biases, levels, d = design.biases, design.context_levels, design.d
    own = covariance[biases:, biases:].reshape(levels, d, levels, d)
    moments = _context_moments(statistics, design) if levels else np.zeros((0, 0))
    between = np.einsum("adbe,de->ab", own, moments)
    least = noise / (statistics.count + 1.0)

    def variance(cells: Cells, skip: int, centred: bool) -> Floats:
        bias = _variances(covariance[:biases, :biases], cells.bias[:, skip:], centred)
        context = cells.context[:, min(skip, cells.context.shape[1]) :]
        return bias + MOST_REACH**2 * _variances(between, context, centred) + least

    return Fit(
        weights,
        float(variance(design.wait_cells, 1, False)[0]),
        variance(design.when_cells, 1, True),
        variance(design.how_cells, 0, True),
        float(np.sqrt(spread)),
    )


def _variances(matrix: Floats, index: Indices, centred: bool) -> Floats:
    """Variance float64[cells] of the sum of the entries index[cell], less the mean over cells if `centred`."""
    sums = matrix[index].sum(axis=1)
    own = np.take_along_axis(sums, index, axis=1).sum(axis=1)
    if not centred:
        return np.asarray(own)
    mean = np.bincount(index.ravel(), minlength=len(matrix)) / len(index)
    return np.asarray(np.maximum(own - 2.0 * (sums @ mean) + mean @ matrix @ mean, 0.0))
