"""Comparing policies on the same permutations."""

import numpy as np

from engine.data import Floats
from engine.results import Rewarded

REFERENCES = {
    "hillstrom": "beta_ts",
    "bank": "linear_ts",
    "digits": "linear_ts",
    "digits_pixels": "linear_ts",
    "segment": "linear_ts",
}


def rows(name: str, delay: int, means: dict[str, Floats]) -> list[Rewarded]:
    """One row per policy from its means over the permutations, float64[p]; the best mean first."""
    reference = means[REFERENCES[name]]
    out = []
    for policy, each in means.items():
        mean, se = mean_and_error(each)
        difference, paired_se = mean_and_error(each - reference)
        what = REFERENCES[name]
        out.append(Rewarded(name, policy, delay, len(each), mean, se, what, difference, paired_se))
    return sorted(out, key=lambda row: -row.mean)


def mean_and_error(values: Floats) -> tuple[float, float]:
    """Mean and its standard error; the error of a single value is unknown (NaN)."""
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return float(values.mean()), float(error)
