"""Keeps capability tokens out of every log that names a request's address."""

import logging
import re

_TOKEN = re.compile(r"/p/[A-Za-z0-9_-]{16,}")
_LOGGERS = (
    "django.request",
    "django.security.csrf",
    "django.security.DisallowedHost",
    "django.server",
    "httpx",
)


def redact(text: str) -> str:
    return _TOKEN.sub("/p/<token>", text)


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
