"""The brand's mail layout: MJML compiled once per brand and language, into which bodies are inserted."""

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from importlib import resources

from css_inline import CSSInliner
from mjml import mjml2html

from kulanz.documents.texts import Rendered, Style, Text, parse
from kulanz.kernel.colour import SHAPE, readable
from kulanz.kernel.errors import InputError
from kulanz.tenancy.models import Brand, Creditor

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_BLOCK_END = re.compile(r"(</(?:p|div|td|tr|table|style)>|\*/|\}|<(?:td|tr|table|div|body)\b[^>]*>)(?!\n)")
"""Lines stay short: a mail with a line over 998 characters must be encoded, which costs more than writing it."""
_SLOT = re.compile(r"\[\[kulanz:(subject|body|preferences)\]\]")
_PREFERENCES = "[[kulanz:preferences]]"
_GROUND = "#ffffff"
_STAND_IN = "https://preferences.invalid/"
LANGUAGES = ("de", "en")


@dataclass(frozen=True, slots=True)
class Look:
    """Everything of a brand that shows in a message."""

    name: str
    language: str
    colour: str
    colour_on: str
    email: str
    phone: str
    imprint: str
    imprint_url: str
    privacy_url: str
    simulated: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A finished message body. `fragment` is what was inserted into the layout."""

    subject: str
    text: str
    html: str
    fragment: str


@dataclass(frozen=True, slots=True)
class Layout:
    """A compiled layout; `digest` (SHA-256, hexadecimal) names its content."""

    digest: str
    html: str
    footer: str
    style: Style

    def page(self, rendered: Rendered, preferences: str) -> Page:
        """The message in the brand's dress; `preferences` is the address of the page that stops messages."""
        fragment = rendered.html(self.style)
        return Page(
            rendered.subject,
            f"{rendered.text()}\n\n-- \n{self.footer.replace(_PREFERENCES, preferences)}\n",
            insert(self.html, rendered.subject, fragment, preferences),
            fragment,
        )


def text_language(language: str) -> str:
    """The language of the texts for a customer's language tag: de for de-AT, en where there is no other."""
    base = language.lower().replace("_", "-").split("-")[0]
    return base if base in LANGUAGES else "en"


def look(creditor: Creditor, brand: Brand, language: str) -> Look:
    """The brand as messages show it; raises InputError for a colour that is not #rrggbb."""
    for colour in (brand.colour_primary, brand.colour_on_primary):
        if not _COLOUR.fullmatch(colour):
            raise InputError(f"The brand's colour {colour!r} must be written as #rrggbb, such as #1f5c4d.")
    return Look(
        name=brand.name,
        language=text_language(language),
        colour=brand.colour_primary,
        colour_on=brand.colour_on_primary,
        email=creditor.support_email,
        phone=creditor.support_phone,
        imprint=brand.imprint,
        imprint_url=brand.imprint_url,
        privacy_url=brand.privacy_url,
        simulated=creditor.simulated,
    )


@lru_cache(maxsize=500)
def layout(brand: Look) -> Layout:
    """Compile the layout of a brand (some 10 ms), or take it from memory."""
    style = _style(brand)
    footer = _footer(brand)
    source = resources.files("kulanz.documents").joinpath("layouts/mail.mjml").read_text("utf-8")
    filled = _fill(source, {"language": brand.language, "colour": brand.colour, "name": brand.name})
    compiled = CSSInliner(keep_at_rules=True, load_remote_stylesheets=False).inline(mjml2html(filled))
    small = Style("margin:0 0 12px;", "", "color:inherit;")
    html = compiled.replace("[[kulanz:footer]]", footer.html(small).replace(_STAND_IN, _PREFERENCES))
    html = _BLOCK_END.sub(r"\1\n", html)
    return Layout(
        digest=hashlib.sha256(html.encode()).hexdigest(),
        html=html,
        footer=footer.text().replace(_STAND_IN, _PREFERENCES),
        style=style,
    )


def insert(layout_html: str, subject: str, fragment: str, preferences: str) -> str:
    """Put a body into a compiled layout, also into one from the archive. `fragment` is HTML, the others text."""
    values = {"subject": escape(subject), "body": fragment, "preferences": escape(preferences)}
    return "".join(
        values[part] if position % 2 else part for position, part in enumerate(_pieces(layout_html))
    )


def footer_text(language: str) -> Text:
    path = f"texts/{text_language(language)}/footer.liquid"
    return parse(resources.files("kulanz.documents").joinpath(path).read_text("utf-8"), path)


@lru_cache(maxsize=500)
def _pieces(layout_html: str) -> tuple[str, ...]:
    return tuple(_SLOT.split(layout_html))


def _footer(brand: Look) -> Rendered:
    return footer_text(brand.language).render(
        {
            "name": _without_slots(brand.name),
            "email": brand.email,
            "phone": brand.phone,
            "imprint": _without_slots(brand.imprint),
            "imprint_url": brand.imprint_url,
            "privacy_url": brand.privacy_url,
            "simulated": brand.simulated,
            "preferences": _STAND_IN,
        }
    )


def _style(brand: Look) -> Style:
    edge, link = readable(brand.colour, _GROUND, SHAPE), readable(brand.colour, _GROUND)
    return Style(
        paragraph="margin:0 0 16px;",
        button=(
            f"display:inline-block;background:{brand.colour};color:{brand.colour_on};"
            f"border:solid {edge};border-width:12px 22px;border-radius:6px;"
            "font-weight:700;text-decoration:none;"
        ),
        link=f"color:{link};text-decoration:underline;",
    )


def _fill(source: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        source = source.replace(f"[[{name}]]", escape(_without_slots(value)))
    return source


def _without_slots(value: str) -> str:
    return value.replace("[[", "").replace("]]", "")
