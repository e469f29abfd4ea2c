"""Which files were imported."""

from typing import ClassVar

from django.db import models

from kulanz.tenancy.models import TenantModel


class ImportedFile(TenantModel):
    """One import that was stored."""

    digest = models.CharField(max_length=64, help_text="SHA-256 of the file")
    filename = models.CharField(max_length=200)
    at = models.DateTimeField()
    imported = models.IntegerField()
    rejected = models.IntegerField()
    duplicates = models.IntegerField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["creditor", "digest"], name="import_by_digest")]

    def __str__(self) -> str:
        return self.filename
