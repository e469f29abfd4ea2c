"""What customers ask for at the door of their account: a code, a fresh link, the page of another case."""

from datetime import timedelta

import numpy as np
from django.db import transaction

from kulanz.claims.actions import lock_case
from kulanz.claims.models import Case
from kulanz.contact.login import rules
from kulanz.contact.login.actions import new_code
from kulanz.contact.models import Channel, ContactPoint
from kulanz.kernel import clock
from kulanz.kernel.errors import NotFoundError
from kulanz.outreach.actions import NewService, queue_services
from kulanz.outreach.models import Message
from kulanz.payments import links

CODE_TEXT = "login_code"
LINK_TEXT = "new_link"
LINKS_A_DAY = 3
"""Whoever found an old link must not fill the customer's mailbox with it."""
BRIEF = timedelta(days=1)
"""How long the link to another case lasts that a signed-in customer opens."""


def send_code(case_id: int, customer_id: int) -> None:
    """Put a code into the outbox for the customer's own address; nothing after too many or without an address."""
    with transaction.atomic():
        code = new_code(customer_id) if address(customer_id) else None
        if code is not None:
            key, data = f"login_code:{code.id}", {"code": code.id}
            queue_services([NewService(case_id, customer_id, CODE_TEXT, key, data, lasts=rules.CODE_LASTS)])


def send_link(case_id: int) -> None:
    """A fresh link goes to the customer's own address: one within an hour, LINKS_A_DAY within a day."""
    with transaction.atomic():
        case, now = lock_case(case_id), clock.now()
        lately = Message.objects.filter(
            case_id=case_id, stage=LINK_TEXT, created_at__gt=now - timedelta(days=1)
        )
        if lately.count() < LINKS_A_DAY:
            key = f"new_link:{now:%Y%m%d%H}"
            queue_services([NewService(case_id, case.customer_id, LINK_TEXT, key)])


def open_case(case_id: int, customer_id: int) -> str:
    """The token of a new link to another case of the customer; raises NotFoundError for anybody else's."""
    if not Case.objects.filter(id=case_id, customer_id=customer_id).exists():
        raise NotFoundError("There is no such account.")
    with transaction.atomic():
        (link_id,) = links.create_block(np.array([case_id], np.int64), clock.now() + BRIEF)
    return links.token(int(link_id))


def address(customer_id: int) -> str:
    """The customer's own e-mail address, to which codes and links go; "" where none works."""
    points = ContactPoint.objects.filter(
        customer_id=customer_id, channel=Channel.EMAIL, state=ContactPoint.State.OK
    )
    found: str | None = points.order_by("id").values_list("value", flat=True).first()
    return found or ""
