"""What a message or page must say. The text that is owed is filled here; whoever sends checks that it is there."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from string import Formatter

from kulanz.kernel.errors import InputError
from kulanz.law.figures.duties import Duty, Occasion
from kulanz.law.figures.interest import Party
from kulanz.law.packs import NoRate, Pack

__all__ = [
    "BureauFacts",
    "Duty",
    "Facts",
    "MissingValueError",
    "Occasion",
    "Owed",
    "bureau_notice",
    "fill",
    "required",
]

FOUR_WEEKS = timedelta(weeks=4)


class MissingValueError(InputError):
    """What must be said is not known; `names` are the values of the duty that are missing or empty."""

    def __init__(self, names: tuple[str, ...], source: str) -> None:
        self.names = names
        super().__init__(
            f"The message must say {', '.join(names)} ({source}), and this is not known. "
            "Complete the creditor's details, then send again."
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """Who speaks to whom on which occasions; `collector`: a registered collector, not the creditor itself."""

    collector: bool
    party: Party
    occasions: frozenset[Occasion]


@dataclass(frozen=True, slots=True)
class Owed:
    """A duty filled with its values. `needles`: the texts that must be found in what is sent."""

    code: str
    text: str
    needles: tuple[str, ...]
    source: str
    verified: bool


def required(pack: Pack, facts: Facts, on: date) -> tuple[Duty, ...]:
    """The duties in force on a day, by date and then in the order of the pack; of one code the newest row counts.

    Raises NoRate after the day until which the pack's duties are known.
    """
    if on > pack.end_of("duties"):
        raise NoRate(on, f"duties to inform of {pack.jurisdiction}")
    role = "collector" if facts.collector else "creditor"
    newest: dict[str, Duty] = {}
    for row in pack.duties:
        if row.valid_from <= on:
            newest[row.code] = row
    return tuple(
        row
        for row in newest.values()
        if row.occasion in facts.occasions
        and row.role in ("any", role)
        and row.party in ("any", facts.party.value)
    )


def fill(duty: Duty, values: Mapping[str, str], language: str) -> Owed:
    """The duty with its values; raises MissingValueError naming every one that is missing or blank."""
    text = duty.text(language)
    names = [name for _, name, _, _ in Formatter().parse(text) if name] + list(duty.shows)
    if missing := sorted({name for name in names if not values.get(name, "").strip()}):
        raise MissingValueError(tuple(missing), duty.source)
    filled = text.format(**{name: values[name] for name in names})
    needles = tuple(values[name] for name in duty.shows) or (filled,)
    return Owed(duty.code, "" if duty.shows else filled, needles, duty.source, duty.verified)


@dataclass(frozen=True, slots=True)
class BureauFacts:
    """What is known before a credit bureau is told of a claim. `reminded`: days on which reminders were delivered."""

    due: date
    reminded: Collection[date]
    bureau_announced: bool
    disputed: bool


def bureau_notice(facts: BureauFacts, on: date) -> tuple[tuple[str, str], ...]:
    """Reasons against telling a credit bureau (German, English); empty where section 31(2) no. 4 BDSG allows it.

    It asks for two reminders after the due date, the first four weeks old, notice of the bureau, and no dispute.
    """
    after_due = sorted(day for day in facts.reminded if day > facts.due)
    checks = (
        (
            len(after_due) >= 2,
            "Es gab keine zwei Mahnungen nach Fälligkeit.",
            "There were no two reminders after the due date.",
        ),
        (
            bool(after_due) and on - after_due[0] >= FOUR_WEEKS,
            "Die erste Mahnung liegt keine vier Wochen zurück.",
            "The first reminder is less than four weeks old.",
        ),
        (
            facts.bureau_announced,
            "Die Auskunftei wurde nicht angekündigt.",
            "The credit bureau was not announced.",
        ),
        (not facts.disputed, "Die Forderung ist bestritten.", "The claim is disputed."),
    )
    return tuple((german, english) for fits, german, english in checks if not fits)
