"""The live stream: new payments and changed headline figures as server-sent events.

The event log is polled, so that payments booked by any process show; nothing is kept between connections.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from time import monotonic
from zoneinfo import ZoneInfo

from asgiref.sync import sync_to_async
from django.db import connection
from django.template.loader import render_to_string
from django.utils import timezone, translation

from kulanz.documents.staff import Staff
from kulanz.insights.feed import Arrival, Follower
from kulanz.insights.figures import Balance
from kulanz.insights.headline import headline
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import scope

PERIOD = 0.3
HEARTBEAT = 15.0
LIFETIME = 15 * 60.0
"""Seconds after which a stream ends; the browser comes back and its membership is checked again."""


@dataclass(slots=True)
class Stream:
    """One open dashboard. `after` is the event id that its page, or its last connection, has shown."""

    staff: Staff
    language: str
    after: int
    _follower: Follower = field(init=False)
    _balance: Balance | None = field(init=False, default=None)
    _stale: bool = field(init=False, default=False)
    _refresh_at: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._follower = Follower(self.after)

    async def chunks(self) -> AsyncIterator[str]:
        """Server-sent events until the browser leaves or the lifetime ends."""
        end = monotonic() + LIFETIME
        quiet_since = monotonic()
        yield "retry: 1000\n: welcome\n\n"
        try:
            while monotonic() < end:
                text = await sync_to_async(self.step)()
                if not text and monotonic() - quiet_since > HEARTBEAT:
                    text = ": still here\n\n"
                if text:
                    quiet_since = monotonic()
                    yield text
                await asyncio.sleep(PERIOD)
        finally:
            await sync_to_async(_close)()

    def step(self) -> str:
        """What has happened since the last step, as text of the stream; empty when nothing has."""
        creditor = self.staff.creditor
        zone = ZoneInfo(creditor.timezone)
        with scope(creditor.id), timezone.override(zone), translation.override(self.language):
            arrivals = self._follower.poll()
            parts = [_arrived(arrival, creditor) for arrival in arrivals]
            self._stale = self._stale or bool(arrivals)
            whole = self._stale and monotonic() >= self._refresh_at
            if arrivals or whole:
                parts.append(self._figures(whole=whole))
        return "".join(parts)

    def _figures(self, *, whole: bool) -> str:
        """The money at once; the balances of the whole ledger no more than a twentieth of the time."""
        began = monotonic()
        shown = headline(self.staff.creditor, None if whole else self._balance)
        self._balance = shown.balance
        if whole:
            self._stale = False
            self._refresh_at = monotonic() + 20 * (monotonic() - began)
        chart = render_to_string("insights/_month.html", {"headline": shown})
        return _event("figures", {"text": shown.texts(), "html": {"month": chart}})


def _arrived(arrival: Arrival, creditor: Creditor) -> str:
    row = render_to_string("insights/_arrival.html", {"arrival": arrival, "creditor": creditor})
    return _event("payment", {"id": arrival.id, "html": row}, arrival.id)


def _close() -> None:
    """In the thread that polled, where the connection lives."""
    connection.close()


def _event(name: str, data: object, event_id: int | None = None) -> str:
    head = "" if event_id is None else f"id: {event_id}\n"
    return f"{head}event: {name}\ndata: {json.dumps(data)}\n\n"
