"""From the bytes of a mail to plain values. Whatever the bytes are, something is read; nothing is run or fetched.

Headers are taken as they stand and addresses found by a pattern: what the standard library makes of them raises errors
on some that arrive (`policy.default` on a broken Message-ID, `getaddresses` on nested comments).
"""

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.errors import HeaderParseError, MessageError
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser
from itertools import islice

from kulanz.documents.texts import printable
from kulanz.outreach.inbound.pages import text_of_html
from kulanz.outreach.inbound.quotes import own_words
from kulanz.outreach.inbound.rules import LONGEST, MARKING, Mail

LARGEST = 1_048_576
"""Bytes of a mail that are read. The text stands before attachments, so it is whole in all but odd mails."""
_PARTS = 200
_FILES = 20
_LONG_HEADER = 8_000
_REFERENCES = 30
_ADDRESS = re.compile(r"[^\s<>()\[\]\\,;:\"'@]{1,64}@[^\s<>()\[\]\\,;:\"'@]{1,255}")
_IN_BRACKETS = re.compile(rf"<({_ADDRESS.pattern})>")
_ID = re.compile(r"<[^<>\s]{3,250}>")
_ENDLESS = re.compile(
    rb"^(content-(?:type|disposition):(?:[^\r\n]|\r?\n[ \t]){0,2000})(?:[^\r\n]|\r?\n[ \t])*",
    re.IGNORECASE | re.MULTILINE,
)
"""The parameters of these headers are taken apart in time that grows with the square of their length."""
_CHARSET = re.compile(
    r"utf[-_]?(?:8|16|16le|16be|32)|(?:us-?)?ascii|iso[-_]?8859[-_]\d{1,2}|latin[-_]?\d{1,2}|(?:windows|cp)[-_]?\d{3,5}"
    r"|koi8[-_][rtu]|gbk|gb2312|gb18030|big5|euc[-_](?:jp|kr)|shift[-_]jis|iso-2022-jp",
    re.IGNORECASE,
)
"""Python knows more, among them some that no mail is written in and that take hours (`punycode`)."""
_ODD = (MessageError, ValueError, LookupError, TypeError)
"""What the standard library raises on parameters that contradict each other (RFC 2231)."""
_TO = ("to", "cc", "delivered-to", "x-original-to", "envelope-to")


def read(raw: bytes) -> Mail:
    """The mail in `raw`, of which at most LARGEST bytes count."""
    parsed = _parsed(raw[:LARGEST])
    words = own_words(_text(parsed)[: 3 * LONGEST])
    return Mail(
        message_id=next(_ids(parsed, "message-id"), ""),
        sender=_sender(next(_values(parsed, "from"), "")),
        recipients=tuple(dict.fromkeys(_recipients(parsed))),
        refers_to=_refers_to(parsed),
        subject=printable(_header(parsed, "subject"))[:300].strip(),
        text=words[:LONGEST],
        shortened=len(raw) > LARGEST or len(words) > LONGEST,
        files=tuple(islice(_files(parsed), _FILES)),
        report=parsed.get_content_type() == "multipart/report",
        headers={name: _header(parsed, name) for name in MARKING if name in parsed},
    )


def _parsed(raw: bytes) -> Message:
    """Parts nested beyond every sense, or with a boundary that cannot be read, are not opened: the body is one part."""
    sane = _ENDLESS.sub(rb"\1", raw)
    try:
        return message_from_bytes(sane)
    except (RecursionError, *_ODD):
        return BytesHeaderParser().parsebytes(sane)


def _parts(mail: Message) -> Iterator[Message]:
    """The parts that hold something, in order. What they hold is not asked for: that decodes it by its charset."""
    todo = [mail]
    for _ in range(_PARTS):
        if not todo:
            return
        part = todo.pop(0)
        payload = part.get_payload() if part.is_multipart() else None
        if isinstance(payload, list):
            todo[:0] = [each for each in payload if isinstance(each, Message)]
        else:
            yield part


def _text(mail: Message) -> str:
    """The plain text; where there is none, that of the HTML; where there is neither, nothing."""
    plain, html = [], []
    for part in _parts(mail):
        if _name(part) or part.get_content_disposition() == "attachment":
            continue
        if part.get_content_type() == "text/plain":
            plain.append(_content(part))
        elif part.get_content_type() == "text/html":
            html.append(_content(part))
    written = "\n\n".join(plain)
    return _lines(written if written.strip() else text_of_html("\n".join(html)))


def _content(part: Message) -> str:
    try:
        payload = part.get_payload(decode=True)
    except _ODD:
        del part["Content-Transfer-Encoding"]
        payload = part.get_payload(decode=True)
    return _decoded(payload, _charset(part)) if isinstance(payload, bytes) else ""


def _charset(part: Message) -> str | None:
    try:
        return part.get_content_charset()
    except _ODD:
        return None


def _decoded(raw: bytes, charset: str | None) -> str:
    """In the charset that is named, else as UTF-8, else as western Europe writes; never an error."""
    named = charset if charset and _CHARSET.fullmatch(charset) else "utf-8"
    for name in (named, "utf-8"):
        try:
            return raw.decode(name)
        except (LookupError, ValueError):
            continue
    return raw.decode("cp1252", "replace")


def _lines(text: str) -> str:
    """Text that every database takes and that looks on a page as it reads."""
    whole = text.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(printable(line).rstrip() for line in whole.split("\n"))


def _values(mail: Message, name: str) -> Iterator[str]:
    """The values of a header as they stand; bytes beyond ASCII count as UTF-8, though some write others."""
    for key, value in mail.raw_items():
        if key.lower() == name:
            raw = str(value)[:_LONG_HEADER].encode("utf-8", "surrogateescape")
            yield _lines(_decoded(raw, None)).replace("\n", " ")


def _header(mail: Message, name: str) -> str:
    return _words(next(_values(mail, name), ""))


def _words(value: str) -> str:
    """A header's value in one line, with its encoded words read."""
    pieces: list[tuple[bytes | str, str | None]]
    try:
        pieces = list(decode_header(value[:_LONG_HEADER]))
    except (HeaderParseError, ValueError):
        pieces = [(value[:_LONG_HEADER], None)]
    text = "".join(_decoded(each, charset) if isinstance(each, bytes) else each for each, charset in pieces)
    return _lines(text).replace("\n", " ")


def _ids(mail: Message, name: str) -> Iterator[str]:
    for found in _ID.finditer(next(_values(mail, name), "")):
        yield found[0]


def _refers_to(mail: Message) -> tuple[str, ...]:
    """What it answers to, then the mails before that, the nearest first."""
    before = list(_ids(mail, "references"))[::-1]
    return tuple(dict.fromkeys([*_ids(mail, "in-reply-to"), *before]))[:_REFERENCES]


def _sender(value: str) -> str:
    """The address in brackets, not one that stands in the name before it; lower case."""
    found = _IN_BRACKETS.findall(value) or _ADDRESS.findall(value)[:1]
    return str(found[-1]).lower()[:320] if found else ""


def _recipients(mail: Message) -> Iterator[str]:
    """Every address, lower case, that the mail says it was sent or delivered to."""
    for name in _TO:
        for value in islice(_values(mail, name), 10):
            for found in _ADDRESS.finditer(value):
                yield found[0].lower()


def _files(mail: Message) -> Iterator[str]:
    for part in _parts(mail):
        text = part.get_content_maintype() == "text" and part.get_content_disposition() != "attachment"
        if _name(part) or not text:
            yield (_name(part) or _lines(part.get_content_type()))[:120]


def _name(part: Message) -> str:
    """The file name that a part gives itself; a name only, never a path that is opened."""
    try:
        name = part.get_filename("")
    except _ODD:
        return "?"
    return _words(str(name))
