"""The account in a real browser: at the door, inside, and out again."""

import re
from datetime import date, timedelta

import pytest
from django.db import transaction
from tests.portal.browsing import DESKTOP, PHONE, no_findings, shoot

from kulanz.claims.models import Customer
from kulanz.contact.login.actions import digits
from kulanz.contact.login.models import LoginCode
from kulanz.outreach.dispatcher import dispatch
from kulanz.outreach.models import Message
from kulanz.tenancy.changing import change_creditor
from kulanz.tenancy.scope import scope

pytestmark = pytest.mark.browser


def test_signs_in_by_a_code_and_takes_the_data_along(site, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    case_id, url = site.link("K1")
    with scope(site.creditor_id), transaction.atomic():
        site.make_case("K1", 2500, date(2026, 2, 1), claim="R-CHF", currency="CHF")
    page = site.page(PHONE)
    page.goto(url)
    page.get_by_role("link", name="Mein Konto").click()
    no_findings(page)
    shoot(page, "account-door-phone")
    page.get_by_role("button", name="Code schicken").click()
    with scope(site.creditor_id):
        assert dispatch().sent == 1
        code = digits(LoginCode.objects.get().id)
    no_findings(page)
    page.get_by_label("Code", exact=True).fill("000000")
    page.get_by_role("button", name="Anmelden").click()
    assert page.get_by_role("alert").is_visible()
    no_findings(page)
    shoot(page, "account-code-wrong-phone")
    page.get_by_label("Code", exact=True).fill(code)
    page.keyboard.press("Enter")
    page.wait_for_url("**/account/")
    assert page.get_by_role("heading", name="Mein Konto").is_visible()
    no_findings(page)
    shoot(page, "account-phone")
    page.get_by_role("link", name="Ihr Code zum Anmelden").click()
    assert code not in page.content()
    no_findings(page)
    page.get_by_role("link", name="Zurück").click()
    page.get_by_role("link", name=re.compile("Meine Daten mitnehmen")).click()
    no_findings(page)
    for name, begins in (("Zum Lesen und Drucken", b"%PDF"), ("Als Datendatei", b"{")):
        with page.expect_download() as download:
            page.get_by_role("link", name=re.compile(name)).click()
        assert download.value.path().read_bytes().startswith(begins)
    page.get_by_label("Mein Name").check()
    page.get_by_label("Wie ist es richtig?").fill("Ich heiße Erika Muster.")
    page.get_by_role("button", name="Um Berichtigung bitten").click()
    assert page.get_by_role("status").is_visible()
    no_findings(page)
    shoot(page, "account-data-phone")
    page.get_by_role("link", name="Zurück").click()
    page.get_by_role("button", name="Konto in CHF öffnen").click()
    assert page.get_by_text("25,00").first.is_visible()
    page.get_by_role("link", name="Mein Konto").click()
    page.get_by_role("button", name="Abmelden").click()
    page.get_by_role("link", name="Mein Konto").click()
    assert page.get_by_label("Ihre Kundennummer").is_visible()
    assert site.owed(case_id) == 12990
    assert not [each for each in site.requests if not each.startswith((site.url, "error: Failed to load"))]


def test_a_date_of_birth_is_typed_with_the_keyboard_alone(site):
    _case_id, url = site.link("K2")
    with scope(site.creditor_id):
        Customer.objects.filter(number="K2").update(birth_date=date(1980, 3, 31))
    change_creditor("lindenhof", {"login_factor": "birth_date"})
    page = site.page(DESKTOP, scripts=False)
    page.goto(f"{url}account/?lang=en")
    page.get_by_label("Day").focus()
    for typed in ("31", "3", "1979"):
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("This is not what we have on file").first.wait_for()
    shoot(page, "account-wrong-desktop")
    page.get_by_label("Day").focus()
    for typed in ("31", "03", "1980"):
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Sign out").wait_for()
    shoot(page, "account-desktop")


def test_an_expired_link_asks_for_a_new_one(site, clock):
    _case_id, url = site.link("K3", language="ar")
    clock.advance(timedelta(days=61))
    page = site.page(PHONE, locale="ar")
    page.goto(url)
    no_findings(page)
    shoot(page, "expired-phone-ar")
    page.get_by_role("button").click()
    page.wait_for_url("**/renew/")
    no_findings(page)
    shoot(page, "renewed-phone-ar")
    with scope(site.creditor_id):
        assert Message.objects.get().stage == "new_link"
