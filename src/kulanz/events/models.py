"""The append-only event log and how far each subscriber has read it."""

from typing import ClassVar

from django.db import models

from kulanz.tenancy.models import TenantModel


class Event(TenantModel):
    """Something that happened. `sequence` and `digest` stay empty until the sealer numbers the row."""

    type = models.CharField(max_length=40)
    subject_id = models.BigIntegerField(help_text="The row that it is about; its kind follows from the type")
    payload = models.JSONField(default=dict, help_text="Ids, codes and amounts only, never personal data")
    at = models.DateTimeField()
    sequence = models.BigIntegerField(null=True)
    digest = models.BinaryField(max_length=32, null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["creditor", "sequence"], name="event_sequence_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["id"], name="event_unsealed", condition=models.Q(sequence=None)),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.subject_id}"


class Cursor(TenantModel):
    """The last sequence that a task subscriber has handled."""

    subscriber = models.CharField(max_length=100)
    sequence = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["creditor", "subscriber"], name="one_cursor_per_subscriber")
        ]

    def __str__(self) -> str:
        return f"{self.subscriber} at {self.sequence}"
