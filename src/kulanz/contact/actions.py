"""What changes how a customer can be reached. Each step runs in one transaction and leaves an event."""

from collections.abc import Sequence

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from kulanz.claims.models import Customer
from kulanz.contact.models import Channel, Consent, ContactLog, ContactPoint
from kulanz.events.log import record
from kulanz.kernel import clock
from kulanz.kernel.database import in_clause, insert_columns, read_columns
from kulanz.kernel.errors import InputError, NotFoundError
from kulanz.tenancy.scope import creditor_id

BLOCK = 10_000
"""Customers per statement; a statement's text has a limit."""


def add_points(
    customer_ids: Sequence[int] | NDArray[np.int64],
    channel: str,
    values: Sequence[str],
    *,
    source: str,
) -> int:
    """Add one address per row on `channel`, inside the caller's transaction; returns how many were new.

    Empty values are left out, and so are those that the customer already has, whatever their state. `customer_ids`
    belong to the creditor in scope.
    """
    _known_channel(channel)
    rows = zip(map(int, customer_ids), (value.strip() for value in values), strict=True)
    wanted = dict.fromkeys((customer, value) for customer, value in rows if value)
    if not wanted:
        return 0
    existing = _existing({customer for customer, _ in wanted}, channel)
    new = [row for row in wanted if row not in existing]
    return insert_columns(
        ContactPoint,
        {
            "creditor_id": creditor_id(),
            "customer_id": [customer for customer, _ in new],
            "channel": channel,
            "value": [value for _, value in new],
            "state": ContactPoint.State.OK.value,
            "source": source,
            "created_at": clock.now(),
        },
    )


def withdraw(customer_id: int, channel: str, *, purpose: str = "reminders", proof: str) -> bool:
    """Record an opt-out from `channel`; False when it was withdrawn already. `proof` says where and how.

    The event lets the outbox stop what is queued in the same transaction.
    """
    now = clock.now()
    with transaction.atomic():
        consent = _consent(customer_id, channel, purpose, proof)
        if consent.withdrawn_at is not None:
            return False
        consent.withdrawn_at, consent.proof = now, proof
        consent.save(update_fields=["withdrawn_at", "proof"])
        record("consent.withdrawn", customer_id, {"channel": channel, "purpose": purpose})
    return True


def give(customer_id: int, channel: str, *, purpose: str = "reminders", proof: str) -> bool:
    """Record a consent, which also ends an opt-out; False when it was in force already."""
    now = clock.now()
    with transaction.atomic():
        consent = _consent(customer_id, channel, purpose, proof)
        if consent.given_at is not None and consent.withdrawn_at is None:
            return False
        consent.given_at, consent.withdrawn_at, consent.proof = now, None, proof
        consent.save(update_fields=["given_at", "withdrawn_at", "proof"])
        record("consent.given", customer_id, {"channel": channel, "purpose": purpose})
    return True


def mark_bounced(customer_id: int, channel: str, value: str | None = None) -> int:
    """Mark addresses as returned mail: the one with `value`, or all on the channel. Returns how many changed."""
    _known_channel(channel)
    with transaction.atomic():
        points = ContactPoint.objects.filter(
            customer_id=customer_id, channel=channel, state=ContactPoint.State.OK
        )
        if value is not None:
            points = points.filter(value=value.strip())
        changed = points.update(state=ContactPoint.State.BOUNCED)
        if changed:
            record("contact_point.bounced", customer_id, {"channel": channel})
    return changed


def log_contact(
    case_id: int,
    customer_id: int,
    channel: str,
    demanding: bool,
    message_id: int | None = None,
    *,
    talked: bool = False,
) -> None:
    """Record that a contact was made now: it was handed to the provider. Demanding ones count towards the caps.

    `talked`: a call in which somebody was spoken to; some jurisdictions let no other follow it for a while.
    """
    insert_columns(
        ContactLog,
        {
            "creditor_id": creditor_id(),
            "case_id": [case_id],
            "customer_id": customer_id,
            "channel": _known_channel(channel),
            "at": clock.now(),
            "demanding": demanding,
            "talked": talked,
            "message_id": message_id,
        },
    )


def _existing(customer_ids: set[int], channel: str) -> set[tuple[int, str]]:
    known: set[tuple[int, str]] = set()
    ids = sorted(customer_ids)
    for start in range(0, len(ids), BLOCK):
        among = in_clause("customer_id", ids[start : start + BLOCK])
        found = read_columns(
            f"""SELECT customer_id, value FROM contact_contactpoint
            WHERE +creditor_id = %s AND channel = %s AND {among}""",  # noqa: S608
            [creditor_id(), channel],
        )
        known.update(zip(found["customer_id"].tolist(), found["value"].tolist(), strict=True))
    return known


def _consent(customer_id: int, channel: str, purpose: str, proof: str) -> Consent:
    """The row of this consent, made where there is none, locked until the transaction ends."""
    _known_channel(channel)
    if purpose not in Consent.Purpose.values:
        raise InputError(f"{purpose!r} is not a purpose; choose one of {', '.join(Consent.Purpose.values)}.")
    if not Customer.objects.filter(id=customer_id).exists():
        raise NotFoundError("There is no such customer.")
    Consent.objects.get_or_create(
        creditor_id=creditor_id(),
        customer_id=customer_id,
        purpose=purpose,
        channel=channel,
        defaults={"proof": proof},
    )
    consent: Consent = Consent.objects.select_for_update().get(
        customer_id=customer_id, purpose=purpose, channel=channel
    )
    return consent


def _known_channel(channel: str) -> str:
    if channel not in Channel.values:
        raise InputError(f"{channel!r} is not a channel; choose one of {', '.join(Channel.values)}.")
    return channel
