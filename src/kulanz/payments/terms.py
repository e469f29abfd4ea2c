"""What a creditor agrees to in instalments and lets be offered, by name: plan.min_rate, offer.share."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from kulanz.events.log import record
from kulanz.kernel.errors import InputError
from kulanz.payments.models import PlanPolicy
from kulanz.payments.offers.models import OfferPolicy
from kulanz.payments.plans.rules import Rhythm
from kulanz.tenancy.changing import typed
from kulanz.tenancy.scope import creditor_id

Policy = PlanPolicy | OfferPolicy
_POLICIES: dict[str, type[Policy]] = {"plan": PlanPolicy, "offer": OfferPolicy}
_FIXED = frozenset({"id", "creditor"})


def terms() -> dict[str, Any]:
    """Every term of the creditor in scope by its name; amounts in minor units."""
    rows = {prefix: _row(model) for prefix, model in _POLICIES.items()}
    return {
        f"{prefix}.{name}": getattr(rows[prefix], name)
        for prefix, model in _POLICIES.items()
        for name in _names(model)
    }


def change_terms(changes: Mapping[str, str]) -> dict[str, Any]:
    """Store terms as people write them and return all; raises InputError naming each that does not fit, stores nothing.

    Offers that were told already stand as they are; plans that run go on as agreed.
    """
    known = {f"{prefix}.{name}" for prefix, model in _POLICIES.items() for name in _names(model)}
    if unknown := sorted(set(changes) - known):
        raise InputError(f"There is no term {', '.join(unknown)}; there are: {', '.join(sorted(known))}.")
    with transaction.atomic():
        rows = {prefix: _row(model) for prefix, model in _POLICIES.items()}
        faults = [fault for name, text in changes.items() if (fault := _set(rows, name, text.strip()))]
        faults += _faults(rows["plan"], rows["offer"])
        if faults:
            raise InputError(f"Nothing was changed. {' '.join(faults)}")
        for prefix in {name.partition(".")[0] for name in changes}:
            rows[prefix].save()
        record("terms.changed", creditor_id(), {"names": sorted(changes)})
    return terms()


def _set(rows: Mapping[str, Policy], name: str, text: str) -> str:
    """What is wrong with a value; empty where it was set."""
    prefix, _, column = name.partition(".")
    try:
        setattr(rows[prefix], column, typed(rows[prefix], column, text))
    except ValidationError as error:
        return f"{name}: {' '.join(error.messages)}"
    return ""


def _faults(plan: Any, offer: Any) -> list[str]:
    """What does not fit together."""
    found = []
    if odd := [each for each in plan.rhythms.split() if each not in set(Rhythm)]:
        found.append(f"plan.rhythms: {', '.join(odd)} is none of {', '.join(Rhythm)}.")
    if offer.period_days <= offer.valid_days + offer.grace_days:
        found.append("offer.period_days must be longer than a discount stands: valid_days and grace_days.")
    if offer.min_discount > offer.max_discount:
        found.append("offer.min_discount is more than offer.max_discount.")
    return found


def _row(model: type[Policy]) -> Policy:
    """The stored row, or a new one with the defaults."""
    found: Policy | None = model.objects.first()
    return found or model(creditor_id=creditor_id())


def _names(model: type[Policy]) -> list[str]:
    return [field.name for field in model._meta.concrete_fields if field.name not in _FIXED]
