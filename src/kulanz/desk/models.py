"""What agents write down about a case."""

from typing import ClassVar

from django.db import models

from kulanz.claims.models import Case
from kulanz.tenancy.models import TenantModel


class Note(TenantModel):
    """An agent's own words about a case. Customers never see them, an access request does."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notes")
    author = models.CharField(max_length=150, help_text="The login that wrote it")
    text = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["case", "created_at"], name="note_of_case")]

    def __str__(self) -> str:
        return f"note on case {self.case_id}"
