"""A brand's colours as style sheet: whatever colours were chosen, texts stay readable (WCAG 2.2, 1.4.3 and 1.4.11)."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from django.urls import reverse

from kulanz.kernel.colour import (
    SHAPE,
    TEXT,
    Rgb,
    away,
    black_or_white,
    known,
    mix,
    parsed,
    ratio,
    rounded,
    to_hex,
)

LIGHT, DARK = ("#ffffff", "#f3f5f4"), ("#1b2124", "#12171a")
"""What texts stand on in each theme, card and page; portal.css has the same."""
_FALLBACK = "#1f5c4d"


@dataclass(frozen=True, slots=True)
class Sheet:
    """`digest` names the content, so that browsers may keep it for ever."""

    css: str
    digest: str


@lru_cache(maxsize=1024)
def sheet(primary: str, on_primary: str) -> Sheet:
    """Custom properties for both themes from two #rrggbb colours; unusable colours give way to readable ones."""
    brand = parsed(primary) or known(_FALLBACK)
    wanted = parsed(on_primary)
    light, dark = _theme(brand, wanted, LIGHT, 0.1), _theme(brand, wanted, DARK, 0.2)
    css = f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    return Sheet(css, hashlib.sha256(css.encode()).hexdigest()[:12])


@lru_cache(maxsize=1024)
def sheet_url(brand_id: int, primary: str, on_primary: str) -> str:
    return reverse("portal:brand", args=[brand_id, sheet(primary, on_primary).digest, "css"])


@lru_cache(maxsize=256)
def logo_url(brand_id: int, logo_svg: str) -> str:
    """Empty where the brand has no logo."""
    if not logo_svg:
        return ""
    digest = hashlib.sha256(logo_svg.encode()).hexdigest()[:12]
    return reverse("portal:brand", args=[brand_id, digest, "svg"])


def _theme(brand: Rgb, wanted: Rgb | None, grounds: tuple[str, str], tint: float) -> str:
    card, page = (known(each) for each in grounds)
    dark = black_or_white(card) == known("#ffffff")
    line = away(brand, card, SHAPE)
    fill = line if dark else brand
    on = wanted if wanted is not None and ratio(wanted, fill) >= TEXT else black_or_white(fill)
    fill = rounded(away(fill, on, TEXT))
    soft = rounded(mix(card, brand, tint))
    text = brand
    for ground in (card, page, soft):
        text = away(text, ground, TEXT)
    named = {"brand": fill, "on-brand": on, "brand-line": line, "brand-text": text, "brand-soft": soft}
    return ";".join(f"--{name}:{to_hex(colour)}" for name, colour in named.items())
