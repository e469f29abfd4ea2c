"""Capability links, payment intents and the payments they became."""

from typing import ClassVar

from django.db import models

from kulanz.claims.models import Case, Customer
from kulanz.payments.offers.models import Offer, OfferPolicy  # noqa: F401 - tables of this room
from kulanz.tenancy.models import TenantModel


class PaymentLink(TenantModel):
    """A capability for one case's pages. The token is an HMAC over the id: nothing to steal at rest."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="links")
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, help_text="When an opening of the page was last recorded")
    methods = models.CharField(
        max_length=200,
        blank=True,
        default="",
        help_text="Codes of the ways to pay that its page offers, in this order; empty: all",
    )

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


class PlanPolicy(TenantModel):
    """What a creditor agrees to in instalments without asking a person; without a row the defaults hold."""

    creditor = models.OneToOneField("tenancy.Creditor", on_delete=models.PROTECT, related_name="+")
    offered = models.BooleanField(default=True, help_text="Instalments are offered at all")
    min_rate = models.PositiveBigIntegerField(default=2000, help_text="Smallest rate, in minor units")
    max_months = models.PositiveSmallIntegerField(default=12, help_text="From the first rate to the last")
    start_within_days = models.PositiveSmallIntegerField(default=31)
    rhythms = models.CharField(
        max_length=60,
        default="weekly fortnightly monthly salary_day",
        help_text="Rhythms that may be chosen, with spaces between them",
    )
    fee = models.PositiveIntegerField(
        default=0, help_text="Minor units; never above the law's, and nothing where it allows none"
    )
    interest_during = models.BooleanField(default=False, help_text="Default interest runs on during a plan")
    grace_days = models.PositiveSmallIntegerField(default=7, help_text="After a missed rate was told")
    replans = models.PositiveSmallIntegerField(default=1, help_text="How often a plan may be changed")
    pauses = models.PositiveSmallIntegerField(
        default=1, help_text="How often a plan may be paused for a month"
    )
    max_amount = models.PositiveBigIntegerField(
        default=500_000, help_text="Above this, in minor units, a person decides"
    )
    notice_days = models.PositiveSmallIntegerField(
        default=14, help_text="Days between the announcement of a direct debit and the debit"
    )

    def __str__(self) -> str:
        return f"plans of creditor {self.creditor_id}"


class Mandate(TenantModel):
    """A customer's permission to collect by SEPA direct debit."""

    class State(models.TextChoices):
        ACTIVE = "active"
        REVOKED = "revoked"
        LAPSED = "lapsed"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="mandates")
    reference = models.CharField(max_length=35)
    holder = models.CharField(max_length=70)
    iban = models.CharField(max_length=34)
    bic = models.CharField(max_length=11, blank=True)
    consent = models.CharField(max_length=40, help_text="Version and language of the text that was agreed to")
    notice_days = models.PositiveSmallIntegerField(default=14, help_text="Agreed time of announcement")
    state = models.CharField(max_length=8, choices=State.choices, default=State.ACTIVE)
    signed_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["creditor", "reference"], name="mandate_reference_once")
        ]

    def __str__(self) -> str:
        return self.reference


class Plan(TenantModel):
    """An agreement to pay what a case owed in rates. What is paid of it follows from the ledger."""

    class State(models.TextChoices):
        ACTIVE = "active"
        PAUSED = "paused"
        COMPLETED = "completed"
        BROKEN = "broken"
        CANCELLED = "cancelled"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="plans")
    state = models.CharField(max_length=9, choices=State.choices, default=State.ACTIVE)
    rhythm = models.CharField(max_length=11)
    first_on = models.DateField()
    pay_day = models.PositiveSmallIntegerField(null=True, help_text="Day of the month, for salary day alone")
    total = models.BigIntegerField(help_text="Sum of the rates, minor units of the case's currency")
    fee = models.BigIntegerField(default=0, help_text="What the agreement itself cost, part of the total")
    interest = models.BigIntegerField(default=0, help_text="Interest expected when agreed, part of the total")
    agreed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    paused_until = models.DateField(null=True, help_text="Last day of the pause")
    pauses = models.PositiveSmallIntegerField(default=0)
    acknowledged = models.BooleanField(default=False)
    mandate = models.ForeignKey(Mandate, on_delete=models.PROTECT, null=True, related_name="plans")
    replanned_from = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="replanned_to"
    )
    form_key = models.CharField(max_length=80, help_text="Names the form: the same one agrees once")
    hold_id = models.BigIntegerField(null=True, help_text="The hold that lasts as long as the plan")
    after_journal = models.BigIntegerField(default=0, help_text="Payments booked after this journal count")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["creditor", "form_key"], name="plan_form_once"),
            models.UniqueConstraint(
                fields=["case"],
                name="one_running_plan",
                condition=models.Q(state__in=["active", "paused"]),
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["creditor", "state"], name="plan_by_state")]

    def __str__(self) -> str:
        return f"plan {self.id} {self.state}"


class Rate(TenantModel):
    """One rate of a plan."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="rates")
    number = models.PositiveSmallIntegerField()
    due_on = models.DateField()
    amount = models.BigIntegerField()
    told_on = models.DateField(null=True, help_text="Day on which the customer was told that it is missing")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["plan", "number"], name="rate_number_once")]

    def __str__(self) -> str:
        return f"rate {self.number} of plan {self.plan_id}"


class DirectDebit(TenantModel):
    """One collection by a mandate, announced before it is submitted to the bank."""

    class State(models.TextChoices):
        ANNOUNCED = "announced"
        SUBMITTED = "submitted"
        COLLECTED = "collected"
        RETURNED = "returned"
        CANCELLED = "cancelled"

    mandate = models.ForeignKey(Mandate, on_delete=models.PROTECT, related_name="debits")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="debits")
    rate = models.ForeignKey(Rate, on_delete=models.PROTECT, related_name="debits")
    amount = models.BigIntegerField(help_text="As announced, minor units; never more is collected")
    collect_on = models.DateField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.ANNOUNCED)
    announced_at = models.DateTimeField()
    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, null=True, related_name="debit")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rate"],
                name="one_debit_under_way",
                condition=models.Q(state__in=["announced", "submitted", "collected"]),
            )
        ]
        indexes: ClassVar = [models.Index(fields=["creditor", "state", "collect_on"], name="debit_by_day")]

    def __str__(self) -> str:
        return f"debit of {self.amount} on {self.collect_on}"
