"""Dispatching as a task."""

from django_tasks import task

from kulanz.outreach import dispatcher
from kulanz.tenancy.scope import scope


@task
def dispatch(creditor_id: int) -> int:
    """Send a creditor's due messages; returns how many left."""
    with scope(creditor_id):
        return dispatcher.dispatch().sent
