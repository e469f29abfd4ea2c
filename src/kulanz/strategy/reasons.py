"""Why a decision came out as it did, in plain words, German or English."""

from dataclasses import dataclass

from babel.numbers import format_decimal, format_percent
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import override

from kulanz.claims.models import Hold
from kulanz.engine import Contribution, Explanation
from kulanz.law.vetoes import VetoCode, sentence
from kulanz.strategy import codes, journeys, queries
from kulanz.strategy.features import CALENDAR, LABELS, SPEC
from kulanz.strategy.models import Decision

_LEAST_EFFECT = 0.001


@dataclass(frozen=True, slots=True)
class Reasons:
    """`action`: ("wait",) or channel, weekday, band, tone and offer by name; `why` and `vetoes`: sentences."""

    decision_id: int
    actor: str
    action: tuple[str, ...]
    why: tuple[str, ...]
    vetoes: tuple[str, ...]


def reasons(decision_id: int, language: str) -> Reasons:
    """The reasons behind one decision; raises NotFoundError for another creditor's."""
    decision = queries.decision_of(decision_id)
    spec = journeys.spec_of(decision.run.journey)
    with override("de" if language.lower().startswith("de") else "en"):
        why = _why(decision, language)
    return Reasons(
        decision_id=decision.id,
        actor=decision.actor,
        action=spec.space.label(queries.action_codes(decision)),
        why=tuple(why),
        vetoes=tuple(
            _sentence(code, decision, language) for code in filter(None, decision.vetoes.split(","))
        ),
    )


def _why(decision: Decision, language: str) -> list[str]:
    if decision.actor == Decision.Actor.HOLDOUT:
        return [_("This customer belongs to the comparison group, which always gets the plain ladder.")]
    if not decision.scores:
        return [_("The journey's plain ladder decided, not a learned policy.")]
    policy = queries.policy_of(decision.run.policy)
    made = queries.redrawn(decision, policy)
    if made.propensity[0] == 1.0:
        return [_("Nothing but waiting was allowed.")]
    context = codes.float_rows([decision.features], len(SPEC))[0]
    found = policy.explain(context, codes.unpacked([decision.allowed], policy.space), made)
    strongest = [part for part in found.contributions if abs(part.effect) >= _LEAST_EFFECT]
    return [_choice(found, language), *(_part(part, language) for part in strongest)]


def _choice(found: Explanation, language: str) -> str:
    chance = format_percent(found.propensity, locale=language)
    if found.gap is None or found.alternative is None or found.gap >= 0:
        return _("Best expected result among what is allowed; chosen with a probability of {chance}.").format(
            chance=chance
        )
    return _(
        "An attempt in order to learn, chosen with a probability of {chance}: {other} is expected to bring {gap} more."
    ).format(chance=chance, other=_words(found.alternative), gap=_points(-found.gap, language))


def _part(part: Contribution, language: str) -> str:
    name = str(LABELS.get(part.name, "")) or _words(part.name.split(", "))
    if isinstance(part.value, float) and part.name not in CALENDAR:
        name = f"{name} ({format_decimal(round(part.value, 1), locale=language)})"
    text = (
        _("{name}: raises the expectation by {points}.")
        if part.effect > 0
        else _("{name}: lowers the expectation by {points}.")
    )
    return text.format(name=name[:1].upper() + name[1:], points=_points(abs(part.effect), language))


def _points(effect: float, language: str) -> str:
    return _("{number} percentage points").format(
        number=format_decimal(round(100 * effect, 1), locale=language)
    )


def _words(names: "tuple[str, ...] | list[str]") -> str:
    """Names of an action; a factor's own word in front ("band 10-12") goes, because the name says it."""
    return ", ".join(_name(name.split(" ")[-1]) for name in names)


def _name(code: str) -> str:
    known = {
        "wait": _("waiting"),
        "email": _("e-mail"),
        "sms": _("text message"),
        "whatsapp": _("WhatsApp"),
        "letter": _("letter"),
        "call": _("call"),
        "portal": _("portal"),
        "friendly": _("friendly tone"),
        "factual": _("factual tone"),
        "firm": _("firm tone"),
        "none": _("no offer"),
        "later": _("a later day"),
        "plan": _("instalments"),
        "discount": _("a settlement discount"),
        "Mon": _("Monday"),
        "Tue": _("Tuesday"),
        "Wed": _("Wednesday"),
        "Thu": _("Thursday"),
        "Fri": _("Friday"),
        "Sat": _("Saturday"),
        "Sun": _("Sunday"),
    }
    return known.get(code) or _("{band} h").format(band=code)


def _sentence(code: str, decision: Decision, language: str) -> str:
    if code != VetoCode.ON_HOLD:
        return sentence(code, language)
    at = decision.run.at
    holds = Hold.objects.filter(case__customer__cases=decision.case_id, from_at__lte=at)
    holds = holds.filter(Q(until_at=None) | Q(until_at__gt=at), Q(lifted_at=None) | Q(lifted_at__gt=at))
    reason = holds.order_by("id").values_list("reason", flat=True).first()
    return sentence(code, language, **({"reason": reason} if reason else {}))
