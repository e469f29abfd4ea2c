"""Hierarchical Bayesian linear regression over a flat set of arms, in which context must earn its weight.

r = mu_a + (x - xbar_a)'(u + d_a) + noise, u ~ N(0, t_u I) shared by all arms, d_a ~ N(0, t_d I) own to arm a.
Both prior variances are integrated over a grid by exact marginal likelihood (Murphy 2012, section 7.6); at the
grid's smallest values only the arms' plain means are left.
"""

from dataclasses import dataclass

import numpy as np

from kulanz.engine.arms import ArmSums
from kulanz.engine.arrays import Codes, Floats, Singles

_SHARED = np.array([1e-6, 1e-3, 1e-2, 1e-1, 1.0])
_OWN = 10.0 ** np.arange(-4.0, 1.01, 0.5)
_EARLY = 9
"""While little is known, the own variance is that of this place on the grid: wide."""
_EARLY_ROWS = 300
MOST_REACH = 0.3
_PRIOR_ROWS = 1.0
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class ArmFit:
    """The posterior of K arms over d features.

    weights float64[d + 1, K]: score = (1, x) @ weights. The variance of an arm's score, as far as arms differ
    in it, is mean_variance float64[K] + ((x - centre_a) @ axes)^2 @ own_variance_a, with centre float64[K, d],
    axes float64[d, d] (orthonormal, the same for all arms) and own_variance float64[K, d]. `spread`: standard
    deviation of a single target; `shares` float64[11]: weight of each own prior variance on the grid.
    """

    weights: Floats
    centre: Floats
    axes: Floats
    mean_variance: Floats
    own_variance: Floats
    spread: float
    shares: Floats

    def predict(self, contexts: Singles, arms: Codes) -> Floats:
        """Expected target float64[n] of taking `arms` at `contexts` float32[n, d]."""
        chosen = self.weights[:, arms]
        return np.asarray(chosen[0] + np.einsum("nd,dn->n", contexts, chosen[1:]))


@dataclass(frozen=True, slots=True)
class _Centred:
    """Sums about each arm's own mean: n float64[K], centre and cross float64[K, d], mean and rest float64[K].

    scatter = axes_a diag(values_a) axes_a' with values float64[K, d], axes float64[K, d, d]; `turned` is cross
    in those axes. An arm without rows stands at the centre of all.
    """

    n: Floats
    centre: Floats
    mean: Floats
    cross: Floats
    rest: Floats
    scatter: Floats
    values: Floats
    axes: Floats
    turned: Floats

    @classmethod
    def of(cls, products: Floats) -> "_Centred":
        n = np.maximum(products[:, 0, 0], 0.0)
        everyone = products.sum(axis=0)
        overall = everyone[0, 1:] / max(float(everyone[0, 0]), _TINY)
        seen = (n > _TINY)[:, None]
        middle = np.where(seen, products[:, 0, 1:] / np.maximum(n, _TINY)[:, None], overall)
        about = products[:, 1:, 1:] - n[:, None, None] * middle[:, :, None] * middle[:, None, :]
        scatter, cross = about[:, :-1, :-1], about[:, :-1, -1]
        values, axes = np.linalg.eigh(scatter)
        mean = (n * middle[:, -1] + _PRIOR_ROWS * overall[-1]) / (n + _PRIOR_ROWS)
        return cls(
            n=n,
            centre=middle[:, :-1],
            mean=mean,
            cross=cross,
            rest=np.maximum(about[:, -1, -1], 0.0),
            scatter=scatter,
            values=np.maximum(values, 0.0),
            axes=axes,
            turned=np.einsum("kji,kj->ki", axes, cross),
        )


def fit_arms(
    sums: ArmSums, *, prior_sd: float, noise: float | None = None, pending: ArmSums | None = None
) -> ArmFit:
    """The posterior given all learned rows: a function of the sums alone, whatever the way they came about.

    `prior_sd` stands for the spread of targets while there are none; `noise`: their variance, where it is
    known. `pending` are decisions whose outcome is awaited: they narrow the spread and leave the mean alone.
    """
    found = _Centred.of(sums.products)
    total = float(found.n.sum())
    everyone = sums.products.sum(axis=0)
    about = float(everyone[-1, -1] - everyone[0, -1] ** 2 / max(total, 1.0))
    variance = (max(about, 0.0) + prior_sd**2) / (total + 1.0) if noise is None else noise
    unit = variance / max(float(np.trace(found.scatter.sum(axis=0))) / max(total, 1.0), _TINY)
    level, grid = variance, _Grid.of(found, unit, variance)
    if noise is None:
        level = _noise(found, grid, unit, variance)
        grid = _Grid.of(found, unit, level)
    weights = grid.shared + grid.own
    bias = found.mean - np.sum(weights * found.centre, axis=1)
    seen = found if pending is None else _Centred.of(sums.products + pending.products)
    axes, own = _own_variance(seen, grid.shares, unit, level)
    return ArmFit(
        weights=np.concatenate([bias[None, :], weights.T]),
        centre=found.centre,
        axes=axes,
        mean_variance=level / (seen.n + _PRIOR_ROWS),
        own_variance=own,
        spread=float(np.sqrt(variance)),
        shares=grid.shares,
    )


@dataclass(frozen=True, slots=True)
class _Grid:
    """shares float64[G] of the own variances, and the posterior means shared float64[d], own float64[K, d]."""

    shares: Floats
    shared: Floats
    own: Floats

    @classmethod
    def of(cls, found: _Centred, unit: float, noise: float) -> "_Grid":
        values, turned = found.values / noise, found.turned / noise
        arms, d = turned.shape
        own_grid, shared_grid = _OWN * unit, _SHARED[:, None] * unit
        flat = found.axes.transpose(1, 0, 2).reshape(d, arms * d)
        damped = 1.0 + own_grid[:, None, None] * values
        evidence = _own_evidence(found, own_grid, damped, turned)
        weighted = flat * (values / damped).reshape(len(_OWN), 1, arms * d)
        lengths, turns = np.linalg.eigh(weighted @ flat.T)
        lengths = np.maximum(lengths, 0.0)[:, None, :]
        pull = np.einsum("gij,gi->gj", turns, (turned / damped).reshape(len(_OWN), -1) @ flat.T)[:, None, :]
        inner = shared_grid / (1.0 + shared_grid * lengths)
        evidence = evidence[:, None] + 0.5 * np.sum(inner * pull**2 - np.log1p(shared_grid * lengths), axis=2)
        share = np.exp(evidence - evidence.max())
        share /= share.sum()
        shared = np.einsum("gu,guj,gij->gi", share, inner * pull, turns)
        left = share.sum(axis=1)[:, None, None] * turned
        left = left - values * np.einsum("kji,gj->gki", found.axes, shared)
        scaled = np.sum(own_grid[:, None, None] / damped * left, axis=0)
        return cls(share.sum(axis=1), shared.sum(axis=0), np.einsum("kij,kj->ki", found.axes, scaled))


def _own_evidence(found: _Centred, own_grid: Floats, damped: Floats, turned: Floats) -> Floats:
    """Log marginal likelihood float64[G] of each own variance, without the shared part, and its hyperprior.

    The hyperprior leans towards wide priors as long as rows are fewer than weights: what cannot be told yet
    should not be taken for absent.
    """
    arms, d = turned.shape
    total = float(found.n.sum())
    size = arms * d
    evidence = 0.5 * np.sum(own_grid[:, None, None] * turned**2 / damped - np.log(damped), axis=(1, 2))
    evidence += min(40.0, 0.1 * size) * size / (size + total) * np.log10(_OWN)
    if total < min(3 * size, _EARLY_ROWS):
        evidence[np.arange(len(_OWN)) != _EARLY] = -np.inf
    return np.asarray(evidence)


def _noise(found: _Centred, grid: _Grid, unit: float, variance: float) -> float:
    """Variance of a target about its prediction, by the degrees of freedom that the weights have used up."""
    weights = grid.shared + grid.own
    total = float(found.n.sum())
    rss = float(found.rest.sum() - 2.0 * np.sum(weights * found.cross))
    rss += float(np.einsum("ki,kij,kj->", weights, found.scatter, weights))
    used = len(weights) + float(np.sum(_damped(found, grid.shares, unit, variance) * found.values)) / variance
    return (max(rss, 0.0) + variance) / (max(total - used, 0.1 * total) + 1.0)


def _damped(found: _Centred, shares: Floats, unit: float, noise: float) -> Floats:
    """Posterior variance of own weights along each arm's axes, averaged over the grid: float64[K, d]."""
    precision = 1.0 / (_OWN * unit)[:, None, None] + found.values / noise
    return np.asarray(np.einsum("g,gki->ki", shares, 1.0 / precision))


def _own_variance(found: _Centred, shares: Floats, unit: float, noise: float) -> tuple[Floats, Floats]:
    """Common axes and each arm's variances along them, scaled by how far the spread may reach.

    The axes are those of all contexts together; what an arm's covariance has beside the diagonal there is
    left out, which makes a spread cost as little as a score.
    """
    inner = _damped(found, shares, unit, noise)
    used = float(np.sum(inner * found.values)) / noise / len(inner)
    reach = min(MOST_REACH, float(np.sqrt(1.5 / max(used + 1.0, _TINY))))
    axes = np.linalg.eigh(found.scatter.sum(axis=0))[1]
    turned = np.einsum("ij,kil->kjl", axes, found.axes) ** 2
    return axes, reach**2 * np.einsum("kjl,kl->kj", turned, inner)
