"""What outreach does when something happens elsewhere."""

from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.db.models import Max

from kulanz.claims.models import Case, Hold
from kulanz.contact.models import Channel, Consent
from kulanz.events.log import Happened, record_many
from kulanz.kernel.database import insert_columns
from kulanz.outreach.actions import NewService, customers_of, queue_services
from kulanz.outreach.marking import lock_customer
from kulanz.outreach.models import DeliveryEvent, Message
from kulanz.outreach.planning import ended_a_plan
from kulanz.payments.models import PaymentIntent
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import creditor_id

_HOLD_TEXTS = {Hold.Reason.PROMISE.value: "promise_noted", Hold.Reason.DISPUTE.value: "dispute_received"}


def hold_off_messages(events: Sequence[Happened]) -> None:
    """In the transaction of an opt-out: wait until no message to the customer is just being checked."""
    for event in events:
        lock_customer(event.subject_id)


def thank_for_payments(events: Sequence[Happened]) -> None:
    """A receipt for each payment made online or after a message; who paid an invoice unasked expects no mail."""
    cases = {event.subject_id for event in events}
    written_to = set(
        Message.objects.filter(case_id__in=cases, state=Message.State.SENT).values_list("case_id", flat=True)
    )
    thanked = ended_a_plan(events)
    events = [
        e
        for e in events
        if (e.payload["method"] != "transfer" or e.subject_id in written_to) and e.sequence not in thanked
    ]
    customers = customers_of([event.subject_id for event in events])
    queue_services(
        [
            NewService(
                event.subject_id,
                customers[event.subject_id],
                "receipt",
                f"receipt:{event.payload['journal']}",
                {"paid": event.payload["amount"]},
            )
            for event in events
        ]
    )


def confirm_holds(events: Sequence[Happened]) -> None:
    """A note for each promise and dispute that the customer entered."""
    holds = list(
        Hold.objects.filter(
            id__in=[event.payload["hold"] for event in events], placed_by="customer", reason__in=_HOLD_TEXTS
        )
    )
    customers = customers_of([hold.case_id for hold in holds])
    zone = ZoneInfo(Creditor.objects.values_list("timezone", flat=True).get(id=creditor_id()))
    new = []
    for hold in holds:
        day = _last_day(hold, zone)
        data = {"until": day} if day else {}
        key = f"hold:{hold.id}:{day}"
        new.append(NewService(hold.case_id, customers[hold.case_id], _HOLD_TEXTS[hold.reason], key, data))
    queue_services(new)


def confirm_opt_outs(events: Sequence[Happened]) -> None:
    """One confirmation that reminders by e-mail have ended."""
    withdrawn = {
        event.subject_id: event
        for event in events
        if event.payload["channel"] == Channel.EMAIL and event.payload["purpose"] == Consent.Purpose.REMINDERS
    }
    latest = Case.objects.filter(customer_id__in=withdrawn).values("customer_id").annotate(case=Max("id"))
    cases = dict(latest.values_list("customer_id", "case"))
    queue_services(
        [
            NewService(cases[customer], customer, "opt_out_confirmed", f"opt_out:{event.sequence}")
            for customer, event in withdrawn.items()
            if customer in cases
        ]
    )


def tell_failed_payments(events: Sequence[Happened]) -> None:
    """Say so when a payment did not go through, unless the customer has begun another since."""
    failed = {event.subject_id: event for event in events}
    cases = {event.payload["case"] for event in events}
    newest: dict[int, int] = dict(
        PaymentIntent.objects.filter(case_id__in=cases)
        .values("case_id")
        .annotate(newest=Max("id"))
        .values_list("case_id", "newest")
    )
    customers = customers_of(list(cases))
    queue_services(
        [
            NewService(
                event.payload["case"],
                customers[event.payload["case"]],
                "payment_failed",
                f"failed:{intent}",
                {"paid": event.payload["amount"]},
            )
            for intent, event in failed.items()
            if newest.get(event.payload["case"]) == intent
        ]
    )


def note_clicks(events: Sequence[Happened]) -> None:
    """The first opening of a message's link is a click on that message."""
    opened = {event.payload["link"]: event for event in reversed(events)}
    sent = Message.objects.filter(
        case_id__in={event.subject_id for event in events}, link_id__in=opened, state=Message.State.SENT
    ).values_list("id", "case_id", "link_id")
    known = set(
        DeliveryEvent.objects.filter(
            message_id__in=[message for message, _, _ in sent], kind=DeliveryEvent.Kind.CLICKED
        ).values_list("message_id", flat=True)
    )
    new = [row for row in sent if row[0] not in known]
    if not new:
        return
    insert_columns(
        DeliveryEvent,
        {
            "creditor_id": creditor_id(),
            "message_id": [message for message, _, _ in new],
            "kind": DeliveryEvent.Kind.CLICKED.value,
            "at": [opened[link].at for _, _, link in new],
            "detail": "",
        },
    )
    record_many("message.clicked", [message for message, _, _ in new], [{"case": case} for _, case, _ in new])


def _last_day(hold: Hold, zone: ZoneInfo) -> str:
    """The promised day: the hold ends at the midnight after it."""
    if hold.until_at is None:
        return ""
    return (hold.until_at - timedelta(microseconds=1)).astimezone(zone).date().isoformat()
