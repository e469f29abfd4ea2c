"""A copy of everything that is kept about one customer (Art. 15 (3) and 20 GDPR)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import translation

from kulanz.claims.models import Customer
from kulanz.claims.personal import information
from kulanz.claims.personal.registry import Kept, tables
from kulanz.documents.layout import text_language
from kulanz.events.log import record
from kulanz.events.models import Event
from kulanz.kernel import clock
from kulanz.kernel.errors import NotFoundError
from kulanz.tenancy.models import Brand, Creditor
from kulanz.tenancy.scope import creditor_id

FORMAT = "kulanz-customer-data/1"
EVENTS = Event._meta.label
_OF_THE_CREDITOR = "creditor_id"
_Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Copy:
    """`tables`: rows by table, in the order in which they were written; amounts are minor units of `currency`."""

    language: str
    made_at: datetime
    creditor: Creditor
    privacy_url: str
    customer: Customer
    tables: Mapping[str, Sequence[_Row]]


def copy_of(customer_id: int, language: str, *, by: str) -> Copy:
    """Collect it; `by` is who asked. Words are German or English, English where neither is meant.

    The event is written before anything is read, so that no lock is held meanwhile and the copy holds it too. Raises
    NotFoundError for another creditor's customer.
    """
    spoken = text_language(language)
    customer: Customer | None = Customer.objects.filter(id=customer_id).first()
    if customer is None:
        raise NotFoundError("There is no such customer.")
    with transaction.atomic():
        record("data.copied", customer_id, {"by": by})
    with translation.override(spoken):
        found = {table.label: tuple(_rows(table, customer_id, spoken)) for table in tables()}
        found[EVENTS] = tuple(_events(found))
        return Copy(
            language=spoken,
            made_at=clock.now(),
            creditor=Creditor.objects.get(id=creditor_id()),
            privacy_url=Brand.objects.order_by("id").values_list("privacy_url", flat=True).first() or "",
            customer=customer,
            tables=found,
        )


def as_document(copy: Copy) -> dict[str, Any]:
    """The copy as one JSON document: plain values, ISO dates."""
    with translation.override(copy.language):
        said = [{"title": title, "text": text} for title, text in information.paragraphs(copy.privacy_url)]
    return {
        "format": FORMAT,
        "made_at": copy.made_at.isoformat(),
        "controller": {"name": copy.creditor.legal_name, "address": copy.creditor.address},
        "customer": {"number": copy.customer.number, "name": copy.customer.name},
        "information": said,
        "amounts": "minor units of the currency beside them",
        "tables": {name: list(rows) for name, rows in copy.tables.items()},
        "left_out": {
            f"{table.label}.{name}": why for table in tables() for name, why in table.without.items()
        },
    }


def _rows(table: Kept, customer_id: int, language: str) -> Iterator[_Row]:
    found = table.model._default_manager.filter(**{table.customer: customer_id}).order_by("id")
    if table.related:
        found = found.select_related(*table.related)
    if table.currency and table.currency != "currency":
        found = found.annotate(currency=F(table.currency))
    hidden = {_OF_THE_CREDITOR, *table.without}
    names = [f.attname for f in table.model._meta.concrete_fields if f.attname not in hidden]
    for row in found:
        values = {name: _plain(getattr(row, name)) for name in names}
        if table.currency:
            values["currency"] = getattr(row, "currency")  # noqa: B009 - a column, or what the query added
        yield values | (dict(table.further(row, language)) if table.further else {})


def _events(found: Mapping[str, Sequence[_Row]]) -> Iterator[_Row]:
    """What happened to each of these rows, in the order in which it did."""
    wanted = Q(pk__in=[])
    for table in tables():
        if table.events and found[table.label]:
            ids = [row["id"] for row in found[table.label]]
            wanted |= Q(type__in=table.events, subject_id__in=ids)
    for event in Event.objects.filter(wanted).order_by("id"):
        at = event.at.isoformat()
        yield {"at": at, "type": event.type, "subject_id": event.subject_id, "payload": event.payload}


def _plain(value: Any) -> Any:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return value if isinstance(value, (bool, int, float, str, list, dict, type(None))) else str(value)
