"""What leaves, what does not, and what is kept of it."""

import pytest

from kulanz.outreach.dispatcher import dispatch
from kulanz.outreach.models import Message


def test_a_due_message_is_sent(creditor, make_case, queue, sink) -> None:
    message = queue(make_case())
    print(dispatch())
    message.refresh_from_db()
    print(message.outcome, message.state)
    print(sink.mails[0])
