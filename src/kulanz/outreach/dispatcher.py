"""Sending what is due: each message is checked and marked, handed over, and concluded.

The mark `sending` is committed after the last check of every stop and before the hand-over, which runs outside of any
transaction. What a crash leaves as `sending` is settled by asking (settling.py), never by sending again.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from kulanz.claims.queries import paid_since
from kulanz.contact.facts import CreditorRules, StageSet
from kulanz.contact.queries import recheck
from kulanz.kernel import clock
from kulanz.kernel.errors import KulanzError, NotFoundError
from kulanz.law.vetoes import VetoCode
from kulanz.outreach import marking, queries, reading, settling
from kulanz.outreach.channels import registry
from kulanz.outreach.channels.port import Channel, ChannelDownError, Outcome, Result
from kulanz.outreach.compose import Composed, Composer
from kulanz.outreach.models import Message
from kulanz.payments.offers import actions as offers
from kulanz.payments.offers.rules import Kind

LEASE = timedelta(minutes=10)
"""Far longer than a hand-over may take (the mail server's timeout is 20 s per step)."""
TRY_AGAIN = timedelta(hours=1)
LATER = frozenset({VetoCode.OUTSIDE_HOURS, VetoCode.SUNDAY, VetoCode.PUBLIC_HOLIDAY, VetoCode.RETURNING})
"""Vetoes that only mean: not at this hour."""
EXPIRED = "expired"
DUTY_MISSING = "duty_missing"
PAID = "payment_received"
"""Any payment since the message was written stops it, a part payment too: the next decision knows the new state."""
BLOCK = 200
"""Messages written ahead at once. Each is checked for itself, and written anew where its case has changed."""
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

    Call outside of a transaction. Several processes may run it at once. `lease` is how long a hand-over may take
    before its message counts as left behind.
    """
    outlets = _Outlets()
    tally: Counter[str] = Counter()
    try:
        settling.settle_leftovers(outlets.open)
        due = queries.due(clock.now(), limit)
        if due:
            _send(due, outlets, lease, tally)
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


def _send(due: list[int], outlets: "_Outlets", lease: timedelta, tally: Counter[str]) -> None:
    composer = Composer()
    for start in range(0, len(due), BLOCK):
        for draft in _drafts(due[start : start + BLOCK], composer):
            _deliver(draft, composer, outlets, lease)
            tally[draft.message.state] += draft.touched


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


@dataclass(slots=True)
class _Draft:
    """A message written ahead; `error` says why it could not be. `touched` once this process has changed its row."""

    message: Message
    address: reading.Address | None
    version: int
    composed: Composed | None
    error: str = ""
    touched: bool = False


def _drafts(message_ids: list[int], composer: Composer) -> Iterator[_Draft]:
    """The messages of a block as they would leave now, in the order of the ids."""
    messages = {m.id: m for m in Message.objects.filter(id__in=message_ids, state=State.QUEUED)}
    cases = reading.case_views({m.case_id for m in messages.values()})
    addresses = reading.addresses({m.customer_id for m in messages.values()})
    for message_id in message_ids:
        if message_id in messages:
            message = messages[message_id]
            address = addresses.get((message.customer_id, message.channel))
            yield _draft(message, cases[message.case_id], address, composer)


def _draft(
    message: Message, case: reading.CaseView, address: reading.Address | None, composer: Composer
) -> _Draft:
    if address is None:
        return _Draft(message, None, case.version, None)
    try:
        composed = composer.compose(message, case, address, clock.now())
    except KulanzError as error:
        return _Draft(message, address, case.version, None, str(error))
    return _Draft(message, address, case.version, composed)


def _deliver(draft: _Draft, composer: Composer, outlets: _Outlets, lease: timedelta) -> None:
    message = draft.message
    try:
        channel = outlets.open(message.channel)
    except NotFoundError as error:
        draft.touched = True
        with transaction.atomic():
            marking.mark_failed(message, "no_provider", str(error))
        return
    if channel is None:
        return
    draft.touched = True
    with transaction.atomic():
        composed = _mark(draft, composer, clock.now(), lease)
    if composed is None:
        return
    try:
        result = channel.send(composed.outgoing)
    except ChannelDownError as error:
        outlets.down.add(message.channel)
        result = Result(Outcome.DEFERRED, str(error))
    with transaction.atomic():
        marking.conclude(message, composed.outgoing.recipient, result)


def _mark(draft: _Draft, composer: Composer, now: datetime, lease: timedelta) -> Composed | None:
    """Check every stop and mark the message `sending`; None where it does not leave now, for a reason written down."""
    message = draft.message
    marking.lock_customer(message.customer_id)
    if message.expires_at <= now:
        marking.mark_stopped(message, EXPIRED)
        return None
    try:
        if not _may_leave(message, now, composer.contact_rules):
            return None
        draft = _fresh(draft, composer)
        if _offer_lapsed(message):
            marking.without_offer(message)
            draft = _rewritten(message, composer)
    except KulanzError as error:
        marking.mark_failed(message, "unwritable", str(error))
        return None
    if draft.address is None:
        marking.mark_stopped(message, VetoCode.NO_CONTACT_POINT)
    elif draft.composed is None:
        marking.mark_failed(message, "unwritable", draft.error)
    elif draft.composed.lacking:
        detail = f"The text lacks what the law wants said: {', '.join(draft.composed.lacking)}."
        marking.mark_failed(message, DUTY_MISSING, detail)
    elif marking.mark_sending(message, draft.composed, now + lease):
        return draft.composed
    return None


def _fresh(draft: _Draft, composer: Composer) -> _Draft:
    """The draft, written anew if the case or the address has changed since."""
    message, address = draft.message, draft.address
    if address is not None and reading.unchanged(message.case_id, draft.version, address.point_id):
        return draft
    return _rewritten(message, composer)


def _rewritten(message: Message, composer: Composer) -> _Draft:
    case = reading.case_views([message.case_id])[message.case_id]
    found = reading.addresses([message.customer_id]).get((message.customer_id, message.channel))
    return _draft(message, case, found, composer)


def _offer_lapsed(message: Message) -> bool:
    """Whether the message tells of an offer that does not stand any more.

    The demand itself is as right as before, and a step of the law must not be lost over it, so it goes out without.
    """
    return (
        message.kind == Message.Kind.DEMANDING
        and message.offer in set(Kind)
        and not offers.stands(message.id)
    )


def _may_leave(message: Message, now: datetime, rules: CreditorRules) -> bool:
    """The gate once more, for this one row; a veto is written down."""
    if message.kind != Message.Kind.DEMANDING:
        return True
    stage = StageSet.from_data(message.allowed)
    coming = queries.others_on_their_way(message)
    veto = recheck(message.case_id, message.channel, stage, now, on_their_way=coming, rules=rules)
    if veto is None and paid_since(message.case_id, message.created_at):
        marking.mark_stopped(message, PAID)
        return False
    if veto is None:
        return True
    if veto.code in LATER:
        marking.postpone(message, now + TRY_AGAIN, veto.code)
    else:
        marking.mark_stopped(message, veto.code)
    return False
