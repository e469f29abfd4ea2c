"""The desk in a real browser: found, acted on and read without a finding, on a desktop and on a phone."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connections

from kulanz.claims.queries import active_holds, open_amount
from kulanz.outreach.inbound.actions import take_in, write
from kulanz.tenancy.actions import NewCreditor, add_creditor, add_user
from kulanz.tenancy.models import Role
from kulanz.tenancy.scope import scope

SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
PASSWORD = "a-long-pass-phrase"

pytestmark = pytest.mark.browser


@pytest.fixture
def short_connections(monkeypatch):
    """The server's threads end with the test and take no open connection with them."""
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)


@pytest.fixture
def site(browser, short_connections, live_url, clock, make_desk):
    creditor = add_creditor(
        NewCreditor(
            slug="lindenhof",
            name="Lindenhof Versand",
            sender_email="rechnung@lindenhof.example",
            simulated=True,
        )
    )
    add_user("agnes", PASSWORD, creditor, Role.AGENT)
    return live_url, make_desk(creditor)


def no_findings(page):
    for width in (1360, 360):
        page.set_viewport_size({"width": width, "height": 860})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found = Axe().run(page).response["violations"]
            assert not found, [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 1360, "height": 860})
    page.emulate_media(color_scheme="light")


def test_an_agent_works_through_a_case(site, browser):
    url, desk = site
    page = browser.new_page(locale="en-GB", reduced_motion="reduce")
    trouble = []
    page.on("console", lambda said: trouble.append(said.text) if said.type == "error" else None)
    page.goto(f"{url}{desk.url('tasks/')}")
    no_findings(page)
    page.get_by_label("Username").fill("agnes")
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="Erika Beispiel").first.wait_for()
    no_findings(page)
    page.get_by_role("link", name="Erika Beispiel").first.click()
    no_findings(page)
    page.get_by_text("Book a bank transfer").click()
    page.get_by_label("Amount").fill("100.00")
    page.get_by_label("The bank's reference").fill("camt-1")
    no_findings(page)
    page.get_by_role("button", name="Book it").click()
    page.get_by_text("€100.00 booked. Thank you.").wait_for()
    page.get_by_role("button", name="End this hold").click()
    page.get_by_text("The hold has ended.").wait_for()
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(SHOTS / "case.png"), full_page=True)
    with scope(desk.creditor.id):
        assert open_amount(desk.case.id) == 0
        assert active_holds(desk.case.id) == ()
    for name in ("How it was decided", "Read what was sent"):
        page.goto(f"{url}{desk.case_url()}")
        page.get_by_role("link", name=name).first.click()
        no_findings(page)
    page.goto(f"{url}{desk.url('cases/')}?q=erika")
    no_findings(page)
    page.goto(f"{url}/accounts/2fa/")
    no_findings(page)
    assert trouble == []


def test_an_agent_answers_a_customer_and_says_whose_a_mail_is(site, browser):
    url, desk = site
    with scope(desk.creditor.id):
        write(desk.case.id, "What is this invoice for?", "form-0001")
        known = b"From: k1@customers.example\nSubject: My invoice\nMessage-ID: <1@x.example>\n\nIt is the shoes, I see."
        stray = take_in(known)
    page = browser.new_page(locale="en-GB", reduced_motion="reduce")
    page.goto(f"{url}{desk.url('tasks/')}")
    page.get_by_label("Username").fill("agnes")
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Waiting for an answer").wait_for()
    no_findings(page)
    page.goto(f"{url}{desk.case_url()}")
    no_findings(page)
    page.get_by_label("Your words").fill("For the shoes.")
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_text("Your answer is on its way by e-mail").wait_for()
    no_findings(page)
    page.goto(f"{url}{desk.url(f'mails/{stray.id}/')}")
    no_findings(page)
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(SHOTS / "mail.png"), full_page=True)
    page.get_by_role("button", name="Put it into this case").click()
    page.get_by_text("The mail stands in the case.").wait_for()
    page.screenshot(path=str(SHOTS / "talk.png"), full_page=True)


def test_the_keyboard_reaches_the_content_first(site, browser):
    url, _ = site
    page = browser.new_page(locale="en-GB", reduced_motion="reduce")
    page.goto(f"{url}/accounts/login/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    assert skip.evaluate("link => link === document.activeElement")
    page.keyboard.press("Enter")
    assert page.locator("main").evaluate("main => main === document.activeElement")
