"""Sending what is due: each message is checked and marked, handed over, and concluded.

The mark `sending` is committed after the last check of every stop and before the hand-over, which runs outside of any
transaction. What a crash leaves as `sending` is settled by asking (settling.py), never by sending again.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from kulanz.contact.facts import StageSet
from kulanz.contact.queries import recheck
from kulanz.kernel import clock
from kulanz.kernel.errors import KulanzError
from kulanz.law.vetoes import VetoCode
from kulanz.outreach import marking, queries, settling
from kulanz.outreach.channels import registry
from kulanz.outreach.channels.port import Channel, ChannelDownError, Outcome, Outgoing, Result
from kulanz.outreach.compose import Composer, recipient
from kulanz.outreach.models import Message

LEASE = timedelta(minutes=10)
"""Far longer than a hand-over may take (the mail server's timeout is 20 s per step)."""
TRY_AGAIN = timedelta(hours=1)
LATER = frozenset({VetoCode.OUTSIDE_HOURS, VetoCode.SUNDAY, VetoCode.PUBLIC_HOLIDAY})
"""Vetoes that only mean: not at this hour."""
EXPIRED = "expired"
State = Message.State


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What became of the messages that were due. `postponed` go back into the queue; `down` names the channels that
    could not be reached, whose messages stay queued."""

    sent: int = 0
    stopped: int = 0
    failed: int = 0
    unknown: int = 0
    postponed: int = 0
    down: tuple[str, ...] = ()


def dispatch(limit: int = 10_000, *, lease: timedelta = LEASE) -> Dispatched:
    """Send up to `limit` due messages of the creditor in scope, after settling what a crash left behind.

    Call outside of a transaction. Several processes may run it at once.
    """
    with transaction.atomic():
        composer = Composer()
    outlets = _Outlets()
    tally: Counter[str] = Counter()
    try:
        settling.settle_leftovers(outlets.open)
        for message_id in queries.due(clock.now(), limit):
            state = _deliver(message_id, composer, outlets, lease)
            tally[state or ""] += 1
    finally:
        outlets.close()
    return Dispatched(
        sent=tally[State.SENT],
        stopped=tally[State.STOPPED],
        failed=tally[State.FAILED],
        unknown=tally[State.UNKNOWN],
        postponed=tally[State.QUEUED],
        down=tuple(sorted(outlets.down)),
    )


class _Outlets:
    """The channels of one dispatch, opened when first needed and closed together."""

    def __init__(self) -> None:
        self.down: set[str] = set()
        self._open: dict[str, Channel] = {}

    def open(self, code: str) -> Channel | None:
        """The opened channel; None when it is down. Raises NotFoundError where there is no provider."""
        if code in self.down:
            return None
        if code not in self._open:
            channel = registry.get(code)
            try:
                channel.open()
            except ChannelDownError:
                self.down.add(code)
                return None
            self._open[code] = channel
        return self._open[code]

    def close(self) -> None:
        for channel in self._open.values():
            channel.close()


@dataclass(frozen=True, slots=True)
class _Ready:
    message: Message
    outgoing: Outgoing
    channel: Channel


def _deliver(message_id: int, composer: Composer, outlets: _Outlets, lease: timedelta) -> str | None:
    """The state the message has afterwards; None when it was not touched."""
    with transaction.atomic():
        ready = _prepare(message_id, composer, outlets, lease)
    if not isinstance(ready, _Ready):
        return ready
    try:
        result = ready.channel.send(ready.outgoing)
    except ChannelDownError as error:
        outlets.down.add(ready.channel.code)
        result = Result(Outcome.DEFERRED, str(error))
    with transaction.atomic():
        return marking.conclude(ready.message, ready.outgoing.recipient, result)


def _prepare(message_id: int, composer: Composer, outlets: _Outlets, lease: timedelta) -> _Ready | str | None:
    """Check every stop and mark the message `sending`, or conclude it."""
    message = marking.locked(message_id, State.QUEUED)
    if message is None:
        return None
    try:
        ready = _marked(message, composer, outlets, clock.now() + lease)
    except KulanzError as error:
        marking.mark_failed(message, "unwritable", str(error))
        ready = None
    if ready is None and message.state == State.QUEUED and message.channel in outlets.down:
        return None
    return ready or str(message.state)


def _marked(message: Message, composer: Composer, outlets: _Outlets, lease_until: datetime) -> _Ready | None:
    """None where the message does not leave now: what stands against it is written down."""
    now = clock.now()
    if message.expires_at <= now:
        marking.mark_stopped(message, EXPIRED)
        return None
    channel = outlets.open(message.channel)
    if channel is None or not _may_leave(message, now):
        return None
    address = recipient(message)
    if address is None:
        marking.mark_stopped(message, VetoCode.NO_CONTACT_POINT)
        return None
    composed = composer.compose(message, address, now)
    marking.mark_sending(message, composed, lease_until)
    return _Ready(message, composed.outgoing, channel)


def _may_leave(message: Message, now: datetime) -> bool:
    """The gate once more, for this one row; a veto is written down."""
    if message.kind != Message.Kind.DEMANDING:
        return True
    stage = StageSet.from_data(message.allowed)
    veto = recheck(message.case_id, message.channel, stage, now, message_id=message.id)
    if veto is None:
        return True
    if veto.code in LATER:
        marking.postpone(message, now + TRY_AGAIN, veto.code)
    else:
        marking.mark_stopped(message, veto.code)
    return False
