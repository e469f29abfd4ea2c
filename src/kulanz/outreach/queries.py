"""Reads of the outbox and its archive."""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from kulanz.kernel.database import read_columns, stored_datetime
from kulanz.kernel.errors import NotFoundError
from kulanz.outreach.compose import Archived, unpack
from kulanz.outreach.models import ArchivedMessage, Message
from kulanz.tenancy.scope import creditor_id

_WAITING = "m.state IN ('queued', 'sending', 'unknown')"
"""In literal form: SQLite takes a partial index only where the condition of the index stands in the statement."""
_ON_THEIR_WAY = f"""FROM outreach_message m WHERE +m.creditor_id = %s AND {_WAITING}
  AND (m.kind = 'demanding' OR m.decision_id IS NOT NULL)"""


def archived(message_id: int) -> Archived:
    """A message as it was written; raises NotFoundError where none was, or for another creditor's."""
    found = ArchivedMessage.objects.select_related("layout").filter(message_id=message_id).first()
    if found is None:
        raise NotFoundError("No text of this message is kept.")
    return unpack(found)


def due(at: datetime, limit: int) -> list[int]:
    """Ids of the creditor's queued messages that may leave by `at`, longest waiting first."""
    found = read_columns(
        f"SELECT m.id FROM outreach_message m WHERE +m.creditor_id = %s AND {_WAITING} AND m.state = 'queued'"  # noqa: S608
        " AND m.not_before <= %s ORDER BY m.not_before, m.id LIMIT %s",
        [creditor_id(), stored_datetime(at), limit],
    )
    return list(map(int, found["id"]))


def leftovers(at: datetime, limit: int) -> list[int]:
    """Ids of messages that were being sent when their process ended."""
    found = read_columns(
        f"SELECT m.id FROM outreach_message m WHERE +m.creditor_id = %s AND {_WAITING} AND m.state = 'sending'"  # noqa: S608
        " AND m.lease_until <= %s ORDER BY m.not_before, m.id LIMIT %s",
        [creditor_id(), stored_datetime(at), limit],
    )
    return list(map(int, found["id"]))


def unknown(limit: int) -> list[tuple[int, str, str]]:
    """(id, channel, wire id) of messages of which nobody knows whether they arrived: for `settling.settle`."""
    found = read_columns(
        "SELECT m.id, m.channel, a.wire_id FROM outreach_message m JOIN outreach_archivedmessage a"  # noqa: S608
        f" ON a.message_id = m.id WHERE +m.creditor_id = %s AND {_WAITING} AND m.state = 'unknown'"
        " ORDER BY m.not_before, m.id LIMIT %s",
        [creditor_id(), limit],
    )
    return list(zip(*(found[name].tolist() for name in ("id", "channel", "wire_id")), strict=True))


def on_their_way(customer_ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """int64[n]: how many messages that ask for payment have not left yet, per customer of the creditor in scope."""
    if not len(customer_ids):
        return np.zeros(0, np.int64)
    sql = (
        f"SELECT m.customer_id, COUNT(*) AS n {_ON_THEIR_WAY} AND m.customer_id BETWEEN %s AND %s GROUP BY 1"
    )
    found = read_columns(sql, [creditor_id(), int(customer_ids.min()), int(customer_ids.max())])
    counts = dict(zip(found["customer_id"].tolist(), found["n"].tolist(), strict=True))
    return np.array([counts.get(customer, 0) for customer in customer_ids.tolist()], np.int64)


def others_on_their_way(message: Message) -> int:
    """How many more such messages to the same customer have not left yet."""
    sql = f"SELECT COUNT(*) AS n {_ON_THEIR_WAY} AND m.customer_id = %s AND m.id <> %s"
    return int(read_columns(sql, [creditor_id(), message.customer_id, message.id])["n"][0])
