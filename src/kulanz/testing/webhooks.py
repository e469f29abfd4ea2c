"""The calls a simulated provider owes: kept until answered with a 2xx, in any order, late, twice or never."""

import heapq
import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, RLock, Thread
from typing import Protocol

import httpx

from kulanz.kernel import clock

Sender = Callable[[str, bytes, Mapping[str, str]], int]
"""Posts a body with headers to an address and returns the status code; 0 where nobody answered."""
Signer = Callable[[bytes, datetime], Mapping[str, str]]
"""The headers that prove a body to be the provider's at an instant."""

MAX_ATTEMPTS = 8


class Delivers(Protocol):
    """Whatever owes calls."""

    def deliver(self) -> int:
        """Send every call that is due by the clock; returns how many were made."""


@dataclass(frozen=True, slots=True, order=True)
class _Call:
    due: datetime
    order: int
    url: str = field(compare=False)
    body: bytes = field(compare=False)
    attempt: int = field(compare=False, default=1)


class WebhookQueue:
    """Calls by the time they are due. Safe to use from several threads."""

    def __init__(self, sign: Signer, send: Sender | None = None) -> None:
        self._sign = sign
        self._send = send or http_sender()
        self._lock = RLock()
        self._calls: list[_Call] = []
        self._number = itertools.count(1)

    def add(self, url: str, body: bytes, due: datetime) -> None:
        with self._lock:
            heapq.heappush(self._calls, _Call(due, next(self._number), url, body))

    def next_due(self) -> datetime | None:
        """When the next call wants to be sent; None where none is waiting."""
        with self._lock:
            return self._calls[0].due if self._calls else None

    def deliver(self) -> int:
        """Send every call that is due by the clock; returns how many were made."""
        sent = 0
        while (call := self._next()) is not None:
            sent += 1
            headers = {"Content-Type": "application/json", **self._sign(call.body, clock.now())}
            if not 200 <= self._send(call.url, call.body, headers) < 300:
                self._again(call)
        return sent

    def _next(self) -> _Call | None:
        with self._lock:
            if self._calls and self._calls[0].due <= clock.now():
                return heapq.heappop(self._calls)
        return None

    def _again(self, call: _Call) -> None:
        if call.attempt >= MAX_ATTEMPTS:
            return
        with self._lock:
            due = clock.now() + timedelta(seconds=10 * 2**call.attempt)
            later = _Call(due, next(self._number), call.url, call.body, call.attempt + 1)
            heapq.heappush(self._calls, later)


def http_sender(timeout: float = 10.0) -> Sender:
    """Sends webhooks over the network."""
    client = httpx.Client(timeout=timeout)

    def send(url: str, body: bytes, headers: Mapping[str, str]) -> int:
        try:
            return client.post(url, content=body, headers=dict(headers)).status_code
        except httpx.HTTPError:
            return 0

    return send


@contextmanager
def delivering(source: Delivers) -> Iterator[None]:
    """Deliver in a thread of its own while the block runs."""
    stop = Event()

    def deliver() -> None:
        while not stop.wait(0.05):
            source.deliver()

    thread = Thread(target=deliver, name="provider-webhooks", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=15)
