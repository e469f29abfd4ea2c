"""A brand's colours as style sheet: whatever colours were chosen, texts stay readable (WCAG 2.2, 1.4.3 and 1.4.11)."""

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache

from django.urls import reverse

LIGHT, DARK = ("#ffffff", "#f3f5f4"), ("#1b2124", "#12171a")
"""What texts stand on in each theme, card and page; portal.css has the same."""
_TEXT, _SHAPE = 4.5, 3.0
_FALLBACK = "#1f5c4d"
_Rgb = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Sheet:
    """`digest` names the content, so that browsers may keep it for ever."""

    css: str
    digest: str


@lru_cache(maxsize=1024)
def sheet(primary: str, on_primary: str) -> Sheet:
    """Custom properties for both themes from two #rrggbb colours; unusable colours give way to readable ones."""
    brand = _rgb(primary) or _known(_FALLBACK)
    wanted = _rgb(on_primary)
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


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two #rrggbb colours, 1 to 21 (WCAG 2.2)."""
    return _ratio(_known(one), _known(other))


def _theme(brand: _Rgb, wanted: _Rgb | None, grounds: tuple[str, str], tint: float) -> str:
    card, page = (_known(each) for each in grounds)
    line = _away(brand, card, _SHAPE)
    fill = line if _luminance(card) < 0.5 else brand
    on = wanted if wanted is not None and _ratio(wanted, fill) >= _TEXT else _black_or_white(fill)
    fill = _rounded(_away(fill, on, _TEXT))
    soft = _rounded(_mix(card, brand, tint))
    text = brand
    for ground in (card, page, soft):
        text = _away(text, ground, _TEXT)
    named = {"brand": fill, "on-brand": on, "brand-line": line, "brand-text": text, "brand-soft": soft}
    return ";".join(f"--{name}:{_hex(colour)}" for name, colour in named.items())


def _away(colour: _Rgb, ground: _Rgb, ratio: float) -> _Rgb:
    """The colour, moved from `ground` towards black or white until it stands out enough."""
    end: _Rgb = _black_or_white(ground)
    for step in range(21):
        moved = _mix(colour, end, step / 20)
        if _ratio(_rounded(moved), _rounded(ground)) >= ratio:
            return moved
    return end


def _black_or_white(ground: _Rgb) -> _Rgb:
    black, white = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    return white if _ratio(white, ground) >= _ratio(black, ground) else black


def _mix(one: _Rgb, other: _Rgb, share: float) -> _Rgb:
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


def _ratio(one: _Rgb, other: _Rgb) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: _Rgb) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _rgb(colour: str) -> _Rgb | None:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        return None
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def _known(colour: str) -> _Rgb:
    found = _rgb(colour)
    assert found is not None
    return found


def _rounded(colour: _Rgb) -> _Rgb:
    return _known(_hex(colour))


def _hex(colour: _Rgb) -> str:
    return "#" + "".join(f"{round(c * 255):02x}" for c in colour)
