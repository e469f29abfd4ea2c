"""Journeys, runs, decisions, rewards, what spoils a reward, and policy versions."""

from typing import ClassVar

from django.db import models

from kulanz.claims.models import Case
from kulanz.tenancy.models import TenantModel


class Journey(TenantModel):
    """A versioned ladder; a change is a new version. `stages` holds the action space as well: `journeys.Ladder`."""

    slug = models.CharField(max_length=40)
    version = models.PositiveIntegerField()
    stages = models.JSONField()
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["creditor", "slug", "version"], name="journey_version_once"),
            models.UniqueConstraint(
                fields=["creditor"], name="one_active_journey", condition=models.Q(active=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slug} v{self.version}"


class PolicyVersion(TenantModel):
    """A stored policy: everything needed to score as it did."""

    version = models.CharField(max_length=16, help_text="Short hash of the content")
    content = models.BinaryField()
    rows = models.BigIntegerField(help_text="Rewards counted in it, less those taken back")
    last_reward_id = models.BigIntegerField(
        default=0, help_text="Every reward up to this id is counted in it"
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["creditor", "version"], name="policy_version_once")
        ]

    def __str__(self) -> str:
        return self.version


class Run(TenantModel):
    """One pass over the cases that are due for a decision."""

    at = models.DateTimeField()
    journey = models.ForeignKey(Journey, on_delete=models.PROTECT, related_name="+")
    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, null=True, related_name="+")
    seed = models.BigIntegerField()
    cases = models.IntegerField(default=0)
    messages = models.IntegerField(default=0)
    vetoes = models.JSONField(default=dict, help_text="Veto code to number of cases it touched")

    def __str__(self) -> str:
        return f"run {self.id}"


class Decision(TenantModel):
    """One decision about one case: what was allowed, what was chosen, how probable that was and why.

    `actor` is policy, ladder (no policy yet, or the customer objected to profiling) or holdout.
    Arrays are raw little-endian bytes: `features` float32[d], `scores` float32[1 + C*S + C*T*O],
    `allowed` bits packed in the order wait, channel-slot, channel-tone-offer. Codes index the action space that is
    stored with the run's journey. A ladder's decision has no scores; a customer who objected to profiling no features.
    """

    class Actor(models.TextChoices):
        POLICY = "policy"
        LADDER = "ladder"
        HOLDOUT = "holdout"

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="decisions", db_index=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="decisions")
    actor = models.CharField(max_length=8, choices=Actor.choices)
    stage = models.CharField(max_length=40)
    channel = models.SmallIntegerField(help_text="Index into the policy's action space; -1 when waiting")
    slot = models.SmallIntegerField()
    tone = models.SmallIntegerField()
    offer = models.SmallIntegerField()
    propensity = models.FloatField()
    score = models.FloatField(null=True)
    best_score = models.FloatField(null=True)
    features = models.BinaryField()
    scores = models.BinaryField()
    allowed = models.BinaryField()
    vetoes = models.CharField(max_length=300, help_text="Codes of the vetoes that applied, with commas")
    open_amount = models.BigIntegerField(help_text="Minor units, when decided")
    acts_at = models.DateTimeField(
        help_text="When the message may leave, or the decision itself when waiting"
    )
    matures_at = models.DateTimeField(
        help_text="When the outcome is counted and the case may be decided again"
    )

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["creditor", "matures_at"], name="decision_maturing"),
        ]

    def __str__(self) -> str:
        return f"decision {self.id}"


class Reward(TenantModel):
    """What a decision earned; a reversal is a second row with the opposite weight."""

    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="rewards")
    value = models.FloatField()
    paid = models.BigIntegerField(help_text="Minor units paid within the window")
    weight = models.SmallIntegerField(
        default=1, help_text="1 counted, -1 taken back, 0 settled before the message could leave"
    )
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.weight} x {self.value}"


class Setback(TenantModel):
    """What makes an earlier decision worth less than it seemed: a complaint, or a payment that was taken back."""

    class Kind(models.TextChoices):
        COMPLAINT = "complaint"
        PAYMENT_RETURNED = "payment_returned"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    journal_id = models.BigIntegerField(null=True, help_text="The journal of the payment that was taken back")
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["journal_id"], name="setback_of_payment")]

    def __str__(self) -> str:
        return f"{self.kind} in case {self.case_id}"
