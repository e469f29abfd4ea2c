"""Who at the desk may do what."""

from kulanz.tenancy.models import Role
from kulanz.tenancy.rules import includes

PROTECTIVE = frozenset({"insolvency", "represented", "deceased", "minor", "moratorium"})
"""Holds that the law wants; ending one wrongly cannot be taken back."""


def may_lift(role: str, reason: str) -> bool:
    """Agents lift holds, but those that the law wants only a manager."""
    return includes(role, Role.MANAGER if reason in PROTECTIVE else Role.AGENT)
