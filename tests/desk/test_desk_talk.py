"""Answering customers at the desk."""

import pytest

from kulanz.claims.queries import active_holds
from kulanz.outreach.inbound.actions import take_in, write
from kulanz.outreach.models import Answer, InboundMessage, Message
from kulanz.tenancy.models import Role


def text(response):
    return response.content.decode()


def test_a_customer_who_waits_is_a_task_until_answered(desk, login):
    agent = login()
    write(desk.case.id, "What is this invoice for?", "form-0001")
    write(desk.case.id, "And who are you?", "form-0002")
    tasks = text(agent.get(desk.url("tasks/")))
    assert "Waiting for an answer" in tasks
    assert tasks.count("What is this invoice for?") == 1
    assert "waits for an answer" in text(agent.get(desk.case_url()))
    done = agent.post(desk.case_url("answer/"), {"text": "For the shoes."}, follow=True)
    assert "Your answer is on its way by e-mail" in text(done)
    assert "Answer by agent-lindenhof" in text(done)
    assert "waits for an answer" not in text(done)
    assert "Waiting for an answer" not in text(agent.get(desk.url("tasks/")))
    assert Message.objects.get(stage="answer").data == {"answer": ["For the shoes."]}
    assert set(InboundMessage.objects.filter(case=desk.case).values_list("state", flat=True)) == {"done"}


def test_an_empty_answer_is_asked_again_and_a_viewer_may_not_answer(desk, login):
    assert login().post(desk.case_url("answer/"), {"text": " "}).status_code == 422
    viewer = login(Role.VIEWER)
    assert viewer.post(desk.case_url("answer/"), {"text": "x"}).status_code == 403
    assert "Write to the customer" not in text(viewer.get(desk.case_url()))
    assert not Answer.objects.exists()


def test_a_thank_you_is_closed_without_an_answer(desk, login):
    write(desk.case.id, "Thanks!", "form-0001")
    done = login().post(desk.case_url("no-answer/"), follow=True)
    assert "Closed without an answer" in text(done)
    assert "question" not in [hold.reason for hold in active_holds(desk.case.id)]


@pytest.fixture
def stray(desk):
    return take_in(
        b"From: K1@customers.example\nSubject: My <b>bill</b>\nMessage-ID: <1@x.example>\n\nI want to die."
    )


def test_a_mail_without_a_case_is_put_into_one_by_a_person(desk, login, stray):
    agent = login()
    tasks = text(agent.get(desk.url("tasks/")))
    assert "My &lt;b&gt;bill&lt;/b&gt;" in tasks
    assert "danger: look today" in tasks
    shown = text(agent.get(desk.url(f"mails/{stray.id}/")))
    assert "This address is known for this customer." in shown
    wrong = agent.post(desk.url(f"mails/{stray.id}/assign/"), {"number": "K77"})
    assert wrong.status_code == 422
    assert "There is no case with this customer number." in text(wrong)
    done = agent.post(desk.url(f"mails/{stray.id}/assign/"), {"number": "K1"}, follow=True)
    assert "I want to die." in text(done)
    assert "not verified" in text(done)
    assert {"question", "vulnerable"} <= {hold.reason for hold in active_holds(desk.case.id)}
    again = agent.post(desk.url(f"mails/{stray.id}/assign/"), {"number": "K1"}, follow=True)
    assert "Somebody has taken care of this mail before." in text(again)


@pytest.mark.parametrize("case", ["", "x", "9" * 30, "99999"])
def test_a_case_that_is_not_the_customers_is_not_taken(desk, login, stray, case):
    answer = login().post(desk.url(f"mails/{stray.id}/assign/"), {"number": "K1", "case": case})
    assert answer.status_code == (422 if case == "99999" else 302)


def test_advertising_is_set_aside(desk, login, stray):
    agent = login()
    assert "Set aside. The mail stays kept." in text(
        agent.post(desk.url(f"mails/{stray.id}/aside/"), follow=True)
    )
    assert "My &lt;b&gt;bill" not in text(agent.get(desk.url("tasks/")))
    assert "This mail has been taken care of." in text(agent.get(desk.url(f"mails/{stray.id}/")))
    assert login(Role.VIEWER).post(desk.url(f"mails/{stray.id}/aside/")).status_code == 403


def test_a_mail_that_tells_of_danger_stands_before_older_ones(desk, login):
    take_in(b"From: a@x.example\nSubject: Carpets\nMessage-ID: <0@x.example>\n\nBuy carpets!")
    take_in(b"From: b@x.example\nSubject: Hello\nMessage-ID: <1@x.example>\n\nI want to die.")
    page = text(login().get(desk.url("tasks/")))
    assert page.index("b@x.example") < page.index("danger: look today") < page.index("a@x.example")
