"""What a customer sees after telling that life is hard: who listens at once."""

from dataclasses import dataclass

from kulanz.claims.models import Customer
from kulanz.contact.vulnerability.help_lines import HelpLine, emergency, help_lines
from kulanz.portal.access import Page


@dataclass(frozen=True, slots=True)
class Help:
    """Who listens at once."""

    lines: tuple[HelpLine, ...]
    emergency: str


def help_for(page: Page) -> Help:
    """The lines of the customer's country."""
    country: str = Customer.objects.values_list("country", flat=True).get(id=page.statement.customer_id)
    return Help(help_lines(country), emergency(country))
