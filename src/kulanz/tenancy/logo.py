"""Logos: an SVG picture reduced to shapes, colours and texts, so that nothing in it runs, loads or leads away."""

import re
from xml.etree import ElementTree as Xml

from kulanz.kernel.errors import InputError

LONGEST = 30_000
_SVG = "http://www.w3.org/2000/svg"
_ELEMENTS = frozenset(
    (
        "svg", "g", "defs", "title", "desc", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon",
        "text", "tspan", "linearGradient", "radialGradient", "stop", "clipPath", "mask",
    )
)  # fmt: skip
_ATTRIBUTES = frozenset(
    (
        "id", "viewBox", "width", "height", "preserveAspectRatio", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r",
        "rx", "ry", "fx", "fy", "d", "points", "transform", "fill", "fill-rule", "fill-opacity", "stroke",
        "stroke-width", "stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "stroke-dasharray",
        "stroke-opacity", "opacity", "color", "offset", "stop-color", "stop-opacity", "gradientUnits",
        "gradientTransform", "spreadMethod", "clip-path", "clip-rule", "clipPathUnits", "mask", "maskUnits",
        "font-family", "font-size", "font-weight", "text-anchor", "letter-spacing", "dx", "dy",
    )
)  # fmt: skip
_OUTSIDE = re.compile(r"url\s*\(\s*['\"]?\s*(?!#)|javascript:|[\\@]", re.IGNORECASE)


def cleaned(svg: str) -> str:
    """The picture with allowed elements and attributes alone; raises InputError where it is none or too large."""
    if len(svg) > LONGEST:
        raise InputError(f"The logo has {len(svg):,} characters; at most {LONGEST:,} are possible.")
    if "<!DOCTYPE" in svg.upper() or "<!ENTITY" in svg.upper():
        raise InputError("The logo has a DOCTYPE or entities; export it again as plain SVG.")
    try:
        root = Xml.fromstring(svg)  # noqa: S314 - without a document type there are no entities to expand
    except (Xml.ParseError, ValueError) as error:
        raise InputError(f"The logo is no SVG picture: {error}.") from None
    if root.tag != f"{{{_SVG}}}svg":
        raise InputError("The logo is no SVG picture: its first element must be <svg xmlns=...>.")
    if not root.get("viewBox") and not (root.get("width") and root.get("height")):
        raise InputError("The logo has no size; its <svg> needs a viewBox.")
    _reduce(root)
    Xml.register_namespace("", _SVG)
    return Xml.tostring(root, encoding="unicode")


def _reduce(element: Xml.Element) -> None:
    for name, value in list(element.attrib.items()):
        if name not in _ATTRIBUTES or _OUTSIDE.search(value):
            del element.attrib[name]
    for child in list(element):
        if isinstance(child.tag, str) and child.tag.removeprefix(f"{{{_SVG}}}") in _ELEMENTS:
            _reduce(child)
        else:
            element.remove(child)
