"""The time-lapse: one virtual day after the other, with the real runs, messages, pages, webhooks and bookings."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from kulanz.claims.sealing import seal_all as seal_journals
from kulanz.demo.agenda import Agenda
from kulanz.demo.letters import Postman
from kulanz.demo.people import People
from kulanz.events import delivery
from kulanz.kernel.clock import VirtualClock
from kulanz.outreach.dispatcher import dispatch
from kulanz.payments.offers import actions as offers
from kulanz.payments.plans import advancing
from kulanz.strategy import learning, rewards, runs

MORNING = time(6, 30)
DISPATCH = tuple(time(hour, minute) for hour in range(8, 20, 2) for minute in (1, 59))
EVENING = time(22, 0)
ENOUGH = 25
"""New rewards that make a learning step worth its while: two years of few customers are many days with hardly any."""


@dataclass
class TimeLapse:
    """Plays days in order. `deliver_file` imports what the creditor hands over on a day."""

    clock: VirtualClock
    timezone: ZoneInfo
    seed: int
    agenda: Agenda
    people: People
    postman: Postman
    deliver_file: Callable[[date], object]
    provider_calls: Callable[[], object]

    def play(self, days: Iterable[date]) -> None:
        for day in days:
            self._until(self._at(day, MORNING))
            self.deliver_file(day)
            self._work()
            for moment in DISPATCH:
                self._until(self._at(day, moment))
                self._send()
            self._until(self._at(day, EVENING))
            seal_journals()
            delivery.deliver()

    def _work(self) -> None:
        """What the worker does in the morning: look at plans and offers, learn from what became known, then decide."""
        delivery.deliver()
        advancing.check_plans()
        offers.check_offers()
        rewards.credit()
        learning.learn(least=ENOUGH)
        runs.run(seed=self.seed)

    def _send(self) -> None:
        if dispatch().sent:
            self.people.read(self.postman.bring())

    def _until(self, moment: datetime) -> None:
        """Let everything happen that is noted up to `moment`, each at its own time."""
        while (entry := self.agenda.due(moment)) is not None:
            at, act = entry
            if at > self.clock.at:
                self.clock.advance_to(at)
            act()
            self.provider_calls()
        self.clock.advance_to(moment)
        self.provider_calls()

    def _at(self, day: date, moment: time) -> datetime:
        return datetime.combine(day, moment, self.timezone)
