"""The daily look at instalment plans as a task."""

from django_tasks import task

from kulanz.payments.plans import advancing
from kulanz.tenancy.scope import scope


@task
def check_plans(creditor_id: int) -> int:
    """Tell of missed rates, end broken plans and announce debits; returns how many plans were looked at."""
    with scope(creditor_id):
        return advancing.check_plans()
