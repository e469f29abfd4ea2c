"""What a person wrote in a mail, without the mail they answer to.

Where it is not certain that a line begins a quotation, it stays: a word too many is read past, a lost one may be the
one that matters.
"""

import re

_BULLETS = r"[\s>*_]*"
_WROTE = re.compile(
    _BULLETS + r"(?:"
    r"am\b.{3,200}\bschrieb\b.{0,200}|.{3,200}\bschrieb am\b.{3,200}|on\b.{3,200}\bwrote|le\b.{3,200}\ba écrit"
    r"|el\b.{3,200}\bescribió|.{3,200}\bescribió|(?:dnia|w dniu)\b.{3,200}\b(?:napisał|napisała|pisze)\b.{0,80}"
    r"|.{3,200}\bnapisał(?:a|\(a\))?"
    r"|.{3,200}\b(?:tarihinde|şunu yazdı|yazdı)\b.{0,80}|(?:في|بتاريخ).{3,200}(?:كتب|كتبت).{0,200}"
    r")\s?:" + _BULLETS,
    re.IGNORECASE,
)
_RULE = re.compile(
    r"\s*-{2,}\s*(?:original message|ursprüngliche nachricht|original-nachricht"
    r"|message d'origine|message d’origine|mensaje original|wiadomość oryginalna|oryginalna wiadomość|orijinal ileti"
    r"|özgün ileti|asıl mesaj|الرسالة الأصلية|رسالة أصلية)\s*-{2,}\s*",
    re.IGNORECASE,
)
_UNDERSCORES = re.compile(r"\s*_{20,}\s*")
_HEADER = re.compile(
    _BULLETS
    + r"(?:von|gesendet|an|betreff|datum|from|sent|to|subject|date|de|envoyé|à|objet|enviado(?: el)?|para|asunto"
    r"|fecha|od|wysłano|do|temat|data|kimden|gönderen|gönderme tarihi|gönderildi|kime|konu|tarih|من|إلى|تاريخ الإرسال"
    r"|الموضوع|التاريخ)[*_]*\s?:[*_]*\s?\S.{0,300}",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(r"-- ?")
_LINES = 2_000


def own_words(text: str) -> str:
    """The text up to the first quotation that goes on to the end, without a signature below `-- `.

    Answers written between quoted lines are kept, and the quoted lines between them as well. A mail in which
    everything is quoted stays whole.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:_LINES]
    kept = lines[: _end(lines)]
    while kept and (not kept[-1].strip() or kept[-1].lstrip().startswith(">") or _introduces(kept[-1])):
        kept.pop()
    written = "\n".join(kept).strip()
    return written or "\n".join(lines).strip()


def _end(lines: list[str]) -> int:
    """Where the quoted mail or the signature begins; the number of lines where nothing is quoted."""
    for number, line in enumerate(lines):
        if _RULE.fullmatch(line) or (_SIGNATURE.fullmatch(line) and number > 0):
            return number
        if _introduces(line) and _only_quoted(line, lines[number + 1 :]):
            return number
        wrapped = " ".join(lines[number : number + 2])
        if _introduces(wrapped) and _only_quoted(wrapped, lines[number + 2 :]):
            return number
        if _UNDERSCORES.fullmatch(line) and _is_head(lines[number + 1 :]):
            return number
        if number > 0 and _is_head(lines[number:]):
            return number
    return len(lines)


def _introduces(line: str) -> bool:
    """Whether the line says who wrote what follows. Without a digit or an address it is a sentence like any other."""
    return (
        len(line) <= 500
        and line.rstrip(" >*_").endswith(":")
        and re.search(r"[\d@]", line) is not None
        and _WROTE.fullmatch(line.strip()) is not None
    )


def _only_quoted(introduction: str, rest: list[str]) -> bool:
    """All below is marked as quoted; or nothing is, as some programs do, and the introduction has an address."""
    marked = [line.lstrip().startswith(">") for line in rest if line.strip()]
    return all(marked) or (not any(marked) and "@" in introduction)


def _is_head(rest: list[str]) -> bool:
    """The next filled lines are a mail's head, as Outlook writes it: at least three of them in a row."""
    filled = [line for line in rest[:12] if line.strip()]
    return len(filled) >= 3 and all(_HEADER.fullmatch(line) for line in filled[:3])
