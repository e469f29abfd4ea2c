"""An answer is given once, however often its form is sent."""

from datetime import timedelta

import pytest

from kulanz.claims.queries import active_holds
from kulanz.outreach.inbound.actions import write
from kulanz.outreach.inbound.answering import answer
from kulanz.outreach.models import Answer, Message

pytestmark = pytest.mark.usefixtures("creditor")


@pytest.fixture
def asked(make_case):
    case = make_case("K1")
    write(case.id, "Sind Sie noch da?", "form-1")
    return case


def test_a_double_click_answers_once(asked, clock) -> None:
    first = answer(asked.id, "Ja.", author="agnes", by="agent:1")
    clock.advance(timedelta(seconds=1))
    assert answer(asked.id, "Ja.", author="agnes", by="agent:1") == first
    assert Answer.objects.count() == Message.objects.count() == 1
    assert [hold.reason for hold in active_holds(asked.id)] == ["question"]


def test_the_same_words_answer_the_next_question(asked, clock) -> None:
    answer(asked.id, "Ja.", author="agnes", by="agent:1")
    clock.advance(timedelta(minutes=1))
    write(asked.id, "Und haben Sie Zeit?", "form-2")
    clock.advance(timedelta(minutes=1))
    answer(asked.id, "Ja.", author="agnes", by="agent:1")
    assert Answer.objects.count() == 2


@pytest.mark.parametrize(
    ("text", "author", "minutes"), [("Nein.", "agnes", 1), ("Ja.", "bruno", 1), ("Ja.", "agnes", 10)]
)
def test_other_words_another_author_or_a_later_time_are_another_answer(
    asked, clock, text, author, minutes
) -> None:
    answer(asked.id, "Ja.", author="agnes", by="agent:1")
    clock.advance(timedelta(minutes=minutes))
    answer(asked.id, text, author=author, by="agent:1")
    assert Answer.objects.count() == 2
