"""What this room keeps about customers."""

from django.utils.translation import gettext_lazy as _

from kulanz.claims.kept import CURRENCY, OF_CASE
from kulanz.claims.personal.registry import Column, Kept
from kulanz.payments.models import (
    DirectDebit,
    Mandate,
    Payment,
    PaymentIntent,
    PaymentLink,
    Plan,
    Rate,
)
from kulanz.payments.offers.models import Offer

_KEY = "a technical key that keeps the same form from acting twice"

TABLES = (
    Kept(
        Payment,
        OF_CASE,
        _("Payments"),
        (
            Column("value_date", _("Day"), "day"),
            Column("method", _("Method"), "method"),
            Column("amount", _("Amount"), "money"),
            Column("provider_reference", _("Reference")),
            Column("returned_at", _("Taken back"), "moment"),
        ),
        currency=CURRENCY,
    ),
    Kept(
        PaymentIntent,
        OF_CASE,
        _("Attempts to pay online"),
        (
            Column("created_at", _("When"), "moment"),
            Column("method", _("Method"), "method"),
            Column("amount", _("Amount"), "money"),
            Column("state", _("State")),
        ),
        currency=CURRENCY,
        without={
            "idempotency_key": _KEY,
            "redirect_url": "opens a payment page at the provider: whoever has it could act there",
        },
        events=("intent.created", "intent.failed"),
    ),
    Kept(
        Plan,
        OF_CASE,
        _("Instalment plans"),
        (
            Column("agreed_at", _("Agreed"), "moment"),
            Column("state", _("State")),
            Column("first_on", _("First rate"), "day"),
            Column("total", _("Total"), "money"),
            Column("ended_at", _("Ended"), "moment"),
        ),
        currency=CURRENCY,
        without={"form_key": _KEY},
    ),
    Kept(
        Rate,
        "plan__case__customer_id",
        _("Rates of plans"),
        (
            Column("plan_id", _("Plan")),
            Column("number", _("Number")),
            Column("due_on", _("Due"), "day"),
            Column("amount", _("Amount"), "money"),
        ),
        currency="plan__case__currency",
    ),
    Kept(
        Mandate,
        "customer_id",
        _("Mandates for direct debits"),
        (
            Column("reference", _("Reference")),
            Column("holder", _("Account holder")),
            Column("iban", _("IBAN")),
            Column("signed_at", _("Signed"), "moment"),
            Column("state", _("State")),
        ),
        events=("mandate.revoked", "mandate.signed"),
    ),
    Kept(
        DirectDebit,
        OF_CASE,
        _("Direct debits"),
        (
            Column("collect_on", _("Day"), "day"),
            Column("amount", _("Amount"), "money"),
            Column("state", _("State")),
        ),
        currency=CURRENCY,
    ),
    Kept(
        Offer,
        OF_CASE,
        _("Offers made to you"),
        (
            Column("made_at", _("Made"), "moment"),
            Column("kind", _("Kind"), "offer"),
            Column("pay", _("To pay"), "money"),
            Column("until", _("Until"), "day"),
            Column("state", _("State"), "offer_state"),
        ),
        currency=CURRENCY,
    ),
    Kept(
        PaymentLink,
        OF_CASE,
        _("Links to your page"),
        (
            Column("created_at", _("Made"), "moment"),
            Column("opened_at", _("Last opened"), "moment"),
            Column("expires_at", _("Valid until"), "moment"),
        ),
    ),
)
