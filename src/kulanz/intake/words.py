"""What words in a file mean: synonyms of column names and of values, in German and English."""

import re
import tomllib
import unicodedata
from functools import lru_cache
from importlib.resources import files

from babel import Locale

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_NO_COUNTRIES = frozenset({"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"})
"""Codes of the list that name groups, tests or nothing."""
_PUNCTUATION = re.compile(r"[^\w€£$#]|_")


def squeezed(text: str) -> str:
    """Text without case, accents, spaces and punctuation, for comparing names."""
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_UMLAUTS)
    plain = "".join(c for c in unicodedata.normalize("NFD", plain) if not unicodedata.combining(c))
    return _PUNCTUATION.sub("", plain)


@lru_cache
def column_names() -> dict[str, tuple[str, ...]]:
    """Field -> squeezed column names by which it is known, best first."""
    raw = tomllib.loads((files("kulanz.intake") / "synonyms.toml").read_text("utf-8"))
    return {field: tuple(dict.fromkeys(map(squeezed, names))) for field, names in raw.items()}


@lru_cache
def meanings(field: str) -> dict[str, str]:
    """Squeezed word -> code, for the values of kind, customer_kind, currency, jurisdiction, country and language."""
    raw = tomllib.loads((files("kulanz.intake") / "words.toml").read_text("utf-8"))
    names = {code: set(words) for code, words in raw.get(field, {}).items()}
    for locale in (Locale("de"), Locale("en")):
        for code, name in _display_names(field, locale).items():
            names.setdefault(code, set()).update({code, name})
    return {squeezed(word): code for code, words in names.items() for word in (code, *words)}


def _display_names(field: str, locale: Locale) -> dict[str, str]:
    if field == "country":
        return {
            str(code): str(name)
            for code, name in locale.territories.items()
            if str(code).isalpha() and code not in _NO_COUNTRIES
        }
    if field == "language":
        return {str(code): str(name) for code, name in locale.languages.items() if len(str(code)) == 2}
    if field == "currency":
        return {str(code): str(code) for code in locale.currencies}
    return {}
