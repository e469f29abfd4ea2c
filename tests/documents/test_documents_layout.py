"""The brand's layout: compiled once, filled quickly, safe."""

import re
import time
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from kulanz.documents.layout import Look, insert, layout, look, text_language
from kulanz.documents.texts import parse
from kulanz.kernel.errors import InputError
from kulanz.tenancy.models import Brand, Creditor

LOOK = Look(
    name='Müller & "Söhne"',
    language="de",
    colour="#123456",
    colour_on="#ffffff",
    email="hilfe@mueller.example",
    phone="030 123",
    imprint="Müller GmbH, Allee 1",
    imprint_url="https://mueller.example/impressum",
    privacy_url="",
    simulated=False,
)
TEXT = parse('Subject: Offen: {{ amount }}\n\nHallo {{ name }},\n\n{{ "Bezahlen" | button: pay }}\n', "test")
VALUES = {"amount": "5 € <b>", "name": "Eve [[kulanz:preferences]]", "pay": "https://pay.example/p/abc/"}
PREFERENCES = "https://pay.example/p/abc/preferences/"


class _Tags(HTMLParser):
    """Every link, and whether all elements are closed in order."""

    VOID = frozenset({"meta", "br", "img", "link", "o:allowpng"})

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str | None] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.links.append(dict(attrs)["href"])
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_message_in_the_brands_dress() -> None:
    page = layout(LOOK).page(TEXT.render(VALUES), PREFERENCES)
    tags = _Tags()
    tags.feed(page.html)
    assert tags.open == []
    assert tags.links == ["https://pay.example/p/abc/", PREFERENCES, "https://mueller.example/impressum"]
    assert 'Müller &amp; "Söhne"' in page.html or "Müller &amp; &quot;Söhne&quot;" in page.html
    assert 'lang="de"' in page.html
    assert "background:#123456;color:#ffffff" in page.html
    assert "Offen: 5 € &lt;b&gt;" in page.html
    assert "[[" not in page.html.replace("[[kulanz:preferences]],</p>", "")
    assert "<style" in page.html
    assert "prefers-color-scheme: dark" in page.html, "dark mode survives the inlining"
    assert "http://" not in page.html.replace("http://www.w3.org", ""), "nothing is loaded from elsewhere"
    assert "<img" not in page.html


def test_the_plain_text_part_says_the_same() -> None:
    page = layout(LOOK).page(TEXT.render(VALUES), PREFERENCES)
    assert page.text == (
        "Hallo Eve [[kulanz:preferences]],\n\nBezahlen:\nhttps://pay.example/p/abc/\n\n-- \n"
        'Sie erhalten diese E-Mail, weil es um Ihre Rechnung bei Müller & "Söhne" geht. '
        "Fragen? Schreiben Sie uns: hilfe@mueller.example. Oder rufen Sie uns an: 030 123.\n\n"
        f"Benachrichtigungen einstellen oder abbestellen ({PREFERENCES})\n"
        "Impressum (https://mueller.example/impressum)\n\n"
        "Müller GmbH, Allee 1\n"
    )


def test_the_page_can_be_put_together_again_from_its_parts() -> None:
    compiled = layout(LOOK)
    page = compiled.page(TEXT.render(VALUES), PREFERENCES)
    assert insert(compiled.html, page.subject, page.fragment, PREFERENCES) == page.html


def test_the_digest_changes_with_the_look_and_only_then() -> None:
    assert layout(LOOK).digest == layout(replace(LOOK)).digest
    others = [replace(LOOK, colour="#654321"), replace(LOOK, language="en"), replace(LOOK, imprint="x")]
    assert len({layout(other).digest for other in [LOOK, *others]}) == 4


def test_a_simulation_says_so() -> None:
    assert "Simulation" in layout(replace(LOOK, simulated=True)).html
    assert "Simulation" not in layout(LOOK).html


def test_a_name_cannot_bring_mjml_html_or_a_slot() -> None:
    html = layout(
        replace(LOOK, name="</mj-text><script>1</script>[[kulanz:body]]", imprint="[[kulanz:body]]")
    ).html
    assert "<script" not in html
    assert html.count("[[kulanz:body]]") == 1


@pytest.mark.parametrize(
    ("tag", "language"), [("de-AT", "de"), ("DE", "de"), ("tr", "en"), ("en_US", "en"), ("", "en")]
)
def test_other_languages_get_english_texts(tag: str, language: str) -> None:
    assert text_language(tag) == language


def test_a_brands_colour_must_be_a_colour(creditor: Creditor) -> None:
    brand = Brand.objects.get()
    assert look(creditor, brand, "de-CH").language == "de"
    brand.colour_primary = "red;}"
    with pytest.raises(InputError, match="#rrggbb"):
        look(creditor, brand, "de")


def test_a_thousand_messages_are_written_within_a_second() -> None:
    """Measured at some 12,000 per second on an idle core; the bound leaves room for a busy machine."""
    compiled = layout(LOOK)
    started = time.process_time()
    for _ in range(1000):
        compiled.page(TEXT.render(VALUES), PREFERENCES)
    assert time.process_time() - started < 1


def test_a_mail_loads_nothing_from_elsewhere() -> None:
    """No font, image or style sheet: opening a mail tells nobody about it."""
    made = layout(Look("Hof", "de", "#1f5c4d", "#ffffff", "post@hof.example", "", "Hof", "", "", True))
    addresses = set(re.findall(r"https?://[^\"') <]+", made.html))
    assert addresses <= {"http://www.w3.org/1999/xhtml"}
