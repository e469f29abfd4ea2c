"""Leaves an event when creditors, brands or staff roles change; tenancy lies below and cannot do it itself."""

from typing import Any

from django.db.models import Model
from django.db.models.signals import post_delete, post_save

from kulanz.events.log import record
from kulanz.tenancy.models import Brand, Creditor, Membership
from kulanz.tenancy.scope import scope


def connect() -> None:
    for model in (Creditor, Brand, Membership):
        name = model.__name__.lower()
        post_save.connect(_saved, sender=model, dispatch_uid=f"events.{name}.saved")
        post_delete.connect(_deleted, sender=model, dispatch_uid=f"events.{name}.deleted")


def _saved(sender: type[Model], instance: Model, created: bool, **_: Any) -> None:
    _record(instance, "added" if created else "changed")


def _deleted(sender: type[Model], instance: Model, **_: Any) -> None:
    _record(instance, "removed")


def _record(instance: Model, verb: str) -> None:
    creditor = instance.pk if isinstance(instance, Creditor) else instance.creditor_id  # type: ignore[attr-defined]
    payload = {"role": instance.role} if isinstance(instance, Membership) else {}
    with scope(creditor):
        record(f"{type(instance).__name__.lower()}.{verb}", instance.pk, payload)
