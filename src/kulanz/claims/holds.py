"""Holds: placed, extended, lifted, run out. What they stop is stored with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Case as Choose
from django.db.models import F, Q, When

from kulanz.claims import fees, settling
from kulanz.claims.actions import lock_case
from kulanz.claims.models import Hold
from kulanz.claims.queries import holds_at
from kulanz.events.log import record
from kulanz.kernel import clock
from kulanz.kernel.errors import InputError, NotFoundError
from kulanz.law.holds import REACHES_BACK, HoldEffects, effects_of


@dataclass(frozen=True, slots=True)
class Ended:
    """A hold that is over: because its time ran out (`lifted` False) or somebody ended it."""

    hold_id: int
    case_id: int
    reason: str
    at: datetime
    lifted: bool


def place_hold(
    case_id: int,
    reason: str,
    *,
    by: str,
    until: datetime | None = None,
    from_at: datetime | None = None,
    effects: HoldEffects | None = None,
    note: str = "",
) -> Hold:
    """Stop pressing a case; a hold for the same reason that is still active is extended instead of doubled.

    `until` None: until lifted. `by` is customer, agent:<id> or a room's name. `from_at` None: now; only reasons in
    `law.holds.REACHES_BACK` may begin earlier: interest and fees charged since are taken back, and contacts made stay
    as they are. `effects` None: those of the reason; an extended hold stops what either stopped. Raises InputError for
    an unknown reason, a beginning in the future, and for the other reasons one in the past or an end that is over.
    """
    now = clock.now()
    begins = from_at or now
    _check(reason, begins, until, now)
    wanted = effects or effects_of(reason)
    with transaction.atomic():
        case = lock_case(case_id)
        hold: Hold | None = holds_at(now).filter(case_id=case_id, reason=reason).first()
        if hold is None:
            hold = Hold(
                creditor_id=case.creditor_id, case_id=case_id, reason=reason, from_at=begins, until_at=until
            )
        else:
            hold.from_at = min(hold.from_at, begins)
            wanted = wanted | stops(hold)
            if hold.until_at is not None:
                hold.until_at = None if until is None else max(until, hold.until_at)
        hold.stops_contact, hold.stops_interest, hold.stops_fees = (
            wanted.contact,
            wanted.interest,
            wanted.fees,
        )
        hold.placed_by = by
        hold.note = "\n".join(filter(None, [hold.note, note]))
        hold.save()
        _tell("hold.placed", hold, by)
        if hold.stops_fees and reason in REACHES_BACK:
            fees.take_back(hold, by=by)
        if hold.stops_interest:
            settling.settle(case_id, f"hold:{hold.id}")
    return hold


def lift_hold(hold_id: int, *, by: str) -> None:
    """End a hold now; lifting it twice changes nothing. Raises NotFoundError for another creditor's hold."""
    with transaction.atomic():
        hold = Hold.objects.filter(id=hold_id).first()
        if hold is None:
            raise NotFoundError("There is no such hold.")
        lock_case(hold.case_id)
        hold.refresh_from_db()
        if hold.lifted_at is None:
            hold.lifted_at = clock.now()
            hold.lifted_by = by
            hold.save(update_fields=["lifted_at", "lifted_by"])
            _tell("hold.lifted", hold, by)


def expired(since: datetime, until: datetime) -> Sequence[Ended]:
    """Holds of the creditor in scope that ended after `since` and not after `until`, the earliest first."""
    end = Choose(
        When(Q(lifted_at=None) | Q(until_at__lt=F("lifted_at")), then=F("until_at")), default=F("lifted_at")
    )
    rows = Hold.objects.annotate(ends=end).filter(ends__gt=since, ends__lte=until).order_by("ends", "id")
    return [
        Ended(hold.id, hold.case_id, hold.reason, hold.ends, hold.lifted_at == hold.ends) for hold in rows
    ]


def stops(hold: Hold) -> HoldEffects:
    """What a stored hold stops."""
    return HoldEffects(hold.stops_contact, hold.stops_interest, hold.stops_fees)


def _check(reason: str, begins: datetime, until: datetime | None, now: datetime) -> None:
    if reason not in Hold.Reason.values:
        raise InputError(f"{reason!r} is not a reason for a hold: {', '.join(Hold.Reason.values)}.")
    if begins > now:
        raise InputError("A hold begins now or, for some reasons, in the past.")
    if begins < now and reason not in REACHES_BACK:
        raise InputError(
            f"A hold for {reason} begins now; only {', '.join(sorted(REACHES_BACK))} reach back."
        )
    if until is not None and until <= (begins if reason in REACHES_BACK else now):
        raise InputError("A hold must end in the future, and after it began.")


def _tell(event: str, hold: Hold, by: str) -> None:
    record(
        event,
        hold.case_id,
        {"hold": hold.id, "reason": hold.reason, "by": by.split(":", maxsplit=1)[0]},
    )
