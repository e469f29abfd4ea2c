"""Texts that people edit: Liquid over plain values, from which plain text and HTML are both made.

A text is `Subject: ...` on its first line, an empty line, then paragraphs parted by empty lines. It holds no HTML.
Two filters make links: `{{ "Pay now" | button: pay }}` and `{{ "here" | link: later }}`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

from liquid import BoundTemplate, Environment, StrictUndefined
from liquid.exceptions import LiquidError

from kulanz.kernel.errors import InputError

Values = Mapping[str, Any]

_FILTERS = frozenset(
    ["append", "capitalize", "default", "downcase", "first", "join", "last", "minus", "plus", "prepend", "replace",
     "round", "size", "strip", "times", "truncate", "upcase"]
)  # fmt: skip
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_OPEN, _SEPARATOR, _CLOSE = "\x02", "\x1f", "\x03"
_LINK = re.compile(f"{_OPEN}(button|link){_SEPARATOR}([^{_CLOSE}]*){_SEPARATOR}([^{_CLOSE}]*){_CLOSE}")
_PARAGRAPHS = re.compile(r"\n(?:[ \t]*\n)+")
_SUBJECT = re.compile(r"\ASubject:[ \t]*(\S[^\n]*)\n\s*\n")
MAX_SUBJECT = 200


class _Environment(Environment):
    block_nesting_limit = 10
    context_depth_limit = 10
    loop_iteration_limit = 500
    output_stream_limit = 20_000
    local_namespace_limit = 20_000


class TextError(InputError):
    """A text cannot be used as it is written; the message names the text, the place and the reason."""


@dataclass(frozen=True, slots=True)
class Style:
    """Inline CSS of the elements that a text can make."""

    paragraph: str
    button: str
    link: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text with its values filled in. `body` is plain text with marks where links are."""

    subject: str
    body: str

    def text(self) -> str:
        """The plain-text part: links are written out."""
        return _LINK.sub(_written_out, self.body)

    def html(self, style: Style) -> str:
        """The body as HTML paragraphs; every character of text and values is escaped."""
        escaped = escape(self.body)

        def anchor(found: re.Match[str]) -> str:
            kind, label, address = found.groups()
            css = style.button if kind == "button" else style.link
            return f'<a class="k-{kind}" href="{address}" style="{css}">{label}</a>'

        linked = _LINK.sub(anchor, escaped)
        return "".join(
            f'<p class="k-text" style="{style.paragraph}">{paragraph.replace(chr(10), "<br>")}</p>'
            for paragraph in _PARAGRAPHS.split(linked)
        )


@dataclass(frozen=True, slots=True)
class Text:
    """A parsed text; `names` are the values it reads, such as `customer.name`."""

    name: str
    names: frozenset[str]
    template: BoundTemplate

    def render(self, values: Values) -> Rendered:
        """Fill in `values`: text, numbers, and lists or mappings of them.

        Raises TextError for a value that the text reads and `values` lacks, and for output beyond the limits.
        """
        try:
            output = self.template.render(**{key: _plain(value) for key, value in values.items()})
        except LiquidError as error:
            raise TextError(f"The text {self.name} cannot be filled in: {error}") from None
        subject = _SUBJECT.match(output)
        if subject is None:
            raise TextError(f"The text {self.name} comes out without a subject.")
        return Rendered(_unlinked(subject[1])[:MAX_SUBJECT].strip(), output[subject.end() :].strip())


@lru_cache(maxsize=2000)
def parse(source: str, name: str) -> Text:
    """Parse a text; raises TextError with the place of the mistake. `name` is what people call it."""
    if _UNPRINTABLE.search(source.replace("\n", "").replace("\t", "")):
        raise TextError(f"The text {name} holds characters that cannot be printed; type it anew.")
    if not _SUBJECT.match(source):
        raise TextError(f"The text {name} must begin with a line 'Subject: ...' and an empty line.")
    try:
        template = _environment().from_string(source, name=name)
        missing = set(template.filter_names()) - _FILTERS - {"button", "link"}
        names = frozenset(template.global_variable_paths())
    except LiquidError as error:
        raise TextError(f"The text {name} cannot be read: {error}") from None
    if missing:
        raise TextError(f"The text {name} uses filters that do not exist: {', '.join(sorted(missing))}.")
    return Text(name, names, template)


@lru_cache
def _environment() -> Environment:
    environment = _Environment(undefined=StrictUndefined)
    environment.filters = {name: environment.filters[name] for name in _FILTERS}
    environment.add_filter("button", lambda label, address: _mark("button", label, address))
    environment.add_filter("link", lambda label, address: _mark("link", label, address))
    return environment


def _mark(kind: str, label: object, address: object) -> str:
    target = _plain(str(address))
    if not target.startswith(("https://", "http://", "mailto:")):
        raise TextError(f"A link must lead to a web page or mail address, not to {target!r}.")
    return _SEPARATOR.join((_OPEN + kind, _plain(str(label)), target + _CLOSE))


def printable(value: str) -> str:
    """The value without characters that cannot be printed, among them those that mark links and part paragraphs."""
    return _UNPRINTABLE.sub(" ", value)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, int | float):
        return value
    raise TextError(f"Texts take plain values only, not {type(value).__name__}.")


def _written_out(found: re.Match[str]) -> str:
    kind, label, address = found.groups()
    return f"{label}:\n{address}" if kind == "button" else f"{label} ({address})"


def _unlinked(subject: str) -> str:
    return _LINK.sub(lambda found: found[2], subject)
