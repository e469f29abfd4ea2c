"""What the law wants to be said around a plan: its cost, what an acknowledgement means, and who decides."""

from datetime import date

from kulanz.law.duties import Facts, Occasion, fill, required
from kulanz.law.figures.interest import Party
from kulanz.tenancy.law import pack
from kulanz.tenancy.models import Creditor, LegalRole
from kulanz.tenancy.scope import creditor_id

NOTHING = {"de": "nichts", "en": "nothing"}


def said(occasion: Occasion, language: str, on: date, party: Party, plan_cost: str = "") -> tuple[str, ...]:
    """The sentences owed on an occasion, German for de and English for every other language.

    `plan_cost`: the amount as it is shown; empty where the plan costs nothing.
    """
    creditor: Creditor = Creditor.objects.get(id=creditor_id())
    nothing = NOTHING["de" if language == "de" else "en"]
    values = {
        "plan_cost": plan_cost or nothing,
        "support": creditor.support_email or creditor.support_phone or creditor.address,
    }
    facts = Facts(creditor.role == LegalRole.COLLECTOR, party, frozenset({occasion}))
    owed = required(pack(creditor.jurisdiction), facts, on)
    return tuple(fill(duty, values, language).text for duty in owed)
