"""What customers write is kept, and the case rests until a person has answered.

Nobody is chased while they wait for us: a hold `question` stops contact and fees, not interest, as the debt stays due.
It has no end of its own, so that an unattended desk never turns into reminders; an answer ends it.
"""

import hashlib
from datetime import timedelta

from django.db import transaction

from kulanz.claims.actions import lock_case
from kulanz.claims.holds import place_hold
from kulanz.claims.models import Hold
from kulanz.contact.models import Channel, ContactPoint
from kulanz.contact.vulnerability.actions import look_after
from kulanz.contact.vulnerability.matching import tells_of_danger
from kulanz.events.log import record
from kulanz.kernel import clock
from kulanz.kernel.errors import ConflictError, InputError, NotFoundError
from kulanz.outreach.inbound import tags
from kulanz.outreach.inbound.reading import read
from kulanz.outreach.inbound.rules import PER_DAY, Mail, is_automatic
from kulanz.outreach.models import ArchivedMessage, InboundMessage, Message
from kulanz.tenancy.models import Brand
from kulanz.tenancy.scope import creditor_id

BY = "customer"
SOURCE = "message"
State = InboundMessage.State


class TooManyError(InputError):
    """More messages of one case within a day than a person writes."""


def write(case_id: int, text: str, form_key: str) -> InboundMessage:
    """A message that the customer wrote on their page; the same form sent twice is one message.

    Raises TooManyError after PER_DAY of them within a day; a sign of need is noticed even then.
    """
    key = _digest("page", str(case_id), form_key)
    with transaction.atomic():
        case = lock_case(case_id)
        found: InboundMessage | None = InboundMessage.objects.filter(key=key).first()
        if found is not None:
            return found
        look_after(case_id, text, SOURCE)
        if not _too_many(case_id):
            kept: InboundMessage = InboundMessage.objects.create(
                creditor_id=case.creditor_id,
                key=key,
                case_id=case_id,
                state=State.WAITING,
                channel=Channel.PORTAL,
                verified=True,
                text=text,
                received_at=clock.now(),
            )
            _follow(kept)
            return kept
    raise TooManyError("That is a lot for one day. We read all of it and answer you.")


def take_in(raw: bytes) -> InboundMessage:
    """Keep one mail of the creditor in scope. The same mail twice is kept once and has its effect once."""
    mail = read(raw)
    key = _digest("mail", mail.message_id or hashlib.sha256(raw).hexdigest(), mail.text)
    with transaction.atomic():
        automatic = is_automatic(mail, _own_addresses())
        case_id, state = _place(mail, automatic)
        kept: InboundMessage
        kept, new = InboundMessage.objects.get_or_create(
            key=key,
            creditor_id=creditor_id(),
            defaults={
                "case_id": case_id,
                "state": state,
                "channel": Channel.EMAIL,
                "sender": mail.sender,
                "verified": case_id is not None and _is_theirs(case_id, mail.sender),
                "subject": mail.subject,
                "text": mail.text,
                "urgent": tells_of_danger(f"{mail.subject}\n{mail.text}"),
                "shortened": mail.shortened,
                "files": list(mail.files),
                "received_at": clock.now(),
            },
        )
        if new and not automatic:
            _care(kept)
        if new:
            _follow(kept)
    return kept


def assign(inbound_id: int, case_id: int, *, by: str) -> None:
    """A person says whose mail it is. Raises NotFoundError for an unknown case, ConflictError where it has one."""
    with transaction.atomic():
        lock_case(case_id)
        rows = InboundMessage.objects.filter(id=inbound_id, state=State.UNMATCHED)
        if not rows.update(case_id=case_id, state=State.WAITING):
            raise ConflictError("Somebody has taken care of this mail before.")
        kept = InboundMessage.objects.get(id=inbound_id)
        record("message.assigned", kept.id, {"case": case_id, "by": by})
        _care(kept)
        _follow(kept)


def set_aside(inbound_id: int, *, by: str) -> None:
    """A mail that needs no answer and belongs to no case; it stays kept. Raises ConflictError where it has a case."""
    with transaction.atomic():
        rows = InboundMessage.objects.filter(id=inbound_id, state=State.UNMATCHED)
        if not rows.update(state=State.DONE, done_at=clock.now(), done_by=by):
            raise ConflictError("Somebody has taken care of this mail before.")
        record("message.set_aside", inbound_id, {"by": by})


def _care(kept: InboundMessage) -> None:
    """Signs of need count whether a mail is in the thread or one too many."""
    if kept.case_id is not None:
        look_after(kept.case_id, f"{kept.subject}\n{kept.text}", SOURCE)


def _follow(kept: InboundMessage) -> None:
    """What a new message does: the case rests, and an event is written."""
    if kept.state == State.WAITING and kept.case_id is not None:
        place_hold(kept.case_id, Hold.Reason.QUESTION, by=BY)
    event = {"case": kept.case_id, "channel": str(kept.channel), "state": str(kept.state)}
    record("message.received", kept.id, event)


def _place(mail: Mail, automatic: bool) -> tuple[int | None, str]:
    """The case of a mail and what becomes of it there."""
    case_id = _case_of(mail)
    if automatic or (case_id is not None and _too_many(case_id)):
        return case_id, State.AUTOMATIC
    return case_id, State.UNMATCHED if case_id is None else State.WAITING


def _case_of(mail: Mail) -> int | None:
    """By the tag in an address it was sent to, else by the message it answers; never by who says they sent it."""
    tagged = tags.case_of(mail.recipients)
    if tagged is not None:
        try:
            return lock_case(tagged).id
        except NotFoundError:
            pass
    wire_ids = mail.refers_to
    sent = ArchivedMessage.objects.filter(wire_id__in=wire_ids).values_list("wire_id", "message_id")
    messages = dict(sent)
    first = next((messages[each] for each in wire_ids if each in messages), None)
    return None if first is None else Message.objects.values_list("case_id", flat=True).get(id=first)


def _is_theirs(case_id: int, sender: str) -> bool:
    rows = ContactPoint.objects.filter(channel=Channel.EMAIL, customer__cases__id=case_id)
    return sender in {value.lower() for value in rows.values_list("value", flat=True)}


def _own_addresses() -> frozenset[str]:
    rows = Brand.objects.values_list("sender_email", "reply_to")
    return frozenset(address.lower() for brand in rows for address in brand if address)


def _too_many(case_id: int) -> bool:
    """What machines wrote does not count: their notes must not keep the customer from writing."""
    since = clock.now() - timedelta(days=1)
    rows = InboundMessage.objects.filter(case_id=case_id, received_at__gt=since)
    return rows.exclude(state=State.AUTOMATIC).count() >= PER_DAY


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
