"""What a role allows."""

from kulanz.tenancy.models import Role

_RANK = {Role.VIEWER: 0, Role.AGENT: 1, Role.MANAGER: 2, Role.OWNER: 3}


def includes(role: str, needed: str) -> bool:
    """Whether somebody with `role` may do what needs `needed`; a higher role includes the lower ones."""
    return _RANK[Role(role)] >= _RANK[Role(needed)]
