"""How a creditor's brand is changed: texts, sender, colours that can be read, a logo in which nothing runs."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction

from kulanz.kernel.errors import InputError
from kulanz.tenancy.changing import typed
from kulanz.tenancy.logo import cleaned
from kulanz.tenancy.models import Brand
from kulanz.tenancy.rules import check_colours

PARTS = (
    "name", "sender_name", "sender_email", "reply_to", "colour_primary", "colour_on_primary", "logo", "imprint",
    "imprint_url", "privacy_url",
)  # fmt: skip
"""`logo` is the text of an SVG picture; empty takes it away."""
_LINES = frozenset({"imprint", "logo"})


def brand() -> Brand:
    """The brand of the creditor in scope; raises InputError where there is none."""
    found: Brand | None = Brand.objects.order_by("id").first()
    if found is None:
        raise InputError("This creditor has no brand.")
    return found


def change_brand(changes: Mapping[str, str]) -> Brand:
    """Store parts of the brand of the creditor in scope; raises InputError naming what does not fit, stores nothing."""
    if unknown := [name for name in changes if name not in PARTS]:
        raise InputError(f"A brand has no {', '.join(unknown)}; it has: {', '.join(PARTS)}.")
    with transaction.atomic():
        found: Brand = Brand.objects.select_for_update().get(id=brand().id)
        faults = [fault for name, text in changes.items() if (fault := _set(found, name, text.strip()))]
        try:
            check_colours(found.colour_primary, found.colour_on_primary)
        except InputError as error:
            faults.append(str(error))
        if faults:
            raise InputError(f"Nothing was changed. {' '.join(faults)}")
        found.save()
    return found


def _set(row: Brand, name: str, text: str) -> str:
    """What is wrong with a value; empty where it was set."""
    if name not in _LINES and not text.isprintable():
        return f"{name}: one line without control characters."
    try:
        if name == "logo":
            row.logo_svg = cleaned(text) if text else ""
        else:
            setattr(row, name, typed(row, name, text))
    except ValidationError as error:
        return f"{name}: {' '.join(error.messages)}"
    except InputError as error:
        return str(error)
    return ""
