"""Decision science on arrays: which action for which case, with what probability, and what it was worth.

Usable without the rest of Kulanz: NumPy and SciPy are all it needs.
"""

from kulanz.engine.actions import WAIT, ActionSpace, Allowed, Decisions
from kulanz.engine.budgeting.budgeted import Budgeted
from kulanz.engine.budgeting.budgets import Budget, BudgetPlan
from kulanz.engine.delay import Credit, Hazard, corrections
from kulanz.engine.drift import FeatureDrift, Reference, drift
from kulanz.engine.evaluation.bootstrap import bootstrap_interval
from kulanz.engine.evaluation.episodes import sequential_dr
from kulanz.engine.evaluation.estimators import (
    Estimate,
    cut_predictions,
    dm,
    dr,
    ips,
    snips,
    switch_dr,
    switch_threshold,
)
from kulanz.engine.evaluation.evidence import Groups, Terms
from kulanz.engine.evaluation.gate import GateSettings, Guardrail, Outcome, Verdict, gate, watch
from kulanz.engine.evaluation.intervals import empirical_bernstein, mean_interval, mean_limits
from kulanz.engine.evaluation.lift import Lift, lift, lift_limits
from kulanz.engine.explain import Contribution, Explanation, Parts, Veto
from kulanz.engine.exploring.explore import ProbabilityError
from kulanz.engine.features import Feature, FeatureSpec, Reading
from kulanz.engine.holdout import in_holdout
from kulanz.engine.policy import Policy, Settings
from kulanz.engine.qvalues import QValues
from kulanz.engine.reward import RewardSettings, reward, worth
from kulanz.engine.sequential import SequentialSettings, Steps, fitted_q
from kulanz.engine.simulation.simulate import Act, Cause, Population, Reactions
from kulanz.engine.store import PolicyFileError
from kulanz.engine.surrogate import Surrogate

__all__ = [
    "WAIT",
    "Act",
    "ActionSpace",
    "Allowed",
    "Budget",
    "BudgetPlan",
    "Budgeted",
    "Cause",
    "Contribution",
    "Credit",
    "Decisions",
    "Estimate",
    "Explanation",
    "Feature",
    "FeatureDrift",
    "FeatureSpec",
    "GateSettings",
    "Groups",
    "Guardrail",
    "Hazard",
    "Lift",
    "Outcome",
    "Parts",
    "Policy",
    "PolicyFileError",
    "Population",
    "ProbabilityError",
    "QValues",
    "Reactions",
    "Reading",
    "Reference",
    "RewardSettings",
    "SequentialSettings",
    "Settings",
    "Steps",
    "Surrogate",
    "Terms",
    "Verdict",
    "Veto",
    "bootstrap_interval",
    "corrections",
    "cut_predictions",
    "dm",
    "dr",
    "drift",
    "empirical_bernstein",
    "fitted_q",
    "gate",
    "in_holdout",
    "ips",
    "lift",
    "lift_limits",
    "mean_interval",
    "mean_limits",
    "reward",
    "sequential_dr",
    "snips",
    "switch_dr",
    "switch_threshold",
    "watch",
    "worth",
]
