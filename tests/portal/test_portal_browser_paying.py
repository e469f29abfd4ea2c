"""Paying in a real browser when fingers are quick, tabs are many, and the provider is away."""

import time
from datetime import date, timedelta

import pytest
from tests.portal.browsing import DESKTOP, PHONE, no_findings, shoot

from kulanz.claims.actions import book_payment
from kulanz.payments.models import Payment, PaymentIntent
from kulanz.tenancy.scope import scope

pytestmark = pytest.mark.browser
PAY = "129,90 € online bezahlen"


def intents(site) -> list[str]:
    with scope(site.creditor_id):
        return list(PaymentIntent.objects.order_by("id").values_list("state", flat=True))


def payments(site) -> int:
    with scope(site.creditor_id):
        return Payment.objects.count()


def test_from_link_to_paid_in_three_screens_and_a_minute(site):
    case_id, url = site.link("K1")
    page = site.page(PHONE)
    screens: list[str] = []
    page.on("load", lambda shown: screens.append(shown.url.split("?")[0]))
    began = time.monotonic()
    page.goto(url)
    page.get_by_role("button", name=PAY).click()
    page.get_by_role("button", name="Jetzt zahlen").click()
    page.get_by_role("heading", name="Vielen Dank! Ihre Zahlung ist angekommen.").wait_for()
    page.wait_for_load_state("load")
    assert time.monotonic() - began < 60
    assert len(screens) == 3, screens
    assert screens[0] == url
    assert "/return/" in screens[2]
    assert site.owed(case_id) == 0


def test_a_double_click_pays_once(site):
    case_id, url = site.link("K2")
    page = site.page(PHONE)
    page.goto(url)
    page.get_by_role("button", name=PAY).dblclick(no_wait_after=True)
    page.get_by_role("button", name="Jetzt zahlen").dblclick(no_wait_after=True)
    page.get_by_role("heading", name="Vielen Dank! Ihre Zahlung ist angekommen.").wait_for()
    assert intents(site) == ["succeeded"]
    assert payments(site) == 1
    assert site.owed(case_id) == 0
    shoot(page, "double-click-360")


def test_two_tabs_lead_to_one_payment(site):
    case_id, url = site.link("K3")
    first = site.page(PHONE)
    second = first.context.new_page()
    for tab in (first, second):
        tab.goto(url)
    for tab in (first, second):
        tab.get_by_role("button", name=PAY).click()
        tab.get_by_role("button", name="Jetzt zahlen").wait_for()
    first.get_by_role("button", name="Jetzt zahlen").click()
    first.get_by_role("heading", name="Vielen Dank! Ihre Zahlung ist angekommen.").wait_for()
    second.get_by_role("button", name="Jetzt zahlen").click()
    second.get_by_role("heading", name="Vielen Dank! Ihre Zahlung ist angekommen.").wait_for()
    assert intents(site) == ["succeeded"]
    assert payments(site) == 1
    assert site.owed(case_id) == 0
    third = first.context.new_page()
    third.goto(url)
    assert third.get_by_role("heading", name="Alles bezahlt. Vielen Dank!").is_visible()


def test_the_back_button_pays_nothing_twice(site):
    case_id, url = site.link("K4")
    page = site.page(PHONE)
    page.goto(url)
    page.get_by_role("button", name=PAY).click()
    page.get_by_role("button", name="Jetzt zahlen").click()
    page.get_by_role("heading", name="Vielen Dank! Ihre Zahlung ist angekommen.").wait_for()
    page.go_back()
    page.go_back()
    page.wait_for_url(url)
    again = page.get_by_role("button", name=PAY)
    if again.count():
        again.click()
        page.get_by_role("heading", name="Alles bezahlt. Vielen Dank!").or_(
            page.get_by_role("heading", name="Vielen Dank! Ihre Zahlung ist angekommen.")
        ).wait_for()
    assert intents(site) == ["succeeded"]
    assert payments(site) == 1
    assert site.owed(case_id) == 0


def test_an_amount_that_changed_is_shown_before_anything_is_paid(site):
    case_id, url = site.link("K5")
    page = site.page(PHONE)
    page.goto(url)
    with scope(site.creditor_id):
        book_payment(case_id, 2990, value_date=date(2026, 3, 3), key="bank-1", method="transfer")
    page.get_by_role("button", name=PAY).click()
    page.get_by_role("heading", name="Der Betrag hat sich geändert").wait_for()
    assert page.get_by_text("Es ist kein Geld geflossen.").is_visible()
    no_findings(page)
    shoot(page, "amount-changed-360")
    assert intents(site) == []
    page.get_by_role("button", name="100,00 € online bezahlen").click()
    page.get_by_role("button", name="Jetzt zahlen").click()
    page.get_by_role("heading", name="Vielen Dank! Ihre Zahlung ist angekommen.").wait_for()
    assert site.owed(case_id) == 0


def test_without_the_provider_no_money_moves_and_the_transfer_stays(site):
    case_id, url = site.link("K6", language="en", name="Alex Example")
    page = site.page(DESKTOP, locale="en-GB")
    page.goto(url)
    site.psp.outage = True
    page.get_by_role("button", name="online").click()
    page.get_by_role("heading", name="Online payment is resting").wait_for()
    assert page.get_by_text("No money has moved.").is_visible()
    no_findings(page)
    shoot(page, "provider-down-desktop")
    page.get_by_role("link", name="Pay by bank transfer").click()
    page.get_by_role("heading", name="Pay by bank transfer").wait_for()
    site.psp.outage = False
    page.goto(url)
    page.get_by_role("button", name="online").click()
    page.get_by_role("button", name="Pay now").click()
    page.get_by_role("heading", name="Thank you! Your payment has arrived.").wait_for()
    assert intents(site) == ["failed", "succeeded"]
    assert site.owed(case_id) == 0


@pytest.mark.parametrize(
    ("language", "locale", "title", "button"),
    [
        ("de", "de-DE", "Dieser Link gilt nicht mehr", "Neuen Link schicken"),
        ("en", "en-GB", "This link is no longer valid", "Send me a new link"),
    ],
)
def test_an_expired_link_says_so_and_helps(site, clock, language, locale, title, button):
    _case_id, url = site.link("K7", language=language)
    clock.advance(timedelta(days=61))
    page = site.page(PHONE, locale=locale)
    page.goto(f"{url}plan/")
    assert page.get_by_role("heading", name=title).is_visible()
    no_findings(page)
    shoot(page, f"expired-360-{language}")
    page.get_by_role("button", name=button).click()
    page.wait_for_url("**/renew/")
    no_findings(page)
