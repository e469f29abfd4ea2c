"""What customers asked to have corrected."""

from typing import ClassVar

from django.db import models

from kulanz.claims.models import Case, Customer
from kulanz.tenancy.models import TenantModel


class Correction(TenantModel):
    """One request. `corrected` says how it was settled; it is empty while a person has not looked."""

    class About(models.TextChoices):
        NAME = "name"
        ADDRESS = "address"
        BIRTH_DATE = "birth_date"
        CONTACT = "contact"
        CLAIM = "claim"
        OTHER = "other"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="corrections")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+", db_index=False)
    about = models.CharField(max_length=10, choices=About.choices)
    text = models.TextField(help_text="The customer's own words")
    form_key = models.CharField(max_length=80, help_text="Names the form: the same one asks once")
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    done_by = models.CharField(max_length=40, blank=True)
    corrected = models.BooleanField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["creditor", "form_key"], name="correction_form_once")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["creditor", "asked_at"],
                name="correction_open",
                condition=models.Q(done_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"correction {self.id} of customer {self.customer_id}"
