"""Colours and how well they stand out from each other (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re

Rgb = tuple[float, float, float]
"""Red, green and blue from 0 to 1."""
TEXT, SHAPE = 4.5, 3.0
"""The least contrast of texts, and of shapes that must be seen."""
_BLACK: Rgb = (0.0, 0.0, 0.0)
_WHITE: Rgb = (1.0, 1.0, 1.0)
_STEPS = 200


def parsed(colour: str) -> Rgb | None:
    """The colour of #rrggbb; None for anything else."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        return None
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def known(colour: str) -> Rgb:
    found = parsed(colour)
    assert found is not None
    return found


def to_hex(colour: Rgb) -> str:
    return "#" + "".join(f"{round(c * 255):02x}" for c in colour)


def rounded(colour: Rgb) -> Rgb:
    """The colour as #rrggbb can say it."""
    return known(to_hex(colour))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two #rrggbb colours, 1 to 21."""
    return ratio(known(one), known(other))


def ratio(one: Rgb, other: Rgb) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def away(colour: Rgb, ground: Rgb, wanted: float) -> Rgb:
    """The colour, moved from `ground` towards black or white until it stands out enough."""
    end = black_or_white(ground)
    for step in range(21):
        moved = mix(colour, end, step / 20)
        if ratio(rounded(moved), rounded(ground)) >= wanted:
            return moved
    return end


def readable(colour: str, ground: str, wanted: float = TEXT) -> str:
    """`away` for #rrggbb colours."""
    return to_hex(away(known(colour), known(ground), wanted))


def nearest(colour: str, ground: str, wanted: float = TEXT) -> str:
    """The closest #rrggbb colour, lighter or darker, that stands out from `ground` enough; `wanted` at most 4.5."""
    for step in range(_STEPS + 1):
        for end in (_BLACK, _WHITE):
            moved = to_hex(mix(known(colour), end, step / _STEPS))
            if contrast(moved, ground) >= wanted:
                return moved
    raise ValueError(f"No colour has a contrast of {wanted} with {ground}.")


def black_or_white(ground: Rgb) -> Rgb:
    return _WHITE if ratio(_WHITE, ground) >= ratio(_BLACK, ground) else _BLACK


def mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


def _luminance(colour: Rgb) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
