"""Everything that one look at the dashboard needs, read in one go for the creditor in scope."""

from dataclasses import dataclass

from kulanz.claims.models import Case
from kulanz.documents.templatetags.staff import rounded_money
from kulanz.engine import Lift
from kulanz.engine import lift as compare
from kulanz.insights import charts, feed, figures
from kulanz.insights.headline import Headline, headline
from kulanz.kernel.errors import NotFoundError
from kulanz.payments.offers import queries as offered
from kulanz.strategy import journeys, queries
from kulanz.strategy.reasons import reasons
from kulanz.tenancy.models import Creditor

HOURS_WIDTH, HOURS_HEIGHT = 660.0, 150.0
DECISIONS = 6


@dataclass(frozen=True, slots=True)
class ContactView:
    """Demanding messages that left, by channel, local hour and tone; `busiest` is the hour with the most."""

    total: int
    channels: tuple[charts.Share, ...]
    tones: tuple[charts.Share, ...]
    hours: tuple[charts.Bar, ...]
    busiest: int | None


@dataclass(frozen=True, slots=True)
class LiftView:
    """`verdict` is none (a group is empty), open (the interval holds zero), better or worse."""

    lift: Lift
    whisker: charts.Whisker | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision with its reasons in words."""

    line: queries.DecisionLine
    customer: str
    why: tuple[str, ...]
    vetoes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """`event_id`: where the live stream goes on. Costs are minor units of the creditor's currency."""

    headline: Headline
    arrivals: tuple[feed.Arrival, ...]
    event_id: int
    delay: figures.Delay | None
    cost: int
    cost_per_unit: float | None
    contacts: ContactView
    offers: tuple[offered.Tally, ...]
    outcomes: figures.Outcomes
    lift: LiftView
    decisions: tuple[Decided, ...]

    @property
    def hundred(self) -> str:
        """A round sum in the currency's main unit, to compare the cost with."""
        return rounded_money(100, self.headline.currency, 0)

    @property
    def cost_of_hundred(self) -> str:
        if self.cost_per_unit is None:
            return "–"
        return rounded_money(100 * self.cost_per_unit, self.headline.currency, 3)

    @property
    def empty(self) -> bool:
        """Nothing was imported yet."""
        return self.headline.balance.due == 0 and self.headline.balance.open == 0 and not self.arrivals


def dashboard(creditor: Creditor, language: str) -> Dashboard:
    """Reasons come in `language`."""
    event_id = feed.newest_id()
    shown = headline(creditor)
    made = figures.contacts(creditor.timezone)
    cost = contact_cost(made)
    return Dashboard(
        headline=shown,
        arrivals=feed.latest(),
        event_id=event_id,
        delay=figures.delay(shown.currency),
        cost=cost,
        cost_per_unit=figures.cost_per_unit(cost, shown.balance.received),
        contacts=_contacts(made),
        offers=offered.tally(),
        outcomes=figures.outcomes(),
        lift=_lift(),
        decisions=_decisions(language),
    )


def contact_cost(made: figures.Contacts) -> int:
    """What the messages that left cost in minor units, by the prices of the journey in force."""
    try:
        space = journeys.spec_of(journeys.active()).space
    except NotFoundError:
        return 0
    prices = dict(zip(space.channels, space.channel_costs, strict=True))
    return sum(prices.get(channel, 0) * count for channel, count in made.sent.items())


def _contacts(made: figures.Contacts) -> ContactView:
    by_hour: dict[int, int] = made.by(1)
    first, last = min([8, *by_hour]), max([19, *by_hour])
    hours = list(range(first, last + 1))
    return ContactView(
        total=made.demanding,
        channels=charts.shares(made.by(0)),
        tones=charts.shares(made.by(2)),
        hours=charts.columns(
            [by_hour.get(hour, 0) for hour in hours], hours, width=HOURS_WIDTH, height=HOURS_HEIGHT
        ),
        busiest=max(by_hour, key=lambda hour: by_hour[hour]) if by_hour else None,
    )


def _decisions(language: str) -> tuple[Decided, ...]:
    lines = queries.last_decisions(DECISIONS)
    ids = {line.case_id for line in lines}
    names = dict(Case.objects.filter(id__in=ids).values_list("id", "customer__name"))
    return tuple(
        Decided(line, names[line.case_id], why.why, why.vetoes)
        for line in lines
        for why in [reasons(line.id, language)]
    )


def _lift() -> LiftView:
    outcomes = queries.lift_inputs()
    found = compare(outcomes.policy, outcomes.holdout, share=outcomes.share)
    if found.difference is None:
        return LiftView(found, None, "none")
    verdict = "better" if found.low > 0 else "worse" if found.high < 0 else "open"
    return LiftView(found, charts.whisker(found.low, found.high, found.difference), verdict)
