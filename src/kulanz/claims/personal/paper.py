"""The copy of a customer's data to read and print."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from kulanz.claims.paper import Letterhead
from kulanz.claims.personal import information
from kulanz.claims.personal.collecting import Copy
from kulanz.claims.personal.registry import Column, tables
from kulanz.documents import pdf
from kulanz.documents.words import VOCABULARIES, action_words
from kulanz.kernel.money import Money

_LOCALE = {"en": "en_GB"}


@dataclass(frozen=True, slots=True)
class Section:
    """One table as text."""

    title: str
    labels: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def sections(copy: Copy) -> tuple[Section, ...]:
    """What a person reads of the copy: the tables that have rows, with the columns meant for paper."""
    with translation.override(copy.language):
        say = _Say(copy.language, ZoneInfo(copy.creditor.timezone))
        return tuple(
            Section(
                str(table.title),
                tuple(str(column.label) for column in table.paper),
                tuple(say.row(table.paper, row) for row in copy.tables[table.label]),
            )
            for table in tables()
            if table.paper and copy.tables[table.label]
        )


def as_pdf(copy: Copy, head: Letterhead) -> bytes:
    """The copy on paper; raises documents.pdf.PdfUnavailableError where PDFs cannot be made."""
    with translation.override(copy.language):
        context = {
            "copy": copy,
            "head": head,
            "day": _Say(copy.language, ZoneInfo(copy.creditor.timezone)).moment(copy.made_at.isoformat()),
            "information": information.paragraphs(copy.privacy_url),
            "sections": sections(copy),
        }
        return pdf.render(render_to_string("claims/personal_paper.html", context))


class _Say:
    """Values in the words and forms of a language."""

    def __init__(self, language: str, zone: ZoneInfo) -> None:
        self.language = language
        self.locale = _LOCALE.get(language, language)
        self.zone = zone
        self._forms: dict[str, Callable[[Any, Mapping[str, Any]], str]] = {
            "text": lambda value, _row: " ".join(map(str, value)) if isinstance(value, list) else str(value),
            "day": lambda value, _row: format_date(date.fromisoformat(value), "medium", self.locale),
            "moment": lambda value, _row: self.moment(value),
            "money": lambda value, row: Money(value, row["currency"]).format(language),
            "action": lambda value, _row: action_words(value),
            "yes_no": lambda value, _row: _("yes") if value else _("no"),
        }

    def row(self, columns: Sequence[Column], row: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(self.value(column.form, row[column.name], row) for column in columns)

    def value(self, form: str, value: Any, row: Mapping[str, Any]) -> str:
        if value is None or value == "":
            return "–"
        return (
            self._forms[form](value, row)
            if form in self._forms
            else str(VOCABULARIES[form].get(value, value))
        )

    def moment(self, value: str) -> str:
        local = datetime.fromisoformat(value).astimezone(self.zone)
        return format_datetime(local, "short", locale=self.locale)
