"""Whether the cases of today still look like those a policy was taught on, feature by feature.

Population stability index (Siddiqi 2006): PSI = sum over bins of (q - p) ln(q / p), p and q the shares of a bin
among the reference and today. Without any drift PSI / (1/n + 1/m) is about chi-squared with bins - 1 degrees of
freedom (Yurdakul 2018), which says how much of it chance alone can bring.
"""

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtri

from kulanz.engine.arrays import Floats, Ints
from kulanz.engine.features import Feature, FeatureSpec, column_of, level_codes, numbers
from kulanz.kernel.errors import InputError

WATCH = 0.1
DRIFTED = 0.25
_EMPTY = 0.5
_CHANCE = 0.95
_NO_TEXT = ("", "None", "nan")

Verdict = Literal["stable", "watch", "drifted", "too few"]
Counts = tuple[Ints, ...]


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """One feature's distance from the reference.

    stable: psi below .1; watch: up to .25; drifted: above. too few: at least .1, but no more than `by_chance`,
    which 19 of 20 samples of this size stay below without any drift (or there were no rows at all).
    """

    name: str
    psi: float
    by_chance: float
    verdict: Verdict
    share_missing: float
    reference_missing: float


@dataclass(frozen=True, slots=True)
class Bins:
    """How one raw column is counted: by level, or between rising `edges`; what is missing comes last."""

    name: str
    edges: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()
    period: float = 0.0

    def __len__(self) -> int:
        return (len(self.levels) if self.levels else len(self.edges)) + 2

    @classmethod
    def of(cls, feature: Feature, column: ArrayLike, most: int) -> Self:
        """Intervals and levels where the feature has them, else quantiles of the column."""
        if feature.kind == "category":
            return cls(feature.name, levels=feature.levels)
        if feature.kind in ("bucket", "flag"):
            return cls(feature.name, feature.edges or (0.5,))
        values = numbers(feature.name, column)
        if feature.period:
            values = np.mod(values[np.isfinite(values)], feature.period)
        return cls(feature.name, _quantile_edges(values[~np.isnan(values)], most), period=feature.period)

    def count(self, column: ArrayLike) -> Ints:
        """int64[bins] of a raw column."""
        if self.levels:
            codes = level_codes(self.name, column, self.levels)
            missing = np.isin(np.atleast_1d(np.asarray(column)).astype(str), _NO_TEXT) & (codes < 0)
            codes = np.where(missing, len(self) - 1, np.where(codes < 0, len(self.levels), codes))
        else:
            values = numbers(self.name, column)
            if self.period:
                values = np.mod(np.where(np.isinf(values), np.nan, values), self.period)
            codes = np.where(
                np.isnan(values), len(self) - 1, np.searchsorted(self.edges, values, side="right")
            )
        return np.bincount(codes, minlength=len(self)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Reference:
    """The histogram of each feature when the policy was taught: small, and stored with its version."""

    bins: tuple[Bins, ...]
    counts: Counts

    @classmethod
    def of(cls, features: FeatureSpec, columns: dict[str, ArrayLike], *, most: int = 10) -> Self:
        """Of raw columns as in FeatureSpec.transform; numbers in about `most` bins of equal share.

        A value that fills a whole bin gets one of its own. Raises InputError for a missing column.
        """
        if most < 2:
            raise InputError("A histogram needs at least two bins.")
        bins = tuple(Bins.of(f, column_of(columns, f.name), most) for f in features.features)
        return cls(bins, tuple(each.count(columns[each.name]) for each in bins))

    def count(self, columns: dict[str, ArrayLike]) -> Counts:
        """The histograms int64[bins] of a block of cases in the reference's bins: blocks add up (`added`)."""
        return tuple(each.count(column_of(columns, each.name)) for each in self.bins)

    def to_json(self) -> list[dict[str, Any]]:
        return [
            {
                "name": each.name,
                "edges": list(each.edges),
                "levels": list(each.levels),
                "period": each.period,
                "counts": counts.tolist(),
            }
            for each, counts in zip(self.bins, self.counts, strict=True)
        ]

    @classmethod
    def from_json(cls, data: list[dict[str, Any]]) -> Self:
        bins = (Bins(d["name"], tuple(d["edges"]), tuple(d["levels"]), d["period"]) for d in data)
        return cls(tuple(bins), tuple(np.array(item["counts"], dtype=np.int64) for item in data))


def added(one: Counts, other: Counts) -> Counts:
    """The histograms of two blocks together."""
    return tuple(a + b for a, b in zip(one, other, strict=True))


def drift(reference: Reference, cases: "dict[str, ArrayLike] | Counts") -> tuple[FeatureDrift, ...]:
    """One result per feature, from raw columns or from what `Reference.count` made of them."""
    counts = reference.count(cases) if isinstance(cases, dict) else cases
    if [each.shape for each in counts] != [each.shape for each in reference.counts]:
        raise InputError("These histograms were not counted in the bins of this reference.")
    pairs = zip(reference.bins, reference.counts, counts, strict=True)
    return tuple(_drift(each.name, expected, actual) for each, expected, actual in pairs)


def psi(expected: ArrayLike, actual: ArrayLike) -> float:
    """The index of two histograms over the same bins.

    A bin that only one of them fills counts half a row in the other; one that both leave empty counts nothing.
    0 where there is nothing to compare.
    """
    both = np.array([expected, actual], dtype=np.float64)
    filled = both[:, both.sum(axis=0) > 0]
    if not both.sum(axis=1).all():
        return 0.0
    filled = np.where(filled == 0, _EMPTY, filled)
    p, q = filled / filled.sum(axis=1, keepdims=True)
    return float(((q - p) * np.log(q / p)).sum())


def _drift(name: str, expected: Ints, actual: Ints) -> FeatureDrift:
    n, m = int(expected.sum()), int(actual.sum())
    bins = int(((expected + actual) > 0).sum())
    index = psi(expected, actual)
    chance = float("inf")
    if n and m:
        chance = float(chdtri(bins - 1, 1.0 - _CHANCE)) * (1.0 / n + 1.0 / m) if bins > 1 else 0.0
    return FeatureDrift(
        name,
        index,
        chance,
        _verdict(index, chance),
        float(actual[-1]) / max(m, 1),
        float(expected[-1]) / max(n, 1),
    )


def _verdict(index: float, by_chance: float) -> Verdict:
    if np.isinf(by_chance):
        return "too few"
    if index < WATCH:
        return "stable"
    if index <= by_chance:
        return "too few"
    return "drifted" if index > DRIFTED else "watch"


def _quantile_edges(values: Floats, most: int) -> tuple[float, ...]:
    """Rising edges, each opening its bin; a value at several quantiles gets a bin that holds nothing else."""
    if not len(values):
        return ()
    inner = np.arange(1, most) / most
    cuts, times = np.unique(np.quantile(values, inner, method="inverted_cdf"), return_counts=True)
    frequent = cuts[(times > 1) & np.isfinite(cuts)]
    edges = np.unique(np.concatenate([cuts[np.isfinite(cuts)], np.nextafter(frequent, np.inf)]))
    return tuple(edges.tolist())
