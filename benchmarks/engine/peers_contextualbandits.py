"""contextualbandits: policies over scikit-learn's classifiers or its own linear models. It knows no vetoes.

`predict` returns actions without the chance with which each was taken.
"""

from collections.abc import Callable, Iterator
from typing import Any

from contextualbandits import online
from contextualbandits.linreg import LinearRegression
from sklearn.linear_model import SGDClassifier

from engine.results import Decided, Learned
from engine.scene import Scene, cpu_seconds

ROWS = {8: 20_000, 48: 10_000, 200: 5_000}
FAST = {"random_state": 1, "njobs": 1}
Maker = Callable[[int], Any]
POLICIES: dict[str, tuple[str, Maker]] = {
    "LinUCB": ("ucb", lambda actions: online.LinUCB(actions, **FAST)),
    "SoftmaxExplorer": ("softmax", lambda actions: online.SoftmaxExplorer(_sgd(), actions, **FAST)),
    "AdaptiveGreedy": ("adaptive_greedy", lambda actions: online.AdaptiveGreedy(_sgd(), actions, **FAST)),
    "BootstrappedTS": (
        "bootstrap",
        lambda actions: online.BootstrappedTS(
            _sgd(), actions, nsamples=5, random_state=1, njobs_arms=1, njobs_samples=1
        ),
    ),
    "EpsilonGreedy (linear)": (
        "epsilon_greedy",
        lambda actions: online.EpsilonGreedy(LinearRegression(), actions, beta_prior=None, **FAST),
    ),
}


def decide(scene: Scene, rows: int = 0) -> Iterator[Decided]:
    """Batch predictions; the vetoes are not told to it."""
    x = scene.contexts[: rows or ROWS[scene.actions]].astype("float64")
    for name, (exploration, make) in POLICIES.items():
        model = make(scene.actions)
        model.fit(scene.past_contexts.astype("float64"), scene.past_actions, scene.past_rewards)
        seconds = cpu_seconds(lambda: model.predict(x), 3)  # noqa: B023 - called at once
        yield Decided(
            engine=f"contextualbandits {name}",
            exploration=exploration,
            actions=scene.actions,
            features=scene.features,
            rows=len(x),
            per_cpu_s=len(x) / seconds,
            probabilities=False,
            vetoes=False,
        )


def learn(scene: Scene) -> Iterator[Learned]:
    """Its LinUCB, which keeps an inverse per action up to date."""
    model = online.LinUCB(scene.actions, **FAST)
    x, actions, rewards = scene.past_contexts.astype("float64"), scene.past_actions, scene.past_rewards
    model.fit(x, actions, rewards)
    seconds = cpu_seconds(lambda: model.partial_fit(x, actions, rewards), 3)
    yield Learned(
        engine="contextualbandits LinUCB",
        model="ridge regression per action",
        actions=scene.actions,
        features=scene.features,
        rows=len(x),
        per_cpu_s=len(x) / seconds,
        one_update_us=1e6 * cpu_seconds(lambda: model.partial_fit(x[:1], actions[:1], rewards[:1]), 20),
        refresh_ms=0.0,
    )


def _sgd() -> SGDClassifier:
    return SGDClassifier(loss="log_loss", random_state=1)
