"""Every page of the URLconf and every state of the first page: no finding of axe, no side scrolling, in both themes."""

import re
from datetime import date, timedelta

import pytest
from tests.portal.browsing import PHONE, no_findings, shoot
from tests.portal.test_portal_walk import BEHIND

from kulanz.claims import adjusting
from kulanz.claims.actions import book_payment
from kulanz.claims.adjusting import Cause
from kulanz.claims.holds import place_hold
from kulanz.claims.models import Claim
from kulanz.kernel import clock as kernel_clock
from kulanz.outreach.inbound.actions import write
from kulanz.payments.plans.actions import Agreement, agree
from kulanz.payments.plans.rules import Proposal, Rhythm
from kulanz.tenancy.scope import scope

pytestmark = pytest.mark.browser
PAGES = sorted(
    path.removeprefix("p/<str:token>/") for path in BEHIND if path.endswith("/") and "<int" not in path
)
ANSWERS_POSTS_ONLY = {"account/send/", "account/leave/", "renew/", "profiling/", "offer/"}
"""They take a form and lead on; whoever opens their address sees nothing of theirs."""


def plan(case_id: int) -> None:
    rhythm = Proposal(Rhythm.MONTHLY, date(2026, 3, 15), rate=3_000)
    agree(case_id, rhythm, Agreement(shown=12_990, form_key="form-0001"))


def cause(key: str) -> Cause:
    return Cause(key, date(2026, 3, 3), "agent:1")


def of(case_id: int) -> int:
    return int(Claim.objects.get(case_id=case_id).id)


def until_next_week(case_id: int, reason: str) -> None:
    place_hold(case_id, reason, by="customer", until=kernel_clock.now() + timedelta(days=7))


STATES = {
    "promised": lambda case: until_next_week(case, "promise"),
    "planned": plan,
    "pending": lambda case: until_next_week(case, "payment_pending"),
    "disputed": lambda case: place_hold(case, "dispute", by="customer"),
    "asked": lambda case: write(case, "Wofür ist das?", "form-0001"),
    "helped": lambda case: until_next_week(case, "hardship"),
    "cared": lambda case: place_hold(case, "vulnerable", by="customer", note="bereavement"),
    "paused": lambda case: place_hold(case, "manual", by="agent:1"),
    "barred": lambda case: Claim.objects.filter(case_id=case).update(
        due_date=date(2015, 1, 1), contract_date=date(2015, 1, 1), default_from=None
    ),
    "paid": lambda case: book_payment(
        case, 13_000, value_date=date(2026, 3, 3), key="bank-1", method="transfer"
    ),
    "handed-over": lambda case: adjusting.transfer(of(case), cause("t1")),
    "written-off": lambda case: adjusting.write_off(of(case), cause("w1")),
    "discount": None,
    "later": None,
}


def test_every_page_of_the_urlconf(site):
    _case_id, url = site.link("K1")
    page = site.page(PHONE)
    page.goto(f"{url}account/")
    page.get_by_label("Ihre Kundennummer").fill("K1")
    page.get_by_role("button", name="Anmelden").click()
    page.get_by_role("button", name="Abmelden").wait_for()
    seen = 0
    for path in PAGES:
        if path in ANSWERS_POSTS_ONLY:
            assert page.request.get(url + path, max_redirects=0).status in (303, 405), path
            continue
        answer = page.goto(url + path)
        assert answer.status == 200, path
        assert page.locator("h1").count() == 1, path
        assert page.title().strip(" –"), path
        no_findings(page)
        unnamed = page.evaluate(
            "[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea')]"
            ".filter(each => !(each.textContent.trim() || each.ariaLabel || each.labels?.length || each.alt)).length"
        )
        assert unnamed == 0, path
        seen += 1
    assert seen >= 16


@pytest.mark.parametrize("state", STATES)
def test_every_state_of_the_first_page(site, state):
    case_id, url = site.link("K2")
    if STATES[state] is None:
        site.offer(case_id, state)
    else:
        with scope(site.creditor_id):
            STATES[state](case_id)
    page = site.page(PHONE)
    for path in ("", "plan/", "messages/", "statement/"):
        assert page.goto(url + path).status == 200
        no_findings(page)
    page.goto(url)
    shoot(page, f"state-{state}-360")
    page.goto(f"{url}?lang=ar")
    assert page.evaluate("document.documentElement.dir") == "rtl"
    no_findings(page)


def test_the_plan_form_by_keyboard_alone(site):
    case_id, url = site.link("K3", language="en")
    page = site.page(PHONE, locale="en-GB")
    page.goto(f"{url}plan/")
    reached: dict[str, bool] = {}
    for _press in range(40):
        page.keyboard.press("Tab")
        name, seen = page.evaluate(
            "(() => { const each = document.activeElement, look = getComputedStyle(each);"
            " return [each.name || each.innerText || '', look.outlineStyle !== 'none'"
            " && parseFloat(look.outlineWidth) >= 2]; })()"
        )
        reached[name] = seen or reached.get(name, False)
        if name == "rate":
            page.keyboard.press("ControlOrMeta+A")
            page.keyboard.type("30.00")
        if re.match("See|Show|Continue", name):
            break
    assert {"rate", "rhythm", "first_on"} <= set(reached), reached
    assert all(reached.values()), [name for name, seen in reached.items() if not seen]
    page.keyboard.press("Enter")
    page.get_by_role("heading", level=1).wait_for()
    assert site.owed(case_id) == 12_990
