"""Plain text from an HTML mail: nothing is rendered, fetched or kept of the HTML.

The standard library's parser needs minutes for hostile mails of this size; this one passes over the text once.
"""

import re
from collections.abc import Iterator
from html import unescape

LONGEST = 600_000
"""Characters of HTML that are read: style sheets of office programs go before the text."""
_RAW = frozenset({"script", "style", "title", "template", "head"})
"""What stands between these and their end is no text; a missing end of `head` is where `body` begins."""
_BLOCKS = frozenset(
    {
        "p",
        "div",
        "br",
        "tr",
        "li",
        "h1",
        "h2",
        "h3",
        "h4",
        "table",
        "ul",
        "ol",
        "hr",
        "pre",
        "section",
        "article",
    }
)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,15})\b[^<>]*>|<[!?/][^<>]*>")
_BLANK = re.compile(r"\n(?:[ \t]*\n){2,}")


def text_of_html(html: str) -> str:
    """Paragraphs as lines; what stands in a `blockquote` is marked with > as in plain mails."""
    lines: list[str] = []
    words: list[str] = []
    quoted = 0
    for tag, closing, text in _pieces(html[:LONGEST]):
        words.append(text)
        if tag in _BLOCKS or tag == "blockquote":
            lines.append(_line(words, quoted))
            words = []
            quoted = max(0, quoted + (-1 if closing else 1)) if tag == "blockquote" else quoted
    lines.append(_line(words, quoted))
    return _BLANK.sub("\n\n", "\n".join(lines)).strip()


def _line(words: list[str], quoted: int) -> str:
    line = " ".join(unescape("".join(words)).split())
    return f"> {line}" if quoted and line else line


def _pieces(html: str) -> Iterator[tuple[str, bool, str]]:
    """(tag, whether it closes, the text before it) of each tag in turn; the last has no tag."""
    lower, at = html.lower(), 0
    ends: dict[str, int] = {}
    while (begins := html.find("<", at)) >= 0:
        text = html[at:begins]
        if html.startswith("<!--", begins):
            yield "", False, text
            at = _next(lower, "-->", begins + 4, ends) + 3
        elif (found := _TAG.match(html, begins)) is None:
            yield "", False, f"{text}<"
            at = begins + 1
        else:
            tag, closing = (found[2] or "").lower(), bool(found[1])
            yield tag, closing, text
            at = found.end()
            if tag in _RAW and not closing:
                at = _after_raw(lower, tag, at, ends)
    yield "", False, html[at:]


def _after_raw(lower: str, tag: str, at: int, ends: dict[str, int]) -> int:
    if tag != "head":
        return _next(lower, f"</{tag}", at, ends)
    found = [lower.find(end, at) for end in ("</head", "<body")]
    return min((each for each in found if each >= 0), default=at)


def _next(lower: str, mark: str, at: int, ends: dict[str, int]) -> int:
    """Where `mark` comes next; where it does not, the rest is no text. `ends` keeps what was looked for in vain."""
    if mark not in ends:
        found = lower.find(mark, at)
        if found >= 0:
            return found
        ends[mark] = len(lower)
    return ends[mark]
