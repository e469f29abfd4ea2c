"""Asking for a correction, and settling it."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from kulanz.claims.actions import lock_case
from kulanz.contact.actions import add_points
from kulanz.contact.correcting.models import Correction
from kulanz.contact.models import Channel, ContactPoint
from kulanz.contact.vulnerability.actions import look_after
from kulanz.events.log import record
from kulanz.kernel import clock
from kulanz.kernel.errors import ConflictError, InputError

WITHIN = timedelta(days=28)
"""Art. 12 (3) GDPR: without undue delay and within one month; February is the shortest."""
OPEN_AT_ONCE = 10


class TooManyOpenError(InputError):
    """More requests wait than a person sends in earnest."""


def ask(case_id: int, about: str, text: str, form_key: str) -> Correction:
    """Keep a request for a person; the same form sent twice is one. Raises TooManyOpenError beyond OPEN_AT_ONCE."""
    with transaction.atomic():
        case = lock_case(case_id)
        found: Correction | None = Correction.objects.filter(form_key=form_key).first()
        if found is not None and found.customer_id == case.customer_id:
            return found
        look_after(case_id, text, "correction")
        if Correction.objects.filter(customer_id=case.customer_id, done_at=None).count() < OPEN_AT_ONCE:
            made: Correction = Correction.objects.create(
                creditor_id=case.creditor_id,
                customer_id=case.customer_id,
                case_id=case_id,
                about=about,
                text=text,
                form_key=form_key,
                asked_at=clock.now(),
            )
            record("correction.asked", case_id, {"correction": made.id})
            return made
    raise TooManyOpenError("Several requests wait already. We look at all of them.")


def settle(correction_id: int, *, corrected: bool, by: str) -> Correction:
    """A person has looked. Raises ConflictError where somebody did before, or the request is another creditor's."""
    with transaction.atomic():
        rows = Correction.objects.filter(id=correction_id, done_at=None)
        if not rows.update(done_at=clock.now(), done_by=by, corrected=corrected):
            raise ConflictError("Somebody has taken care of this request before.")
        found: Correction = Correction.objects.get(id=correction_id)
        record("correction.settled", found.case_id, {"correction": found.id, "corrected": corrected})
    return found


def replace_address(customer_id: int, channel: str, value: str, *, by: str) -> bool:
    """Reach the customer at `value` on `channel` from now on, and at no other address there; False: so it is already.

    Call in the caller's transaction. Raises InputError for an e-mail address that cannot be one.
    """
    value = value.strip()
    if channel == Channel.EMAIL:
        try:
            validate_email(value)
        except ValidationError:
            raise InputError(f"{value!r} is not an e-mail address.") from None
    points = ContactPoint.objects.filter(customer_id=customer_id, channel=channel)
    used = set(points.filter(state=ContactPoint.State.OK).values_list("value", flat=True))
    if used == {value}:
        return False
    points.exclude(value=value).update(state=ContactPoint.State.REVOKED)
    if not points.filter(value=value).update(state=ContactPoint.State.OK):
        add_points([customer_id], channel, [value], source="customer")
    record("contact_point.replaced", customer_id, {"channel": channel, "by": by.partition(":")[0]})
    return True
