"""Changing how a creditor is set up, by the names of its settings."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model

from kulanz.kernel.errors import InputError
from kulanz.law.rates import named_day_count
from kulanz.tenancy.actions import checked_iban
from kulanz.tenancy.models import Creditor

SETTINGS = (
    "name", "legal_name", "address", "support_email", "support_phone", "iban", "bic", "account_holder",
    "creditor_identifier", "hours_between_contacts", "contacts_per_7_days", "role", "least_part", "hardship_days",
    "login_factor", "client_name", "client_address", "authority", "authority_contact", "vat_statement",
    "charges_interest", "max_interest_rate", "day_count", "charges_lump_sum", "letter_cost", "polite_when_barred",
)  # fmt: skip
"""What may be changed after the first claim came: not what figures already in the ledger depend on."""
_BOOLEANS = {"yes": "True", "true": "True", "on": "True", "no": "False", "false": "False", "off": "False"}


def change_creditor(slug: str, changes: Mapping[str, str]) -> Creditor:
    """Store settings as people write them; raises InputError naming each that does not fit, and stores nothing."""
    if unknown := [name for name in changes if name not in SETTINGS]:
        raise InputError(f"There is no setting {', '.join(unknown)}; there are: {', '.join(SETTINGS)}.")
    with transaction.atomic():
        creditor = Creditor.objects.select_for_update().filter(slug=slug).first()
        if creditor is None:
            raise InputError(f"There is no creditor {slug!r}.")
        faults = []
        for name, text in changes.items():
            try:
                setattr(creditor, name, _value(name, text.strip(), creditor))
            except ValidationError as error:
                faults.append(f"{name}: {' '.join(error.messages)}")
        if faults:
            raise InputError(f"Nothing was changed. {' '.join(faults)}")
        creditor.save(update_fields=list(changes))
    return creditor


def typed(row: Model, name: str, text: str) -> Any:
    """A plain column's value as people write it: yes and no, numbers, nothing; raises ValidationError."""
    field = row._meta.get_field(name)
    if field.get_internal_type() == "BooleanField":
        text = _BOOLEANS.get(text.lower(), text)
    if not text and field.null:
        return None
    return field.clean(text, row)  # type: ignore[union-attr]  # every setting is a plain column


def _value(name: str, text: str, creditor: Creditor) -> Any:
    if name == "iban" and text:
        return checked_iban(text)
    if name == "day_count":
        named_day_count(text)
    return typed(creditor, name, text)
