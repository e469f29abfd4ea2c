"""Putting right what is known about a customer."""

from collections.abc import Mapping
from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction

from kulanz.claims.models import Customer
from kulanz.events.log import record
from kulanz.kernel.errors import InputError, NotFoundError

FIELDS = ("name", "postal_code", "country", "birth_date")
"""What may be corrected; the number names the customer in the creditor's other systems."""


def correct(customer_id: int, changes: Mapping[str, str], *, by: str) -> tuple[str, ...]:
    """Store corrected fields as people write them, a date as ISO date; returns which differ from before.

    The event names the fields, not what stands in them. Raises InputError naming what does not fit, with nothing
    stored, and NotFoundError for another creditor's customer.
    """
    if unknown := set(changes) - set(FIELDS):
        raise InputError(f"{', '.join(sorted(unknown))} cannot be corrected; there are: {', '.join(FIELDS)}.")
    with transaction.atomic():
        customer: Customer | None = Customer.objects.select_for_update().filter(id=customer_id).first()
        if customer is None:
            raise NotFoundError("There is no such customer.")
        wanted = {name: _value(customer, name, text.strip()) for name, text in changes.items()}
        changed = tuple(name for name in FIELDS if name in wanted and getattr(customer, name) != wanted[name])
        if changed:
            Customer.objects.filter(id=customer_id).update(**{name: wanted[name] for name in changed})
            record("customer.corrected", customer_id, {"fields": list(changed), "by": by.partition(":")[0]})
    return changed


def _value(customer: Customer, name: str, text: str) -> str | date | None:
    if name == "birth_date":
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            raise InputError("A date of birth is written like 1980-03-31.") from None
    if name == "country":
        text = text.upper()
    try:
        found: str = customer._meta.get_field(name).clean(text, customer)  # type: ignore[union-attr]
    except ValidationError as error:
        raise InputError(f"{name}: {' '.join(error.messages)}") from None
    return found
