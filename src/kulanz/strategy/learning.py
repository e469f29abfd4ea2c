"""How a creditor's policy learns: rewards are counted into the newest version, which makes the next one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from kulanz.engine import Policy, Settings
from kulanz.kernel import clock
from kulanz.kernel.database import read_columns
from kulanz.strategy import codes, features, journeys
from kulanz.strategy.columns import table
from kulanz.strategy.journeys import JourneySpec
from kulanz.strategy.locks import lock
from kulanz.strategy.models import Decision, PolicyVersion, Reward, Run
from kulanz.tenancy.scope import creditor_id

BLOCK = 8192
SETTINGS = Settings(floor=0.02)
"""The engine's default with a floor that lets other policies be judged from what this one did."""

Rows = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Version:
    """A stored policy, ready to decide."""

    id: int
    version: str
    last_reward_id: int
    policy: Policy


@dataclass(frozen=True, slots=True)
class Learned:
    """`rewards` were counted in this step (those taken back included); `rows` stand in the policy in all."""

    version: str
    rewards: int
    rows: int


def current(spec: JourneySpec) -> Version | None:
    """The newest policy over the action space of `spec`; None: learning has not begun, the ladder decides."""
    newest = PolicyVersion.objects.order_by("-last_reward_id", "-id").first()
    if newest is None:
        return None
    policy = Policy.from_bytes(bytes(newest.content))
    if not _over(policy, spec):
        return None
    return Version(newest.id, newest.version, newest.last_reward_id, policy)


def learn(least: int = 1) -> Learned:
    """Count all rewards since the last step; the first call makes a policy that knows nothing yet and explores.

    A policy learns from its own decisions alone, and from those only in which it had a choice: the ladder, the
    holdout and cases that could but wait teach it nothing. A row taken back (weight -1) leaves it exactly as if it
    had never been learned. Where the action space or the features have changed, a new policy learns from all
    decisions that were made over the present ones. Fewer than `least` new rewards wait for a later step: each step
    stores a version of the whole policy.
    """
    waiting = _waiting(least) if least > 1 else None
    if waiting is not None:
        return waiting
    spec = journeys.spec_of(journeys.active())
    with transaction.atomic():
        lock("learn")
        known = current(spec)
        policy = known.policy if known else Policy(spec.space, features.SPEC, settings=SETTINGS)
        after = known.last_reward_id if known else 0
        counted = 0
        while rows := _rewards(after):
            counted += _count(policy, rows, spec)
            after = int(rows["id"][-1])
        if known is None or counted:
            return Learned(_store(policy, after), counted, round(policy.learned))
        PolicyVersion.objects.filter(id=known.id).update(last_reward_id=after)
    return Learned(known.version, 0, round(policy.learned))


def _waiting(least: int) -> Learned | None:
    """The newest version as it stands, if it is too early for another."""
    newest = PolicyVersion.objects.order_by("-last_reward_id", "-id").defer("content").first()
    if newest is None:
        return None
    new = Reward.objects.filter(id__gt=newest.last_reward_id).order_by("id").values_list("id")[:least]
    return Learned(newest.version, 0, newest.rows) if len(new) < least else None


def _store(policy: Policy, last_reward_id: int) -> str:
    """The same content is the same version: a full reversal leads back to the version before."""
    content = policy.to_bytes()
    version = Policy.version_of(content)
    PolicyVersion.objects.update_or_create(
        creditor_id=creditor_id(),
        version=version,
        defaults={"last_reward_id": last_reward_id},
        create_defaults={
            "content": content,
            "rows": round(policy.learned),
            "last_reward_id": last_reward_id,
            "created_at": clock.now(),
        },
    )
    return version


def _rewards(after: int) -> Rows | None:
    sql = f"""SELECT w.id, w.value, w.weight, d.actor, d.propensity, d.channel, d.slot, d.tone, d.offer, d.features,
          COALESCE(r.policy_id, 0) AS policy_id
        FROM {table(Reward)} w JOIN {table(Decision)} d ON d.id = w.decision_id JOIN {table(Run)} r ON r.id = d.run_id
        WHERE w.creditor_id = %s AND w.id > %s ORDER BY w.id LIMIT %s"""  # noqa: S608 - names come from our models
    rows = read_columns(sql, [creditor_id(), after, BLOCK])
    return rows if len(rows["id"]) else None


def _count(policy: Policy, rows: Rows, spec: JourneySpec) -> int:
    """Learn a block of reward rows; returns how many of them counted."""
    fits = {int(each): _fits(int(each), spec) for each in np.unique(rows["policy_id"])}
    usable = np.array([fits[each] for each in rows["policy_id"].tolist()])
    usable &= (rows["actor"] == Decision.Actor.POLICY.value) & (rows["propensity"] < 1)
    for weight in (1, -1):
        chosen = np.flatnonzero(usable & (rows["weight"] == weight))
        contexts = codes.float_rows(rows["features"][chosen], len(features.SPEC))
        actions = np.stack([rows[name][chosen] for name in ("channel", "slot", "tone", "offer")], axis=1)
        policy.learn(
            contexts, actions.astype(np.int16), rows["value"][chosen].astype(np.float64), weight=weight
        )
    return int((usable & (rows["weight"] != 0)).sum())


def _fits(policy_id: int, spec: JourneySpec) -> bool:
    """Whether decisions of this policy were made over the present action space and features."""
    stored = PolicyVersion.objects.filter(id=policy_id).first()
    return stored is not None and _over(Policy.from_bytes(bytes(stored.content)), spec)


def _over(policy: Policy, spec: JourneySpec) -> bool:
    return policy.space == spec.space and policy.features == features.SPEC
