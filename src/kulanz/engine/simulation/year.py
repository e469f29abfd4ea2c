"""The simulated ladder year: choosers meet the same customers, day by day, and are compared in pairs.

Everything here is simulated. A chooser is asked each morning about every open case for which something may be
done, and hears what a decision was worth when its outcome window has closed. Two choosers on one seed meet the
same customers with the same luck, so that their difference is due to what they chose.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from kulanz.engine.actions import WAIT, Allowed
from kulanz.engine.arrays import Codes, Floats, Indices, Ints, Singles
from kulanz.engine.reward import RewardSettings
from kulanz.engine.simulation.book import COST, OPEN, PAID_AT, Book, permitted
from kulanz.engine.simulation.lessons import Steps, Windows, whole_life
from kulanz.engine.simulation.records import FEATURES
from kulanz.engine.simulation.simulate import Act
from kulanz.engine.simulation.world import CASE_DAYS, SPACE, World
from kulanz.kernel.errors import InputError


class Chooser(Protocol):
    """Something that decides in the year. Actions are codes of SPACE, contexts columns of FEATURES."""

    def choose(self, day: int, contexts: Singles, allowed: Allowed, ids: Ints) -> Codes:
        """int16[n, 4], all -1 to wait; ids int64[n] are the cases."""
        ...

    def learn(self, contexts: Singles, actions: Codes, rewards: Floats, *, ids: Ints, days: Ints) -> None:
        """Decisions whose worth has just become known, before the ones of today: rewards float64[n]; cases and
        days of the decisions int64[n].
        """
        ...


@runtime_checkable
class Insider(Protocol):
    """A chooser that is shown the hidden truth: an upper reference, never a policy."""

    def meet(self, book: Book) -> None: ...


@dataclass(frozen=True, slots=True)
class YearSettings:
    """How decisions are paid: discount and penalties of `rewards` hold for a case's whole life in any case.

    credit "window": a decision's reward is everything that happens to its case from then until
    `rewards.horizon_days` later, as a share of what was open: payments, costs and penalties, those of later
    contacts included. credit "step": everything until the case is decided again or over, as a share of the case's
    first amount and seen from its due day, so that the steps of a case add up to its reward.
    """

    rewards: RewardSettings = field(default_factory=lambda: RewardSettings(discount_per_day=0.01))
    credit: Literal["window", "step"] = "window"

    def __post_init__(self) -> None:
        whole = float(self.rewards.horizon_days).is_integer() and self.rewards.horizon_days >= 1
        if not (whole and self.rewards.discount_per_day * (CASE_DAYS + 1) < 1.0):
            raise InputError(
                f"The year pays by whole days, and less than everything may be lost in {CASE_DAYS + 1} of them."
            )


@dataclass(frozen=True, slots=True)
class Year:
    """What one chooser did to one world. `rewards` float64[cases] belong to the cases one by one, for pairs.

    mean_days: days past due of the money received (None without any); cost_minor: prices and goodwill;
    customer_days: days of open cases; decisions: cases asked about.
    """

    seed: int
    cases: int
    days: int
    rewards: Floats
    owed_minor: int
    received_minor: int
    mean_days: float | None
    contacts: dict[str, int]
    cost_minor: int
    complaints: int
    opt_outs: int
    disputes: int
    promises: int
    customer_days: int
    decisions: int
    simulated: bool = True

    @property
    def value(self) -> float:
        """Sum of the cases' rewards."""
        return float(self.rewards.sum())

    @property
    def recovered(self) -> float:
        """Share of the money owed; 0 where nothing was owed."""
        return self.received_minor / self.owed_minor if self.owed_minor else 0.0

    @property
    def contacts_made(self) -> int:
        return sum(self.contacts.values())


@dataclass(frozen=True, slots=True)
class GapShare:
    """Share of the way from the ladder to the upper reference; `se` by leaving out one seed at a time."""

    share: float
    se: float | None
    seeds: int
    simulated: bool = True


def play(
    chooser: Chooser,
    *,
    seed: int,
    cases: int,
    days: int = 365,
    settings: YearSettings | None = None,
    world: World | None = None,
) -> Year:
    """One year of `chooser`; `world` saves drawing again the one that belongs to seed, cases and days.

    Raises InputError when the chooser does something that is not allowed.
    """
    chosen = settings or YearSettings()
    drawn = world or World.draw(cases, seed, days=days)
    if (drawn.seed, len(drawn), drawn.days) != (seed, cases, days):
        raise InputError("This world was drawn for another seed, number of cases or days.")
    book = Book(drawn, chosen.rewards)
    if isinstance(chooser, Insider):
        chooser.meet(book)
    lessons = Windows(book) if chosen.credit == "window" else Steps(book, len(FEATURES))
    customer_days = decisions = 0
    for day in range(days):
        book.begin(day)
        customer_days += len(book.active)
        rows = book.askable(day)
        known = lessons.closing(day, rows)
        if known:
            chooser.learn(known.contexts, known.actions, known.rewards, ids=known.ids, days=known.days)
        if len(rows):
            contexts, actions, before = _decide(chooser, book, rows, day)
            lessons.note(day, rows, contexts, actions, before)
            decisions += len(rows)
    return _result(book, customer_days, decisions)


def gap_share(found: Sequence[Year], ladder: Sequence[Year], reference: Sequence[Year]) -> GapShare:
    """(V - V_ladder) / (V_reference - V_ladder), V summed over years: the same ones in each list.

    Raises InputError when they are not the same years, or the reference is no better than the ladder.
    """
    keys = [[(year.seed, year.cases, year.days) for year in years] for years in (found, ladder, reference)]
    if not keys[0] or keys[0] != keys[1] or keys[0] != keys[2]:
        raise InputError(
            "A share of the gap compares the same years: same seeds, cases and days, in one order."
        )
    gain = np.array([year.value for year in found]) - [year.value for year in ladder]
    gap = np.array([year.value for year in reference]) - [year.value for year in ladder]
    if gap.sum() <= 0:
        raise InputError(
            "The reference is no better than the ladder in these years; there is no gap to share."
        )
    n = len(gain)
    se = None
    if n > 1:
        without = (gain.sum() - gain) / (gap.sum() - gap)
        se = float(np.sqrt((n - 1) / n * np.square(without - without.mean()).sum()))
    return GapShare(float(gain.sum() / gap.sum()), se, n)


def _decide(chooser: Chooser, book: Book, rows: Indices, day: int) -> tuple[Singles, Codes, Floats]:
    """Contexts, actions, and the sums as they were before the actions were carried out."""
    contexts, allowed = book.contexts(rows, day), book.allowed(rows, day)
    actions = chooser.choose(day, contexts, allowed, rows)
    SPACE.check(actions)
    if len(actions) != len(rows):
        raise InputError(f"On day {day} the chooser gave {len(actions)} actions for {len(rows)} cases.")
    acts = np.flatnonzero(actions[:, 0] != WAIT)
    if not permitted(allowed, acts, actions[acts]).all():
        raise InputError(f"On day {day} the chooser took an action that is not allowed for its case.")
    before = book.sums[rows]
    if len(acts):
        book.contact(rows[acts], actions[acts], day)
    return contexts, actions, before


def _result(book: Book, customer_days: int, decisions: int) -> Year:
    world, grown = book.world, book.sums.copy()
    grown[:, OPEN] -= world.amount_minor
    paid = -grown[:, OPEN]
    owed, received = int(world.amount_minor.sum()), int(paid.sum())
    late = float((grown[:, PAID_AT] - paid * world.due_day).sum())
    return Year(
        seed=world.seed,
        cases=len(world),
        days=world.days,
        rewards=whole_life(book, grown, np.arange(len(world))),
        owed_minor=owed,
        received_minor=received,
        mean_days=late / received if received else None,
        contacts=dict(zip(SPACE.channels, book.by_channel.tolist(), strict=True)),
        cost_minor=round(grown[:, COST].sum()),
        complaints=int(book.acts[Act.COMPLAIN]),
        opt_outs=int(book.acts[Act.OPT_OUT]),
        disputes=int(book.acts[Act.DISPUTE]),
        promises=int(book.acts[Act.PROMISE]),
        customer_days=customer_days,
        decisions=decisions,
    )
