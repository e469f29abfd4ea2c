"""Reads of strategy: decisions and what they earned, replays, and the inputs of the lift."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from kulanz.claims.models import OWED, Case, Claim, Posting
from kulanz.engine import WAIT, Decisions, Policy
from kulanz.engine.arrays import Codes
from kulanz.kernel import clock
from kulanz.kernel.database import read_columns, stored_datetime
from kulanz.kernel.errors import NotFoundError
from kulanz.strategy import block, codes, journeys, rules
from kulanz.strategy.columns import table
from kulanz.strategy.journeys import JourneySpec
from kulanz.strategy.models import Decision, Journey, PolicyVersion, Run
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import creditor_id


@dataclass(frozen=True, slots=True)
class Replayed:
    """The draw made again from what the decision stored; `same` is true where every number came out bit for bit."""

    action: tuple[str, ...]
    propensity: float
    same: bool


@dataclass(frozen=True, slots=True)
class LiftInputs:
    """Share of what fell due that was realised, float64 within [0, 1], one value per customer in order of id.

    `share`: the planned share of customers in the holdout.
    """

    policy: NDArray[np.float64]
    holdout: NDArray[np.float64]
    share: float


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """One decision as listed. `action` is ("wait",) or channel, weekday, band, tone and offer."""

    id: int
    case_id: int
    at: datetime
    acts_at: datetime
    actor: str
    stage: str
    action: tuple[str, ...]
    propensity: float
    score: float | None
    best_score: float | None
    vetoes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """How often each was chosen; waits have no channel, weekday, band, tone or offer."""

    decisions: int
    waits: int
    actors: dict[str, int]
    stages: dict[str, int]
    channels: dict[str, int]
    weekdays: dict[str, int]
    bands: dict[str, int]
    tones: dict[str, int]
    offers: dict[str, int]
    vetoes: dict[str, int]


def decision_of(decision_id: int) -> Decision:
    """With its run, journey and policy; raises NotFoundError for another creditor's decision."""
    rows = Decision.objects.select_related("run__journey", "run__policy")
    found: Decision | None = rows.filter(id=decision_id).first()
    if found is None:
        raise NotFoundError("There is no such decision.")
    return found


def replay(decision_id: int) -> Replayed:
    """Draw a decision again from its stored scores, allowed set, seed and policy version, or from the plain ladder."""
    decision = decision_of(decision_id)
    spec = journeys.spec_of(decision.run.journey)
    stored = action_codes(decision)
    if decision.scores:
        policy = policy_of(decision.run.policy)
        made = redrawn(decision, policy)
        same = bool(np.array_equal(made.actions[0], stored))
        same = same and (float(made.propensity[0]), float(made.score[0]), float(made.best_score[0])) == (
            decision.propensity,
            decision.score,
            decision.best_score,
        )
        return Replayed(policy.space.label(made.actions[0]), float(made.propensity[0]), same)
    action = _by_the_ladder(decision, spec)
    return Replayed(spec.space.label(action), 1.0, bool(np.array_equal(action, stored)))


def redrawn(decision: Decision, policy: Policy) -> Decisions:
    """One row: the draw as it follows from the stored scores."""
    scores = codes.float_rows([decision.scores], policy.space.score_columns)
    allowed = codes.unpacked([decision.allowed], policy.space)
    ids = np.array([decision.case_id], dtype=np.int64)
    return policy.replay(scores, allowed, seed=decision.run.seed, ids=ids)


def action_codes(decision: Decision) -> Codes:
    return np.array([decision.channel, decision.slot, decision.tone, decision.offer], dtype=np.int16)


def policy_of(version: PolicyVersion | None) -> Policy:
    if version is None:
        raise NotFoundError("No policy decided here.")
    return Policy.from_bytes(bytes(version.content))


def lift_inputs(since: date | None = None) -> LiftInputs:
    """What became of claims that fell due from `since` until today, in cases that strategy has decided about.

    `since` defaults to the day on which the first policy began; before that both groups had the ladder. Customers who
    objected to profiling are in neither group.
    """
    creditor = Creditor.objects.get(id=creditor_id())
    start = since or _first_policy_day()
    if start is None:
        return LiftInputs(np.empty(0), np.empty(0), creditor.holdout_share)
    owed = ", ".join(f"'{account.value}'" for account in OWED)
    sql = f"""SELECT k.customer_id,
          CAST(SUM(CASE WHEN p.account = 'invoiced' THEN -p.amount ELSE 0 END) AS BIGINT) AS due,
          CAST(SUM(CASE WHEN p.account IN ({owed}) THEN p.amount ELSE 0 END) AS BIGINT) AS still_open
        FROM {table(Posting)} p JOIN {table(Claim)} c ON c.id = p.claim_id JOIN {table(Case)} k ON k.id = p.case_id
          JOIN claims_customer u ON u.id = k.customer_id
        WHERE p.creditor_id = %s AND c.due_date >= %s AND c.due_date <= %s AND NOT u.ladder_only
          AND EXISTS (SELECT 1 FROM {table(Decision)} d WHERE d.case_id = p.case_id)
        GROUP BY k.id, k.customer_id ORDER BY k.customer_id, k.id"""  # noqa: S608 - names come from our models
    rows = read_columns(sql, [creditor.id, start, clock.today(creditor.timezone)])
    owing = np.flatnonzero(rows["due"] > 0)
    share = np.clip(1 - rows["still_open"][owing] / rows["due"][owing], 0.0, 1.0)
    customers, place = np.unique(rows["customer_id"][owing], return_inverse=True)
    mean = np.bincount(place, share) / np.maximum(np.bincount(place), 1)
    held_out = block.holdout(customers, creditor)
    return LiftInputs(mean[~held_out], mean[held_out], creditor.holdout_share)


def last_decisions(limit: int = 20) -> tuple[DecisionLine, ...]:
    """Newest first."""
    specs: dict[int, JourneySpec] = {}
    lines = []
    for decision in Decision.objects.select_related("run__journey").order_by("-id")[:limit]:
        journey = decision.run.journey
        spec = specs.setdefault(journey.id, journeys.spec_of(journey))
        lines.append(_line(decision, spec))
    return tuple(lines)


def counts(since: datetime | None = None) -> Counts:
    """What was decided, over all runs from `since`."""
    after = stored_datetime(since or datetime.min.replace(year=1970, tzinfo=clock.now().tzinfo))
    sql = f"""SELECT r.journey_id, d.actor, d.stage, d.channel, d.slot, d.tone, d.offer, COUNT(*) AS n
        FROM {table(Decision)} d JOIN {table(Run)} r ON r.id = d.run_id WHERE d.creditor_id = %s AND r.at >= %s
        GROUP BY r.journey_id, d.actor, d.stage, d.channel, d.slot, d.tone, d.offer"""  # noqa: S608
    rows = read_columns(sql, [creditor_id(), after])
    found: dict[str, Counter[str]] = {name: Counter() for name in _COUNTED}
    specs = {each: _spec(each) for each in np.unique(rows["journey_id"]).tolist()}
    for journey, actor, stage, *action, n in zip(*(rows[k].tolist() for k in rows), strict=True):
        names = specs[journey].space.label(np.array(action, dtype=np.int16))
        for name, value in zip(_COUNTED, (actor, stage, *names), strict=False):
            found[name][value] += n
    waits = found["channels"].pop("wait", 0)
    vetoes: Counter[str] = Counter()
    for each in Run.objects.filter(at__gte=since) if since else Run.objects.all():
        vetoes.update(each.vetoes)
    total = sum(found["actors"].values())
    return Counts(total, waits, **{name: dict(found[name]) for name in _COUNTED}, vetoes=dict(vetoes))


_COUNTED = ("actors", "stages", "channels", "weekdays", "bands", "tones", "offers")


def _line(decision: Decision, spec: JourneySpec) -> DecisionLine:
    return DecisionLine(
        id=decision.id,
        case_id=decision.case_id,
        at=decision.run.at,
        acts_at=decision.acts_at,
        actor=decision.actor,
        stage=decision.stage,
        action=spec.space.label(action_codes(decision)),
        propensity=decision.propensity,
        score=decision.score,
        best_score=decision.best_score,
        vetoes=tuple(filter(None, decision.vetoes.split(","))),
    )


def _spec(journey_id: int) -> JourneySpec:
    return journeys.spec_of(Journey.objects.get(id=journey_id))


def _by_the_ladder(decision: Decision, spec: JourneySpec) -> Codes:
    creditor = Creditor.objects.get(id=decision.creditor_id)
    stage = np.array([spec.names.index(decision.stage)], dtype=np.int16)
    allowed = codes.unpacked([decision.allowed], spec.space)
    if spec.stage(decision.stage).hand_over:
        return np.full(4, WAIT, dtype=np.int16)
    slots = block.setting(creditor, spec, None, decision.run.at, decision.run.seed).slots
    return np.asarray(rules.ladder_actions(spec.stages, stage, allowed, slots)[0])


def _first_policy_day() -> date | None:
    first = PolicyVersion.objects.order_by("id").values_list("created_at", flat=True).first()
    return None if first is None else first.date()
