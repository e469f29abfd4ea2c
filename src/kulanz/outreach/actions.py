"""Putting messages into the outbox, in the transaction of their cause."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kulanz.claims.models import Case
from kulanz.contact.models import Channel, ContactPoint
from kulanz.kernel import clock
from kulanz.kernel.database import insert_columns, reserve_ids
from kulanz.kernel.errors import InputError
from kulanz.kernel.settings import settings
from kulanz.law.duties import Occasion
from kulanz.outreach import texts
from kulanz.outreach.models import Message
from kulanz.payments import links
from kulanz.tenancy.scope import creditor_id

SERVICE_LASTS = timedelta(days=3)
"""A receipt that could not leave within this time is stopped: it would only puzzle."""


@dataclass(frozen=True, slots=True)
class NewMessages:
    """n messages of one kind, as columns.

    `allowed` is each stage's set and `data` the terms of each offer (None: none has any), both as JSON text.
    `decision_id` makes the key: one decision writes one message. Amounts are not copied: a message says what is
    open when it leaves. Only the terms of an offer are: they hold as they were made.
    """

    case_id: NDArray[np.int64]
    customer_id: NDArray[np.int64]
    stage: Sequence[str] | NDArray[Any]
    channel: Sequence[str] | NDArray[Any]
    tone: Sequence[str] | NDArray[Any]
    offer: Sequence[str] | NDArray[Any]
    not_before: Sequence[datetime]
    expires_at: Sequence[datetime]
    decision_id: NDArray[np.int64]
    link_id: NDArray[np.int64]
    allowed: Sequence[str]
    data: Sequence[str] | None = None
    kind: str = Message.Kind.DEMANDING.value


@dataclass(frozen=True, slots=True)
class NewService:
    """One service message: `text` names a service text, `key` its cause, `data` the values it needs.

    `data` may hold `paid` and `plan_cost` (minor units), `until` (ISO date), and `occasions` (values of
    `law.duties.Occasion`): what the message does that the law wants more said of. Later than `lasts` it does not leave.
    """

    case_id: int
    customer_id: int
    text: str
    key: str
    data: Mapping[str, Any] = field(default_factory=dict)
    lasts: timedelta = SERVICE_LASTS


def queue_block(columns: NewMessages) -> NDArray[np.int64]:
    """Write messages of the creditor in scope into the outbox, inside the caller's transaction; returns their ids.

    The same decision twice breaks the unique key: the database refuses the block.
    """
    cases, decisions = columns.case_id.tolist(), columns.decision_id.tolist()
    ids = reserve_ids(Message, len(cases))
    insert_columns(
        Message,
        {
            "id": ids,
            "creditor_id": creditor_id(),
            "key": [f"{columns.kind}:{c}:{d}" for c, d in zip(cases, decisions, strict=True)],
            "case_id": cases,
            "customer_id": columns.customer_id,
            "kind": columns.kind,
            "state": Message.State.QUEUED.value,
            "channel": list(columns.channel),
            "stage": list(columns.stage),
            "tone": list(columns.tone),
            "offer": list(columns.offer),
            "allowed": list(columns.allowed),
            "data": "{}" if columns.data is None else list(columns.data),
            "decision_id": decisions,
            "link_id": columns.link_id,
            "not_before": list(columns.not_before),
            "expires_at": list(columns.expires_at),
            **_fresh(),
        },
    )
    return ids


def queue_service(case_id: int, customer_id: int, text: str, key: str, data: Mapping[str, Any]) -> bool:
    """One service message by e-mail, to be sent at once; False when it was queued before or there is no address."""
    return queue_services([NewService(case_id, customer_id, text, key, data)]) == 1


def queue_services(new: Sequence[NewService]) -> int:
    """Service messages of the creditor in scope, inside the caller's transaction; returns how many were queued.

    Left out are those whose key exists and those to customers without a working e-mail address.
    """
    if wrong := {each.text for each in new} - set(texts.SERVICE):
        raise InputError(f"There is no service text {', '.join(sorted(wrong))}.")
    if odd := {name for each in new for name in each.data.get("occasions", ())} - set(Occasion):
        raise InputError(f"There is no occasion {', '.join(sorted(odd))}.")
    wanted = {f"service:{each.case_id}:{each.key}": each for each in new}
    known = set(Message.objects.filter(key__in=list(wanted)).values_list("key", flat=True))
    reachable = set(
        ContactPoint.objects.filter(
            customer_id__in={each.customer_id for each in new},
            channel=Channel.EMAIL,
            state=ContactPoint.State.OK,
        ).values_list("customer_id", flat=True)
    )
    due = {key: each for key, each in wanted.items() if key not in known and each.customer_id in reachable}
    if not due:
        return 0
    now = clock.now()
    cases = np.array([each.case_id for each in due.values()], np.int64)
    return insert_columns(
        Message,
        {
            "id": reserve_ids(Message, len(due)),
            "creditor_id": creditor_id(),
            "key": list(due),
            "case_id": cases,
            "customer_id": [each.customer_id for each in due.values()],
            "kind": Message.Kind.SERVICE.value,
            "state": Message.State.QUEUED.value,
            "channel": Channel.EMAIL.value,
            "stage": [each.text for each in due.values()],
            "tone": "friendly",
            "offer": "none",
            "allowed": "{}",
            "data": [json.dumps(dict(each.data)) for each in due.values()],
            "decision_id": None,
            "link_id": links.create_block(cases, now + timedelta(days=settings().link_days)),
            "not_before": now,
            "expires_at": [now + each.lasts for each in due.values()],
            **_fresh(),
        },
    )


def customers_of(case_ids: Sequence[int]) -> dict[int, int]:
    """The customer of each case."""
    return dict(Case.objects.filter(id__in=set(case_ids)).values_list("id", "customer_id"))


def _fresh() -> dict[str, Any]:
    return {"created_at": clock.now(), "lease_until": None, "sent_at": None, "attempts": 0, "outcome": ""}
