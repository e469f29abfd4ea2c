"""Which channels this installation can send on: its own and those that packages bring by entry points."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import entry_points

from kulanz.kernel.errors import NotFoundError
from kulanz.outreach.channels.email import EmailChannel
from kulanz.outreach.channels.port import Channel

GROUP = "kulanz.channels"
"""Entry points name a callable without arguments that returns a Channel, or None where it is not set up."""

_installed: dict[str, Channel] = {}


def channels() -> dict[str, Channel]:
    """Every channel by its code."""
    return {**_configured(), **_installed}


def get(code: str) -> Channel:
    """The channel; raises NotFoundError where this installation has no provider for it."""
    found = channels().get(code)
    if found is None:
        raise NotFoundError(f"This installation has no provider for the channel {code!r}.")
    return found


@contextmanager
def installed(channel: Channel) -> Iterator[None]:
    """Use `channel` under its code while the block runs, in the whole process: for simulators and tests."""
    previous = _installed.get(channel.code)
    _installed[channel.code] = channel
    try:
        yield
    finally:
        del _installed[channel.code]
        if previous is not None:
            _installed[channel.code] = previous


@lru_cache
def _configured() -> dict[str, Channel]:
    brought = [point.load()() for point in entry_points(group=GROUP)]
    return {channel.code: channel for channel in [EmailChannel(), *filter(None, brought)]}
