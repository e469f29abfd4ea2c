"""Lists of cases and of what waits for a person."""

from dataclasses import dataclass, fields
from datetime import date, datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.lookups import GreaterThan, LessThanOrEqual

from kulanz.claims.models import OWED, Account, Case, Claim, Hold, Posting
from kulanz.claims.queries import holds_at
from kulanz.contact.correcting.models import Correction
from kulanz.contact.models import Channel, ContactPoint
from kulanz.contact.vulnerability.matching import URGENT
from kulanz.desk.models import Note
from kulanz.events.models import Event
from kulanz.kernel import clock
from kulanz.outreach.models import InboundMessage, Message
from kulanz.payments.plans.rules import Reason

PAGE = 50
STATES = ("open", "overdue", "held", "settled", "all")
_BALANCE = (*OWED, Account.CREDIT)


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case in a list: `open_amount` in minor units, `overdue` in days of its oldest open claim (<= 0: not yet)."""

    id: int
    customer: str
    number: str
    currency: str
    open_amount: int
    overdue: int | None
    open_claims: int
    holds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CasePage:
    """`before` is the case id at which the next page begins; None on the last one."""

    lines: tuple[CaseLine, ...]
    before: int | None


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits for a person, oldest first."""

    case_id: int
    customer: str
    number: str
    since: datetime
    detail: str = ""
    about_id: int | None = None
    """The message or request itself, where it has a page of its own."""


@dataclass(frozen=True, slots=True)
class MailTask:
    """A mail of which a person has to say whose it is; `urgent` where its words tell of danger."""

    id: int
    sender: str
    subject: str
    since: datetime
    urgent: bool


@dataclass(frozen=True, slots=True)
class Tasks:
    """What only people can do; at most PAGE of each kind."""

    cared: tuple[Task, ...]
    waiting: tuple[Task, ...]
    mails: tuple[MailTask, ...]
    helped: tuple[Task, ...]
    corrections: tuple[Task, ...]
    disputes: tuple[Task, ...]
    voices: tuple[Task, ...]
    money: tuple[Task, ...]
    unknown: tuple[Task, ...]
    hand_over: tuple[Task, ...]

    @property
    def total(self) -> int:
        return sum(len(getattr(self, each.name)) for each in fields(self))


def find_cases(text: str, state: str, before: int | None, today: date) -> CasePage:
    """Newest cases first; `text` is part of a name or the beginning of a customer's or claim's number."""
    rows: QuerySet[Case] = Case.objects.select_related("customer").annotate(owed=_owed())
    text = text.replace("\x00", "").strip()[:100]
    if text:
        claims = Claim._base_manager.filter(case_id=OuterRef("pk"), number__istartswith=text)
        rows = rows.filter(
            Q(customer__number__istartswith=text) | Q(customer__name__icontains=text) | Exists(claims)
        )
    rows = _in_state(rows, state, today)
    if before is not None:
        rows = rows.filter(id__lt=before)
    found = list(rows.order_by("-id")[: PAGE + 1])
    return CasePage(_lines(found[:PAGE], today), found[PAGE - 1].id if len(found) > PAGE else None)


def tasks() -> Tasks:
    """Everything that waits at the creditor in scope."""
    disputes = holds_at(clock.now()).filter(reason="dispute").select_related("case__customer").order_by("id")
    unknown = Message.objects.filter(state="unknown").select_related("case__customer").order_by("id")
    cared = holds_at(clock.now()).filter(reason="vulnerable").select_related("case__customer").order_by("id")
    return Tasks(
        cared=_urgent_first(cared),
        waiting=_waiting(),
        mails=_mails(),
        helped=_from_events(("help.asked",), unanswered=True),
        corrections=_corrections(),
        disputes=tuple(_task(hold.case, hold.from_at, hold.note) for hold in disputes[:PAGE]),
        voices=_from_events(("complaint.made", "question.asked"), unanswered=True),
        money=_from_events(("credit.wished", "plan.broken", "plan.refused"), unanswered=True),
        unknown=tuple(
            _task(row.case, row.sent_at or row.not_before, row.channel, row.id) for row in unknown[:PAGE]
        ),
        hand_over=_from_events(("handover.due",), unanswered=False),
    )


def cases_of_address(sender: str) -> tuple[Case, ...]:
    """Cases of customers with this e-mail address: a hint for a person, no proof of who wrote."""
    customers = ContactPoint.objects.filter(channel=Channel.EMAIL, value__iexact=sender).values("customer_id")
    rows = Case.objects.select_related("customer").filter(customer_id__in=customers)
    return tuple(rows.order_by("id")[:5]) if sender else ()


def _waiting() -> tuple[Task, ...]:
    """Cases whose customer waits for an answer, each once, with what they wrote first."""
    rows = InboundMessage.objects.filter(state=InboundMessage.State.WAITING).order_by("id")
    first: dict[int, Task] = {}
    for row in rows.select_related("case__customer")[: 4 * PAGE]:
        if row.case is not None:
            first.setdefault(row.case.id, _task(row.case, row.received_at, row.text or row.subject))
    return tuple(first.values())[:PAGE]


def _corrections() -> tuple[Task, ...]:
    rows = Correction.objects.filter(done_at=None).select_related("case__customer").order_by("asked_at")
    return tuple(_task(row.case, row.asked_at, row.text, row.id) for row in rows[:PAGE])


def _mails() -> tuple[MailTask, ...]:
    rows = InboundMessage.objects.filter(state=InboundMessage.State.UNMATCHED).order_by("-urgent", "id")
    return tuple(
        MailTask(row.id, row.sender, row.subject, row.received_at, row.urgent) for row in rows[:PAGE]
    )


def _urgent_first(holds: QuerySet[Hold]) -> tuple[Task, ...]:
    """People in danger before all others, each group oldest first."""
    rows = [_task(hold.case, hold.from_at, hold.note) for hold in holds[:PAGE]]
    return tuple(sorted(rows, key=lambda task: not URGENT.intersection(task.detail.split())))


def _from_events(types: tuple[str, ...], *, unanswered: bool) -> tuple[Task, ...]:
    """Cases with such an event: without a later note, or with something still open.

    A refused plan waits for nobody unless only a person can help: the page names the nearest that is possible.
    """
    first: dict[int, tuple[datetime, str]] = {}
    events = Event.objects.filter(type__in=types)
    events = events.exclude(Q(type="plan.refused") & ~Q(payload__reason=Reason.NEEDS_PERSON.value))
    if unanswered:
        events = events.exclude(
            Exists(Note.objects.filter(case_id=OuterRef("subject_id"), created_at__gte=OuterRef("at")))
        )
    for case_id, at, kind in events.order_by("id").values_list("subject_id", "at", "type"):
        first.setdefault(case_id, (at, kind))
    rows = (
        Case.objects.select_related("customer").annotate(owed=_owed()).filter(id__in=list(first)[: 4 * PAGE])
    )
    if not unanswered:
        rows = rows.filter(GreaterThan(F("owed"), 0))
    waiting = [_task(row, *first[row.id]) for row in rows.order_by("id")[:PAGE]]
    return tuple(sorted(waiting, key=lambda task: task.since))


def _task(case: Case, since: datetime, detail: str = "", about_id: int | None = None) -> Task:
    return Task(case.id, case.customer.name, case.customer.number, since, detail, about_id)


def _owed() -> Subquery:
    """The balance of each case of an outer query that is in scope, so that the index on the case alone is used."""
    return Subquery(
        Posting._base_manager.filter(case_id=OuterRef("pk"), account__in=_BALANCE)
        .values("case_id")
        .annotate(x=Sum("amount"))
        .values("x")
    )


def _in_state(rows: QuerySet[Case], state: str, today: date) -> QuerySet[Case]:
    if state == "open":
        return rows.filter(GreaterThan(F("owed"), 0))
    if state == "overdue":
        late = (
            Posting._base_manager.filter(case_id=OuterRef("pk"), account__in=OWED, claim__due_date__lt=today)
            .values("claim_id")
            .annotate(x=Sum("amount"))
            .filter(x__gt=0)
        )
        return rows.filter(Exists(late), GreaterThan(F("owed"), 0))
    if state == "held":
        return rows.filter(Exists(holds_at(clock.now()).filter(case_id=OuterRef("pk"))))
    if state == "settled":
        return rows.filter(LessThanOrEqual(F("owed"), 0))
    return rows


def _lines(cases: list[Case], today: date) -> tuple[CaseLine, ...]:
    ids = [case.id for case in cases]
    dues: dict[int, list[date]] = {}
    open_claims = (
        Posting.objects.filter(case_id__in=ids, account__in=OWED, claim__isnull=False)
        .values("case_id", "claim_id", due=F("claim__due_date"))
        .annotate(x=Sum("amount"))
        .filter(x__gt=0)
    )
    for row in open_claims:
        dues.setdefault(row["case_id"], []).append(row["due"])
    holds: dict[int, list[str]] = {}
    for case_id, reason in holds_at(clock.now()).filter(case_id__in=ids).values_list("case_id", "reason"):
        holds.setdefault(case_id, []).append(reason)
    return tuple(
        CaseLine(
            id=case.id,
            customer=case.customer.name,
            number=case.customer.number,
            currency=case.currency,
            open_amount=max(0, getattr(case, "owed", 0) or 0),
            overdue=(today - min(dues[case.id])).days if case.id in dues else None,
            open_claims=len(dues.get(case.id, ())),
            holds=tuple(dict.fromkeys(holds.get(case.id, ()))),
        )
        for case in cases
    )
