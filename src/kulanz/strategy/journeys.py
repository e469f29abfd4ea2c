"""Journeys: versioned ladders of stages, as data. The built-in ones are TOML files in the folder `journeys`."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any, Self

from django.db import transaction

from kulanz.contact.gate import StageSet
from kulanz.contact.queries import creditor_rules
from kulanz.engine import ActionSpace
from kulanz.kernel import clock
from kulanz.kernel.errors import InputError, NotFoundError
from kulanz.payments.methods import registry
from kulanz.payments.methods.port import Payee
from kulanz.strategy.models import Journey
from kulanz.tenancy.models import Creditor

BUILT_IN = ("standard", "vexcash")
LONGEST_WINDOW = 72
_METHODS_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Default:
    """What the plain ladder does in a stage: band such as "10-12", the rest by name."""

    channel: str
    band: str
    tone: str
    offer: str


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a ladder.

    A case is in the last stage whose `from_days` past due have come, with at least `after_contacts` demanding contacts
    delivered since the due date, and with every earlier `legal_step` delivered. `window_hours`: a message leaves within
    so many hours of its decision. `pause_days`: how long an outcome is awaited. `min_amount`: minor units. `methods`:
    the ways to pay on the page that its messages link to, in the order of the buttons; empty: all. A stage that hands
    over writes to nobody and has no ladder default.
    """

    name: str
    from_days: int
    after_contacts: int = 0
    legal_step: bool = False
    channels: tuple[str, ...] = ()
    tones: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    window_hours: int = LONGEST_WINDOW
    pause_days: int = 4
    min_amount: int = 0
    hand_over: bool = False
    ladder: Default | None = None

    def __post_init__(self) -> None:
        for name in ("channels", "tones", "offers", "methods"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if not 0 < self.window_hours <= LONGEST_WINDOW or self.pause_days < 1:
            raise InputError(
                f"Stage {self.name}: window_hours is 1 to {LONGEST_WINDOW}, pause_days at least 1."
            )
        if len(set(self.methods)) < len(self.methods) or len(" ".join(self.methods)) > _METHODS_LENGTH:
            raise InputError(
                f"Stage {self.name}: name each way to pay once, {_METHODS_LENGTH} characters in all."
            )
        if self.hand_over == (self.ladder is not None):
            raise InputError(f"Stage {self.name} needs a ladder default, or hand_over = true without one.")
        if self.ladder is not None and not self._allows(self.ladder):
            raise InputError(f"Stage {self.name}: its ladder default is not among what the stage allows.")

    def _allows(self, default: Default) -> bool:
        return (
            default.channel in self.channels and default.tone in self.tones and default.offer in self.offers
        )

    def allowed_set(self) -> StageSet:
        """What the gate may open, as the data that is copied onto a message."""
        return StageSet(
            stage=self.name,
            demanding=True,
            channels=self.channels,
            tones=self.tones,
            offers=self.offers,
            window_hours=self.window_hours,
            min_amount=self.min_amount,
        )

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        ladder = data.get("ladder")
        return cls(**{**data, "ladder": None if ladder is None else Default(**ladder)})


@dataclass(frozen=True, slots=True)
class JourneySpec:
    """A ladder with the action space of its installation: the channels that were on when it was installed."""

    slug: str
    stages: tuple[Stage, ...]
    space: ActionSpace

    def __post_init__(self) -> None:
        if not self.stages:
            raise InputError(f"The journey {self.slug} has no stages.")
        pairs = list(zip(self.stages, self.stages[1:], strict=False))
        if any(a.from_days >= b.from_days or a.after_contacts > b.after_contacts for a, b in pairs):
            raise InputError(
                f"The journey {self.slug}: from_days must rise from stage to stage, after_contacts must not fall."
            )
        if len({stage.name for stage in self.stages}) < len(self.stages):
            raise InputError(f"The journey {self.slug} names a stage twice.")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(stage.name for stage in self.stages)

    def stage(self, name: str) -> Stage:
        return self.stages[self.names.index(name)]

    def to_data(self) -> dict[str, Any]:
        return {"space": self.space.to_json(), "stages": [asdict(stage) for stage in self.stages]}

    @classmethod
    def from_data(cls, slug: str, data: Mapping[str, Any]) -> Self:
        return cls(
            slug, tuple(map(Stage.from_data, data["stages"])), ActionSpace.from_json(dict(data["space"]))
        )


def built_in(slug: str, channels: Sequence[str]) -> JourneySpec:
    """A built-in journey over those of its channels that are on; raises NotFoundError or InputError."""
    if slug not in BUILT_IN:
        raise NotFoundError(f"There is no built-in journey {slug!r}; choose one of {', '.join(BUILT_IN)}.")
    return parse((files("kulanz.strategy") / "journeys" / f"{slug}.toml").read_text("utf-8"), channels)


def parse(toml: str, channels: Sequence[str]) -> JourneySpec:
    """A journey in the form of the built-in ones over those of its channels that are on; raises InputError."""
    try:
        return _spec(tomllib.loads(toml), channels)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(
            f"This is not a journey ({error}). The built-in ones in strategy/journeys/ show the form."
        ) from None


def _spec(raw: Mapping[str, Any], channels: Sequence[str]) -> JourneySpec:
    stages = tuple(map(Stage.from_data, raw["stages"]))
    used = [name for name in raw["costs"] if name in channels and any(name in s.channels for s in stages)]
    if not used:
        raise InputError(
            f"The journey {raw['slug']} uses none of the channels that are switched on; switch one on."
        )
    space = ActionSpace(
        channels=tuple(used),
        tones=tuple(raw["tones"]),
        offers=tuple(raw["offers"]),
        channel_costs=tuple(raw["costs"][name] for name in used),
        harshness=tuple(raw["tones"].values()),
    )
    return JourneySpec(raw["slug"], stages, space)


def install(creditor: Creditor, slug: str) -> Journey:
    """Make a built-in journey the active one of the creditor in scope; unchanged content stays the same version."""
    return activate(creditor, built_in(slug, tuple(creditor_rules(creditor).channels_on)))


def activate(creditor: Creditor, spec: JourneySpec) -> Journey:
    """Store `spec` as the next version of its journey and make it the active one.

    Raises InputError where a stage names a way to pay by which this creditor cannot be paid.
    """
    _check_methods(creditor, spec)
    data = spec.to_data()
    with transaction.atomic():
        latest: Journey | None = Journey.objects.filter(slug=spec.slug).order_by("-version").first()
        if latest is not None and JourneySpec.from_data(spec.slug, latest.stages) == spec:
            Journey.objects.exclude(id=latest.id).update(active=False)
            latest.active = True
            latest.save(update_fields=["active"])
            return latest
        Journey.objects.update(active=False)
        made: Journey = Journey.objects.create(
            creditor=creditor,
            slug=spec.slug,
            version=1 if latest is None else latest.version + 1,
            stages=data,
            created_at=clock.now(),
        )
    return made


def _check_methods(creditor: Creditor, spec: JourneySpec) -> None:
    known = registry.offered(Payee(creditor.account_holder, creditor.iban, creditor.bic, creditor.currency))
    for stage in spec.stages:
        if strange := [code for code in stage.methods if code not in known]:
            raise InputError(
                f"Stage {stage.name}: {creditor.name} cannot be paid by {', '.join(strange)}. "
                f"Possible: {', '.join(known) or 'nothing yet; store an IBAN or set up a provider'}."
            )


def active() -> Journey:
    """The active journey of the creditor in scope; raises NotFoundError when none was installed."""
    found: Journey | None = Journey.objects.filter(active=True).first()
    if found is None:
        raise NotFoundError("This creditor has no journey yet; install one, for example 'standard'.")
    return found


def spec_of(journey: Journey) -> JourneySpec:
    return JourneySpec.from_data(journey.slug, journey.stages)
