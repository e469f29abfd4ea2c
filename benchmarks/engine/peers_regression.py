"""Plain online regressions of the reward, one per action, without any exploration: scikit-learn and river."""

from collections.abc import Iterator

import numpy as np
from river import linear_model, optim
from sklearn.linear_model import SGDRegressor

from engine.results import Learned
from engine.scene import Scene, cpu_seconds

RIVER_ROWS = 2_000


def learn(scene: Scene) -> Iterator[Learned]:
    yield _scikit_learn(scene)
    yield _river(scene)


def _scikit_learn(scene: Scene) -> Learned:
    models = [SGDRegressor(random_state=1) for _ in range(scene.actions)]
    x, rewards = scene.past_contexts.astype(np.float64), scene.past_rewards

    def batch() -> None:
        for action, model in enumerate(models):
            rows = scene.past_actions == action
            model.partial_fit(x[rows], rewards[rows])

    seconds = cpu_seconds(batch, 3)
    one = cpu_seconds(lambda: models[0].partial_fit(x[:1], rewards[:1]), 20)
    return _learned(scene, "scikit-learn SGDRegressor", len(x), seconds, one)


def _river(scene: Scene) -> Learned:
    models = [linear_model.LinearRegression(optim.SGD(0.01)) for _ in range(scene.actions)]
    told = [
        (models[action], dict(enumerate(row)), reward)
        for row, action, reward in zip(
            scene.past_contexts[:RIVER_ROWS].tolist(),
            scene.past_actions[:RIVER_ROWS].tolist(),
            scene.past_rewards[:RIVER_ROWS].tolist(),
            strict=True,
        )
    ]
    seconds = cpu_seconds(lambda: [model.learn_one(row, reward) for model, row, reward in told], 3)
    return _learned(scene, "river LinearRegression", len(told), seconds, seconds / len(told))


def _learned(scene: Scene, engine: str, rows: int, seconds: float, one: float) -> Learned:
    return Learned(
        engine=engine,
        model="stochastic gradient, no spreads",
        actions=scene.actions,
        features=scene.features,
        rows=rows,
        per_cpu_s=rows / seconds,
        one_update_us=1e6 * one,
        refresh_ms=0.0,
    )
