"""Where the customer's pages lead, what a guess costs, and that names turn nothing around them."""

import hmac
import re
from datetime import date
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kulanz.claims.models import Claim, Customer
from kulanz.payments import links
from kulanz.portal.templatetags.portal import isolated

SITE = "http://testserver"
PAGES = (
    "", "plan/", "part/", "transfer/", "statement/", "later/", "paid/", "problem/", "messages/", "help/",
    "preferences/", "unsubscribe/", "account/", "account/code/", "account/data/", "credit/",
)  # fmt: skip
LOADS = {"img": "src", "script": "src", "iframe": "src", "source": "src", "video": "src", "object": "data"}


class Links(HTMLParser):
    """What a page loads, where its forms lead, and what is written into it to run or dress it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.actions: list[str] = []
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs) -> None:
        found = dict(attrs)
        if tag == "form":
            self.actions.append(found.get("action") or "")
        if tag in LOADS and found.get(LOADS[tag]):
            self.loaded.append(found[LOADS[tag]])
        if tag == "link" and found.get("rel") in ("stylesheet", "icon", "preload"):
            self.loaded.append(found["href"])
        self.inline += [name for name in found if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in found):
            self.inline.append(tag)


def planned(visitor):
    from tests.portal.test_portal_plan import agree  # noqa: PLC0415 - its own fixtures are not wanted here

    assert agree(visitor).status_code == 303


STATES = {
    "open": lambda visitor: None,
    "promised": lambda visitor: visitor.post("later/", {"day": "2026-03-10"}),
    "planned": planned,
    "disputed": lambda visitor: visitor.post("problem/", {"kind": "amount", "text": "Nein."}),
    "helped": lambda visitor: visitor.post("help/", {"wish": "rest"}),
    "barred": lambda visitor: Claim.objects.update(due_date=date(2015, 1, 1), contract_date=date(2015, 1, 1)),
    "paid": lambda visitor: (
        visitor.psp.pay(visitor.pay()["Location"].rsplit("/", 1)[1]) and visitor.psp.deliver()
    ),
    "signed in": lambda visitor: visitor.post("account/enter/", {"answer": "K1"}),
}


@pytest.mark.parametrize("state", STATES)
def test_forms_stay_here_and_nothing_is_loaded_from_elsewhere(visitor, state):
    STATES[state](visitor)
    forms = 0
    for path in PAGES:
        answer = visitor.get(path, follow=True)
        if not answer["Content-Type"].startswith("text/html"):
            continue
        found = Links(answer.content.decode())
        here = urljoin(SITE, visitor.home + path)
        for target in (*found.actions, *(each for each in found.loaded if not each.startswith("data:,"))):
            assert urlsplit(urljoin(here, target)).netloc == "testserver", (path, target)
        assert found.inline == [], path
        policy = answer["Content-Security-Policy"]
        assert "unsafe" not in policy
        rule = re.search(r"form-action ([^;]+)", policy)[1].split()
        assert set(rule) <= {"'self'", "http://psp.simulated"}, path
        forms += len(found.actions)
    assert forms


def test_the_way_to_the_provider_is_the_one_that_the_policy_names(visitor):
    policy = visitor.get()["Content-Security-Policy"]
    there = urlsplit(visitor.pay()["Location"])
    assert f"{there.scheme}://{there.netloc}" in re.search(r"form-action ([^;]+)", policy)[1].split()


def test_every_guess_costs_the_same_steps(visitor, monkeypatch):
    """A timing test would tell of the machine; this tells of the code: same statements, same page, one comparison."""
    compared = []
    true = hmac.compare_digest
    monkeypatch.setattr(
        links.hmac, "compare_digest", lambda one, other: compared.append(1) or true(one, other)
    )
    token = links.token(visitor.link_id)
    guesses = {
        "last letter": token[:-1] + ("A" if token[-1] != "A" else "Q"),
        "middle": token[:15] + ("A" if token[15] != "A" else "Q") + token[16:],
        "unknown id": "AAAAAAAB" + token[8:],
        "no number": "_" * links.TOKEN_LENGTH,
    }
    seen = set()
    for name, guess in guesses.items():
        compared.clear()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = visitor.client.get(f"/p/{guess}/")
        assert answer.status_code == 404
        assert compared == ([] if name == "no number" else [1])
        body = answer.content.replace(guess.encode(), b"")
        seen.add((tuple(re.sub(r"'[^']*'", "?", each["sql"]) for each in queries), body))
    assert len(seen) == 1
    with CaptureQueriesContext(connection) as queries:
        assert visitor.client.get("/p/short/").status_code == 404
    assert len(queries) == len(next(iter(seen))[0])


@pytest.mark.parametrize(
    ("name", "language", "shown"),
    [
        ("Erika Beispiel", "de", "Erika Beispiel"),
        ("Erika Beispiel", "ar", "\u2068Erika Beispiel\u2069"),
        ("ليلى حداد", "de", "\u2068ليلى حداد\u2069"),
        ("Eri\u202eka\u2069 B", "de", "Erika B"),
        ("ליאור 12", "en", "\u2068ליאור 12\u2069"),
    ],
)
def test_a_name_turns_nothing_around_it(visitor, name, language, shown):
    Customer.objects.update(name=name)
    page = visitor.text(f"?lang={language}")
    assert shown in page
    assert "\u202e" not in page


def test_an_isolate_is_always_closed():
    for text in ("\u2067x", "\u2069", "א\u2066", ""):
        made = isolated(text)
        assert made.count("\u2068") == made.count("\u2069") <= 1
