"""The time-lapse's own table: the customers' mailbox."""

from typing import ClassVar

from django.db import models

from kulanz.tenancy.models import TenantModel


class ReceivedMail(TenantModel):
    """A message that reached a simulated customer, as it came over the wire, compressed."""

    recipient = models.CharField(max_length=320)
    subject = models.CharField(max_length=300)
    message_id = models.CharField(max_length=120, help_text="RFC 5322 Message-ID")
    received_at = models.DateTimeField()
    source = models.BinaryField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["creditor", "recipient"], name="mail_by_recipient")]

    def __str__(self) -> str:
        return self.subject
