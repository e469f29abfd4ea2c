"""In a real browser: recognising the creditor, asking for over-payment back, and a step that offers transfer first."""

from datetime import date, timedelta

import numpy as np
import pytest
from tests.portal.browsing import PHONE, no_findings, shoot

from kulanz.events.models import Event
from kulanz.kernel import clock
from kulanz.payments import links
from kulanz.payments.booking import book_transfer
from kulanz.tenancy.scope import scope

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("language", ["de", "ar"])
def test_finds_out_that_the_page_is_genuine(site, language):
    _, url = site.link("K1", language=language)
    page = site.page(PHONE, scripts=False)
    page.goto(url)
    page.locator("details.genuine summary").click()
    page.locator("details.genuine a").click()
    page.wait_for_url("**/genuine/")
    address = page.url
    page = site.page(PHONE)
    page.goto(f"{address}?lang={language}")
    no_findings(page)
    assert page.locator("dl").get_by_text("3000").is_visible()
    page.emulate_media(color_scheme="dark" if language == "ar" else "light")
    shoot(page, f"genuine-360-{language}")


def test_asks_for_too_much_paid_back_without_scripts(site):
    case_id, url = site.link("K2", language="en")
    with scope(site.creditor_id):
        book_transfer(case_id, 15_990, date(2026, 3, 2), "bank-1")
    page = site.page(PHONE, scripts=False, locale="en-GB")
    page.goto(url)
    shoot(page, "credit-360")
    page.get_by_role("button", name="Send €30.00 back to me").click()
    page.get_by_text("the money has not moved yet").wait_for()
    page = site.page(PHONE, locale="en-GB")
    page.goto(url)
    no_findings(page)
    shoot(page, "credit-asked-360")
    with scope(site.creditor_id):
        assert Event.objects.filter(type="credit.wished").count() == 1


def test_a_step_with_transfer_first_shows_it_big(site):
    case_id, _ = site.link("K3")
    with scope(site.creditor_id):
        ends = clock.now() + timedelta(days=60)
        (link_id,) = links.create_block(np.array([case_id]), ends, [("transfer", "psp")])
    page = site.page(PHONE)
    page.goto(links.url(int(link_id)))
    no_findings(page)
    shoot(page, "transfer-first-360")
    page.get_by_role("link", name="129,90").click()
    page.get_by_role("heading", name="Überweis").wait_for()
