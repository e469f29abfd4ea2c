"""Staff log in with a password and, if they set it up, with a second step."""

import time

import pytest
import time_machine
from allauth.mfa.totp.internal import auth as totp
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.test import Client

from kulanz.tenancy.actions import add_user
from kulanz.tenancy.models import Role

PASSWORD = "a-long-pass-phrase"


@pytest.fixture(autouse=True)
def no_failures_remembered():
    """allauth counts failed logins in the cache, which outlives a test's transaction."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def user(creditor):
    return add_user("agnes", PASSWORD, creditor, Role.AGENT)


def log_in(client, password=PASSWORD, name="agnes"):
    return client.post("/accounts/login/?next=/desk/", {"login": name, "password": password}, follow=True)


def text(response):
    return response.content.decode()


def code(secret):
    counter = int(time.time()) // 30
    return totp.format_hotp_value(totp.hotp_value(secret, counter))


def test_the_login_page_is_ours_and_offers_no_sign_up(db):
    page = text(Client(headers={"accept-language": "de"}).get("/accounts/login/"))
    assert "documents/staff.css" in page
    assert "Noch keine Anmeldung?" in page
    assert "signup" not in page


def test_a_login_leads_to_the_dashboard(user):
    assert log_in(Client()).request["PATH_INFO"] == "/insights/lindenhof/"


def test_a_wrong_password_stays_outside(user):
    client = Client()
    assert log_in(client, "wrong").request["PATH_INFO"] == "/accounts/login/"
    assert client.get("/desk/").status_code == 302


def test_too_many_wrong_passwords_are_stopped(user):
    client = Client()
    for _ in range(9):
        log_in(client, "wrong")
    assert log_in(client).request["PATH_INFO"] != "/insights/lindenhof/"


def test_nobody_signs_up_by_themselves(db):
    client = Client()
    client.post(
        "/accounts/signup/",
        {"username": "mallory", "password1": PASSWORD, "password2": PASSWORD},
        follow=True,
    )
    assert not get_user_model().objects.filter(username="mallory").exists()


def test_the_second_step_is_asked_for_once_it_is_set_up(user):
    client = Client()
    log_in(client)
    page = client.get("/accounts/2fa/totp/activate/", follow=True)
    if page.request["PATH_INFO"] == "/accounts/reauthenticate/":
        assert "documents/staff.css" in text(page)
        form = {"password": PASSWORD, "next": "/accounts/2fa/totp/activate/"}
        page = client.post("/accounts/reauthenticate/", form, follow=True)
    assert "documents/staff.css" in text(page)
    secret = page.context["form"].secret
    client.post("/accounts/2fa/totp/activate/", {"code": code(secret)}, follow=True)
    client.post("/accounts/logout/")
    asked = log_in(client)
    assert asked.request["PATH_INFO"] == "/accounts/2fa/authenticate/"
    assert client.get("/desk/lindenhof/tasks/").status_code == 302
    with time_machine.travel(time.time() + 60):
        done = client.post("/accounts/2fa/authenticate/", {"code": code(secret)}, follow=True)
    assert done.request["PATH_INFO"] == "/insights/lindenhof/"


def test_a_person_without_a_creditor_is_told_whom_to_ask(creditor, other_creditor):
    get_user_model().objects.create_user("nina", password=PASSWORD)
    page = log_in(Client(headers={"accept-language": "en"}), name="nina")
    assert "Ask an owner to add you" in text(page)
