"""The figures in the first row of the dashboard: cheap enough to be read anew while money comes in."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext

from kulanz.documents.templatetags.staff import money, percent
from kulanz.insights import charts, figures
from kulanz.kernel import clock
from kulanz.tenancy.models import Creditor

CHART_WIDTH, CHART_HEIGHT = 760.0, 300.0


@dataclass(frozen=True, slots=True)
class Headline:
    """Money of the creditor's own currency; `others` lists what came in in further currencies."""

    currency: str
    incoming: figures.MoneyIn
    others: tuple[figures.MoneyIn, ...]
    balance: figures.Balance
    bars: tuple[charts.Bar, ...]

    def texts(self) -> dict[str, str]:
        """The figures as the page shows them, by the name under which the page's script finds them."""
        realised = self.balance.realised
        return {
            "today": money(self.incoming.today, self.currency),
            "window": money(self.incoming.window, self.currency),
            "open": money(self.balance.open, self.currency),
            "realised-of": gettext("%(paid)s of %(due)s that fell due")
            % {
                "paid": money(self.balance.paid_of_due, self.currency),
                "due": money(self.balance.due, self.currency),
            },
            "realised": "–" if realised is None else percent(realised, 1),
        }


def headline(creditor: Creditor, balance: figures.Balance | None = None) -> Headline:
    """Read it for the creditor in scope; a `balance` read a moment ago spares the walk over the whole ledger."""
    today = clock.today(creditor.timezone)
    found = figures.money_in(today)
    currency = creditor.currency
    empty = figures.MoneyIn(currency, 0, 0, (0,) * figures.DAYS, today - timedelta(days=figures.DAYS - 1))
    incoming = next((own for own in found if own.currency == currency), empty)
    days = [incoming.first_day + timedelta(days=n) for n in range(figures.DAYS)]
    return Headline(
        currency=currency,
        incoming=incoming,
        others=tuple(other for other in found if other.currency != currency),
        balance=balance or figures.balances(today).get(currency, figures.Balance(currency, 0, 0, 0, 0)),
        bars=charts.columns(incoming.days, days, width=CHART_WIDTH, height=CHART_HEIGHT),
    )
