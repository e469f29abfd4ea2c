"""What a policy has learned and what follows from it, for flat action sets and for factored ones.

A learner holds sums and nothing else; a fit is the posterior that follows from them.
"""

from dataclasses import dataclass, fields
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from kulanz.engine.actions import ActionSpace, Allowed, Decisions
from kulanz.engine.arms import ArmSums
from kulanz.engine.arrays import Codes, Floats, Ints, Singles
from kulanz.engine.design import Design
from kulanz.engine.explain import Parts, factored_parts, flat_parts
from kulanz.engine.exploring.choices import FlatChoices
from kulanz.engine.exploring.explore import Explorer
from kulanz.engine.exploring.flat import FlatDecider, FlatTables
from kulanz.engine.exploring.options import Options
from kulanz.engine.exploring.tree import TreeDecider, TreeTables
from kulanz.engine.features import FeatureSpec
from kulanz.engine.hierarchy import ArmFit, fit_arms
from kulanz.engine.model import Fit, Statistics, fit
from kulanz.kernel.errors import InputError

Arrays = dict[str, NDArray[Any]]
KernelName = Literal["numpy", "compiled"]


class Decider(Protocol):
    """Turns contexts into scores and scores into draws; stored scores draw the same again, bit for bit."""

    def scores(self, contexts: Singles) -> Singles: ...

    def decide(
        self, contexts: Singles, allowed: Allowed, seed: int, ids: Ints, *, keep_scores: bool = True
    ) -> Decisions: ...

    def replay(self, scores: Singles, allowed: Allowed, seed: int, ids: Ints) -> Decisions: ...

    def propensity_of(self, scores: Singles, allowed: Allowed, actions: Codes) -> Floats: ...

    def options(self, scores: Singles, allowed: Allowed) -> Options:
        """What a budget weighs against each other."""


class Fitted(Protocol):
    """A posterior. `spread`: standard deviation of a single target; arrays() is all there is to it."""

    @property
    def spread(self) -> float: ...

    def predict(self, contexts: Singles, actions: Codes) -> Floats:
        """Expected target float64[n] of taking actions int16[n, 4] at contexts float32[n, d]."""

    def decider(self, explorer: Explorer, kernel: KernelName) -> Decider: ...

    def parts(self, features: FeatureSpec, context: Singles, action: Codes) -> Parts: ...

    def arrays(self) -> Arrays: ...


class Learner(Protocol):
    """Sums over learned rows, and over decisions whose outcome is awaited."""

    @property
    def count(self) -> float:
        """Rows learned so far, by weight."""

    def add(self, contexts: Singles, actions: Codes, targets: Floats, weights: Floats | float) -> None:
        """Count rows; raises InputError and counts none where more is taken out than was learned."""

    def pend(self, contexts: Singles, actions: Codes, weight: float) -> None:
        """Note decisions whose outcome is awaited (weight 1), or that they no longer are (-1)."""

    def clear_pending(self) -> None: ...

    def scale(self, factor: float) -> None:
        """Let all that was learned count `factor` times as much."""

    def fit(self, *, prior_sd: float, noise: float | None, scale: float) -> Fitted:
        """The posterior if every row counted `scale` times; see fit_arms for the rest."""

    def load_fit(self, arrays: Arrays) -> Fitted: ...

    def arrays(self) -> Arrays: ...

    def load(self, arrays: Arrays) -> None: ...


@dataclass(frozen=True, slots=True)
class FlatFitted:
    """The posterior over a flat set of actions."""

    fit: ArmFit
    space: ActionSpace

    @property
    def spread(self) -> float:
        return self.fit.spread

    def predict(self, contexts: Singles, actions: Codes) -> Floats:
        return self.fit.predict(contexts, _taken(actions))

    def decider(self, explorer: Explorer, kernel: KernelName) -> FlatChoices:
        return FlatChoices(FlatDecider(_flat_tables(self.fit), explorer, kernel=kernel))

    def parts(self, features: FeatureSpec, context: Singles, action: Codes) -> Parts:
        code = int(_taken(action[None, :])[0])
        return flat_parts(features, self.fit.weights, context, code, self.space.channels[code])

    def arrays(self) -> Arrays:
        return {f"fit.{field.name}": np.asarray(getattr(self.fit, field.name)) for field in fields(ArmFit)}


class FlatLearner:
    """Sums per arm: small tables, one for each action."""

    def __init__(self, space: ActionSpace, d: int) -> None:
        self._space = space
        self._sums = ArmSums.empty(len(space.channels), d)
        self._pending: ArmSums | None = None

    @property
    def count(self) -> float:
        return float(self._sums.counts.sum())

    def add(self, contexts: Singles, actions: Codes, targets: Floats, weights: Floats | float) -> None:
        self._sums.add(contexts, actions[:, 0], targets, weights)

    def pend(self, contexts: Singles, actions: Codes, weight: float) -> None:
        if self._pending is None:
            self._pending = ArmSums(np.zeros_like(self._sums.products))
        self._pending.add(contexts, actions[:, 0], np.zeros(len(actions)), weight)

    def clear_pending(self) -> None:
        self._pending = None

    def scale(self, factor: float) -> None:
        self._sums.products *= factor

    def fit(self, *, prior_sd: float, noise: float | None, scale: float) -> FlatFitted:
        sums = ArmSums(self._sums.products * scale)
        found = fit_arms(sums, prior_sd=prior_sd, noise=noise, pending=self._pending)
        return FlatFitted(found, self._space)

    def load_fit(self, arrays: Arrays) -> FlatFitted:
        found: dict[str, Any] = {field.name: arrays[f"fit.{field.name}"] for field in fields(ArmFit)}
        return FlatFitted(ArmFit(**found | {"spread": float(found["spread"])}), self._space)

    def arrays(self) -> Arrays:
        return {"products": self._sums.products} | (
            {} if self._pending is None else {"pending": self._pending.products}
        )

    def load(self, arrays: Arrays) -> None:
        self._sums = ArmSums(_like(arrays["products"], self._sums.products))
        pending = arrays.get("pending")
        self._pending = None if pending is None else ArmSums(_like(pending, self._sums.products))


@dataclass(frozen=True, slots=True)
class FactoredFitted:
    """The posterior over channel, slot, tone and offer."""

    fit: Fit
    design: Design

    @property
    def spread(self) -> float:
        return self.fit.spread

    def predict(self, contexts: Singles, actions: Codes) -> Floats:
        return self.design.rows(contexts.astype(np.float64), actions) @ self.fit.weights

    def decider(self, explorer: Explorer, kernel: KernelName) -> TreeDecider:
        return TreeDecider(self.design.space, _tree_tables(self.fit, self.design), explorer, kernel=kernel)

    def parts(self, features: FeatureSpec, context: Singles, action: Codes) -> Parts:
        return factored_parts(self.design, features, self.fit.weights, context, action)

    def arrays(self) -> Arrays:
        return {f"fit.{field.name}": np.asarray(getattr(self.fit, field.name)) for field in fields(Fit)}


class FactoredLearner:
    """Sums over the regression's columns: main effects, chosen pairs, and weights over the features."""

    def __init__(self, space: ActionSpace, d: int) -> None:
        self.design = Design(space, d)
        self._sums = Statistics.empty(self.design.columns)
        self._pending: Statistics | None = None

    @property
    def count(self) -> float:
        return self._sums.count

    def add(self, contexts: Singles, actions: Codes, targets: Floats, weights: Floats | float) -> None:
        self._sums.add(self.design, contexts.astype(np.float64), actions, targets, weights)

    def pend(self, contexts: Singles, actions: Codes, weight: float) -> None:
        if self._pending is None:
            self._pending = Statistics.empty(self.design.columns)
        nothing = np.zeros(len(actions))
        self._pending.add(self.design, contexts.astype(np.float64), actions, nothing, weight)

    def clear_pending(self) -> None:
        self._pending = None

    def scale(self, factor: float) -> None:
        self._sums = self._sums.scaled(factor)

    def fit(self, *, prior_sd: float, noise: float | None, scale: float) -> FactoredFitted:
        sums = self._sums if scale == 1.0 else self._sums.scaled(scale)
        found = fit(sums, self.design, prior_sd=prior_sd, noise=noise, pending=self._pending)
        return FactoredFitted(found, self.design)

    def load_fit(self, arrays: Arrays) -> FactoredFitted:
        found: dict[str, Any] = {field.name: arrays[f"fit.{field.name}"] for field in fields(Fit)}
        single = {name: float(found[name]) for name in ("wait_variance", "spread")}
        return FactoredFitted(Fit(**found | single), self.design)

    def arrays(self) -> Arrays:
        return _of(self._sums, "") | ({} if self._pending is None else _of(self._pending, "pending."))

    def load(self, arrays: Arrays) -> None:
        self._sums = self._from(arrays, "")
        self._pending = self._from(arrays, "pending.") if "pending.gram" in arrays else None

    def _from(self, arrays: Arrays, prefix: str) -> Statistics:
        found = {field.name: arrays[prefix + field.name] for field in fields(Statistics)}
        return Statistics(
            float(found["count"]),
            _like(found["gram"], self._sums.gram),
            _like(found["moment"], self._sums.moment),
            float(found["square"]),
        )


def _taken(actions: Codes) -> Codes:
    """The arm of each row; raises InputError where there is none, which would silently read as the last arm."""
    arms: Codes = actions[:, 0]
    if (arms < 0).any():
        raise InputError(
            "All was vetoed here and no action was taken: there is nothing to predict or explain."
        )
    return arms


def _flat_tables(fit: ArmFit) -> FlatTables:
    """The squared distance from each arm's centre, multiplied out: constant, linear and square terms."""
    middle = fit.centre @ fit.axes
    linear = -2.0 * fit.axes @ (fit.own_variance * middle).T
    constant = fit.mean_variance + np.sum(fit.own_variance * middle**2, axis=1)
    spread = np.concatenate([constant[None, :], linear, fit.own_variance.T])
    tables = (fit.weights, fit.axes, spread, fit.mean_variance)
    return FlatTables(*(np.ascontiguousarray(table, dtype=np.float32) for table in tables))


def _tree_tables(fit: Fit, design: Design) -> TreeTables:
    cells = design.wait_cells, design.when_cells, design.how_cells
    matrix = np.concatenate([design.fold(fit.weights, cell) for cell in cells], axis=1)
    single = np.float32
    return TreeTables(
        np.ascontiguousarray(matrix, dtype=single),
        fit.wait_variance,
        fit.when_variance.astype(single),
        fit.how_variance.astype(single),
    )


def learner(space: ActionSpace, d: int) -> FlatLearner | FactoredLearner:
    return FlatLearner(space, d) if space.is_flat else FactoredLearner(space, d)


def _of(sums: Statistics, prefix: str) -> Arrays:
    return {prefix + field.name: np.asarray(getattr(sums, field.name)) for field in fields(Statistics)}


def _like(array: NDArray[Any], other: Floats) -> Floats:
    if array.shape != other.shape:
        raise ValueError(f"{array.shape} instead of {other.shape}")
    return np.asarray(array, dtype=np.float64)
