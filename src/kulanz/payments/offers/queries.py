"""Reads of offers: what is possible for a block of cases, and what stands on one."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from django.db.models import Count, Q, QuerySet, Sum

from kulanz.claims.limitation import SHORTEST
from kulanz.claims.models import OWED, OWED_SQL, Account, Claim, Journal, Posting
from kulanz.kernel import clock
from kulanz.kernel.database import in_clause, read_columns, stored_datetime
from kulanz.law.basis import PostingKind
from kulanz.payments.models import Payment
from kulanz.payments.offers import rules
from kulanz.payments.offers.models import Offer, OfferPolicy
from kulanz.payments.offers.rules import Bools, Ints, Kind, OfferTerms, Owing
from kulanz.payments.plans.queries import plan_terms
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import creditor_id

LIVE = (Offer.State.MADE, Offer.State.SHOWN, Offer.State.ACCEPTED)
_MONEY = (PostingKind.PAYMENT, PostingKind.PAYMENT_RETURN, PostingKind.OVERPAYMENT, PostingKind.OFFSET)
"""Bases of postings by which money, and nothing else, changes what is owed or stands in credit."""


def offer_terms() -> OfferTerms:
    """The terms of the creditor in scope."""
    policy: OfferPolicy | None = OfferPolicy.objects.first()
    if policy is None:
        return OfferTerms()
    return OfferTerms(**{field.name: getattr(policy, field.name) for field in fields(OfferTerms)})


def possible(case_ids: Ints, open_amounts: Ints, offers: Sequence[str], today: date) -> Bools | None:
    """bool[n, offers]: what the creditor's terms allow for each case; None where they forbid nothing.

    Names that are no `Kind` are not ours to judge and stay allowed.
    """
    known = [name for name in offers if name in set(Kind)]
    if not known or not len(case_ids):
        return None
    terms = offer_terms()
    allowed = np.ones((len(case_ids), len(offers)), np.bool_)
    for name in known:
        allowed[:, offers.index(name)] = _possible(Kind(name), case_ids, open_amounts, terms, today)
    return None if allowed.all() else allowed


def _possible(kind: Kind, case_ids: Ints, open_amounts: Ints, terms: OfferTerms, today: date) -> Bools:
    if kind is Kind.PLAN:
        return rules.instalments(open_amounts, terms, plan_terms()).possible
    if kind is Kind.LATER:
        return ~_promised_often(case_ids) & np.bool_(terms.later)
    if not terms.discounts:
        return np.zeros(len(case_ids), np.bool_)
    return rules.discounts(owing(case_ids, terms, today), terms).possible


@dataclass(frozen=True, slots=True)
class DueClaims:
    """Claims that are due and of which something is open, ordered by case; `row` is the case's place."""

    row: Ints
    claim: Ints
    total: Ints
    charges: Ints
    day: Ints


def due_claims(case_ids: Ints, today: date) -> DueClaims:
    """Of the creditor in scope; days are ordinals."""
    found = read_columns(
        f"""SELECT p.case_id, p.claim_id, l.due_date, CAST(SUM(p.amount) AS BIGINT) AS total,
          CAST(SUM(CASE WHEN p.account = 'principal' THEN 0 ELSE p.amount END) AS BIGINT) AS charges
        FROM claims_posting p JOIN claims_claim l ON l.id = p.claim_id
        WHERE +p.creditor_id = %s AND {in_clause("p.case_id", case_ids.tolist())} AND p.account IN ({OWED_SQL})
          AND l.due_date <= %s
        GROUP BY p.case_id, p.claim_id, l.due_date HAVING SUM(p.amount) > 0 ORDER BY p.case_id, p.claim_id""",  # noqa: S608
        [creditor_id(), today],
    )
    order = np.argsort(case_ids)
    row = (
        order[np.searchsorted(case_ids, found["case_id"], sorter=order)]
        if len(case_ids)
        else found["case_id"]
    )
    day = [date.fromisoformat(str(each)[:10]).toordinal() for each in found["due_date"]]
    return DueClaims(row, found["claim_id"], found["total"], found["charges"], np.array(day, np.int64))


def owing(
    case_ids: Ints, terms: OfferTerms, today: date, due: DueClaims | None = None, besides: int = 0
) -> Owing:
    """What discounts depend on, for cases of the creditor in scope (each once).

    `due` spares the read of the claims; the offer with the id `besides` does not count as one made lately.
    """
    due = due_claims(case_ids, today) if due is None else due
    n, now = len(case_ids), today.toordinal()
    total, charges = np.zeros((2, n), np.int64)
    oldest = np.full(n, now, np.int64)
    np.add.at(total, due.row, due.total)
    np.add.at(charges, due.row, np.clip(due.charges, 0, due.total))
    np.minimum.at(oldest, due.row, due.day)
    lately = np.isin(case_ids, _offered_lately(case_ids, terms, besides))
    return Owing(total, charges, now - oldest, now - oldest >= SHORTEST.days, lately)


def live(case_id: int, today: date) -> list[Offer]:
    """Offers that the customer knows of and may still take: a discount first, then the newest; one of each kind."""
    if not any_made([case_id]):
        return []
    rows = Offer.objects.filter(case_id=case_id, state__in=LIVE, until__gte=today).exclude(told_at=None)
    newest = {offer.kind: offer for offer in rows.order_by("id")}
    return sorted(newest.values(), key=lambda offer: (offer.kind != Kind.DISCOUNT, -offer.id))


def any_made(case_ids: Collection[int]) -> bool:
    """Whether any offer was ever made to one of the cases: nearly every booking is done with this one look."""
    sql = f"SELECT 1 AS one FROM payments_offer WHERE +creditor_id = %s AND {in_clause('case_id', case_ids)} LIMIT 1"  # noqa: S608
    return bool(len(read_columns(sql, [creditor_id()])["one"]))


@dataclass(frozen=True, slots=True)
class Standing:
    """How a discount stands: `left` is owed on its claims now, `rest` still to pay for it, `received` so far."""

    left: int
    rest: int
    received: int
    give_up: int

    @property
    def worth_it(self) -> bool:
        """Whether the customer still gains by it."""
        return 0 < self.rest < self.left


def standing(offer: Offer) -> Standing:
    """A discount as money and days have it, read afresh. `give_up`: what is given up once nothing is left to pay."""
    received = _received(offer)
    covered = Q(claim_id__in=offer.claims, account__in=OWED)
    postings = Posting.objects.filter(case_id=offer.case_id)
    left = _sum(postings.filter(covered))
    later = postings.filter(journal_id__gt=offer.after_journal)
    notes = later.filter(claim__kind=Claim.Kind.CREDIT_NOTE, account__in=OWED, basis=PostingKind.OFFSET)
    changed = _sum(later.filter(covered | Q(account=Account.CREDIT)).exclude(basis__in=_MONEY)) - _sum(notes)
    give_up = rules.to_give_up(left, offer.full, changed, received)
    return Standing(max(0, left), max(0, offer.pay - received), received, give_up)


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a kind of offer was told to a customer, and how often it was taken."""

    kind: str
    told: int
    used: int


def tally() -> tuple[Tally, ...]:
    """Of the creditor in scope, the kind told most often first."""
    used = Count("id", filter=Q(state=Offer.State.USED))
    rows = Offer.objects.exclude(told_at=None).values("kind").annotate(told=Count("id"), used=used)
    return tuple(Tally(row["kind"], row["told"], row["used"]) for row in rows.order_by("-told", "kind"))


def given_up(offer: Offer) -> int:
    """What was given up for an offer and not taken back."""
    rows = Posting.objects.filter(
        case_id=offer.case_id, claim_id__in=offer.claims, account=Account.DISCOUNTED
    )
    return _sum(rows.filter(journal__kind=Journal.Kind.DISCOUNT))


def payable(offer_id: int, case_id: int, today: date) -> Offer | None:
    """The discount of a case that may be taken up now; None where there is none."""
    found = next((each for each in live(case_id, today) if each.id == offer_id), None)
    return found if found is not None and found.kind == Kind.DISCOUNT else None


def creditor_today() -> date:
    """The calendar day at the creditor in scope."""
    return clock.today(Creditor.objects.values_list("timezone", flat=True).get(id=creditor_id()))


def _sum(postings: QuerySet[Posting]) -> int:
    return int(postings.aggregate(total=Sum("amount"))["total"] or 0)


def _received(offer: Offer) -> int:
    """What came in for a discount in time: by the value date, or by an online payment that was begun in time."""
    last = offer.until + timedelta(days=offer_terms().grace_days)
    zone = Creditor.objects.values_list("timezone", flat=True).get(id=offer.creditor_id)
    rows = Payment.objects.filter(case_id=offer.case_id, id__gt=offer.after_payment, returned_at=None)
    return sum(
        payment.amount
        for payment in rows.select_related("intent")
        if _in_time(payment, last, offer.until, zone) and _aimed_at(payment, offer)
    )


def _in_time(payment: Payment, last: date, until: date, zone: str) -> bool:
    if payment.value_date <= last:
        return True
    begun = payment.intent.created_at.astimezone(ZoneInfo(zone)).date() if payment.intent else None
    return begun is not None and begun <= until


def _aimed_at(payment: Payment, offer: Offer) -> bool:
    """Money for a claim that the customer named counts for that claim alone."""
    named = payment.intent.claim_id if payment.intent else None
    return named is None or named in offer.claims


def _offered_lately(case_ids: Ints, terms: OfferTerms, besides: int) -> Ints:
    """Cases that were told of a discount within the period, or will be."""
    since = clock.now() - timedelta(days=terms.period_days)
    rows = Offer.objects.filter(kind=Kind.DISCOUNT, made_at__gt=since)
    rows = rows.filter(case_id__gte=int(case_ids.min(initial=0)), case_id__lte=int(case_ids.max(initial=0)))
    rows = rows.exclude(state=Offer.State.WITHDRAWN, told_at=None).exclude(id=besides)
    return np.array(list(rows.values_list("case_id", flat=True)), np.int64)


def _promised_often(case_ids: Ints) -> Bools:
    """Where no promise would be taken any more."""
    now = clock.now()
    found = read_columns(
        """SELECT case_id, COUNT(*) AS n FROM claims_hold WHERE +creditor_id = %s AND reason = 'promise'
          AND from_at > %s AND case_id BETWEEN %s AND %s GROUP BY case_id""",
        [
            creditor_id(),
            stored_datetime(now - rules.PROMISES_WITHIN),
            int(case_ids.min(initial=0)),
            int(case_ids.max(initial=0)),
        ],
    )
    often = found["case_id"][found["n"] >= rules.PROMISES]
    return np.isin(case_ids, often)
