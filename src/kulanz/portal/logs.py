"""Keeps capability tokens out of every log that names a request's address."""

import logging
import re

_ADDRESS = re.compile(r"/p/[A-Za-z0-9_-]{16,}")
_TOKEN = re.compile(r"A{4}[A-Z0-9_-]{28,}", re.IGNORECASE)
"""Wherever it stands: a token begins with the high bytes of a number, which are zero for the first 2**40 links."""
_LOGGERS = (
    "django.request",
    "django.security.csrf",
    "django.security.DisallowedHost",
    "django.server",
    "httpx",
)


def redact(text: str) -> str:
    """The text with a placeholder for every token in it."""
    return _TOKEN.sub("<token>", _ADDRESS.sub("/p/<token>", text))


class TokenFilter(logging.Filter):
    """Rewrites the record itself, so that every handler behind it sees the placeholder only."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact(record.getMessage())
        record.args = None
        record.__dict__.pop("request", None)
        return True


def install() -> None:
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(each, TokenFilter) for each in logger.filters):
            logger.addFilter(TokenFilter())
