"""Offers that were made to customers, and what a creditor allows to be offered."""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from kulanz.claims.models import Case
from kulanz.payments.offers.rules import PROMISE_DAYS
from kulanz.tenancy.models import TenantModel


class OfferPolicy(TenantModel):
    """What a creditor lets the engine offer; without a row the defaults hold: no discounts."""

    creditor = models.OneToOneField("tenancy.Creditor", on_delete=models.PROTECT, related_name="+")
    valid_days = models.PositiveSmallIntegerField(
        default=14,
        validators=[MinValueValidator(3), MaxValueValidator(30)],
        help_text="An offer stands so long",
    )
    plans = models.BooleanField(default=True, help_text="Instalments may be offered")
    later = models.BooleanField(default=True, help_text="A later day to pay may be offered")
    later_days = models.PositiveSmallIntegerField(
        default=14,
        validators=[MinValueValidator(3), MaxValueValidator(PROMISE_DAYS)],
        help_text="The offered day lies so far ahead",
    )
    discounts = models.BooleanField(default=False, help_text="Settlement discounts may be offered")
    share = models.PositiveSmallIntegerField(
        default=10, validators=[MaxValueValidator(90)], help_text="Percent of what is due, at most"
    )
    on_principal = models.BooleanField(
        default=False, help_text="A discount may take from the principal, not from interest and costs alone"
    )
    min_days = models.PositiveSmallIntegerField(
        default=30, help_text="Days past due before a discount is offered"
    )
    period_days = models.PositiveSmallIntegerField(
        default=365, validators=[MinValueValidator(1)], help_text="One discount per case within so many days"
    )
    min_discount = models.PositiveIntegerField(
        default=100, help_text="Less than this is not offered, minor units"
    )
    max_discount = models.PositiveIntegerField(
        default=5000, help_text="More than this is not given, minor units"
    )
    grace_days = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(30)],
        help_text="A payment so long after the term still counts",
    )

    def __str__(self) -> str:
        return f"offers of creditor {self.creditor_id}"


class Offer(TenantModel):
    """An offer of one decision to one case, with its terms as they were told; nothing of them changes later.

    It binds from the moment in which its message leaves (`told_at`); until then it may be withdrawn in silence.
    """

    class Kind(models.TextChoices):
        PLAN = "plan"
        DISCOUNT = "discount"
        LATER = "later"

    class State(models.TextChoices):
        MADE = "made"
        SHOWN = "shown"
        ACCEPTED = "accepted"
        USED = "used"
        EXPIRED = "expired"
        WITHDRAWN = "withdrawn"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="offers")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    state = models.CharField(max_length=9, choices=State.choices, default=State.MADE)
    full = models.BigIntegerField(help_text="Owed when it was made, on what it covers; minor units")
    pay = models.BigIntegerField(help_text="To pay: the reduced sum, the first rate, or all; minor units")
    day = models.DateField(help_text="Of the first rate, or the day to pay on")
    until = models.DateField(help_text="Last day on which it may be taken, at the creditor")
    claims = models.JSONField(default=list, help_text="Ids of the claims that a discount covers")
    made_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, help_text="When its message left")
    ended_at = models.DateTimeField(null=True)
    decision_id = models.BigIntegerField(help_text="strategy decision, by id")
    message_id = models.BigIntegerField(help_text="outreach message, by id")
    after_payment = models.BigIntegerField(default=0, help_text="Payments booked after this one count for it")
    after_journal = models.BigIntegerField(default=0, help_text="What is owed changed after this journal")
    discounted = models.PositiveSmallIntegerField(default=0, help_text="How often its discount was given")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["creditor", "decision_id"], name="offer_of_decision_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["creditor", "state", "until"], name="offer_by_state"),
            models.Index(fields=["message_id"], name="offer_by_message"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"
