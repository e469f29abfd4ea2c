"""Where a customer can be reached, what they allow, and what was sent."""

from typing import ClassVar

from django.db import models

from kulanz.claims.models import Case, Customer
from kulanz.contact.correcting.models import Correction  # noqa: F401 - tables of this room
from kulanz.contact.login.models import Login, LoginCode  # noqa: F401 - tables of this room
from kulanz.tenancy.models import TenantModel


class Channel(models.TextChoices):
    """Every way to reach a customer; an installation uses those it has a provider for."""

    EMAIL = "email"
    SMS = "sms"
    WHATSAPP = "whatsapp"
    LETTER = "letter"
    CALL = "call"
    PORTAL = "portal"


class ContactPoint(TenantModel):
    """One address on one channel."""

    class State(models.TextChoices):
        OK = "ok"
        BOUNCED = "bounced"
        REVOKED = "revoked"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="contact_points")
    channel = models.CharField(max_length=8, choices=Channel.choices)
    value = models.CharField(max_length=320)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OK)
    source = models.CharField(max_length=40, help_text="import, customer, agent or synthetic")
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["customer", "channel", "value"], name="contact_point_once")
        ]

    def __str__(self) -> str:
        return f"{self.channel} of customer {self.customer_id}"


class Consent(TenantModel):
    """What a customer allowed or withdrew for a purpose on a channel. A withdrawn row is an opt-out."""

    class Purpose(models.TextChoices):
        REMINDERS = "reminders"
        PROFILING = "profiling"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="consents")
    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    channel = models.CharField(max_length=8, choices=Channel.choices)
    given_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    proof = models.CharField(max_length=200, help_text="Where and how it was given or withdrawn")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["customer", "purpose", "channel"], name="one_consent_per_purpose")
        ]

    def __str__(self) -> str:
        return f"{self.purpose} on {self.channel} for customer {self.customer_id}"


class ContactLog(TenantModel):
    """A contact that was made (handed to the provider), over all channels."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="contacts")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="contacts")
    channel = models.CharField(max_length=8, choices=Channel.choices)
    at = models.DateTimeField()
    demanding = models.BooleanField()
    talked = models.BooleanField(default=False, help_text="A call in which somebody was spoken to")
    message_id = models.BigIntegerField(null=True, help_text="outreach message, by id")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["customer", "at"], name="contact_of_customer")]

    def __str__(self) -> str:
        return f"{self.channel} to customer {self.customer_id}"


class Representative(TenantModel):
    """Who speaks for a customer: contact goes to them and not to the customer."""

    class Kind(models.TextChoices):
        LAWYER = "lawyer"
        COUNSELLOR = "counsellor"
        ADMINISTRATOR = "administrator"
        GUARDIAN = "guardian"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="representatives")
    kind = models.CharField(max_length=14, choices=Kind.choices)
    name = models.CharField(max_length=200)
    channel = models.CharField(max_length=8, choices=Channel.choices)
    value = models.CharField(max_length=320)
    from_day = models.DateField()
    until_day = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} of customer {self.customer_id}"
