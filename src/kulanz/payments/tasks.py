"""The daily looks at instalment plans and offers as tasks."""

from django_tasks import task

from kulanz.payments.offers import actions as offers
from kulanz.payments.plans import advancing
from kulanz.tenancy.scope import scope


@task
def check_plans(creditor_id: int) -> int:
    """Tell of missed rates, end broken plans and announce debits; returns how many plans were looked at."""
    with scope(creditor_id):
        return advancing.check_plans()


@task
def check_offers(creditor_id: int) -> int:
    """End offers whose time is over; returns how many."""
    with scope(creditor_id):
        return offers.check_offers()
