"""Decision science on arrays: which action for which case, with what probability, and what it was worth.

Usable without the rest of Kulanz: NumPy and SciPy are all it needs.
"""

from kulanz.engine.actions import WAIT, ActionSpace, Allowed, Decisions
from kulanz.engine.evaluate import Estimate, Lift, ips, lift, mean_interval, snips
from kulanz.engine.explain import Contribution, Explanation, Veto
from kulanz.engine.explore import ProbabilityError
from kulanz.engine.features import Feature, FeatureSpec
from kulanz.engine.holdout import in_holdout
from kulanz.engine.policy import Policy, Settings
from kulanz.engine.reward import RewardSettings, reward
from kulanz.engine.simulate import Act, Cause, Population, Reactions
from kulanz.engine.store import PolicyFileError

__all__ = [
    "WAIT",
    "Act",
    "ActionSpace",
    "Allowed",
    "Cause",
    "Contribution",
    "Decisions",
    "Estimate",
    "Explanation",
    "Feature",
    "FeatureSpec",
    "Lift",
    "Policy",
    "PolicyFileError",
    "Population",
    "ProbabilityError",
    "Reactions",
    "RewardSettings",
    "Settings",
    "Veto",
    "in_holdout",
    "ips",
    "lift",
    "mean_interval",
    "reward",
    "snips",
]
