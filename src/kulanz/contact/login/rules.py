"""What proves who a customer is, and how often one may try."""

import hmac
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from kulanz.tenancy.models import LoginFactor


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `times` within `window`."""

    times: int
    window: timedelta


WRONG_ANSWERS = (Limit(5, timedelta(minutes=15)), Limit(12, timedelta(days=1)))
"""Whoever has the link may try so often. A code to the customer's own address works all the time: the lock is soft."""
CODES = (Limit(3, timedelta(hours=1)), Limit(6, timedelta(days=1)))
CODE_TRIES = 5
"""Of one code. With six codes a day a stranger guesses one in 33,000 days."""
CODE_DIGITS = 6
CODE_LASTS = timedelta(minutes=30)
WINDOW = max(limit.window for limit in (*WRONG_ANSWERS, *CODES))


@dataclass(frozen=True, slots=True)
class Known:
    """What is on file about a customer; nothing of it may be known."""

    number: str
    postal_code: str
    birth_date: date | None

    def answer(self, factor: str) -> str:
        """What proves `factor`, "" where it is not on file or no such question can be asked."""
        if factor == LoginFactor.BIRTH_DATE:
            return self.birth_date.isoformat() if self.birth_date else ""
        return {LoginFactor.NUMBER: self.number, LoginFactor.POSTAL_CODE: self.postal_code}.get(
            LoginFactor(factor), ""
        )


def proves(given: str, on_file: str) -> bool:
    """Whether an answer is the one on file, however it is spaced or written; nothing on file proves nothing."""
    wanted, got = _plain(on_file), _plain(given)
    return bool(wanted) and hmac.compare_digest(wanted.encode(), got.encode())


def open_again(at: Iterable[datetime], limits: Sequence[Limit], now: datetime) -> datetime | None:
    """When the next attempt is allowed after attempts `at`; None: now."""
    newest_first = sorted(at, reverse=True)
    full = [
        newest_first[limit.times - 1] + limit.window
        for limit in limits
        if len(newest_first) >= limit.times and newest_first[limit.times - 1] + limit.window > now
    ]
    return max(full, default=None)


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))
