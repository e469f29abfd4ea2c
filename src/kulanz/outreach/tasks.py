"""Dispatching and reading mail as tasks."""

import structlog
from django_tasks import task

from kulanz.kernel.errors import InputError
from kulanz.kernel.settings import settings
from kulanz.outreach import dispatcher
from kulanz.outreach.inbound.actions import take_in
from kulanz.outreach.inbound.mailbox import MailboxDownError, collect
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import scope

log = structlog.get_logger()


@task
def dispatch(creditor_id: int) -> int:
    """Send a creditor's due messages; returns how many left."""
    with scope(creditor_id):
        return dispatcher.dispatch().sent


@task
def read_mail(creditor_id: int) -> int:
    """Keep what arrived in a creditor's mailbox, where it has one; returns how many mails were read."""
    url = settings().imap_urls.get(Creditor.objects.values_list("slug", flat=True).get(id=creditor_id))
    if url is None:
        return 0
    try:
        with scope(creditor_id):
            return collect(url.get_secret_value(), take_in).kept
    except (MailboxDownError, InputError) as error:
        log.warning("mailbox_down", creditor=creditor_id, why=str(error))
        return 0
