"""In a real browser: people who are short of money, ill or in danger find rest and help."""

import pytest
from tests.portal.browsing import DESKTOP, PHONE, no_findings, shoot

pytestmark = pytest.mark.browser


def test_short_of_money_finds_rest_on_a_phone(site):
    case_id, link = site.link("B30")
    page = site.page(PHONE)
    page.goto(link)
    page.get_by_role("link", name="Mir fehlt gerade Geld").click()
    no_findings(page)
    shoot(page, "help-form-phone")
    page.get_by_label("Ihr Einkommen im Monat, netto").fill("1.900")
    page.get_by_label("Miete und Energie im Monat").fill("950,00")
    page.get_by_label("Essen, Fahrten").fill("1000")
    page.get_by_role("button", name="Zeigen, was hilft").click()
    no_findings(page)
    shoot(page, "help-answer-phone")
    page.get_by_role("button", name="Alles ruhen lassen").click()
    page.get_by_role("heading", name="Alles ruht").wait_for()
    no_findings(page)
    shoot(page, "help-rests-phone")
    assert site.holds(case_id) == ["hardship"]


def test_a_small_rate_in_arabic_in_the_dark_leads_to_a_plan(site):
    _, link = site.link("B31", 90_000, language="ar")
    page = site.page(PHONE, scheme="dark", locale="ar")
    page.goto(f"{link}help/")
    page.locator("#income").fill("2400")
    page.locator("#housing").fill("1000")
    page.locator("#living").fill("900")
    page.locator("form").first.get_by_role("button").click()
    no_findings(page)
    shoot(page, "help-answer-arabic-dark")
    page.locator(".notice button").click()
    page.wait_for_url("**/plan/")
    no_findings(page)


def test_who_tells_of_danger_is_told_who_listens(site):
    _, link = site.link("B32", language="en")
    page = site.page(DESKTOP, locale="en-GB")
    page.goto(f"{link}problem/")
    page.get_by_label("Something else").check()
    page.get_by_label("What happened?").fill("I want to die and cannot cope.")
    page.get_by_role("button", name="Send and stop everything").click()
    page.get_by_role("link", name="0800 1110111").wait_for()
    no_findings(page)
    shoot(page, "cared-desktop")
