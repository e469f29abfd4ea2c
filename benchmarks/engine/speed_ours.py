"""Kulanz in the speed part: flat actions, the factored space, learning, and memory."""

import tracemalloc
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from itertools import product
from typing import Any

import numpy as np

from engine.ours import codes, flat_policy, spec
from engine.results import Decided, Learned
from engine.scene import Scene, cpu_seconds, make, score_products
from kulanz.engine import ActionSpace, Allowed, Decisions, Policy, Settings
from kulanz.engine.arrays import Codes
from kulanz.engine.exploring.explore import Kind
from kulanz.engine.learners import KernelName

ROWS = {8: 262_144, 48: 131_072, 200: 32_768}
FACTORED_ROWS = 65_536
BLOCK = 8192
EXPLORERS: tuple[Kind, ...] = ("inverse_gap", "gaussian_gap", "greedy")
KERNELS: tuple[KernelName, ...] = ("numpy", "compiled")
FACTORS = ActionSpace(
    channels=("email", "sms", "letter", "phone", "app", "visit"),
    tones=("friendly", "neutral", "firm", "formal"),
    offers=("none", "plan", "pause", "discount", "call back"),
)
COMBINATIONS = 5_040
"""6 x 42 x 4 x 5, and to wait."""


def decide(
    scene: Scene, explorers: Sequence[Kind] = EXPLORERS, kernels: Sequence[KernelName] = KERNELS
) -> Iterator[Decided]:
    """Decisions with their exact probabilities; the score product is measured beside each."""
    allowed = Allowed.flat(scene.allowed)
    for kernel, explorer in product(kernels, explorers):
        policy = flat_policy(scene.actions, scene.features, Settings(explorer=explorer), kernel)
        policy.learn(scene.past_contexts, codes(scene.past_actions), scene.past_rewards)
        yield _decided(policy, kernel, scene, allowed, scene.actions)


def decide_factored(rows: int = FACTORED_ROWS, features: int = 32) -> Iterator[Decided]:
    """5,040 combinations of four factors, a fifth of each table's cells vetoed, and to wait."""
    scene = make(FACTORS.channel_slots + FACTORS.channel_tone_offers, features, rows)
    edge = FACTORS.channel_slots
    slots, pairs = scene.allowed[:, :edge].copy(), scene.allowed[:, edge:].copy()
    allowed = Allowed(np.ones(rows, dtype=np.bool_), slots, pairs)
    for kernel, explorer in product(KERNELS, EXPLORERS):
        policy = Policy(FACTORS, spec(features), settings=Settings(explorer=explorer), kernel=kernel)
        policy.learn(scene.past_contexts, _factored(scene), scene.past_rewards)
        yield _decided(policy, kernel, scene, allowed, COMBINATIONS)


def learn(actions: int = 48, features: int = 32, rows: int = 262_144) -> Learned:
    """In batches, one row alone, and the refresh that the first decision after learning pays."""
    scene = make(actions, features, BLOCK, past=rows)
    policy = flat_policy(actions, features)
    taken, rewards = codes(scene.past_actions), scene.past_rewards
    batch = cpu_seconds(lambda: policy.learn(scene.past_contexts, taken, rewards))
    one = _one_update(policy, scene, taken)
    return Learned(
        engine="kulanz",
        model="hierarchical Bayesian regression",
        actions=actions,
        features=features,
        rows=rows,
        per_cpu_s=rows / batch,
        one_update_us=1e6 * one,
        refresh_ms=1e3 * _refresh(policy, scene, taken),
        file_bytes=len(policy.to_bytes()),
        memory_bytes=array_bytes(policy),
    )


def array_bytes(thing: Any) -> int:
    """Bytes of all arrays that an object holds, each counted once."""
    return sum(array.nbytes for array in _arrays(thing, {}).values())


def _decided(policy: Policy, kernel: KernelName, scene: Scene, allowed: Allowed, actions: int) -> Decided:
    """Without the scores, which the peers do not keep either."""
    ids = np.arange(len(scene.contexts), dtype=np.int64)

    def run() -> Decisions:
        return policy.decide(scene.contexts, allowed, seed=1, ids=ids, keep_scores=False)

    seconds = cpu_seconds(run)
    kept, peak = _memory(policy, scene, allowed)
    return Decided(
        engine=f"kulanz ({kernel})",
        exploration=policy.settings.explorer,
        actions=actions,
        features=scene.features,
        rows=len(ids),
        per_cpu_s=len(ids) / seconds,
        probabilities=True,
        vetoes=True,
        score_product_per_cpu_s=score_products(scene),
        kept_bytes=kept,
        peak_bytes=peak,
    )


def _memory(policy: Policy, scene: Scene, allowed: Allowed) -> tuple[float, float]:
    """Per row of a block: what its decisions keep, and the most that was in use while deciding."""
    n = min(BLOCK, len(scene.contexts))
    contexts, open_actions, ids = scene.contexts[:n], allowed.rows(slice(0, n)), np.arange(n)
    tracemalloc.start()
    found = policy.decide(contexts, open_actions, seed=1, ids=ids, keep_scores=False)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return array_bytes(found) / n, peak / n


def _one_update(policy: Policy, scene: Scene, taken: Codes, updates: int = 500) -> float:
    rows = [slice(at, at + 1) for at in range(updates)]
    told = [(scene.past_contexts[row], taken[row], scene.past_rewards[row]) for row in rows]

    def update() -> None:
        for contexts, actions, rewards in told:
            policy.learn(contexts, actions, rewards)

    return cpu_seconds(update) / updates


def _refresh(policy: Policy, scene: Scene, taken: Codes) -> float:
    """One update and one decision, less those of a policy that needs no refresh."""
    row, ids = slice(0, 1), np.zeros(1, dtype=np.int64)
    allowed = Allowed.flat(scene.allowed[row])

    def decide() -> object:
        return policy.decide(scene.contexts[row], allowed, seed=1, ids=ids)

    def learn_and_decide() -> object:
        policy.learn(scene.past_contexts[row], taken[row], scene.past_rewards[row])
        return decide()

    return cpu_seconds(learn_and_decide, 10) - cpu_seconds(decide, 10)


def _factored(scene: Scene) -> Codes:
    """Uniform codes for the past."""
    draw = np.random.default_rng(2)
    sizes = (len(FACTORS.channels), FACTORS.slots, len(FACTORS.tones), len(FACTORS.offers))
    columns = [draw.integers(0, size, len(scene.past_actions)) for size in sizes]
    return np.stack(columns, axis=1).astype(np.int16)


def _arrays(thing: Any, seen: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    if isinstance(thing, np.ndarray):
        base = thing if thing.base is None or not isinstance(thing.base, np.ndarray) else thing.base
        seen[id(base)] = base
    elif isinstance(thing, dict):
        _all(thing.values(), seen)
    elif isinstance(thing, list | tuple):
        _all(thing, seen)
    elif is_dataclass(thing):
        _all([getattr(thing, field.name) for field in fields(thing)], seen)
    elif type(thing).__module__.startswith("kulanz."):
        _all(vars(thing).values(), seen)
    return seen


def _all(things: Iterable[Any], seen: dict[int, np.ndarray]) -> None:
    for thing in things:
        _arrays(thing, seen)
