"""The dashboard in a real browser, served by another process: live money, no findings, readable without scripts."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from time import monotonic

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import transaction

from kulanz.claims.models import Case
from kulanz.contact.models import ContactLog
from kulanz.kernel import clock
from kulanz.outreach.models import Message
from kulanz.payments.actions import book_transfer
from kulanz.strategy import journeys, runs
from kulanz.tenancy.actions import NewCreditor, add_creditor, add_user
from kulanz.tenancy.models import Role
from kulanz.tenancy.scope import scope

SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
PASSWORD = "a-long-pass-phrase"

pytestmark = pytest.mark.browser


@pytest.fixture
def site(browser, asgi_url, make_case):
    """A creditor with some weeks of money, and a login."""
    creditor = add_creditor(
        NewCreditor(
            slug="lindenhof",
            name="Lindenhof Versand",
            sender_email="rechnung@lindenhof.example",
            simulated=True,
        )
    )
    add_user("vera", PASSWORD, creditor, Role.VIEWER)
    today = clock.today("Europe/Berlin")
    with scope(creditor.id), transaction.atomic():
        for n in range(1, 25):
            case = make_case(f"K{n}", 1000 * n + 490, today - timedelta(days=n + 3), name=f"Kundin {n}")
            if n % 3:
                book_transfer(case.id, 1000 * n + 490, today - timedelta(days=n), f"bank-{n}")
        waiting = make_case("K99", 123456, today - timedelta(days=3), name="Erika Beispiel")
    with scope(creditor.id):
        journeys.install(creditor, "standard")
        runs.run(seed=1)
    with scope(creditor.id), transaction.atomic():
        remember(creditor, today)
    return asgi_url, creditor, waiting


def remember(creditor, today):
    """Reminders of the last days, at hours and in tones as they would have left."""
    for n, case in enumerate(Case.objects.order_by("id")):
        for hour in (9, 9, 11, 14, 17)[: 1 + n % 5]:
            at = datetime.combine(today - timedelta(days=1 + n % 6), time(hour, n), UTC)
            tone = ("friendly", "friendly", "factual")[n % 3]
            message = Message.objects.create(
                creditor=creditor, key=f"past:{case.id}:{hour}:{n}:{Message.objects.count()}", case=case,
                customer_id=case.customer_id, kind="demanding", state="sent", channel="email", stage="reminder_1",
                tone=tone, offer="none", not_before=at, expires_at=at, created_at=at, sent_at=at,
            )  # fmt: skip
            ContactLog.objects.create(
                creditor=creditor, case=case, customer_id=case.customer_id, channel="email", at=at,
                demanding=True, message_id=message.id,
            )  # fmt: skip


def log_in(page, url):
    page.goto(f"{url}/insights/lindenhof/")
    page.get_by_label("Anmeldename").fill("vera")
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Anmelden").click()
    page.get_by_role("heading", name="Heute eingegangen").wait_for()


def no_findings(page):
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page).response["violations"]
        assert not found, [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    page.emulate_media(color_scheme="light")


def test_a_payment_shows_within_a_second_without_reload(site, browser):
    url, creditor, waiting = site
    page = browser.new_page(locale="de-DE", reduced_motion="reduce", viewport={"width": 1360, "height": 900})
    trouble = []
    page.on("console", lambda said: trouble.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    log_in(page, url)
    page.get_by_text("live", exact=True).wait_for()
    assert page.locator("[data-live=today]").inner_text() == "0,00\xa0€"
    with scope(creditor.id):
        book_transfer(waiting.id, 123456, clock.today("Europe/Berlin"), "bank-live")
    booked = monotonic()
    page.locator("[data-live-list]").get_by_text("1.234,56\xa0€").wait_for(timeout=1000)
    page.locator("[data-live=today]").get_by_text("1.234,56\xa0€").wait_for(timeout=1000)
    assert monotonic() - booked < 1.0
    assert page.locator("[data-live=open]").inner_text() == "1.119,20\xa0€"
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(SHOTS / "dashboard.png"), full_page=True)
    no_findings(page)
    page.set_viewport_size({"width": 360, "height": 740})
    no_findings(page)
    page.screenshot(path=str(SHOTS / "dashboard-360.png"), full_page=True)
    assert trouble == []


def test_the_page_is_whole_without_scripts(site, browser):
    url, _, _ = site
    context = browser.new_context(locale="de-DE", java_script_enabled=False)
    page = context.new_page()
    log_in(page, url)
    assert page.get_by_text("Lindenhof Versand").first.is_visible()
    assert page.get_by_text("Simuliert").is_visible()
    assert page.locator(".arrival").count() == 7
    page.get_by_role("button", name="English").click()
    assert page.get_by_role("heading", name="Money in today").is_visible()
