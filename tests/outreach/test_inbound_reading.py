"""What is read out of mails as they arrive: whole, broken, hostile."""

import time
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.outreach.inbound.pages import text_of_html
from kulanz.outreach.inbound.quotes import own_words
from kulanz.outreach.inbound.reading import LARGEST, read
from kulanz.outreach.inbound.rules import LONGEST, Mail, is_automatic

pytestmark = pytest.mark.anydatabase
OWN = frozenset({"rechnung@lindenhof.example"})
QUOTED = [
    "Am Di., 3. März 2026 um 09:12 Uhr schrieb Lindenhof <rechnung@lindenhof.example>:\n\n> Guten Tag,\n> Danke",
    "Am 03.03.26 um 09:12 schrieb Lindenhof Versand:\n> Guten Tag\n>\n> Danke",
    "On Tue, 3 Mar 2026 at 09:12, Lindenhof <rechnung@lindenhof.example>\nwrote:\n\n> Hello\n> there",
    "Le mar. 3 mars 2026 à 09:12, Lindenhof <rechnung@lindenhof.example> a écrit :\n\n> Bonjour",
    "El mar, 3 mar 2026 a las 9:12, Lindenhof (<rechnung@lindenhof.example>) escribió:\n\n> Hola",
    "wt., 3 mar 2026 o 09:12 Lindenhof <rechnung@lindenhof.example> napisał(a):\n\n> Witam",
    "Lindenhof <rechnung@lindenhof.example>, 3 Mar 2026 Sal, 09:12 tarihinde şunu yazdı:\n\n> Merhaba",
    "في ٣ مارس 2026، كتب Lindenhof <rechnung@lindenhof.example>:\n\n> مرحبا",
    "-----Ursprüngliche Nachricht-----\nVon: Lindenhof\nGesendet: Dienstag\nAn: Erika\n\nGuten Tag",
    "________________________________\nVon: Lindenhof <post@lindenhof.example>\nGesendet: Dienstag\nAn: Erika\n\nHallo",
    "From: Lindenhof <rechnung@lindenhof.example>\nSent: Tuesday\nTo: Erika\nSubject: Invoice\n\nHello",
    "-- \nErika Beispiel\nMusterweg 1",
]


@pytest.mark.parametrize("quoted", QUOTED)
def test_the_mail_that_is_answered_is_cut(quoted: str) -> None:
    assert own_words(f"Ich habe schon bezahlt.\n\nErika\n\n{quoted}") == "Ich habe schon bezahlt.\n\nErika"
    assert (
        own_words(f"Ich habe schon bezahlt.\r\n\r\n{quoted}".replace("\n", "\r\n"))
        == "Ich habe schon bezahlt."
    )


@pytest.mark.parametrize(
    "text",
    [
        "Am 3. März schrieb mir Ihr Kollege:\nIch muss nichts zahlen.\nStimmt das?",
        "- ich bin krank\n- ich habe keine Arbeit",
        "Von: mir\nIch kann nicht mehr.",
        "On 3 March you wrote:\n> Please pay.\nI cannot, I am in hospital.",
        "> Haben Sie bezahlt?\nJa, am 2. März.\n> An wen?\nAn Sie.",
        "Betreff: Rechnung\nDatum: gestern\nich verstehe sie nicht",
    ],
)
def test_own_words_are_never_cut(text: str) -> None:
    assert own_words(text) == text


def test_a_mail_that_is_all_quotation_stays_whole() -> None:
    assert own_words("> Guten Tag\n> Ich bin krank") == "> Guten Tag\n> Ich bin krank"
    assert own_words("") == ""


@given(st.text(max_size=300))
def test_any_text_can_be_cut_and_what_stays_was_there(text: str) -> None:
    assert own_words(text) in text.replace("\r\n", "\n").replace("\r", "\n")


def test_html_becomes_lines_without_scripts_and_styles() -> None:
    html = (
        "<html><head><style>p{color:red}</style><title>x</title></head><body><p>Guten&nbsp;Tag,</p>"
        "<script>alert(1)</script><div>ich bin <b>krank</b>.<br>Erika</div><!-- secret -->"
        "<blockquote><p>Bitte zahlen</p></blockquote></body></html>"
    )
    assert text_of_html(html).split("\n") == [
        "Guten Tag,", "", "ich bin krank.", "Erika", "", "> Bitte zahlen",
    ]  # fmt: skip


def test_a_missing_end_of_the_head_hides_no_words() -> None:
    assert text_of_html("<head><meta><body>Hallo</body>") == "Hallo"
    assert text_of_html("<head>Hallo") == "Hallo"
    assert text_of_html("3 < 4 und <b>mehr") == "3 < 4 und mehr"


def letter(**headers: str) -> EmailMessage:
    mail = EmailMessage()
    for name, value in {"From": "Erika <Erika@Customers.example>", "Subject": "Frage", **headers}.items():
        mail[name.replace("_", "-")] = value
    return mail


def test_text_goes_before_html_and_attachments_leave_their_names() -> None:
    mail = letter(
        Message_ID="<a1@customers.example>",
        In_Reply_To="<b@x.example>",
        References="<a@x.example> <b@x.example>",
    )
    mail.set_content("Grüße aus Köln")
    mail.add_alternative("<p>Anderes</p>", subtype="html")
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="Lohnzettel März.pdf")
    found = read(mail.as_bytes())
    assert (found.text, found.sender, found.message_id) == (
        "Grüße aus Köln", "erika@customers.example", "<a1@customers.example>",
    )  # fmt: skip
    assert found.files == ("Lohnzettel März.pdf",)
    assert found.refers_to == ("<b@x.example>", "<a@x.example>")
    assert not found.shortened


def test_the_senders_address_is_the_one_in_brackets() -> None:
    assert read(b'From: "boss@lindenhof.example" <thief@x.example>\n\nhi').sender == "thief@x.example"
    assert read(b"From: plain@x.example\n\nhi").sender == "plain@x.example"
    assert read(b"From: nobody\n\nhi").sender == ""


def test_a_large_mail_is_read_as_far_as_it_is_kept() -> None:
    assert read(b"\nHallo\n" + b"x" * LARGEST).shortened
    long = read(b"\n" + b"wort " * LONGEST)
    assert (len(long.text), long.shortened) == (LONGEST, True)


BROKEN = [
    b"",
    b"\x00" * 50,
    b"Message-ID: <[abc>\n\n",
    b"From: a@[",
    b"From: " + b"(" * 5_000,
    b"Subject: =?x?q?=?=",
    b"Content-Type: multipart/mixed\n\nfoo",
    b'Content-Type: text/plain; charset="\x00"\n\nhi',
    b"Content-Transfer-Encoding: base64\n\n!!!a",
    b"Content-Transfer-Encoding: uuencode\n\nbegin 644 x\n#\xff\nend",
    b"Content-Disposition: attachment; filename*=utf-8''%ff%00\n\n",
    b"Content-Type: text/html\n\n<![foo[x]]><p>Hi</p>",
    b"Content-Type: text/plain; charset=a; charset*1*=b; charset*=x'y'z\n\n\xff",
    b"Content-Type: multipart/mixed; boundary*1*=b; boundary*=x'y'z\n\n--b\n\nHi",
    b"Content-Type: text/plain; charset*1*=%00\n\nHi",
]


PIECES = [
    *(
        b"Content-Type: ",
        b"multipart/mixed",
        b"text/plain",
        b"message/rfc822",
        b"Content-Disposition: attachment",
    ),
    *(b"; charset=", b"; charset*=", b"; charset*0*=", b"; charset*1=", b"; filename*=", b"; filename*1*="),
    *(
        b"; boundary=",
        b"; boundary*=",
        b"; boundary*1*=",
        b"x",
        b"x'y'z",
        b"%00",
        b"%ff",
        b"undefined",
        b"hex",
    ),
    *(b"Content-Transfer-Encoding: ", b"base64", b"x-uuencode", b"begin 644 x", b"=?utf-8?b?", b"?=", b'"'),
    *(b"\n", b"\n\n", b"--x\n", b"--x--", b"\x00", b"\xff", b" ", b"A"),
]


@pytest.mark.parametrize("raw", BROKEN)
def test_broken_mails_are_read_all_the_same(raw: bytes) -> None:
    storable(read(raw))


@pytest.mark.parametrize(
    "charset", ["*=utf-8''utf-8", "*0=utf; charset*1=-8", "=undefined", "=idna", "=no-such"]
)
def test_an_odd_charset_takes_no_words(charset: str) -> None:
    assert read(f"Content-Type: text/plain; charset{charset}\n\nSchöne Grüße".encode()).text == "Schöne Grüße"


@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_no_mixture_of_parameters_stops_the_reader(pieces: list[bytes]) -> None:
    storable(read(b"".join(pieces)))


@given(st.binary(max_size=400), st.integers(0, 300))
def test_no_bytes_stop_the_reader(noise: bytes, place: int) -> None:
    mail = letter()
    mail.set_content("Hallo")
    mail.add_attachment(b"x", maintype="text", subtype="plain", filename="ä.txt")
    whole = mail.as_bytes()
    storable(read(noise))
    storable(read(whole[:place] + noise + whole[place:]))


def storable(mail: Mail) -> None:
    """PostgreSQL takes no NUL, and no database half a surrogate pair."""
    for text in (mail.text, mail.subject, mail.sender, mail.message_id, *mail.files, *mail.headers.values()):
        assert "\x00" not in text
        text.encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Type: text/html\n\n" + b"<!--" * 250_000,
        b"Content-Type: text/html\n\n" + b"<a " * 330_000,
        b"Content-Type: text/html\n\n" + b"<script>" * 130_000,
        b"Content-Type: text/plain; " + b"a=b; " * 200_000,
        b"Content-Type: text/plain; charset=punycode\n\n\xff" + b"a" * 400_000 + b"-" + b"9a" * 200_000,
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(20_000)),
        b"Content-Type: text/plain; charset=punycode\n\n" + b"a" * 500_000 + b"-" + b"9a" * 250_000,
        b"Content-Type: text/plain; charset=idna\n\n" + b"a." * 500_000,
        b"\n" + (b"On 1 " + b" wrote schrieb am " * 28 + b":\n") * 2_000,
    ],
    ids=[
        "comments",
        "tags",
        "scripts",
        "parameters",
        "punycode and a byte",
        "nested",
        "punycode",
        "idna",
        "quotes",
    ],
)
def test_a_hostile_mail_costs_little_time(raw: bytes) -> None:
    """The standard library's HTML parser needs more than half a minute for the first."""
    began = time.process_time()
    read(raw)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto-Submitted": "auto-replied"},
        {"Auto-Submitted": "auto-generated; owner-email=x"},
        {"Precedence": "bulk"},
        {"X-Autoreply": "yes"},
        {"List-Id": "<news.example>"},
        {"Return-Path": "<>"},
        {"From": "MAILER-DAEMON@mx.example"},
        {"From": "rechnung@lindenhof.example"},
        {"Subject": "Automatische Antwort: Ihre Rechnung"},
        {"Subject": "Out of Office: Re: invoice"},
        {"Subject": "Réponse automatique : facture"},
        {"Subject": "Otomatik yanıt: fatura"},
        {"Content-Type": "multipart/report; report-type=delivery-status; boundary=x"},
    ],
    ids=str,
)
def test_machines_are_known(headers: dict[str, str]) -> None:
    lines = {"From": "erika@customers.example", "Subject": "Frage", **headers}
    raw = "".join(f"{name}: {value}\n" for name, value in lines.items()).encode() + b"\nText"
    assert is_automatic(read(raw), OWN)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Feedback-ID": "1.eu.x:ses"},
        {"Auto-Submitted": "no"},
        {"Return-Path": "<erika@customers.example>"},
        {"Subject": "Automatische Abbuchung?"},
    ],
    ids=str,
)
def test_people_are_not_taken_for_machines(headers: dict[str, str]) -> None:
    lines = {"From": "erika@customers.example", **headers}
    raw = "".join(f"{name}: {value}\n" for name, value in lines.items()).encode() + b"\nText"
    assert not is_automatic(read(raw), OWN)
