"""What a role allows, and which colours a brand may have."""

from kulanz.kernel.colour import TEXT, contrast, nearest, parsed
from kulanz.kernel.errors import InputError
from kulanz.tenancy.models import Role

_RANK = {Role.VIEWER: 0, Role.AGENT: 1, Role.MANAGER: 2, Role.OWNER: 3}


def includes(role: str, needed: str) -> bool:
    """Whether somebody with `role` may do what needs `needed`; a higher role includes the lower ones."""
    return _RANK[Role(role)] >= _RANK[Role(needed)]


def check_colours(primary: str, on_primary: str) -> None:
    """Raises InputError, with colours that would do, unless texts on the brand's colour can be read (WCAG 1.4.3).

    Against the grounds of pages and messages both are moved until they stand out, whatever they are.
    """
    for colour in (primary, on_primary):
        if parsed(colour) is None:
            raise InputError(f"The colour {colour!r} must be written as #rrggbb, such as #1f5c4d.")
    found = contrast(primary, on_primary)
    if found < TEXT:
        raise InputError(
            f"{on_primary} on {primary} has a contrast of {int(found * 100) / 100}:1, at least {TEXT}:1 is needed. "
            f"Nearest: colour_on_primary={nearest(on_primary, primary)}, "
            f"or colour_primary={nearest(primary, on_primary)}."
        )
