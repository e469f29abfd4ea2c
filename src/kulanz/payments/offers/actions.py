"""Making, telling, checking and ending offers. Each step leaves an event with ids and codes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Max

from kulanz.claims.actions import lock_case
from kulanz.claims.models import Journal
from kulanz.claims.queries import open_amount
from kulanz.events.log import record, record_many
from kulanz.kernel import clock
from kulanz.kernel.database import insert_columns, reserve_ids
from kulanz.kernel.errors import NotFoundError
from kulanz.payments.models import Payment
from kulanz.payments.offers import queries, rules
from kulanz.payments.offers.models import Offer
from kulanz.payments.offers.queries import LIVE, creditor_today, offer_terms
from kulanz.payments.offers.rules import Ints, Kind
from kulanz.payments.plans.queries import plan_terms
from kulanz.tenancy.scope import creditor_id

State = Offer.State
BLOCK = 500


@dataclass(frozen=True, slots=True)
class Draft:
    """One offer that is about to be made."""

    kind: str
    full: int
    pay: int
    days: rules.Days
    claims: tuple[int, ...] = ()

    @property
    def data(self) -> str:
        """What its message says, as JSON text that `outreach` reads: numbers and ISO days, nothing to be quoted."""
        return (
            f'{{"offer_full":{self.full},"offer_pay":{self.pay},'
            f'"offer_day":"{self.days.day}","offer_until":"{self.days.until}"}}'
        )


@dataclass(frozen=True, slots=True)
class Origin:
    """What caused offers, as columns: the decision, its message and the case."""

    decision_id: Ints
    message_id: Ints
    case_id: Ints


def draft(
    case_ids: Ints, open_amounts: Ints, kinds: Sequence[str], sent_on: Sequence[date]
) -> list[Draft | None]:
    """The terms for cases of the creditor in scope, one each; None where the kind is not ours or not possible.

    `sent_on`: the day on which each message may leave, at the creditor.
    """
    if not set(kinds) & set(Kind):
        return [None] * len(kinds)
    terms, plan, today = offer_terms(), plan_terms(), creditor_today()
    rates = rules.instalments(open_amounts, terms, plan)
    wanted = np.array([kind == Kind.DISCOUNT for kind in kinds])
    off = _discounts(case_ids, wanted, terms, today)
    told = {key: rules.days(*key, terms, plan) for key in set(zip(kinds, sent_on, strict=True))}
    found: list[Draft | None] = []
    columns = (open_amounts.tolist(), rates.rate.tolist(), rates.possible.tolist())
    for row, (kind, day, full, rate, may) in enumerate(zip(kinds, sent_on, *columns, strict=True)):
        made: Draft | None = None
        if kind == Kind.LATER and terms.later:
            made = Draft(kind, full, full, told[kind, day])
        elif kind == Kind.PLAN and may:
            made = Draft(kind, full, rate, told[kind, day])
        elif kind == Kind.DISCOUNT and row in off:
            due, less, claims = off[row]
            made = Draft(kind, due, due - less, told[kind, day], claims)
        found.append(made)
    return found


def make(drafts: Sequence[Draft | None], origin: Origin) -> int:
    """Store offers beside their messages, inside the caller's transaction; returns how many.

    The same decision twice breaks the unique key: the database refuses the block.
    """
    rows = [row for row, each in enumerate(drafts) if each is not None]
    if not rows:
        return 0
    made = [each for each in drafts if each is not None]
    ids = reserve_ids(Offer, len(rows))
    insert_columns(
        Offer,
        {
            "id": ids,
            "creditor_id": creditor_id(),
            "case_id": origin.case_id[rows],
            "decision_id": origin.decision_id[rows],
            "message_id": origin.message_id[rows],
            "kind": [each.kind for each in made],
            "state": State.MADE.value,
            "full": [each.full for each in made],
            "pay": [each.pay for each in made],
            "day": [each.days.day for each in made],
            "until": [each.days.until for each in made],
            "claims": [json.dumps(each.claims) if each.claims else "[]" for each in made],
            "made_at": clock.now(),
            "told_at": None,
            "ended_at": None,
            "after_payment": _last(Payment),
            "after_journal": _last(Journal),
            "discounted": 0,
        },
    )
    told = [{"offer": int(id_), "kind": each.kind} for id_, each in zip(ids, made, strict=True)]
    record_many("offer.made", origin.case_id[rows], told)
    return len(rows)


def stands(message_id: int) -> bool:
    """Whether the offer of a message that is about to leave still holds; one that does not is withdrawn.

    It holds while it has not expired, nothing was taken off what was owed, and the creditor's terms allow it still.
    Call with the case locked, in the transaction that sends.
    """
    offer: Offer | None = Offer.objects.filter(message_id=message_id).first()
    if offer is None:
        return False
    if offer.state == State.MADE and _holds(offer, creditor_today()):
        return True
    if offer.state in LIVE:
        end(offer, State.WITHDRAWN, "lapsed")
    return False


def note_shown(offers: Sequence[Offer]) -> None:
    """The customer saw offers on the page; only the first time is recorded."""
    for offer in offers:
        if offer.state != State.MADE:
            continue
        with transaction.atomic():
            if Offer.objects.filter(id=offer.id, state=State.MADE).update(state=State.SHOWN):
                _tell(offer, "shown")


def accept(offer: Offer) -> None:
    """The customer took it up; what it brings follows. Call with the case locked."""
    if Offer.objects.filter(id=offer.id, state__in=[State.MADE, State.SHOWN]).update(state=State.ACCEPTED):
        _tell(offer, "accepted")


def decline(case_id: int, offer_id: int) -> None:
    """The customer does not want it; raises NotFoundError for an offer of another case. Declining twice is once."""
    with transaction.atomic():
        lock_case(case_id)
        offer: Offer | None = Offer.objects.filter(id=offer_id, case_id=case_id).first()
        if offer is None:
            raise NotFoundError("There is no such offer.")
        if offer.state in LIVE:
            end(offer, State.WITHDRAWN, "declined")


def check_offers() -> int:
    """End the offers of the creditor in scope whose time is over; returns how many.

    Money that came in time and is booked later still has its effect.
    """
    today = creditor_today()
    over = Offer.objects.filter(state__in=LIVE, until__lt=today).order_by("id")
    ended = 0
    for offer in list(over[: BLOCK * 20]):
        with transaction.atomic():
            lock_case(offer.case_id)
            offer.refresh_from_db()
            if offer.state in LIVE:
                end(offer, State.EXPIRED, "expired")
                ended += 1
    return ended


def end(offer: Offer, state: State, why: str) -> None:
    """An offer is over: used, expired or withdrawn. Call with the case locked."""
    offer.state, offer.ended_at = state, clock.now()
    offer.save(update_fields=["state", "ended_at"])
    _tell(offer, state.value, why)


def _tell(offer: Offer, what: str, why: str = "") -> None:
    payload = {"offer": offer.id, "kind": offer.kind} | ({"why": why} if why else {})
    record(f"offer.{what}", offer.case_id, payload)


def _discounts(
    case_ids: Ints, wanted: np.ndarray[Any, np.dtype[np.bool_]], terms: rules.OfferTerms, today: date
) -> dict[int, tuple[int, int, tuple[int, ...]]]:
    """Row to what is due, what is given up of it, and the claims covered."""
    rows = np.flatnonzero(wanted)
    if not len(rows):
        return {}
    claims = queries.due_claims(case_ids[rows], today)
    owing = queries.owing(case_ids[rows], terms, today, claims)
    found = rules.discounts(owing, terms)
    return {
        int(row): (
            int(owing.due[at]),
            int(found.off[at]),
            tuple(claims.claim[claims.row == at].tolist()),
        )
        for at, row in enumerate(rows)
        if found.possible[at]
    }


def _holds(offer: Offer, today: date) -> bool:
    if offer.until < today or offer.told_at is not None:
        return False
    terms, case = offer_terms(), np.array([offer.case_id], np.int64)
    if offer.kind != Kind.DISCOUNT:
        owed = open_amount(offer.case_id)
        allowed = queries.possible(case, np.array([owed], np.int64), [offer.kind], today)
        return owed >= offer.full and (allowed is None or bool(allowed.all()))
    owing = queries.owing(case, terms, today, besides=offer.id)
    now = queries.standing(offer)
    unchanged = not now.received and now.left >= offer.full
    return unchanged and bool(rules.discounts(owing, terms).possible[0])


def _last(model: type[Payment] | type[Journal]) -> int:
    return int(model.objects.aggregate(last=Max("id"))["last"] or 0)
