"""The whole story of one case: what is owed and why, and everything that happened, newest first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain

from kulanz.claims.models import Customer, Hold
from kulanz.claims.queries import ClaimLine, Statement, statement
from kulanz.contact.models import Consent, ContactPoint
from kulanz.desk.models import Note
from kulanz.desk.rules import may_lift
from kulanz.engine import ActionSpace
from kulanz.kernel import clock
from kulanz.kernel.errors import InputError
from kulanz.law.basis import basis
from kulanz.law.packs import load
from kulanz.outreach.inbound.thread import Said, thread
from kulanz.outreach.models import DeliveryEvent, Message
from kulanz.payments.models import Payment
from kulanz.payments.offers.models import Offer
from kulanz.strategy import journeys
from kulanz.strategy.models import Decision
from kulanz.strategy.queries import action_codes
from kulanz.strategy.reasons import Reasons, reasons

SHOWN = 200
EXPLAINED = 8
"""So many decisions are explained on the case's page; the others have a page of their own."""


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One posting that changed what the customer owes on a claim; `balance` is what was open after it."""

    value_date: date
    kind: str
    account: str
    amount: int
    balance: int
    paragraph: str
    reason: str


@dataclass(frozen=True, slots=True)
class ClaimStory:
    claim: ClaimLine
    lines: tuple[LedgerLine, ...]


@dataclass(frozen=True, slots=True)
class HoldStory:
    """A hold and whether the person who looks may end it."""

    hold: Hold
    active: bool
    may_lift: bool


@dataclass(frozen=True, slots=True)
class MessageStory:
    message: Message
    deliveries: tuple[DeliveryEvent, ...]


@dataclass(frozen=True, slots=True)
class DecisionStory:
    """`action`: ("wait",) or channel, weekday, band, tone and offer by name; `reasons` only for the newest."""

    decision: Decision
    action: tuple[str, ...]
    reasons: Reasons | None


Item = HoldStory | MessageStory | DecisionStory | Payment | Note | Offer


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened; `kind` names the template that tells it."""

    at: datetime
    kind: str
    item: Item


@dataclass(frozen=True, slots=True)
class CaseStory:
    """`entries` are the newest SHOWN, `more` says that older ones were left out; `said` is the conversation."""

    statement: Statement
    customer: Customer
    claims: tuple[ClaimStory, ...]
    holds: tuple[HoldStory, ...]
    points: tuple[ContactPoint, ...]
    opt_outs: tuple[Consent, ...]
    entries: tuple[Entry, ...]
    more: bool
    said: tuple[Said, ...]

    @property
    def waiting(self) -> bool:
        """The customer waits for an answer."""
        return any(each.waiting for each in self.said)

    @property
    def newest_said(self) -> int:
        """Id of the newest message of the customer."""
        return max((each.inbound_id for each in self.said), default=0)


def story(case_id: int, role: str, language: str) -> CaseStory:
    """Read it for the creditor in scope; raises NotFoundError for another creditor's case."""
    owed = statement(case_id)
    holds = _holds(case_id, role)
    entries = sorted(_entries(case_id, holds, language), key=lambda entry: entry.at, reverse=True)
    customer_id = owed.customer_id
    withdrawn = Consent.objects.filter(
        customer_id=customer_id, purpose=Consent.Purpose.REMINDERS, withdrawn_at__isnull=False
    )
    return CaseStory(
        statement=owed,
        customer=Customer.objects.get(id=customer_id),
        claims=tuple(ClaimStory(claim, _lines(claim, language)) for claim in owed.claims),
        holds=tuple(hold for hold in holds if hold.active),
        points=tuple(ContactPoint.objects.filter(customer_id=customer_id).order_by("channel", "id")),
        opt_outs=tuple(withdrawn.order_by("channel")),
        entries=tuple(entries[:SHOWN]),
        more=len(entries) > SHOWN,
        said=tuple(each for each in thread(case_id) if each.who != "sent"),
    )


def _lines(claim: ClaimLine, language: str) -> tuple[LedgerLine, ...]:
    pack = load(claim.jurisdiction)
    balance, lines = 0, []
    for posting in claim.postings:
        if posting.account not in ("principal", "interest", "cost"):
            continue
        balance += posting.amount
        try:
            source = basis(pack, posting.basis.rpartition(".")[2])
            paragraph, reason = source.paragraph, source.text_de if language == "de" else source.text_en
        except InputError:
            paragraph, reason = posting.basis, ""
        lines.append(
            LedgerLine(
                posting.value_date, posting.kind, posting.account, posting.amount, balance, paragraph, reason
            )
        )
    return tuple(lines)


def _holds(case_id: int, role: str) -> list[HoldStory]:
    now = clock.now()
    found = []
    for hold in Hold.objects.filter(case_id=case_id).order_by("-id")[:SHOWN]:
        ended = hold.lifted_at is not None or (hold.until_at is not None and hold.until_at <= now)
        found.append(HoldStory(hold, not ended, may_lift(role, hold.reason)))
    return found


def _entries(case_id: int, holds: list[HoldStory], language: str) -> Iterator[Entry]:
    payments = Payment.objects.filter(case_id=case_id).order_by("-id")[:SHOWN]
    offers = Offer.objects.filter(case_id=case_id).order_by("-id")[:SHOWN]
    notes = Note.objects.filter(case_id=case_id).order_by("-id")[:SHOWN]
    return chain(
        (Entry(payment.received_at, "payment", payment) for payment in payments),
        (Entry(payment.returned_at, "returned", payment) for payment in payments if payment.returned_at),
        (Entry(note.created_at, "note", note) for note in notes),
        (Entry(hold.hold.from_at, "hold", hold) for hold in holds),
        (Entry(hold.hold.lifted_at, "lifted", hold) for hold in holds if hold.hold.lifted_at),
        (Entry(offer.told_at or offer.made_at, "offer", offer) for offer in offers),
        (Entry(offer.ended_at, "offer_taken", offer) for offer in offers if offer.state == "used"),
        (Entry(made.decision.run.at, "decision", made) for made in _decisions(case_id, language)),
        _messages(case_id),
    )


def _decisions(case_id: int, language: str) -> Iterator[DecisionStory]:
    rows = Decision.objects.defer("features", "scores", "allowed").select_related("run__journey")
    spaces: dict[int, ActionSpace] = {}
    for index, row in enumerate(rows.filter(case_id=case_id).order_by("-id")[:SHOWN]):
        journey = row.run.journey
        space = spaces.setdefault(journey.id, journeys.spec_of(journey).space)
        why = reasons(row.id, language) if index < EXPLAINED else None
        yield DecisionStory(row, space.label(action_codes(row)), why)


def _messages(case_id: int) -> Iterator[Entry]:
    rows = list(
        Message.objects.filter(case_id=case_id).exclude(state="queued").order_by("-id")[:SHOWN]
    ) + list(Message.objects.filter(case_id=case_id, state="queued").order_by("-id")[:SHOWN])
    deliveries: dict[int, list[DeliveryEvent]] = {}
    for event in DeliveryEvent.objects.filter(message_id__in=[row.id for row in rows]).order_by("at", "id"):
        deliveries.setdefault(event.message_id, []).append(event)
    for row in rows:
        told = tuple(deliveries.get(row.id, ()))
        yield Entry(row.sent_at or row.not_before, "message", MessageStory(row, told))
