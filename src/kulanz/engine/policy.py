"""The policy: decides with exact probabilities, learns from rewards, explains itself, and is one file."""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from kulanz.engine.actions import WAIT, ActionSpace, Allowed, Decisions
from kulanz.engine.arrays import Codes, Floats, Indices, Ints, Singles
from kulanz.engine.design import Design
from kulanz.engine.draws import Stream, uniforms
from kulanz.engine.explain import Explanation, explain
from kulanz.engine.explore import pick
from kulanz.engine.features import FeatureSpec
from kulanz.engine.model import Statistics, fit
from kulanz.engine.store import PolicyFileError, pack, unpack
from kulanz.engine.tree import STAGES, Choose, Explorer, walk
from kulanz.kernel.errors import InputError

BLOCK = 8192
_PAD = 512


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator sets.

    explorer: inverse_gap or gaussian_gap. boldness: inverse-gap weighting uses gamma = boldness *
    sqrt(learned rows) / sd of a reward; larger sticks to the best sooner. floor: each of the K branches open
    at a stage of the tree keeps at least floor / K. prior_sd: spread of rewards to expect before any is seen.
    """

    explorer: Literal["inverse_gap", "gaussian_gap"] = "inverse_gap"
    boldness: float = 5.0
    floor: float = 0.02
    prior_sd: float = 0.3

    def __post_init__(self) -> None:
        known = self.explorer in ("inverse_gap", "gaussian_gap")
        if not (known and self.boldness >= 0 and 0 <= self.floor <= 1 and self.prior_sd > 0):
            raise InputError(
                "Policy settings: a known explorer, boldness >= 0, floor within 0..1, prior_sd > 0."
            )


@dataclass(frozen=True, slots=True)
class _Folded:
    """The weights folded into one matrix float32[d + 1, 1 + C*S + C*T*O], and the explorer that goes with
    them.
    """

    matrix: Singles
    weights: Floats
    explorer: Explorer


class Policy:
    """Chooses among allowed actions. Deciding depends on what was learned, never on the order it was learned
    in.
    """

    def __init__(
        self, space: ActionSpace, features: FeatureSpec, *, settings: Settings | None = None
    ) -> None:
        self.space = space
        self.features = features
        self.settings = settings or Settings()
        self._design = Design(space, len(features))
        self._statistics = Statistics.empty(self._design.columns)
        self._folded: _Folded | None = None

    @property
    def learned(self) -> float:
        """Rows learned so far, by weight."""
        return self._statistics.count

    @property
    def version(self) -> str:
        """Short hash of everything that decides: settings, names, features, sums and weights."""
        return self.version_of(self.to_bytes())

    @staticmethod
    def version_of(blob: bytes) -> str:
        """The version of the policy that `to_bytes` wrote."""
        return hashlib.sha256(blob).hexdigest()[:12]

    def decide(self, contexts: Singles, allowed: Allowed, *, seed: int, ids: Ints) -> Decisions:
        """One decision per row of contexts float32[n, d]; ids int64[n] key the draw together with `seed`.

        Raises InputError when shapes disagree or a context is not finite.
        """
        self._check_contexts(contexts)
        return self.replay(self.scores(contexts), allowed, seed=seed, ids=ids)

    def scores(self, contexts: Singles) -> Singles:
        """float32[n, 1 + C*S + C*T*O]: expected reward of waiting, then tables T and O (an action scores T +
        O).
        """
        matrix = self._fold().matrix
        out = np.empty((len(contexts), matrix.shape[1]), dtype=np.float32)
        for part in _blocks(len(contexts)):
            rows = contexts[part]
            padded = np.zeros((-(-len(rows) // _PAD) * _PAD, matrix.shape[0]), dtype=np.float32)
            padded[:, 0] = 1.0
            padded[: len(rows), 1:] = rows
            out[part] = (padded @ matrix)[: len(rows)]
        return out

    def replay(self, scores: Singles, allowed: Allowed, *, seed: int, ids: Ints) -> Decisions:
        """The decisions that stored scores led to, bit for bit, for the same version, seed and ids."""
        self._check_scores(scores, allowed)
        ids = np.asarray(ids, dtype=np.int64)
        if ids.shape != (len(scores),):
            raise InputError(f"{len(scores)} cases need as many ids, not {ids.shape}.")

        def decide(part: slice) -> Decisions:
            chance = uniforms(seed, ids[part], Stream.DECISION, STAGES)
            return self._walk(scores[part], allowed.rows(part), _draw(chance))

        return Decisions.joined([decide(part) for part in _blocks(len(scores))])

    def propensity_of(self, scores: Singles, allowed: Allowed, actions: Codes) -> Floats:
        """Probability float64[n] with which this policy takes `actions` int16[n, 4]; 0 where vetoed."""
        self._check_scores(scores, allowed)
        self._check_actions(actions, len(scores))
        permitted = allowed.permits(actions, self.space)
        offers = len(self.space.offers)
        acts = permitted & (actions[:, 0] != WAIT)
        branches = np.stack(
            [acts, actions[:, 0], actions[:, 1], actions[:, 2] * offers + actions[:, 3]], axis=1
        )
        branches = branches.astype(np.intp)
        out = np.empty(len(scores))
        for part in _blocks(len(scores)):
            out[part] = self._walk(scores[part], allowed.rows(part), _follow(branches[part])).propensity
        return np.where(permitted, out, 0.0)

    def learn(
        self, contexts: Singles, actions: Codes, rewards: NDArray[np.float64], *, weight: float = 1.0
    ) -> None:
        """Count rows with their rewards float64[n]; `weight` -1 takes rows out exactly.

        Rewards count in steps of 2**-14, contexts in steps of 2**-10. Raises InputError when shapes disagree,
        a value is not finite, or more is taken out than was learned; nothing is learned then.
        """
        self._check_contexts(contexts)
        self._check_actions(actions, len(contexts))
        rewards = np.asarray(rewards, dtype=np.float64)
        if rewards.shape != (len(contexts),) or not np.isfinite(rewards).all():
            raise InputError("Learning needs one finite reward per row.")
        if len(contexts):
            self._statistics.add(self._design, contexts.astype(np.float64), actions, rewards, weight)
            self._folded = None

    def explain(self, context: Singles, allowed: Allowed, decision: Decisions) -> Explanation:
        """Why this decision: context float32[d] of the case, its row of `allowed`, its row of decisions."""
        return explain(self._design, self.features, self._fold().weights, context, allowed, decision)

    def to_bytes(self) -> bytes:
        folded = self._fold()
        meta = {
            "space": self.space.to_json(),
            "features": self.features.to_json(),
            "settings": asdict(self.settings),
            "count": self._statistics.count,
            "square": self._statistics.square,
            "gamma": folded.explorer.gamma,
            "wait_variance": folded.explorer.wait_variance,
        }
        arrays: dict[str, NDArray[Any]] = {
            "gram": self._statistics.gram,
            "moment": self._statistics.moment,
            "weights": folded.weights,
            "when_variance": folded.explorer.when_variance,
            "how_variance": folded.explorer.how_variance,
        }
        return pack(meta, arrays)

    @classmethod
    def from_bytes(cls, blob: bytes) -> Self:
        """Raises PolicyFileError when the bytes are damaged, newer, or no policy."""
        meta, arrays = unpack(blob)
        space, features = ActionSpace.from_json(meta["space"]), FeatureSpec.from_json(meta["features"])
        policy = cls(space, features, settings=Settings(**meta["settings"]))
        if arrays["gram"].shape != policy._statistics.gram.shape:
            raise PolicyFileError("The policy file does not fit its own action space; load another copy.")
        policy._statistics = Statistics(meta["count"], arrays["gram"], arrays["moment"], meta["square"])
        explorer = policy._explorer(
            meta["gamma"], meta["wait_variance"], arrays["when_variance"], arrays["how_variance"]
        )
        policy._folded = policy._fold_weights(arrays["weights"], explorer)
        return policy

    def _fold(self) -> _Folded:
        if self._folded is None:
            found = fit(self._statistics, self._design, prior_sd=self.settings.prior_sd)
            gamma = (
                self.settings.boldness * float(np.sqrt(max(self._statistics.count, 0.0))) / found.reward_sd
            )
            explorer = self._explorer(gamma, found.wait_variance, found.when_variance, found.how_variance)
            self._folded = self._fold_weights(found.weights, explorer)
        return self._folded

    def _explorer(self, gamma: float, wait: float, when: NDArray[Any], how: NDArray[Any]) -> Explorer:
        single = np.float32
        return Explorer(
            self.settings.explorer, gamma, self.settings.floor, wait, when.astype(single), how.astype(single)
        )

    def _fold_weights(self, weights: Floats, explorer: Explorer) -> _Folded:
        cells = self._design.wait_cells, self._design.when_cells, self._design.how_cells
        matrix = np.concatenate([self._design.fold(weights, cell) for cell in cells], axis=1)
        return _Folded(np.ascontiguousarray(matrix, dtype=np.float32), weights, explorer)

    def _walk(self, scores: Singles, allowed: Allowed, choose: Choose) -> Decisions:
        return walk(scores, allowed, self.space, self._fold().explorer, choose)

    def _check_contexts(self, contexts: Singles) -> None:
        if contexts.ndim != 2 or contexts.shape[1] != len(self.features):
            raise InputError(
                f"Contexts need the shape [n, {len(self.features)}], not {list(contexts.shape)}."
            )
        if not np.isfinite(contexts).all():
            raise InputError("A context is not finite; make contexts with FeatureSpec.transform.")

    def _check_scores(self, scores: Singles, allowed: Allowed) -> None:
        allowed.check(self.space)
        if scores.shape != (len(allowed), self.space.score_columns):
            wanted = [len(allowed), self.space.score_columns]
            raise InputError(f"Scores and allowed tables disagree: {list(scores.shape)} instead of {wanted}.")

    def _check_actions(self, actions: Codes, n: int) -> None:
        self.space.check(actions)
        if len(actions) != n:
            raise InputError(f"{n} cases need as many actions, not {len(actions)}.")


def _draw(chance: Floats) -> Choose:
    return lambda stage, rows, probabilities: pick(probabilities, chance[rows, stage])


def _follow(branches: Indices) -> Choose:
    return lambda stage, rows, _: branches[rows, stage]


def _blocks(n: int) -> Iterator[slice]:
    """Slices of at most BLOCK rows; one empty slice for nothing at all."""
    return (slice(first, min(first + BLOCK, n)) for first in range(0, max(n, 1), BLOCK))
