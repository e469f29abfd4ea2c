"""What a run writes, inside the caller's transaction: decisions, payment links, outbox messages and hand-overs."""

import json
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from kulanz.contact.gate import Gated
from kulanz.engine import WAIT
from kulanz.events.log import record_many
from kulanz.kernel.database import insert_columns, reserve_ids
from kulanz.kernel.settings import settings
from kulanz.outreach.actions import NewMessages, queue_block
from kulanz.payments import links
from kulanz.payments.offers import actions as offers
from kulanz.payments.offers.rules import Kind
from kulanz.strategy import codes
from kulanz.strategy.block import ACTORS, Chosen, Due, Setting
from kulanz.strategy.models import Decision


def write_decisions(run_id: int, due: Due, gated: Gated, chosen: Chosen, found: Setting) -> NDArray[np.int64]:
    """One row per decided case; returns their ids."""
    n = len(due)
    ids = reserve_ids(Decision, n)
    slot = chosen.actions[:, 1]
    insert_columns(
        Decision,
        {
            "id": ids,
            "creditor_id": found.creditor.id,
            "run_id": run_id,
            "case_id": due.case_id,
            "actor": np.array(ACTORS, object)[due.actor],
            "stage": np.array(found.spec.names, object)[due.stage],
            **{name: chosen.actions[:, at] for at, name in enumerate(("channel", "slot", "tone", "offer"))},
            "propensity": chosen.propensity,
            "score": chosen.score,
            "best_score": chosen.best_score,
            "features": _features(due),
            "scores": _score_blobs(chosen),
            "allowed": codes.packed(gated.allowed),
            "vetoes": codes.veto_texts(gated.vetoes, n),
            "open_amount": due.open_amount,
            "acts_at": found.acts_at()[slot],
            "matures_at": found.matures_at()[due.stage, slot],
        },
    )
    return ids


def queue_messages(due: Due, chosen: Chosen, decision_ids: NDArray[np.int64], found: Setting) -> int:
    """The outbox rows of all decisions to act, each with its payment link and its offer if any; returns how many."""
    rows = np.flatnonzero(chosen.actions[:, 0] != WAIT)
    if not len(rows):
        return 0
    space = found.spec.space
    channel, slot, tone, offer = chosen.actions[rows].T
    allowed = [json.dumps(each.to_data(), separators=(",", ":")) for each in found.sets]
    begins, cases = found.acts_at(), due.case_id[rows]
    zone = ZoneInfo(found.creditor.timezone)
    days = [at.astimezone(zone).date() for at in begins.tolist()]
    offered = np.array(space.offers, object)[offer].tolist()
    drafts = offers.draft(cases, due.open_amount[rows], offered, [days[each] for each in slot.tolist()])
    ids = queue_block(
        NewMessages(
            case_id=cases,
            customer_id=due.customer_id[rows],
            stage=np.array(found.spec.names, object)[due.stage[rows]],
            channel=np.array(space.channels, object)[channel],
            tone=np.array(space.tones, object)[tone],
            offer=_told(offered, drafts),
            not_before=begins[slot].tolist(),
            expires_at=found.ends_at()[slot].tolist(),
            decision_id=decision_ids[rows],
            link_id=links.create_block(
                cases,
                found.at + timedelta(days=settings().link_days),
                [found.spec.stages[stage].methods for stage in due.stage[rows].tolist()],
            ),
            kind="demanding",
            allowed=np.array(allowed, object)[due.stage[rows]].tolist(),
            data=[each.data if each else "{}" for each in drafts],
        )
    )
    offers.make(drafts, offers.Origin(decision_ids[rows], ids, cases))
    return len(rows)


def _told(offered: list[str], drafts: list[offers.Draft | None]) -> list[str]:
    """The offer that each message tells of: one of ours only where its terms could be made."""
    ours = set(Kind)
    return [
        name if made is not None or name not in ours else "none"
        for name, made in zip(offered, drafts, strict=True)
    ]


def hand_over(due: Due) -> int:
    """Tell whoever listens that a case's ladder has ended."""
    cases = due.case_id[due.hands_over]
    if len(cases):
        record_many("handover.due", cases, [{}] * len(cases))
    return len(cases)


def _features(due: Due) -> list[bytes]:
    blobs = codes.row_bytes(due.contexts)
    return [blob if kept else b"" for blob, kept in zip(blobs, due.profiled.tolist(), strict=True)]


def _score_blobs(chosen: Chosen) -> list[bytes]:
    blobs = [*codes.row_bytes(chosen.scores), b""]
    return [blobs[row] for row in chosen.score_row.tolist()]
