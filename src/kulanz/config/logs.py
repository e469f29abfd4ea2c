"""Logs go to standard error, one line each, without personal data: events carry ids and codes only."""

import logging
import sys
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import structlog
from django.db.utils import OperationalError, ProgrammingError

from kulanz.portal.logs import redact

_HARMLESS = (AttributeError, ImportError, NameError, OperationalError, ProgrammingError)
"""Errors whose first line names parts of the program, never values that people gave."""


class Discreet(structlog.stdlib.ProcessorFormatter):
    """Whatever a line was made from, no customer's token is in it."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def outline(exc_info: tuple[type[BaseException], BaseException, TracebackType | None]) -> str:
    """Where an error happened and of what kind it was, with those that led to it.

    What it says is left out, because it may hold any value: a database quotes the row that it refuses.
    """
    return "".join(_outline(exc_info[1]))


def _outline(error: BaseException) -> Iterator[str]:
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None:
        yield from _outline(earlier)
        yield "\nThen:\n\n"
    yield from traceback.format_tb(error.__traceback__)
    words = str(error).partition("\n")[0] if isinstance(error, _HARMLESS) else ""
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    yield f"{name}: {words}\n" if words else f"{name}\n"


def configure(*, debug: bool) -> dict[str, Any]:
    """Set structlog up and return Django's LOGGING setting, so that both speak alike.

    Only with `debug` errors are quoted in full; tokens stand nowhere.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.LogfmtRenderer()
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": Discreet,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info
                    if debug
                    else structlog.processors.ExceptionRenderer(outline),
                    renderer,
                ],
                "foreign_pre_chain": shared,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "INFO" if debug else "WARNING"},
        "loggers": {
            "django": {"handlers": [], "level": "INFO" if debug else "WARNING", "propagate": True},
            "django.request": {"handlers": [], "level": "ERROR", "propagate": True},
        },
    }
