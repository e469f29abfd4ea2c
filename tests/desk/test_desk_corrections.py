"""Putting a customer's data right at the desk."""

import pytest

from kulanz.claims.models import Customer
from kulanz.contact.correcting.actions import ask, replace_address
from kulanz.contact.correcting.models import Correction
from kulanz.contact.models import ContactPoint
from kulanz.events.models import Event
from kulanz.kernel.errors import InputError
from kulanz.outreach.models import Answer
from kulanz.tenancy.models import Role

ON_FILE = {
    "customer_name": "Erika Beispiel", "postal_code": "10115", "country": "DE", "birth_date": "",
    "email": "k1@customers.example", "text": "",
}  # fmt: skip


@pytest.fixture
def request_(desk):
    Correction.objects.all().delete()
    return ask(desk.case.id, "contact", "My <b>new</b> address is erika@neu.example.", "form-0001")


def text(response):
    return response.content.decode()


def points(desk):
    rows = ContactPoint.objects.filter(customer_id=desk.case.customer_id, channel="email")
    return dict(rows.values_list("value", "state"))


def test_a_request_is_a_task_until_it_is_settled(desk, login, request_):
    agent = login()
    tasks = text(agent.get(desk.url("tasks/")))
    assert "Data to be put right" in tasks
    assert "My &lt;b&gt;new&lt;/b&gt; address" in tasks
    page = text(agent.get(desk.url(f"corrections/{request_.id}/")))
    assert 'value="k1@customers.example"' in page
    assert "answer by" in page
    new = ON_FILE | {"email": "erika@neu.example", "postal_code": "20095", "text": "Done, thank you."}
    done = agent.post(desk.url(f"corrections/{request_.id}/"), new, follow=True)
    assert "Put right, and the customer can see it." in text(done)
    assert "Data to be put right" not in text(agent.get(desk.url("tasks/")))
    assert points(desk) == {"k1@customers.example": "revoked", "erika@neu.example": "ok"}
    assert Customer.objects.get(id=desk.case.customer_id).postal_code == "20095"
    assert Answer.objects.get().text == "Done, thank you."
    assert Correction.objects.get().corrected is True
    assert "This was put right." in text(agent.get(desk.url(f"corrections/{request_.id}/")))
    again = agent.post(desk.url(f"corrections/{request_.id}/"), new, follow=True)
    assert "Somebody has taken care of this request before." in text(again)


def test_without_a_change_there_must_be_words(desk, login, request_):
    agent, page = login(), desk.url(f"corrections/{request_.id}/")
    assert agent.post(page, ON_FILE).status_code == 422
    assert Correction.objects.get().done_at is None
    done = agent.post(page, ON_FILE | {"text": "That is your old address; please tell us more."}, follow=True)
    assert "Settled without a change." in text(done)
    assert Correction.objects.get().corrected is False


def test_wrong_input_stores_nothing(desk, login, request_):
    wrong = ON_FILE | {"customer_name": "Erika Muster", "email": "not an address"}
    assert login().post(desk.url(f"corrections/{request_.id}/"), wrong).status_code == 422
    assert Customer.objects.get(id=desk.case.customer_id).name == "Erika Beispiel"
    assert not Event.objects.filter(type="customer.corrected").exists()


def test_a_viewer_may_look_only(desk, login, request_):
    viewer, page = login(Role.VIEWER), desk.url(f"corrections/{request_.id}/")
    assert '<form class="act"' not in text(viewer.get(page))
    assert viewer.post(page, ON_FILE | {"customer_name": "X"}).status_code == 403
    assert Customer.objects.get(id=desk.case.customer_id).name == "Erika Beispiel"


def test_an_address_that_was_left_can_come_back(desk):
    customer = desk.case.customer_id
    assert replace_address(customer, "email", "a@b.example", by="agent:1")
    assert replace_address(customer, "email", "k1@customers.example", by="agent:1")
    assert not replace_address(customer, "email", "k1@customers.example", by="agent:1")
    assert points(desk) == {"k1@customers.example": "ok", "a@b.example": "revoked"}
    with pytest.raises(InputError):
        replace_address(customer, "email", "a@b", by="agent:1")
