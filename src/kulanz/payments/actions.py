"""What customers and providers do about money. Calls to a provider never run inside a transaction."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.db import transaction

from kulanz.claims.actions import lock_case
from kulanz.claims.models import Claim
from kulanz.claims.queries import open_amount
from kulanz.events.log import record
from kulanz.kernel import clock
from kulanz.kernel.errors import ConflictError, InputError, NotFoundError
from kulanz.payments import links
from kulanz.payments.booking import apply_notice, book_transfer
from kulanz.payments.methods import registry
from kulanz.payments.methods.port import (
    Instructions,
    Notice,
    Order,
    Payee,
    ProviderError,
    Redirect,
    UnsupportedError,
)
from kulanz.payments.models import PaymentIntent, WebhookCall
from kulanz.payments.offers import queries as offers
from kulanz.payments.offers.actions import accept
from kulanz.payments.reference import reference
from kulanz.payments.rules import Outcome, Part, part_refused
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import creditor_id, every_creditor, scope

__all__ = [
    "AmountChangedError",
    "Started",
    "book_transfer",
    "handle_webhook",
    "instructions",
    "settle",
    "start",
]

log = structlog.get_logger()
_FORM_KEY = re.compile(r"[A-Za-z0-9_-]{8,40}")
REUSE = timedelta(minutes=30)
"""A second form within this time joins the attempt that is under way instead of making another."""


class AmountChangedError(ConflictError):
    """What is owed is not what the page showed; no money moved. `now` in minor units."""

    def __init__(self, shown: int, now: int) -> None:
        super().__init__("The amount has changed since the page was opened. No money has moved.")
        self.shown = shown
        self.now = now


@dataclass(frozen=True, slots=True)
class Started:
    """An attempt to pay and where the customer goes on."""

    intent_id: int
    url: str


def instructions(payee: Payee, case_id: int, amount: int, currency: str) -> Instructions | None:
    """The details for a bank transfer of `amount` (minor units); None where the creditor has no account."""
    if not payee.iban:
        return None
    return Instructions(payee.account_holder, payee.iban, payee.bic, reference(case_id), amount, currency)


def start(
    link: links.OpenLink,
    payee: Payee,
    method_code: str,
    *,
    shown: int,
    form_key: str,
    language: str,
    part: Part | None = None,
    offer_id: int = 0,
) -> Started:
    """Begin to pay what is open on the link's case, or a part of it, at the provider's page.

    `shown` is what the customer saw as open (minor units), `form_key` names the form on the page: a double click,
    a second tab or the back button joins the attempt under way. `offer_id`: the discount of which `part` is the rest
    to pay. Raises AmountChangedError, ProviderError (no money moved), InputError and NotFoundError.
    """
    method = registry.offered(payee, link.methods).get(method_code)
    if method is None:
        raise NotFoundError("This way to pay is not available here.")
    if not _FORM_KEY.fullmatch(form_key):
        raise InputError("The form is not complete. Open the page again.")
    wanted = _Wanted(method_code, shown, part or Part(shown), f"{link.case_id}:{form_key}", offer_id)
    intent, currency = _intent(link, wanted)
    if intent.redirect_url:
        return Started(intent.id, intent.redirect_url)
    order = _order(intent, payee, currency, language)
    try:
        answer = _checked(method.begin(order), method.origins)
    except ProviderError:
        _drop(intent.id)
        raise
    PaymentIntent.objects.filter(id=intent.id, redirect_url="").update(
        provider_reference=answer.provider_reference, redirect_url=answer.url
    )
    return Started(intent.id, answer.url)


def settle(intent_id: int) -> Outcome:
    """Ask the provider what became of an intent of the creditor in scope and book it; raises ProviderError."""
    intent = PaymentIntent.objects.filter(id=intent_id).first()
    if intent is None:
        raise NotFoundError("There is no such payment.")
    if not intent.provider_reference or intent.state == PaymentIntent.State.SUCCEEDED:
        return Outcome.NO_CHANGE
    return apply_notice(intent.id, registry.get(intent.method).status(intent.provider_reference))


def handle_webhook(method_code: str, body: bytes, headers: Mapping[str, str]) -> tuple[Outcome, ...]:
    """Give each fact in a provider's call its one effect; header names in lower case.

    Raises NotFoundError for an unknown method, SignatureError for a call that is not the provider's.
    """
    method = registry.get(method_code)
    try:
        notices = method.notices(body, headers, clock.now())
    except UnsupportedError as error:
        raise NotFoundError(str(error)) from None
    return tuple(_handle(method_code, notice) for notice in notices)


def _handle(method_code: str, notice: Notice) -> Outcome:
    intent = _intent_of(method_code, notice)
    if intent is None:
        return _stored(method_code, notice, None, Outcome.UNKNOWN)
    with scope(intent.creditor_id), transaction.atomic():
        lock_case(intent.case_id)
        known = WebhookCall.objects.filter(method=method_code, event_id=notice.event_id)
        if known.exclude(outcome=Outcome.UNKNOWN).exists():
            return Outcome.DUPLICATE
        return _stored(method_code, notice, intent.creditor_id, apply_notice(intent.id, notice))


def _stored(method_code: str, notice: Notice, creditor_id: int | None, outcome: Outcome) -> Outcome:
    WebhookCall.objects.update_or_create(
        method=method_code,
        event_id=notice.event_id,
        defaults={"creditor_id": creditor_id, "received_at": clock.now(), "outcome": outcome},
    )
    if outcome in (Outcome.UNKNOWN, Outcome.AMOUNT_DIFFERS, Outcome.CONTRADICTS_PAYMENT):
        log.warning("webhook needs a person", method=method_code, call=notice.event_id, outcome=outcome)
    return outcome


def _intent_of(method_code: str, notice: Notice) -> PaymentIntent | None:
    with every_creditor("a provider's call names its intent"):
        rows = PaymentIntent.objects.filter(method=method_code)
        named = notice.provider_reference
        found: PaymentIntent | None = rows.filter(provider_reference=named).first() if named else None
        if found is None and notice.client_reference.isascii() and notice.client_reference.isdigit():
            mine = rows.filter(id=int(notice.client_reference[:18]))
            found = (mine.filter(provider_reference="") if named else mine).first()
    return found


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a form asks for."""

    method: str
    shown: int
    part: Part
    key: str
    offer_id: int


def _intent(link: links.OpenLink, wanted: _Wanted) -> tuple[PaymentIntent, str]:
    """The intent for this form, made now unless there is one to join, and the case's currency."""
    with transaction.atomic():
        case = lock_case(link.case_id)
        same: PaymentIntent | None = PaymentIntent.objects.filter(idempotency_key=wanted.key).first()
        if same is not None and same.state in _UNDER_WAY:
            return same, case.currency
        _payable(link.case_id, wanted)
        if same is not None:
            raise ConflictError("This attempt has ended. Open the page again to try once more.")
        return _under_way(link.case_id, wanted) or _new_intent(link, wanted), case.currency


def _payable(case_id: int, wanted: _Wanted) -> None:
    """Raises AmountChangedError or InputError where the page showed another amount or the part cannot be paid."""
    owed = open_amount(case_id)
    if wanted.offer_id:
        offer = offers.payable(wanted.offer_id, case_id, offers.creditor_today())
        now = offers.standing(offer) if offer is not None else None
        if offer is None or now is None or not now.worth_it or now.rest != wanted.part.amount:
            raise AmountChangedError(wanted.part.amount, owed)
        accept(offer)
        return
    if owed != wanted.shown or owed == 0:
        raise AmountChangedError(wanted.shown, owed)
    if part_refused(wanted.part, owed, _least_part()) or not _is_of_case(wanted.part, case_id):
        raise InputError("This part cannot be paid. No money has moved.")


def _least_part() -> int:
    return int(Creditor.objects.values_list("least_part", flat=True).get(id=creditor_id()))


def _is_of_case(part: Part, case_id: int) -> bool:
    return part.claim_id is None or Claim.objects.filter(id=part.claim_id, case_id=case_id).exists()


_UNDER_WAY = (PaymentIntent.State.CREATED, PaymentIntent.State.PENDING)


def _under_way(case_id: int, wanted: _Wanted) -> PaymentIntent | None:
    rows = PaymentIntent.objects.filter(
        case_id=case_id,
        method=wanted.method,
        amount=wanted.part.amount,
        claim_id=wanted.part.claim_id,
        state__in=_UNDER_WAY,
        created_at__gt=clock.now() - REUSE,
    )
    found: PaymentIntent | None = rows.order_by("-id").first()
    return found


def _new_intent(link: links.OpenLink, wanted: _Wanted) -> PaymentIntent:
    intent: PaymentIntent = PaymentIntent.objects.create(
        creditor_id=link.creditor_id,
        case_id=link.case_id,
        link_id=link.link_id,
        method=wanted.method,
        amount=wanted.part.amount,
        claim_id=wanted.part.claim_id,
        idempotency_key=wanted.key,
        created_at=clock.now(),
    )
    record("intent.created", intent.id, {"case": link.case_id, "amount": intent.amount})
    return intent


def _order(intent: PaymentIntent, payee: Payee, currency: str, language: str) -> Order:
    assert intent.link_id is not None
    return Order(
        payee=payee,
        amount=intent.amount,
        currency=currency,
        reference=reference(intent.case_id),
        client_reference=str(intent.id),
        idempotency_key=f"intent-{intent.id}",
        return_url=f"{links.url(intent.link_id)}return/{intent.id}/",
        webhook_url=f"{settings.PUBLIC_URL}/webhooks/{intent.method}/",
        language=language,
    )


def _checked(answer: Redirect | Instructions, origins: tuple[str, ...]) -> Redirect:
    """The provider's answer, only if its address lies on one of the provider's own origins."""
    if not isinstance(answer, Redirect):
        raise InputError("This way to pay has no page to go to.")
    parts = urlsplit(answer.url)
    if f"{parts.scheme}://{parts.netloc}" not in origins:
        raise ProviderError("The payment provider sent an address that is not its own.")
    return answer


def _drop(intent_id: int) -> None:
    """The provider never got to ask the customer: this attempt is over."""
    with transaction.atomic():
        rows = PaymentIntent.objects.filter(id=intent_id, state=PaymentIntent.State.CREATED, redirect_url="")
        case_and_amount = rows.values_list("case_id", "amount").first()
        if case_and_amount and rows.update(state=PaymentIntent.State.FAILED, settled_at=clock.now()):
            case_id, amount = case_and_amount
            record("intent.failed", intent_id, {"case": case_id, "amount": amount})
