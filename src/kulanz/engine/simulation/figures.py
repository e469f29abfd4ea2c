"""The simulated world's figures: each with its source, and the range a drawn world may take it from.

simulate.toml holds, per figure, `value` and one word about where it comes from (`source` or `assumption`).
Where a plausible range is known, `range = [low, high]` holds it for one number and `factor = [low, high]` for
each entry of a list.
"""

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Self

import numpy as np

from kulanz.engine.arrays import Floats
from kulanz.engine.draws import Stream, uniforms
from kulanz.kernel.errors import InputError

Tables = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Figures:
    """One set of figures: the published ones, or those that a seed draws inside the ranges."""

    tables: Tables

    @classmethod
    def published(cls) -> Self:
        """The values as they stand in the file."""
        return cls({name: {key: entry["value"] for key, entry in t.items()} for name, t in _file().items()})

    @classmethod
    def drawn(cls, seed: int) -> Self:
        """One world per seed: uniform inside each range, the published value where there is none.

        Each figure draws from its own name, so that a new one leaves the others where they were.
        """
        return cls({
            section: {name: _drawn(seed, f"{section}.{name}", entry) for name, entry in table.items()}
            for section, table in _file().items()
        })  # fmt: skip

    def number(self, section: str, name: str) -> float:
        return float(self.tables[section][name])

    def numbers(self, section: str, name: str) -> Floats:
        """float64[k]."""
        return np.array(self.tables[section][name], dtype=np.float64)

    def shares(self, section: str, name: str) -> Floats:
        """A list scaled to sum to 1; one that does so already keeps its bits."""
        found = self.numbers(section, name)
        total = float(found.sum())
        return found if abs(total - 1.0) < 1e-9 else np.asarray(found / total)


def _drawn(seed: int, name: str, entry: dict[str, Any]) -> Any:
    value = entry["value"]
    if "range" not in entry and "factor" not in entry:
        return value
    low, high = entry["range"] if "range" in entry else entry["factor"]
    if not low <= high:
        raise InputError(f"The range of {name} is upside down: {low} to {high}.")
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "little")
    if "range" in entry:
        return float(low + (high - low) * uniforms(seed, [number], Stream.PLANT, 1)[0, 0])
    u = uniforms(seed, [number], Stream.PLANT, len(value))[0]
    return [float(part * (low + (high - low) * chance)) for part, chance in zip(value, u, strict=True)]


@cache
def _file() -> Tables:
    found = resources.files("kulanz.engine.simulation").joinpath("simulate.toml")
    return tomllib.loads(found.read_text(encoding="utf-8"))
