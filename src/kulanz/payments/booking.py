"""Books what providers and banks tell, each fact exactly once."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from kulanz.claims.actions import book_payment, lock_case, return_payment
from kulanz.claims.holds import lift_hold, place_hold
from kulanz.claims.models import Hold
from kulanz.claims.queries import holds_at
from kulanz.events.log import record
from kulanz.kernel import clock
from kulanz.kernel.errors import ConflictError, InputError
from kulanz.payments.methods.port import Notice
from kulanz.payments.models import Payment, PaymentIntent
from kulanz.payments.rules import Money, Outcome, plan
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import creditor_id

PENDING_DAYS = 3
"""How long reminders rest while a provider has not decided."""
SEPA_DEBIT = "sepa_debit"
_BY = "payments"


def book_transfer(case_id: int, amount: int, value_date: date, bank_reference: str) -> Payment:
    """Book money that arrived on the bank account for a case (minor units, > 0).

    `bank_reference` is the bank's own for this booking: the same one again has no second effect, with another case,
    amount or day it raises ConflictError. Raises NotFoundError for another creditor's case.
    """
    if not bank_reference or len(bank_reference) > 80:
        raise InputError("A transfer needs the bank's reference of at most 80 characters.")
    if amount <= 0:
        raise InputError("A payment is more than zero.")
    with transaction.atomic():
        lock_case(case_id)
        known: Payment | None = Payment.objects.filter(
            method="transfer", provider_reference=bank_reference
        ).first()
        if known is None:
            return _book(case_id, amount, value_date, "transfer", bank_reference)
        if (known.case_id, known.amount, known.value_date) != (case_id, amount, value_date):
            raise ConflictError(
                f"The bank reference {bank_reference!r} was booked before with other content."
            )
        return known


def book_debit(case_id: int, amount: int, value_date: date, bank_reference: str) -> Payment:
    """Book a direct debit of our own that the bank collected (minor units); the same reference again adds nothing."""
    with transaction.atomic():
        lock_case(case_id)
        known: Payment | None = Payment.objects.filter(
            method=SEPA_DEBIT, provider_reference=bank_reference
        ).first()
        return known or _book(case_id, amount, value_date, SEPA_DEBIT, bank_reference)


def return_debit(payment_id: int, value_date: date) -> None:
    """The bank gave a collected debit back; twice changes nothing."""
    with transaction.atomic():
        payment: Payment = Payment.objects.get(id=payment_id)
        lock_case(payment.case_id)
        payment.refresh_from_db()
        if payment.returned_at is None:
            _take_back(payment, value_date)


def apply_notice(intent_id: int, notice: Notice) -> Outcome:
    """Give a provider's notice its one effect on an intent of the creditor in scope.

    Raises NotFoundError for another creditor's intent.
    """
    with transaction.atomic():
        case_id = PaymentIntent.objects.values_list("case_id", flat=True).get(id=intent_id)
        case = lock_case(case_id)
        intent: PaymentIntent = PaymentIntent.objects.get(id=intent_id)
        payment: Payment | None = Payment.objects.filter(intent=intent).first()
        fits = notice.amount == intent.amount and notice.currency == case.currency
        step = plan(notice.kind, intent.state, _money(payment), amount_fits=fits)
        if step.state is not None:
            _move(intent, step.state, notice)
        if step.book:
            day = notice.at.astimezone(_timezone()).date()
            reference = intent.provider_reference or notice.provider_reference or f"intent-{intent.id}"
            payment = _book(case_id, intent.amount, day, intent.method, reference, intent)
        if step.take_back and payment is not None:
            _take_back(payment, notice.at.astimezone(_timezone()).date())
        if step.reinstate and payment is not None:
            _reinstate(payment, notice)
    return step.outcome


def _move(intent: PaymentIntent, state: str, notice: Notice) -> None:
    intent.state = state
    intent.provider_reference = intent.provider_reference or notice.provider_reference
    if state != PaymentIntent.State.PENDING:
        intent.settled_at = clock.now()
    intent.save(update_fields=["state", "provider_reference", "settled_at"])
    if state == PaymentIntent.State.PENDING:
        until = clock.now() + timedelta(days=PENDING_DAYS)
        place_hold(intent.case_id, Hold.Reason.PAYMENT_PENDING, by=_BY, until=until)
        return
    for hold in holds_at(clock.now()).filter(
        case_id=intent.case_id, reason=Hold.Reason.PAYMENT_PENDING, placed_by=_BY
    ):
        lift_hold(hold.id, by=_BY)
    if state == PaymentIntent.State.FAILED:
        record("intent.failed", intent.id, {"case": intent.case_id, "amount": intent.amount})


def _book(
    case_id: int,
    amount: int,
    value_date: date,
    method: str,
    provider_reference: str,
    intent: PaymentIntent | None = None,
) -> Payment:
    key = f"payment:{method}:{provider_reference}"
    payment: Payment = Payment.objects.create(
        creditor_id=creditor_id(),
        case_id=case_id,
        intent=intent,
        method=method,
        amount=amount,
        value_date=value_date,
        received_at=clock.now(),
        provider_reference=provider_reference,
        journal_key=key,
    )
    book_payment(
        case_id,
        amount,
        value_date=value_date,
        key=key,
        method=method,
        payment_id=payment.id,
        designated=intent.claim_id if intent else None,
    )
    return payment


def _take_back(payment: Payment, value_date: date) -> None:
    """Marked before it is booked: who follows the booking sees the money as gone."""
    payment.returned_at = clock.now()
    payment.save(update_fields=["returned_at"])
    return_payment(
        payment.journal_key,
        value_date=value_date,
        key=f"return:{payment.journal_key}",
        payment_id=payment.id,
    )


def _reinstate(payment: Payment, notice: Notice) -> None:
    """A dispute was won: the money is there again, as a payment of its own day. Each notice counts once."""
    day = notice.at.astimezone(_timezone()).date()
    payment.returned_at = None
    payment.journal_key = f"reinstated:{notice.event_id}:{payment.journal_key}"[:120]
    payment.save(update_fields=["returned_at", "journal_key"])
    book_payment(
        payment.case_id,
        payment.amount,
        value_date=day,
        key=payment.journal_key,
        method=payment.method,
        payment_id=payment.id,
    )


def _money(payment: Payment | None) -> Money:
    if payment is None:
        return Money.NOT_BOOKED
    return Money.BOOKED if payment.returned_at is None else Money.RETURNED


def _timezone() -> ZoneInfo:
    return ZoneInfo(Creditor.objects.values_list("timezone", flat=True).get(id=creditor_id()))
