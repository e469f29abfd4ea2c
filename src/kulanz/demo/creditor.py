"""The creditor of the demo, with its brand, journey and a staff login."""

import secrets
from dataclasses import dataclass

from django.core.management import call_command

from kulanz.demo.home import Home
from kulanz.payments.offers.models import OfferPolicy
from kulanz.strategy.journeys import install
from kulanz.tenancy.actions import NewCreditor, add_creditor, add_user
from kulanz.tenancy.models import Creditor, Role
from kulanz.tenancy.scope import scope

USERNAME = "demo"


@dataclass(frozen=True, slots=True)
class Login:
    username: str
    password: str


def set_up(home: Home) -> tuple[Creditor, Login]:
    """Make the tables and the creditor; the password is told here only."""
    call_command("migrate", verbosity=0)
    creditor = add_creditor(
        NewCreditor(
            slug="lindenhof",
            name="Lindenhof",
            legal_name="Lindenhof Versand GmbH (Simulation)",
            address="Musterweg 1, 10115 Berlin",
            sender_email="rechnung@lindenhof.example",
            jurisdiction=home.jurisdiction,
            currency=home.currency,
            language=home.language,
            timezone=home.timezone,
            iban="DE89370400440532013000",
            account_holder="Lindenhof Versand GmbH",
            holdout_share=0.2,
            simulated=True,
        )
    )
    with scope(creditor.id):
        install(creditor, "standard")
        OfferPolicy.objects.create(
            creditor=creditor, discounts=True, on_principal=True, share=8, min_days=21, max_discount=1500
        )
    login = Login(USERNAME, secrets.token_urlsafe(9))
    add_user(login.username, login.password, creditor, Role.OWNER)
    return creditor, login
