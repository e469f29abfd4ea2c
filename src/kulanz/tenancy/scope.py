"""The tenant scope: which creditor's rows the current code may see.

A query on a tenant's table outside a scope is an error, so that a forgotten filter cannot show one creditor's
customers to another.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from kulanz.kernel.errors import ScopeError


@dataclass(frozen=True, slots=True)
class Everyone:
    """The scope of installation-wide work; `reason` says which."""

    reason: str


_scope: ContextVar[int | Everyone | None] = ContextVar("kulanz_tenant", default=None)


@contextmanager
def scope(creditor_id: int) -> Iterator[None]:
    """Run the block for one creditor only."""
    token = _scope.set(creditor_id)
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def every_creditor(reason: str) -> Iterator[None]:
    """Run the block over all creditors: finding a row by its own secret, schedules, maintenance."""
    token = _scope.set(Everyone(reason))
    try:
        yield
    finally:
        _scope.reset(token)


def current() -> int | Everyone:
    """The scope in force; raises ScopeError outside of one."""
    found = _scope.get()
    if found is None:
        raise ScopeError(
            "This query needs a creditor: run it inside tenancy.scope.scope(creditor_id), or inside "
            "every_creditor(reason) for work on the whole installation."
        )
    return found


def creditor_id() -> int:
    """The creditor in force; raises ScopeError outside of the scope of one creditor."""
    found = current()
    if isinstance(found, Everyone):
        raise ScopeError(f"This step belongs to one creditor, but runs over all of them ({found.reason}).")
    return found
