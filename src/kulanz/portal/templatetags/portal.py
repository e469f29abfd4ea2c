"""Filters of the customer's pages."""

import re
import unicodedata

from django import template
from django.utils.translation import get_language_bidi

register = template.Library()
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_RIGHT_TO_LEFT = frozenset({"R", "AL"})


@register.filter
def isolated(text: str) -> str:
    """A name within a sentence of another direction: neither turns the other (Unicode UAX 9, isolates).

    Marks in the text that turn what follows are left out.
    """
    plain = _TURNING.sub("", text)
    turned = any(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in plain)
    return f"\u2068{plain}\u2069" if turned or get_language_bidi() else plain
