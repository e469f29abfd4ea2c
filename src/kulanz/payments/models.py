"""Capability links, payment intents and the payments they became."""

from typing import ClassVar

from django.db import models

from kulanz.claims.models import Case
from kulanz.tenancy.models import TenantModel


class PaymentLink(TenantModel):
    """A capability for one case's pages. The token is an HMAC over the id: nothing to steal at rest."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="links")
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, help_text="When an opening of the page was last recorded")

    def __str__(self) -> str:
        return f"link of case {self.case_id}"


class PaymentIntent(TenantModel):
    """A customer's attempt to pay an amount of a case by an online method."""

    class State(models.TextChoices):
        CREATED = "created"
        PENDING = "pending"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="intents")
    link = models.ForeignKey(PaymentLink, on_delete=models.PROTECT, null=True, related_name="intents")
    method = models.CharField(max_length=20)
    amount = models.BigIntegerField(help_text="Minor units of the case's currency")
    claim_id = models.BigIntegerField(null=True, help_text="The claim that the customer chose to pay, by id")
    state = models.CharField(max_length=10, choices=State.choices, default=State.CREATED)
    idempotency_key = models.CharField(max_length=80)
    provider_reference = models.CharField(max_length=80, blank=True)
    redirect_url = models.URLField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["creditor", "idempotency_key"], name="intent_key_once"),
            models.UniqueConstraint(
                fields=["method", "provider_reference"],
                name="provider_reference_once",
                condition=~models.Q(provider_reference=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.state}"


class Payment(TenantModel):
    """Money that arrived for a case, booked in the ledger under `journal_key`."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="payments")
    intent = models.OneToOneField(PaymentIntent, on_delete=models.PROTECT, null=True, related_name="payment")
    method = models.CharField(max_length=20)
    amount = models.BigIntegerField(help_text="Minor units of the case's currency")
    value_date = models.DateField()
    received_at = models.DateTimeField()
    provider_reference = models.CharField(max_length=80)
    journal_key = models.CharField(max_length=120)
    returned_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["creditor", "method", "provider_reference"], name="payment_booked_once"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["creditor", "received_at"], name="payment_by_time")]

    def __str__(self) -> str:
        return f"{self.method} {self.amount}"


class WebhookCall(models.Model):
    """A provider's signed call, kept so that a repeated one has no second effect.

    `creditor` is empty where the call names nothing that is known here.
    """

    id = models.BigAutoField(primary_key=True)
    creditor = models.ForeignKey("tenancy.Creditor", on_delete=models.PROTECT, related_name="+", null=True)
    method = models.CharField(max_length=20)
    event_id = models.CharField(max_length=80)
    received_at = models.DateTimeField()
    outcome = models.CharField(max_length=40)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["method", "event_id"], name="webhook_once")]

    def __str__(self) -> str:
        return f"{self.method} {self.event_id}"
