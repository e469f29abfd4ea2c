"""Named, typed columns and the way from raw values to the model's contexts.

One feature is one raw column; it makes one model column or several (a bucket or a level each, sine and
cosine). A context entry is (column - centre) / scale, so that zero is the ordinary case.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import pairwise
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from kulanz.engine.arrays import Floats, Indices, Singles
from kulanz.kernel.errors import InputError

Kind = Literal["number", "bucket", "flag", "category", "cyclical"]
Value = float | str | None

MOST_LEVELS = 256
UNKNOWN = "unknown"
_LEAST_INDICATOR_SCALE = 0.1
_KINDS = ("number", "bucket", "flag", "category", "cyclical")
_ALWAYS_STORED = 7


@dataclass(frozen=True, slots=True)
class Feature:
    """One raw column. Infinities count as very large, values outside [low, high] as the nearer bound.

    - number: one column; a missing value is `fill`.
    - bucket: one column per interval between the `edges` (and one below, one above); an edge belongs to the
      interval that it opens. Missing: all zero.
    - flag: one column of 0 and 1; a missing value is `fill`.
    - category: one column per name in `levels`, from a column of text. Missing and other names: all zero.
    - cyclical: sine and cosine of the value over `period` (weekday 0-6: 7); `levels`, if given, name the whole
      values from 0. Missing and infinite: both zero.

    With `unknown`, whatever is missing (or no level) gets one more column of its own. `centre` and `scale`
    are one number, or one per column.
    """

    name: str
    unit: str = ""
    low: float = -1e9
    high: float = 1e9
    fill: float = 0.0
    centre: float | tuple[float, ...] = 0.0
    scale: float | tuple[float, ...] = 1.0
    kind: Kind = "number"
    edges: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()
    period: float = 0.0
    unknown: bool = False

    def __post_init__(self) -> None:
        for name in ("edges", "levels", "centre", "scale"):
            if isinstance(getattr(self, name), list):
                object.__setattr__(self, name, tuple(getattr(self, name)))
        for said, holds in _requirements(self):
            if not holds:
                raise InputError(f"Feature {self.name}: {said}.")

    def __len__(self) -> int:
        """How many model columns it makes."""
        return len(self.columns)

    @property
    def columns(self) -> tuple[str, ...]:
        """Readable names of the model columns, for example "days past due 8 to 14"."""
        own: tuple[str, ...] = (self.name,)
        if self.kind == "cyclical":
            own = (f"{self.name} sin", f"{self.name} cos")
        elif self.kind in ("bucket", "category"):
            own = tuple(f"{self.name} {choice}" for choice in self.choices)
        return (*own, f"{self.name} {UNKNOWN}") if self.unknown else own

    @property
    def choices(self) -> tuple[str, ...]:
        """The intervals of a bucket, or the levels of a category, in words."""
        return bucket_names(self.edges) if self.kind == "bucket" else self.levels

    def encode(self, column: ArrayLike) -> Floats:
        """float64[n, columns] before centring and scaling; raises InputError for what cannot be read."""
        if self.kind == "category":
            codes = level_codes(self.name, column, self.levels)
            return self._with_unknown(_one_hot(codes, len(self.levels)), codes < 0)
        values = numbers(self.name, column)
        missing = np.isnan(values)
        if self.kind == "cyclical":
            missing = ~np.isfinite(values)
            angle = np.mod(np.where(missing, 0.0, values), self.period) * (2.0 * np.pi / self.period)
            both = np.stack([np.sin(angle), np.cos(angle)], axis=1)
            return self._with_unknown(np.where(missing[:, None], 0.0, both), missing)
        if self.kind == "bucket":
            codes = np.searchsorted(self.edges, np.clip(values, self.low, self.high), side="right")
            return self._with_unknown(_one_hot(np.where(missing, -1, codes), len(self.edges) + 1), missing)
        if self.kind == "flag" and not np.isin(values[~missing], (0.0, 1.0)).all():
            raise InputError(f"The column {self.name} is a flag; its values are 0, 1 or missing.")
        known = np.clip(np.where(missing, self.fill, values), self.low, self.high)
        return self._with_unknown(known[:, None], missing)

    def scaled(self, encoded: Floats) -> Floats:
        """The context entries float64[n, columns] of what `encode` gave."""
        return np.asarray((encoded - np.asarray(self.centre)) / np.asarray(self.scale))

    def fitted(self, column: ArrayLike) -> "Feature":
        """Centred and scaled on this column.

        A number by its mean and standard deviation; a 0/1 column by its share and standard deviation, at least
        .1, so that a level seen once does not outweigh all else; sine and cosine keep zero and sqrt(1/2). Scale
        1 where nothing varies.
        """
        encoded = self.encode(column)
        centre, scale = np.zeros(len(self)), np.ones(len(self))
        if len(encoded):
            centre, spread = encoded.mean(axis=0), encoded.std(axis=0)
            least = np.full(len(self), _LEAST_INDICATOR_SCALE)
            least[: self.kind == "number"] = 0.0
            scale = np.where(spread > 1e-12, np.maximum(spread, least), 1.0)
        if self.kind == "cyclical":
            centre[:2], scale[:2] = 0.0, np.sqrt(0.5)
        if len(self) == 1:
            return replace(self, centre=float(centre[0]), scale=float(scale[0]))
        return replace(self, centre=tuple(centre.tolist()), scale=tuple(scale.tolist()))

    def raw(self, entries: "Singles | Floats | Sequence[float]") -> Value:
        """What stands behind the context entries [columns]: a number in `unit`, or words.

        None where a value was missing (or no level) and has no column of its own.
        """
        encoded = np.asarray(entries, dtype=np.float64) * np.asarray(self.scale) + np.asarray(self.centre)
        if self.unknown and encoded[-1] > 0.5:
            return UNKNOWN
        if self.kind == "number":
            return float(encoded[0])
        if self.kind == "flag":
            return "yes" if encoded[0] > 0.5 else "no"
        if self.kind == "cyclical":
            return self._moment(float(encoded[0]), float(encoded[1]))
        best = int(encoded[: len(self.choices)].argmax())
        return self.choices[best] if encoded[best] > 0.5 else None

    def to_json(self) -> dict[str, Any]:
        """Without what is left at its default, so that a plain number looks as it always did."""
        defaults = {field.name: field.default for field in fields(self)[_ALWAYS_STORED:]}
        return {key: value for key, value in asdict(self).items() if defaults.get(key, self) != value}

    def _with_unknown(self, encoded: Floats, missing: "np.ndarray[Any, np.dtype[np.bool_]]") -> Floats:
        return np.column_stack([encoded, missing]) if self.unknown else encoded

    def _moment(self, sine: float, cosine: float) -> Value:
        if np.hypot(sine, cosine) < 0.5:
            return None
        value = float(np.arctan2(sine, cosine)) / (2.0 * np.pi) * self.period % self.period
        return self.levels[round(value) % len(self.levels)] if self.levels else value


@dataclass(frozen=True, slots=True)
class Reading:
    """One feature of one case: its raw value, and the entries of the context that speak for it."""

    name: str
    value: Value
    unit: str
    entries: slice


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """The features of a context, in order; `len` is the number d of model columns."""

    features: tuple[Feature, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", tuple(self.features))
        for names in (self.names, self.columns):
            if len(set(names)) != len(names):
                raise InputError("Two features have the same name; every feature needs its own.")

    def __len__(self) -> int:
        return sum(len(feature) for feature in self.features)

    @property
    def names(self) -> tuple[str, ...]:
        """The raw columns, one per feature."""
        return tuple(feature.name for feature in self.features)

    @property
    def columns(self) -> tuple[str, ...]:
        """The model columns, d of them."""
        return tuple(name for feature in self.features for name in feature.columns)

    @property
    def spans(self) -> tuple[slice, ...]:
        """For each feature, its entries of a context."""
        ends = np.cumsum([0, *(len(feature) for feature in self.features)]).tolist()
        return tuple(slice(first, last) for first, last in pairwise(ends))

    def transform(self, columns: dict[str, ArrayLike]) -> Singles:
        """float32[n, d] from one array per feature name; NaN or None is missing.

        Raises InputError for a missing column, unequal lengths, or values of the wrong kind; other columns are
        ignored.
        """
        encoded = [feature.encode(column_of(columns, feature.name)) for feature in self.features]
        if len({len(values) for values in encoded}) > 1:
            raise InputError("The feature columns differ in length; every column needs one value per case.")
        out = np.empty((len(encoded[0]) if encoded else 0, len(self)), dtype=np.float32)
        for feature, span, values in zip(self.features, self.spans, encoded, strict=True):
            out[:, span] = feature.scaled(values)
        return out

    def fitted(self, columns: dict[str, ArrayLike]) -> "FeatureSpec":
        """The same features, centred and scaled on these columns."""
        return FeatureSpec(
            tuple(feature.fitted(column_of(columns, feature.name)) for feature in self.features)
        )

    def readings(self, context: Singles) -> tuple[Reading, ...]:
        """What a context float32[d] says, one reading per feature."""
        pairs = zip(self.features, self.spans, strict=True)
        return tuple(Reading(f.name, f.raw(context[span]), f.unit, span) for f, span in pairs)

    def to_json(self) -> list[dict[str, Any]]:
        return [feature.to_json() for feature in self.features]

    @classmethod
    def from_json(cls, data: list[dict[str, Any]]) -> Self:
        """Raises InputError for properties that this version does not know."""
        try:
            return cls(tuple(Feature(**item) for item in data))
        except TypeError as error:
            raise InputError("These features were stored by a newer Kulanz; update Kulanz.") from error


def numbers(name: str, column: ArrayLike) -> Floats:
    """float64[n] of a raw column, NaN where a value is missing; raises InputError for text and tables."""
    try:
        values = np.atleast_1d(np.asarray(column, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise InputError(f"The column {name} holds something that is no number.") from error
    if values.ndim != 1:
        raise InputError(f"The column {name} is a table; hand in one value per case.")
    return values


def level_codes(name: str, column: ArrayLike, levels: tuple[str, ...]) -> Indices:
    """The place in `levels` of each text int[n]; -1 for what is missing or not among them."""
    values = np.atleast_1d(np.asarray(column))
    if values.ndim != 1 or values.dtype.kind not in "OUT":
        raise InputError(f"The column {name} is a category; hand in one name per case, as text.")
    codes = np.full(len(values), -1, dtype=np.intp)
    for code, level in enumerate(levels):
        codes[np.asarray(values == level, dtype=np.bool_)] = code
    return codes


def bucket_names(edges: tuple[float, ...]) -> tuple[str, ...]:
    """Whole edges read as whole units ("8 to 14": from 8 to under 15), others as "0.5 to under 1.5"."""
    whole = all(float(edge).is_integer() for edge in edges)
    inner = []
    for first, end in pairwise(edges):
        if whole:
            inner.append(_plain(first) if end == first + 1 else f"{_plain(first)} to {_plain(end - 1)}")
        else:
            inner.append(f"{_plain(first)} to under {_plain(end)}")
    return (f"below {_plain(edges[0])}", *inner, f"{_plain(edges[-1])} or more")


def _requirements(feature: Feature) -> list[tuple[str, bool]]:
    """What must hold, the first failure first; `columns` can only be counted once the rest is sound."""
    kind, edges, levels = feature.kind, feature.edges, feature.levels
    rising = bool(np.isfinite(edges).all() and (np.diff(edges) > 0).all())
    named = len(set(levels)) == len(levels) <= MOST_LEVELS and all(isinstance(each, str) for each in levels)
    fill_high = min(feature.high, 1.0) if kind == "flag" else feature.high
    fill_low = max(feature.low, 0.0) if kind == "flag" else feature.low
    centre, scale = np.atleast_1d(feature.centre), np.atleast_1d(feature.scale)
    return [
        (f"its kind is one of {', '.join(_KINDS)}", kind in _KINDS),
        ("fill must lie between low and high (a flag's within 0..1)", fill_low <= feature.fill <= fill_high),
        ("a bucket needs rising edges, other kinds have none", bool(edges) == (kind == "bucket") and rising),
        (f"a bucket has at most {MOST_LEVELS} edges", len(edges) <= MOST_LEVELS),
        (f"at most {MOST_LEVELS} levels, each text and none twice", named),
        ("a category needs levels, a number has none", not levels or kind in ("category", "cyclical")),
        ("a category needs levels", bool(levels) or kind != "category"),
        ("a cyclical feature needs a period above zero, others have none", _period_fits(feature)),
        ("one level for each whole value of the period", kind != "cyclical" or _levels_fit(feature)),
        (
            "scale above zero and centre finite",
            bool((scale > 0).all() and np.isfinite([*scale, *centre]).all()),
        ),
        ("low and high must be finite, and within 1e30 scales of the centre", _bounds_fit(feature)),
        ("one centre and scale, or one per column", {len(centre), len(scale)} <= {1, _width(feature)}),
    ]


def _bounds_fit(feature: Feature) -> bool:
    """So that a clipped value fits into a float32."""
    centre, scale = np.atleast_1d(feature.centre)[0], np.atleast_1d(feature.scale)[0]
    bounds = np.array([feature.low, feature.high])
    return bool(np.isfinite(bounds).all() and (np.abs(bounds / 1e30 - centre / 1e30) <= scale).all())


def _period_fits(feature: Feature) -> bool:
    if feature.kind != "cyclical":
        return feature.period == 0
    return bool(0 < feature.period < np.inf)


def _levels_fit(feature: Feature) -> bool:
    return not feature.levels or len(feature.levels) == feature.period


def _width(feature: Feature) -> int:
    own = {"bucket": len(feature.edges) + 1, "category": len(feature.levels), "cyclical": 2}
    return own.get(feature.kind, 1) + feature.unknown


def column_of(columns: dict[str, ArrayLike], name: str) -> ArrayLike:
    if name not in columns:
        raise InputError(f"The column {name} is missing; hand in one array for each feature.")
    return columns[name]


def _one_hot(codes: Indices, levels: int) -> Floats:
    out = np.zeros((len(codes), levels))
    known = np.flatnonzero(codes >= 0)
    out[known, codes[known]] = 1.0
    return out


def _plain(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else f"{number:g}"
