"""The accrual run and the sealing of journals as tasks."""

from django_tasks import task

from kulanz.claims import accrual, sealing
from kulanz.kernel import clock
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import scope


@task
def accrue(creditor_id: int) -> int:
    """Charge a creditor's interest up to today, by the creditor's calendar; returns how many claims got a posting."""
    zone = Creditor.objects.values_list("timezone", flat=True).get(id=creditor_id)
    with scope(creditor_id):
        return accrual.accrue(clock.today(zone)).posted


@task
def seal(creditor_id: int) -> int:
    """Give a creditor's new journals their place in the hash chain; returns how many."""
    with scope(creditor_id):
        return sealing.seal_all()
