"""The linear terms of an action: which columns of the regression a (context, action) pair switches on.

Score = T[channel, slot | x] + O[channel, tone, offer | x], wait its own arm. Bias terms are main effects and
chosen pairs; context terms give a level of one factor its own weights over the d features.
"""

from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np

from kulanz.engine.actions import WAIT, ActionSpace
from kulanz.engine.arrays import Codes, Floats, Indices

_BIAS = (
    ("intercept", (), "all", "intercept"),
    ("wait", (), "wait", "wait"),
    ("channel", ("channel",), "when", "channel"),
    ("weekday", ("weekday",), "when", "weekday"),
    ("band", ("band",), "when", "band"),
    ("channel x band", ("channel", "band"), "when", "pairs"),
    ("weekday x band", ("weekday", "band"), "when", "pairs"),
    ("tone", ("tone",), "how", "tone"),
    ("offer", ("offer",), "how", "offer"),
    ("channel x tone", ("channel", "tone"), "how", "pairs"),
    ("channel x offer", ("channel", "offer"), "how", "pairs"),
    ("tone x offer", ("tone", "offer"), "how", "pairs"),
)
_CONTEXT = (
    ("anyone", (), "all", "shared"),
    ("wait", (), "wait", "own"),
    ("channel", ("channel",), "when", "own"),
    ("band", ("band",), "when", "own"),
    ("tone", ("tone",), "how", "own"),
    ("offer", ("offer",), "how", "own"),
)


@dataclass(frozen=True, slots=True)
class Term:
    """Levels of a factor, or of a pair, as columns from `start`. `part`: all, wait, when (T) or how (O)."""

    name: str
    factors: tuple[str, ...]
    part: str
    group: str
    start: int
    levels: int


@dataclass(frozen=True, slots=True)
class Cells:
    """The bias columns and context levels that each cell of a table switches on: int[cells, terms]."""

    bias: Indices
    context: Indices


class Design:
    """Columns: first the bias terms, then every context level with its d weights."""

    def __init__(self, space: ActionSpace, d: int) -> None:
        self.space = space
        self.d = d
        self._sizes = {
            "channel": len(space.channels),
            "weekday": len(space.weekdays),
            "band": len(space.bands),
            "tone": len(space.tones),
            "offer": len(space.offers),
        }
        self.bias_terms = self._terms(_BIAS)
        self.context_terms = self._terms(_CONTEXT) if d else ()
        self.biases = sum(term.levels for term in self.bias_terms)
        self.context_levels = sum(term.levels for term in self.context_terms)
        self.columns = self.biases + self.context_levels * d

    def _terms(self, table: tuple[tuple[str, tuple[str, ...], str, str], ...]) -> tuple[Term, ...]:
        terms: list[Term] = []
        start = 0
        for name, factors, part, group in table:
            if any(self._sizes[factor] == 1 for factor in factors):
                continue
            levels = prod(self._sizes[factor] for factor in factors)
            terms.append(Term(name, factors, part, group, start, levels))
            start += levels
        return tuple(terms)

    @cached_property
    def groups(self) -> dict[str, Indices]:
        """Group name -> its columns; each group shares one prior variance."""
        found: dict[str, list[int]] = {}
        for term in self.bias_terms:
            found.setdefault(term.group, []).extend(range(term.start, term.start + term.levels))
        for term in self.context_terms:
            first = self.biases + term.start * self.d
            found.setdefault(term.group, []).extend(range(first, first + term.levels * self.d))
        return {name: np.array(columns) for name, columns in found.items()}

    def codes(self, actions: Codes) -> dict[str, Indices]:
        """One code per factor; what they hold for a wait has no meaning."""
        channel, slot, tone, offer = np.maximum(actions, 0).astype(np.intp).T
        weekday, band = np.divmod(slot, len(self.space.bands))
        return {"channel": channel, "weekday": weekday, "band": band, "tone": tone, "offer": offer}

    def level(self, term: Term, codes: dict[str, Indices]) -> Indices:
        """The column (bias) or the context level that each row switches on in `term`."""
        out = np.zeros(len(codes["channel"]), dtype=np.intp)
        for factor in term.factors:
            out = out * self._sizes[factor] + codes[factor]
        return out + term.start

    def rows(self, contexts: Floats, actions: Codes) -> Floats:
        """float64[n, columns] of the regression for contexts float64[n, d] and actions int16[n, 4]."""
        n = len(actions)
        codes = self.codes(actions)
        waits = actions[:, 0] == WAIT
        out = np.zeros((n, self.columns))
        inner = out[:, self.biases :].reshape(n, self.context_levels, self.d)
        for term in self.bias_terms:
            at = self._active(term, waits)
            out[at, self.level(term, codes)[at]] = 1.0
        for term in self.context_terms:
            at = self._active(term, waits)
            inner[at, self.level(term, codes)[at]] = contexts[at]
        return out

    @staticmethod
    def _active(term: Term, waits: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]") -> Indices:
        if term.part == "all":
            return np.arange(len(waits))
        return np.flatnonzero(waits if term.part == "wait" else ~waits)

    @cached_property
    def wait_cells(self) -> Cells:
        return self._cells(np.full((1, 4), WAIT, dtype=np.int16), ("all", "wait"))

    @cached_property
    def when_cells(self) -> Cells:
        """Cells of T; what all actions share is counted here."""
        channel, slot = np.divmod(np.arange(self.space.channel_slots), self.space.slots)
        zero = np.zeros_like(channel)
        return self._cells(np.stack([channel, slot, zero, zero], axis=1).astype(np.int16), ("all", "when"))

    @cached_property
    def how_cells(self) -> Cells:
        channel, pair = np.divmod(np.arange(self.space.channel_tone_offers), self.space.tone_offers)
        tone, offer = np.divmod(pair, len(self.space.offers))
        return self._cells(np.stack([channel, channel * 0, tone, offer], axis=1).astype(np.int16), ("how",))

    def _cells(self, actions: Codes, parts: tuple[str, ...]) -> Cells:
        codes = self.codes(actions)

        def columns(terms: tuple[Term, ...]) -> Indices:
            chosen = [self.level(term, codes) for term in terms if term.part in parts]
            return np.stack(chosen, axis=1) if chosen else np.empty((len(actions), 0), dtype=np.intp)

        return Cells(columns(self.bias_terms), columns(self.context_terms))

    def fold(self, weights: Floats, cells: Cells) -> Floats:
        """float64[d + 1, cells]: the bias of each cell, then its weight per feature."""
        own = weights[self.biases :].reshape(self.context_levels, self.d)
        out = np.zeros((self.d + 1, len(cells.bias)))
        out[0] = weights[: self.biases][cells.bias].sum(axis=1)
        out[1:] = own[cells.context].sum(axis=1).T
        return out
