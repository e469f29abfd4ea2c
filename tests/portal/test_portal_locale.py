"""Every text of the customers' pages exists in German and English, and the compiled catalogues are in step."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

import kulanz.portal
from kulanz.portal.access import LANGUAGES

ROOM = Path(kulanz.portal.__file__).parent
KEYWORDS = {
    "gettext": None,
    "_": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}


def used() -> Iterator[tuple[object, str | None]]:
    for file in sorted([*ROOM.rglob("*.py"), *ROOM.rglob("*.html")]):
        text = file.read_text()
        if file.suffix == ".html":
            text = templatize(text, origin=str(file))
        for _, message, _, context in extract("python", io.BytesIO(text.encode()), keywords=KEYWORDS):
            yield (message[0] if isinstance(message, tuple) else message), context


def catalogue(language: str) -> Catalog:
    with (ROOM / "locale" / language / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file, locale=language)


def texts(found: Catalog) -> dict[tuple[str, str], str]:
    """Babel reads contexts of compiled catalogues as bytes and plural forms as lists."""
    return {(_plain(m.id), _plain(m.context)): _plain(m.string) for m in found if m.id}


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return "|".join(value)
    return value.decode() if isinstance(value, bytes) else str(value)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_and_none_is_left_over(language):
    found = catalogue(language)
    wanted = set(used())
    assert len(wanted) > 100
    for text, context in wanted:
        message = found.get(text, context)
        assert message is not None, text
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(forms), text
        assert not list(message.check(found)), text
    left_over = [
        m.id
        for m in found
        if m.id and ((m.id[0] if isinstance(m.id, tuple) else m.id), m.context) not in wanted
    ]
    assert not left_over


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_in_step(language):
    with (ROOM / "locale" / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        compiled = read_mo(file)
    assert texts(compiled) == texts(catalogue(language))


def test_nobody_is_called_a_debtor():
    for language in ("de", "en"):
        text = (ROOM / "locale" / language / "LC_MESSAGES" / "django.po").read_text().lower()
        assert not any(word in text for word in ("debtor", "schuldner", "säumig", "delinquent"))


@pytest.mark.parametrize(("language", "marked"), [("de", ""), ("en", ""), ("tr", "en"), ("ar", "en")])
def test_sentences_of_the_law_say_in_which_language_they_are(visitor, language, marked):
    for path in ("", "statement/"):
        page = visitor.text(f"{path}?lang={language}")
        assert 'class="why"' in page
        assert ('class="why" lang="en" dir="ltr"' in page) == bool(marked)
