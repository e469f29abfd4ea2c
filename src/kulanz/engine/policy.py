"""The policy: decides with exact probabilities, learns from rewards, explains itself, and is one file."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from kulanz.engine import store
from kulanz.engine.actions import ActionSpace, Allowed, Decisions
from kulanz.engine.arrays import Codes, Floats, Ints, Singles
from kulanz.engine.budgeting.budgeted import Budgeted, decide_within
from kulanz.engine.budgeting.budgets import Budget
from kulanz.engine.drift import Reference
from kulanz.engine.explain import Explanation, explain_parts
from kulanz.engine.exploring.explore import KINDS, Explorer, Kind
from kulanz.engine.features import FeatureSpec
from kulanz.engine.learners import Decider, Fitted, KernelName, learner
from kulanz.engine.store import PolicyFileError, pack, unpack
from kulanz.kernel.errors import InputError

_MOST_ODDS = 4.0
"""Log-odds beyond this are linearised here, so that no single row outweighs a hundred others."""
_REBASE = 32
"""Half-lives after which weights of forgotten rows are brought back to size."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator sets.

    explorer: how scores become probabilities. boldness: inverse-gap weighting uses gamma = boldness *
    sqrt(learned rows) / sd of a reward; larger sticks to the best sooner. floor: each of the K branches open
    at a choice keeps at least floor / K. cap: most that exploring may cost a choice in expectation, in reward
    units (None: no limit). prior_sd: spread of rewards to expect before any is seen. likelihood: logistic for
    rewards within [0, 1], whose scores are log-odds. half_life_days: after how long a row counts half (None:
    nothing is forgotten).
    """

    explorer: Kind = "gaussian_gap"
    boldness: float = 5.0
    floor: float = 0.001
    cap: float | None = None
    prior_sd: float = 0.3
    likelihood: Literal["gaussian", "logistic"] = "gaussian"
    half_life_days: float | None = None

    def __post_init__(self) -> None:
        known = self.explorer in KINDS and self.likelihood in ("gaussian", "logistic")
        limits = self.boldness >= 0 and 0 <= self.floor <= 1 and self.prior_sd > 0
        optional = (self.cap is None or self.cap >= 0) and (
            self.half_life_days is None or self.half_life_days > 0
        )
        if not (known and limits and optional):
            raise InputError(
                "Policy settings: a known explorer and likelihood, boldness and cap >= 0, floor within 0..1, "
                "prior_sd and half_life_days > 0."
            )


class Policy:
    """Chooses among allowed actions. Deciding depends on what was learned, never on the order it was learned
    in. `reference`: what features looked like when it was taught, kept with the version for `drift`.
    """

    def __init__(
        self,
        space: ActionSpace,
        features: FeatureSpec,
        *,
        settings: Settings | None = None,
        kernel: KernelName = "numpy",
    ) -> None:
        """`kernel`: what does the arithmetic of a draw; "compiled" needs numba and gives the same bits sooner."""
        self.space = space
        self.features = features
        self.settings = settings or Settings()
        self.reference: Reference | None = None
        self._kernel: KernelName = kernel
        self._d = len(features)
        self._learner = learner(space, self._d)
        self._fitted: Fitted | None = None
        self._decider: Decider | None = None
        self._origin: float | None = None
        self._now = 0.0

    @property
    def learned(self) -> float:
        """Rows learned so far, by weight, as much as they count today."""
        return self._learner.count / self._age_factor()

    @property
    def version(self) -> str:
        """Short hash of everything that decides: settings, names, features, sums and weights."""
        return self.version_of(self.to_bytes())

    @staticmethod
    def version_of(blob: bytes) -> str:
        """The version of the policy that `to_bytes` wrote."""
        return store.version_of(blob)

    def decide(
        self,
        contexts: Singles,
        allowed: Allowed,
        *,
        seed: int,
        ids: Ints,
        offset: Singles | None = None,
        keep_scores: bool = True,
    ) -> Decisions:
        """One decision per row of contexts float32[n, d]; ids int64[n] key the draw together with `seed`.

        `offset` float32[n] is added to the score of waiting: what waiting is worth beyond this decision
        (`QValues.offset`). Without `keep_scores` the decisions cannot be replayed, and take less memory.
        Raises InputError when shapes disagree or a context is not finite.
        """
        self._check_contexts(contexts)
        self._check_allowed(allowed, len(contexts))
        if offset is not None:
            return self.replay(self._with_offset(contexts, offset), allowed, seed=seed, ids=ids)
        return self._ready().decide(contexts, allowed, seed, ids, keep_scores=keep_scores)

    def decide_within(
        self,
        contexts: Singles,
        allowed: Allowed,
        budget: Budget,
        *,
        seed: int,
        ids: Ints,
        offset: Singles | None = None,
    ) -> Budgeted:
        """Decisions for a whole batch whose total use stays within every limit of `budget`."""
        self._check_contexts(contexts)
        self._check_allowed(allowed, len(contexts))
        scores = self.scores(contexts) if offset is None else self._with_offset(contexts, offset)
        return decide_within(self._ready(), self.space, scores, allowed, budget, seed=seed, ids=ids)

    def scores(self, contexts: Singles) -> Singles:
        """What decisions are drawn from, one row per context; the columns are the decider's own."""
        self._check_contexts(contexts)
        return self._ready().scores(contexts)

    def replay(self, scores: Singles, allowed: Allowed, *, seed: int, ids: Ints) -> Decisions:
        """The decisions that stored scores led to, bit for bit, for the same version, seed and ids."""
        self._check_allowed(allowed, len(scores))
        return self._ready().replay(scores, allowed, seed, ids)

    def propensity_of(self, scores: Singles, allowed: Allowed, actions: Codes) -> Floats:
        """Probability float64[n] with which this policy takes `actions` int16[n, 4]; 0 where vetoed."""
        self._check_allowed(allowed, len(scores))
        self._check_actions(actions, len(scores))
        return self._ready().propensity_of(scores, allowed, actions)

    def predict(self, contexts: Singles, actions: Codes) -> Floats:
        """Expected reward float64[n] of taking actions int16[n, 4] at contexts float32[n, d]."""
        self._check_contexts(contexts)
        self._check_actions(actions, len(contexts))
        expected = self._fit().predict(contexts, actions)
        return np.asarray(expit(expected)) if self.settings.likelihood == "logistic" else expected

    def learn(
        self,
        contexts: Singles,
        actions: Codes,
        rewards: NDArray[np.float64],
        *,
        weight: float | Floats = 1.0,
        at: float | None = None,
        around: Floats | None = None,
    ) -> None:
        """Count rows with their rewards float64[n]; `weight` (one, or float64[n]) -1 takes rows out exactly.

        Rewards count in steps of 2**-14, contexts in steps of 2**-10. `at`: day of these rows, any origin;
        needed where the policy forgets. `around` float64[n]: log-odds at which a logistic likelihood is
        linearised, by default those predicted now; who means to take rows out later keeps and repeats them.
        Raises InputError when shapes disagree, a value is not finite, or more is taken out than was learned;
        nothing is learned then.
        """
        self._check_contexts(contexts)
        self._check_actions(actions, len(contexts))
        rewards = np.asarray(rewards, dtype=np.float64)
        if rewards.shape != (len(contexts),) or not np.isfinite(rewards).all():
            raise InputError("Learning needs one finite reward per row.")
        if not len(contexts):
            return
        weights: Floats | float = weight * self._weight_of(at)
        if self.settings.likelihood == "logistic":
            rewards, certainty = self._linearised(contexts, actions, rewards, around)
            weights = weights * certainty
        self._learner.add(contexts, actions, rewards, weights)
        self._forget_fit()

    def pend(self, contexts: Singles, actions: Codes, *, weight: float = 1.0) -> None:
        """Note decisions whose outcome is awaited: they count in the spread. `weight` -1 takes them out again."""
        self._check_contexts(contexts)
        self._check_actions(actions, len(contexts))
        if len(contexts):
            self._learner.pend(contexts, actions, weight)
            self._forget_fit()

    def clear_pending(self) -> None:
        """No outcome is awaited any more."""
        self._learner.clear_pending()
        self._forget_fit()

    def explain(self, context: Singles, allowed: Allowed, decision: Decisions) -> Explanation:
        """Why this decision: context float32[d] of the case, its row of `allowed`, its row of decisions."""
        if len(allowed) != 1 or len(decision) != 1:
            raise InputError("An explanation needs one case: one row of allowed actions and one decision.")
        parts = self._fit().parts(self.features, context, decision.actions[0])
        return explain_parts(parts, self.space, allowed, decision)

    def to_bytes(self) -> bytes:
        """Equal policies give equal bytes."""
        meta = {
            "space": self.space.to_json(),
            "features": self.features.to_json(),
            "settings": asdict(self.settings),
            "origin": self._origin,
            "now": self._now,
            "reference": None if self.reference is None else self.reference.to_json(),
        }
        return pack(meta, {**self._learner.arrays(), **self._fit().arrays()})

    def save(self, folder: Path) -> Path:
        """Write the policy into a file named after its version."""
        return store.save(self.to_bytes(), folder)

    @classmethod
    def load(cls, path: Path, *, kernel: KernelName = "numpy") -> Self:
        """Raises PolicyFileError when the file is damaged, renamed, newer, or no policy."""
        return cls.from_bytes(store.load(path), kernel=kernel)

    @classmethod
    def from_bytes(cls, blob: bytes, *, kernel: KernelName = "numpy") -> Self:
        """Raises PolicyFileError when the bytes are damaged, newer, or no policy."""
        meta, arrays = unpack(blob)
        try:
            space, features = ActionSpace.from_json(meta["space"]), FeatureSpec.from_json(meta["features"])
            policy = cls(space, features, settings=Settings(**meta["settings"]), kernel=kernel)
            policy._origin, policy._now = meta["origin"], meta["now"]
            reference = meta["reference"]
            policy.reference = None if reference is None else Reference.from_json(reference)
            policy._learner.load(arrays)
            policy._fitted = policy._learner.load_fit(arrays)
        except (KeyError, TypeError, ValueError, InputError) as error:
            raise PolicyFileError(
                "The policy file is of an earlier version of Kulanz, or does not fit itself; teach a policy anew."
            ) from error
        return policy

    def _fit(self) -> Fitted:
        if self._fitted is None:
            known = 1.0 if self.settings.likelihood == "logistic" else None
            self._fitted = self._learner.fit(
                prior_sd=self.settings.prior_sd, noise=known, scale=1.0 / self._age_factor()
            )
        return self._fitted

    def _ready(self) -> Decider:
        if self._decider is None:
            fitted, chosen = self._fit(), self.settings
            gamma = chosen.boldness * float(np.sqrt(max(self.learned, 0.0))) / fitted.spread
            explorer = Explorer(chosen.explorer, gamma=gamma, floor=chosen.floor, cap=chosen.cap)
            self._decider = fitted.decider(explorer, self._kernel)
        return self._decider

    def _with_offset(self, contexts: Singles, offset: Singles) -> Singles:
        offset = np.asarray(offset, dtype=np.float32)
        if offset.shape != (len(contexts),) or not np.isfinite(offset).all():
            raise InputError("The worth of waiting needs one finite number per case.")
        if not self.space.waits:
            raise InputError("This action space cannot wait; leave out the worth of waiting.")
        scores = self.scores(contexts)
        scores[:, 0] += offset
        return scores

    def _forget_fit(self) -> None:
        self._fitted = self._decider = None

    def _weight_of(self, at: float | None) -> float:
        """How much a row of day `at` counts beside one of the first day; moves today on."""
        half_life = self.settings.half_life_days
        if half_life is None:
            return 1.0
        if at is None or not np.isfinite(at):
            raise InputError("A policy that forgets needs the day of the rows that it learns (at=...).")
        if self._origin is None:
            self._origin = self._now = at
        self._now = max(self._now, at)
        if self._now - self._origin > _REBASE * half_life:
            self._learner.scale(2.0**-_REBASE)
            self._origin += _REBASE * half_life
        return float(2.0 ** ((at - self._origin) / half_life))

    def _age_factor(self) -> float:
        half_life = self.settings.half_life_days
        if half_life is None or self._origin is None:
            return 1.0
        return float(2.0 ** ((self._now - self._origin) / half_life))

    def _linearised(
        self, contexts: Singles, actions: Codes, rewards: Floats, around: Floats | None
    ) -> tuple[Floats, Floats]:
        """Targets in log-odds and their weights: the likelihood's quadratic expansion (Laplace)."""
        if not ((rewards >= 0) & (rewards <= 1)).all():
            raise InputError("A logistic likelihood needs rewards within 0 and 1.")
        odds = self._fit().predict(contexts, actions) if around is None else np.asarray(around, np.float64)
        if odds.shape != rewards.shape or not np.isfinite(odds).all():
            raise InputError("Learning needs one finite log-odds per row in `around`.")
        point = np.clip(odds, -_MOST_ODDS, _MOST_ODDS)
        chance = expit(point)
        certainty = chance * (1.0 - chance)
        return point + (rewards - chance) / certainty, certainty

    def _check_contexts(self, contexts: Singles) -> None:
        if contexts.ndim != 2 or contexts.shape[1] != self._d:
            raise InputError(f"Contexts need the shape [n, {self._d}], not {list(contexts.shape)}.")
        if not np.isfinite(contexts).all():
            raise InputError("A context is not finite; make contexts with FeatureSpec.transform.")

    def _check_allowed(self, allowed: Allowed, n: int) -> None:
        allowed.check(self.space)
        if len(allowed) != n:
            raise InputError(f"{n} cases need as many rows of what is allowed, not {len(allowed)}.")

    def _check_actions(self, actions: Codes, n: int) -> None:
        self.space.check(actions)
        if len(actions) != n:
            raise InputError(f"{n} cases need as many actions, not {len(actions)}.")
