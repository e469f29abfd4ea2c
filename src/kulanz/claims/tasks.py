"""The accrual run as a task."""

from django_tasks import task

from kulanz.claims import accrual
from kulanz.kernel import clock
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import scope


@task
def accrue(creditor_id: int) -> int:
    """Charge a creditor's interest up to today, by the creditor's calendar; returns how many claims got a posting."""
    zone = Creditor.objects.values_list("timezone", flat=True).get(id=creditor_id)
    with scope(creditor_id):
        return accrual.accrue(clock.today(zone)).posted
