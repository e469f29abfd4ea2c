"""What this room keeps about customers: each decision, with its reasons in words (Art. 15 (1) h GDPR)."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from kulanz.claims.kept import CURRENCY, OF_CASE
from kulanz.claims.personal.registry import Column, Kept
from kulanz.strategy import codes
from kulanz.strategy.features import SPEC
from kulanz.strategy.models import Decision, Reward, Setback
from kulanz.strategy.reasons import reasons

_IN_WORDS = "an index into the journey's actions; `action` says it in words"
_BINARY = "numbers in binary form that stand behind the reasons; see `inputs` and `vetoes`"


def _explained(row: Decision, language: str) -> Mapping[str, Any]:
    why = reasons(row.id, language)
    inputs: dict[str, float] = {}
    if row.features:
        values = codes.float_rows([row.features], len(SPEC))[0].tolist()
        inputs = dict(zip(SPEC.columns, values, strict=True))
    return {
        "action": list(why.action),
        "reasons": list(why.why),
        "why_not": list(why.vetoes),
        "inputs": inputs,
    }


TABLES = (
    Kept(
        Decision,
        OF_CASE,
        _("Decisions about messages"),
        (
            Column("acts_at", _("When"), "moment"),
            Column("actor", _("Decided by"), "actor"),
            Column("action", _("Decision"), "action"),
            Column("reasons", _("Reasons")),
        ),
        currency=CURRENCY,
        without={
            **dict.fromkeys(("channel", "slot", "tone", "offer"), _IN_WORDS),
            **dict.fromkeys(("features", "scores", "allowed"), _BINARY),
        },
        further=_explained,
    ),
    Kept(
        Reward,
        "decision__case__customer_id",
        _("What followed from decisions"),
        currency="decision__case__currency",
    ),
    Kept(Setback, OF_CASE, _("Complaints and returned payments")),
)
