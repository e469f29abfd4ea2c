"""Writing to the event log. The room that causes an event calls this in the same transaction."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kulanz.events import registry
from kulanz.events.models import Event
from kulanz.kernel import clock
from kulanz.kernel.database import insert_columns, reserve_ids
from kulanz.tenancy.scope import creditor_id


@dataclass(frozen=True, slots=True)
class Happened:
    """One event as subscribers see it. `sequence` is 0 for those that run in the transaction."""

    type: str
    subject_id: int
    payload: Mapping[str, Any]
    at: datetime
    creditor_id: int
    sequence: int = 0


def record(event_type: str, subject_id: int, payload: Mapping[str, Any] | None = None) -> None:
    """Append one event and run the subscribers that belong into this transaction."""
    record_many(event_type, [subject_id], [payload or {}])


def record_many(
    event_type: str, subject_ids: Sequence[int] | NDArray[np.int64], payloads: Sequence[Mapping[str, Any]]
) -> None:
    """Append one event per subject; payloads hold ids, codes and amounts, never personal data."""
    creditor = creditor_id()
    at = clock.now()
    insert_columns(
        Event,
        {
            "id": reserve_ids(Event, len(subject_ids)),
            "creditor_id": creditor,
            "type": event_type,
            "subject_id": list(map(int, subject_ids)),
            "payload": [json.dumps(p, separators=(",", ":"), sort_keys=True) for p in payloads],
            "at": at,
            "sequence": None,
            "digest": None,
        },
    )
    handlers = registry.in_transaction(event_type)
    if handlers:
        happened = [
            Happened(event_type, int(subject), payload, at, creditor)
            for subject, payload in zip(subject_ids, payloads, strict=True)
        ]
        for handler in handlers:
            handler(happened)
