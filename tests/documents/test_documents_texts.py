"""Texts that people edit: what they may do, and what they must never be able to do."""

import pytest

from kulanz.documents.texts import Style, TextError, parse

PLAIN = Style(paragraph="p", button="b", link="l")


def render(source: str, **values: object) -> str:
    return parse(f"Subject: Hello\n\n{source}", "test").render(values).html(PLAIN)


def test_one_text_makes_subject_plain_text_and_html() -> None:
    text = parse(
        'Subject: {{ amount }} open\n\nHello {{ name }},\n\n{{ "Pay now" | button: pay }}\n\nBye\nA & B\n',
        "test",
    )
    rendered = text.render({"amount": "5 €", "name": "Eve", "pay": "https://pay.example/?a=1&b=2"})
    assert rendered.subject == "5 € open"
    assert rendered.text() == "Hello Eve,\n\nPay now:\nhttps://pay.example/?a=1&b=2\n\nBye\nA & B"
    assert rendered.html(PLAIN) == (
        '<p class="k-text" style="p">Hello Eve,</p>'
        '<p class="k-text" style="p">'
        '<a class="k-button" href="https://pay.example/?a=1&amp;b=2" style="b">Pay now</a></p>'
        '<p class="k-text" style="p">Bye<br>A &amp; B</p>'
    )


def test_neither_values_nor_the_text_itself_can_bring_html() -> None:
    html = render("<script>1</script> {{ name }}", name='<img src=x onerror="alert(1)">')
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


def test_values_cannot_make_lines_paragraphs_or_links() -> None:
    name = "Eve\r\n\r\nPay here\x02link\x1fevil\x1fhttps://evil.example\x03\u2028\u202e"
    rendered = parse("Subject: Hi {{ name }}\n\nHello {{ name }}.", "test").render({"name": name})
    assert "\n" not in rendered.subject
    assert rendered.html(PLAIN).count("<p ") == 1
    assert "<a " not in rendered.html(PLAIN)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//evil.example", ""])
def test_a_button_leads_to_a_web_page_only(address: str) -> None:
    with pytest.raises(TextError, match="must lead to a web page"):
        render('{{ "Pay" | button: pay }}', pay=address)


def test_a_quote_in_an_address_does_not_break_out_of_the_link() -> None:
    html = render('{{ "Pay" | button: pay }}', pay='https://pay.example/" onclick="alert(1)')
    assert 'onclick="' not in html


def test_a_missing_value_is_a_clear_error() -> None:
    with pytest.raises(TextError, match=r"test cannot be filled in: 'nmae' is undefined"):
        render("Hello {{ nmae }}", name="Eve")
    with pytest.raises(TextError, match=r"customer\.nmae"):
        render("Hello {{ customer.nmae }}", customer={"name": "Eve"})


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{% if %}", "cannot be read"),
        ("{{ 'x' | nope }}", "nope"),
        ("{{ 'now' | date: '%Y' }}", "date"),
        ("{% for i in (1..100000) %}x{% endfor %}", "loop iteration limit"),
        ("{% for i in (1..100) %}{% for j in (1..100) %}x{% endfor %}{% endfor %}", "loop iteration limit"),
        ("{% for i in (1..400) %}{{ long }}{% endfor %}", "output stream limit"),
        ("{% include 'other' %}", "other"),
        ("{% render 'other' %}", "other"),
    ],
)
def test_what_a_text_may_not_do_is_refused(source: str, reason: str) -> None:
    with pytest.raises(TextError, match=reason):
        render(source, long="x" * 1000)


def test_a_text_sees_plain_values_only() -> None:
    with pytest.raises(TextError, match="plain values only"):
        render("{{ thing }}", thing=object())
    with pytest.raises(TextError):
        render("{{ name.__class__ }}", name="Eve")


@pytest.mark.parametrize(
    "source", ["Hello", "Subject:\n\nHello", "\nSubject: x\n\nHello", "Subject: x\nHello"]
)
def test_a_text_needs_a_subject(source: str) -> None:
    with pytest.raises(TextError, match="must begin with a line 'Subject: "):
        parse(source, "test")


def test_the_names_that_a_text_reads_are_known() -> None:
    text = parse(
        "Subject: {{ a.b }}\n\n{% for c in d %}{{ c.e }}{% endfor %}{% if f %}{{ g | append: h }}{% endif %}",
        "t",
    )
    assert text.names == {"a.b", "d", "f", "g", "h"}
