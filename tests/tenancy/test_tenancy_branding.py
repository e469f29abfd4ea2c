"""A brand is changed by name; its colours can be read and nothing in its logo runs."""

import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from typer.testing import CliRunner

from kulanz.cli.commands import app
from kulanz.kernel.errors import InputError
from kulanz.portal import brand as sheets
from kulanz.tenancy.actions import NewCreditor, add_creditor
from kulanz.tenancy.branding import change_brand
from kulanz.tenancy.logo import cleaned
from kulanz.tenancy.models import Brand
from kulanz.tenancy.rules import check_colours
from kulanz.tenancy.scope import scope

colours = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{}</svg>'
GROUNDS = (("#ffffff", "#f3f5f4"), ("#1b2124", "#12171a"))


def wcag(one: str, other: str) -> float:
    """The ratio by the formula of WCAG 2.2, written out."""

    def luminance(colour: str) -> float:
        shares = []
        for i in (1, 3, 5):
            c = int(colour[i : i + 2], 16) / 255
            shares.append(c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4)
        return 0.2126 * shares[0] + 0.7152 * shares[1] + 0.0722 * shares[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@given(colours, colours)
@example("#ffe14d", "#ffffff")
@example("#777777", "#ffffff")
@example("#767676", "#ffffff")
def test_two_colours_are_refused_with_some_that_pass_or_every_page_can_be_read(primary, on) -> None:
    try:
        check_colours(primary, on)
    except InputError as error:
        assert wcag(primary, on) < 4.5
        other_on, other_primary = re.findall(r"colour_\w+=(#\w{6})", str(error))
        assert wcag(primary, other_on) >= 4.5
        assert wcag(other_primary, on) >= 4.5
        return
    assert wcag(primary, on) >= 4.5
    names = "brand", "on-brand", "brand-line", "brand-text", "brand-soft"
    css = sheets.sheet(primary, on).css
    themes = list(zip(*(re.findall(rf"--{name}:(#\w+)", css) for name in names), strict=True))
    for (fill, over, line, text, soft), grounds in zip(themes, GROUNDS, strict=True):
        assert wcag(fill, over) >= 4.5
        assert wcag(line, grounds[0]) >= 3
        assert all(wcag(text, ground) >= 4.5 for ground in (*grounds, soft))
    assert f"--brand:{primary};--on-brand:{on}" in css, "in the light theme it is the brand's own pair"


def test_the_grounds_are_those_of_the_style() -> None:
    assert (sheets.LIGHT, sheets.DARK) == GROUNDS


def test_777777_on_white_is_a_hair_too_faint_and_767676_is_not(creditor) -> None:
    with pytest.raises(InputError, match=r"has a contrast of 4\.47:1"):  # 4.478 (WebAIM's checker)
        change_brand({"colour_primary": "#777777"})
    assert Brand.objects.get().colour_primary == "#1f5c4d"
    change_brand({"colour_primary": "#767676"})
    assert Brand.objects.get().colour_primary == "#767676"


def test_a_yellow_brand_with_black_texts_is_fine_and_all_is_stored_or_nothing(creditor) -> None:
    change_brand({"colour_primary": "#ffe14d", "colour_on_primary": "#000000"})
    with pytest.raises(InputError, match=r"Nothing was changed\..*reply_to"):
        change_brand({"name": "Other", "reply_to": "nobody"})
    assert Brand.objects.get().name == creditor.name


def test_a_new_creditor_is_checked_too(db) -> None:
    with pytest.raises(InputError, match="contrast"):
        add_creditor(NewCreditor("gelb", "Gelb", "post@gelb.example", colour_primary="#ffe14d"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"colour_primary": "red"}, "#rrggbb"),
        ({"font": "x"}, "no font"),
        ({"name": ""}, "name:"),
        ({"sender_name": "A\r\nBcc: x@customers.example"}, "one line"),
        ({"sender_name": "A\u202egro"}, "one line"),
        ({"imprint_url": "javascript:alert(1)"}, "imprint_url"),
        ({"logo": "<p>"}, "no SVG"),
    ],
)
def test_what_does_not_fit_is_named(creditor, changes, words) -> None:
    with pytest.raises(InputError, match=words):
        change_brand(changes)


def test_other_creditors_brands_stay(creditor, other_creditor) -> None:
    change_brand({"imprint": "Line 1\nLine 2"})
    with scope(other_creditor.id):
        assert "Line 2" not in Brand.objects.get().imprint


@pytest.mark.parametrize(
    "inner",
    [
        "<script>alert(1)</script>",
        '<path d="M0 0" onload="alert(1)"/>',
        '<foreignObject><body xmlns="http://www.w3.org/1999/xhtml">x</body></foreignObject>',
        '<image href="https://evil.example/x.png"/>',
        '<use xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="https://evil.example/#a"/>',
        '<a href="javascript:alert(1)"><path d="M0 0"/></a>',
        '<style>@import "https://evil.example/x.css"</style>',
        '<path d="M0 0" style="fill:url(https://evil.example/x)"/>',
        '<path d="M0 0" fill="url(https://evil.example/x#a)"/>',
        '<path d="M0 0" fill="url( \'https://evil.example/x\')"/>',
        '<path d="M0 0" fill="u\\72l(https://evil.example/x)"/>',
        '<animate attributeName="href" to="javascript:alert(1)"/>',
        '<set attributeName="onload" to="alert(1)"/>',
        '<x:script xmlns:x="http://www.w3.org/2000/svg">alert(1)</x:script>',
        "<?xml-stylesheet href='https://evil.example/x.css'?>",
        "<!-- evil.example -->",
    ],
)
def test_nothing_in_a_logo_runs_loads_or_leads_away(inner) -> None:
    found = cleaned(SVG.format(inner))
    for word in ("alert", "evil.example", "script", "onload", "style", "foreign"):
        assert word not in found.lower()


def test_a_usual_logo_stays_as_it_is() -> None:
    shapes = '<defs><linearGradient id="a"><stop offset="1" stop-color="#fff" /></linearGradient></defs>'
    shapes += '<path d="M0 0h9v9z" fill="url(#a)" /><text x="1">K</text>'
    assert cleaned(SVG.format(shapes)) == SVG.format(shapes)


@pytest.mark.parametrize(
    ("svg", "words"),
    [
        ("<!DOCTYPE x [<!ENTITY a 'b'>]>" + SVG.format("&a;"), "DOCTYPE"),
        (SVG.format("<g>" * 10), "no SVG"),
        ("<svg/>", "first element"),
        ('<svg xmlns="http://www.w3.org/2000/svg"/>', "viewBox"),
        (SVG.format(" " * 30_000), "at most 30,000"),
        (SVG.format("\x00"), "no SVG"),
    ],
)
def test_a_picture_that_cannot_be_used_says_why(svg, words) -> None:
    with pytest.raises(InputError, match=words):
        cleaned(svg)


def test_the_command_sets_a_logo_from_a_file_and_shows_the_brand(creditor, tmp_path) -> None:
    file = tmp_path / "logo.svg"
    file.write_text(SVG.format('<script>1</script><path d="M0 0h9v9z"/>'), "utf-8")
    words = ["brand", "set", creditor.slug, f"logo={file}", "sender_name=Lindenhof Service", "--json"]
    told = json.loads(CliRunner().invoke(app, words, catch_exceptions=False).output)
    assert told["sender_name"] == "Lindenhof Service"
    assert told["logo"] == Brand.objects.get().logo_svg == SVG.format('<path d="M0 0h9v9z" />')
    shown = CliRunner().invoke(app, ["brand", "show", creditor.slug], catch_exceptions=False).output
    assert "Lindenhof Service" in shown
    with pytest.raises(InputError, match="cannot be read"):
        CliRunner().invoke(app, ["brand", "set", creditor.slug, "logo=/no/file"], catch_exceptions=False)
