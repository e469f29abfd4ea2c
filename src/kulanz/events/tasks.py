"""Sealing and delivery as a task."""

from django_tasks import task

from kulanz.events import delivery
from kulanz.tenancy.scope import scope


@task
def deliver(creditor_id: int) -> int:
    """Seal a creditor's new events and hand them to the subscribers that run as tasks."""
    with scope(creditor_id):
        return delivery.deliver()
