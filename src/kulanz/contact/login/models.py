"""Codes that were sent and attempts that were made to sign in."""

from typing import ClassVar

from django.db import models

from kulanz.claims.models import Customer
from kulanz.tenancy.models import LoginFactor, TenantModel


class LoginCode(TenantModel):
    """A one-time code that was sent. It is an HMAC over the id: nothing to steal at rest."""

    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="login_codes", db_index=False
    )
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["customer", "asked_at"], name="code_of_customer")]

    def __str__(self) -> str:
        return f"code for customer {self.customer_id}"


class Login(TenantModel):
    """One attempt to sign in to the account of a customer."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="logins", db_index=False)
    factor = models.CharField(max_length=12, choices=LoginFactor.choices)
    at = models.DateTimeField()
    succeeded = models.BooleanField()
    ended_at = models.DateTimeField(null=True, help_text="When it was ended by signing out")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["customer", "at"], name="login_of_customer")]

    def __str__(self) -> str:
        return f"login of customer {self.customer_id} by {self.factor}"
