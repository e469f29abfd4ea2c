"""The live site in a real browser: links to hand out, pages to open, and what every page must pass."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from axe_playwright_python.sync_playwright import Axe
from django.db import transaction
from tests.conftest import offer_of

from kulanz.claims.queries import active_holds, open_amount
from kulanz.kernel import clock as kernel_clock
from kulanz.payments import links
from kulanz.payments.offers.models import OfferPolicy
from kulanz.tenancy.scope import scope
from kulanz.testing.psp import PspSimulator

SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 860}


@dataclass
class Site:
    """The live site with one creditor, a provider on another port, and a browser."""

    url: str
    creditor_id: int
    browser: object
    make_case: object
    requests: list[str]
    psp: PspSimulator

    def link(
        self, number: str, amount: int = 12990, *, language: str = "de", name: str = "Erika Beispiel"
    ) -> tuple[int, str]:
        with scope(self.creditor_id), transaction.atomic():
            case = self.make_case(number, amount, date(2026, 2, 20), language=language, name=name)
            expires = kernel_clock.now() + timedelta(days=60)
            (link_id,) = links.create_block(np.array([case.id]), expires)
        return case.id, links.url(int(link_id))

    def page(self, viewport, *, scripts: bool = True, scheme: str = "light", locale: str = "de-DE"):
        context = self.browser.new_context(
            viewport=viewport, java_script_enabled=scripts, color_scheme=scheme, locale=locale
        )
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=self.url)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.requests.append(f"error: {error}"))
        page.on("console", lambda m: self.requests.append(f"error: {m.text}") if m.type == "error" else None)
        return page

    def offer(self, case_id: int, kind: str, number: int = 1) -> None:
        """An offer whose message has reached the customer."""
        with scope(self.creditor_id):
            policy = {"discounts": True, "on_principal": True, "min_days": 0}
            OfferPolicy.objects.get_or_create(creditor_id=self.creditor_id, defaults=policy)
            offer_of(case_id, kind, number)

    def owed(self, case_id: int) -> int:
        with scope(self.creditor_id):
            return open_amount(case_id)

    def holds(self, case_id: int) -> list[str]:
        with scope(self.creditor_id):
            return [hold.reason for hold in active_holds(case_id)]


def shoot(page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(SHOTS / f"{name}.png"), full_page=True)


def no_findings(page) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page).response["violations"]
        assert not found, [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    page.emulate_media(color_scheme="light")
