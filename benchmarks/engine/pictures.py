"""Two classifications that come with the peers' packages, as choices."""

from dataclasses import replace

import numpy as np
from river.datasets import ImageSegments
from sklearn.datasets import load_digits

from engine.data import Payoffs, classes


def digits() -> Payoffs:
    """1,797 handwritten digits of 8 x 8 pixels (scikit-learn): the right one of ten brings 1."""
    found = load_digits()
    pixels = {f"pixel {at // 8}.{at % 8}": column.tolist() for at, column in enumerate(found.data.T)}
    return classes("digits", pixels, [str(label) for label in found.target])


def digits_pixels() -> Payoffs:
    """The digits with their pixels as shares of full ink, not z-scored, which suits the reference best."""
    return replace(digits(), name="digits_pixels", contexts=(load_digits().data / 16).astype(np.float32))


def segment() -> Payoffs:
    """2,310 patches of outdoor pictures (river's ImageSegments): the right one of seven kinds brings 1."""
    rows = list(ImageSegments())
    columns = {name: [float(features[name]) for features, _ in rows] for name in rows[0][0]}
    return classes("segment", columns, [str(label) for _, label in rows])
