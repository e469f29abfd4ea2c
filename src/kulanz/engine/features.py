"""Named, typed columns and the way from raw values to the model's contexts."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from kulanz.engine.arrays import Singles
from kulanz.kernel.errors import InputError


@dataclass(frozen=True, slots=True)
class Feature:
    """One column: missing values become `fill`, clipped to [low, high], then (value - centre) / scale."""

    name: str
    unit: str = ""
    low: float = -1e9
    high: float = 1e9
    fill: float = 0.0
    centre: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not (self.low <= self.fill <= self.high and self.scale > 0 and np.isfinite(self.scale)):
            raise InputError(
                f"Feature {self.name}: fill must lie between low and high, and scale above zero."
            )

    def raw(self, context: float) -> float:
        """The value in the feature's own unit that stands behind a context entry."""
        return context * self.scale + self.centre


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """The columns of a context, in order."""

    features: tuple[Feature, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", tuple(self.features))
        if len(set(self.names)) != len(self.features):
            raise InputError("Two features have the same name; every feature needs its own.")

    def __len__(self) -> int:
        return len(self.features)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(feature.name for feature in self.features)

    def transform(self, columns: dict[str, ArrayLike]) -> Singles:
        """float32[n, d] from one array per feature name; NaN is missing, infinities are clipped.

        Raises InputError for a missing column or unequal lengths; other columns are ignored.
        """
        raw = [self._clipped(feature, columns) for feature in self.features]
        if len({len(values) for values in raw}) > 1:
            raise InputError("The feature columns differ in length; every column needs one value per case.")
        out = np.empty((len(raw[0]) if raw else 0, len(raw)), dtype=np.float32)
        for at, (feature, values) in enumerate(zip(self.features, raw, strict=True)):
            out[:, at] = (values - feature.centre) / feature.scale
        return out

    def fitted(self, columns: dict[str, ArrayLike]) -> "FeatureSpec":
        """The same features, centred and scaled on these columns (scale 1 where a column does not vary)."""
        return FeatureSpec(tuple(self._fit(feature, columns) for feature in self.features))

    def to_json(self) -> list[dict[str, Any]]:
        return [asdict(feature) for feature in self.features]

    @classmethod
    def from_json(cls, data: list[dict[str, Any]]) -> Self:
        return cls(tuple(Feature(**item) for item in data))

    @staticmethod
    def _clipped(feature: Feature, columns: dict[str, ArrayLike]) -> np.ndarray[Any, np.dtype[np.float64]]:
        if feature.name not in columns:
            raise InputError(f"The column {feature.name} is missing; hand in one array for each feature.")
        values = np.asarray(columns[feature.name], dtype=np.float64).reshape(-1)
        return np.clip(np.where(np.isnan(values), feature.fill, values), feature.low, feature.high)

    def _fit(self, feature: Feature, columns: dict[str, ArrayLike]) -> Feature:
        values = self._clipped(feature, columns)
        spread = float(values.std()) if len(values) else 0.0
        centre = float(values.mean()) if len(values) else 0.0
        return replace(feature, centre=centre, scale=spread if spread > 1e-12 else 1.0)
