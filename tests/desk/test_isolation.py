"""Every page of the installation, asked by staff of one creditor with the ids of another: nothing but 404.

The patterns come from the resolver. A new page is asked too; one with a parameter that this test does not know makes
it fail until somebody says here what the parameter stands for.
"""

from itertools import product

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from kulanz.tenancy.models import Role

PARAMETERS = {
    "slug": lambda desk: desk.creditor.slug,
    "case_id": lambda desk: desk.case.id,
    "hold_id": lambda desk: desk.hold.id,
    "message_id": lambda desk: desk.message.id,
    "decision_id": lambda desk: desk.decision.id,
    "intent_id": lambda desk: desk.intent.id,
    "token": lambda desk: desk.token,
    "mail_id": lambda desk: desk.mail.id,
    "inbound_id": lambda desk: desk.inbound.id,
    "correction_id": lambda desk: desk.correction.id,
}
"""What stands for one creditor's own thing."""
SHARED = {"method": "psp"}
"""Parameters that belong to no creditor."""
CAPABILITIES = {"token"}
"""Who holds it may open the page, logged in or not; alone it is no id of somebody else's."""
ACCOUNTS = ("account_", "mfa_")
"""allauth's pages: they show the person who is logged in and nothing of a creditor."""
PUBLIC = {"portal:brand", "portal:genuine"}
"""A brand's style sheet and logo, which mails and payment pages load, and how to recognise its creditor."""
OPEN = {"root", "healthz", "desk:home", "desk:language"}
"""Pages without a parameter; that they show nothing of the other creditor is asked below."""


def pages(resolver=None, spaces=(), prefix=()):
    """(full name, route, parameter names) of every pattern."""
    for entry in (resolver or get_resolver()).url_patterns:
        names = (*prefix, *entry.pattern.converters, *entry.pattern.regex.groupindex)
        route = str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = (*spaces, entry.namespace) if entry.namespace else spaces
            for name, rest, found in pages(entry, inner, names):
                yield name, route + rest, found
        elif isinstance(entry, URLPattern):
            yield ":".join([*spaces, entry.name or ""]), route, tuple(dict.fromkeys(names))


PAGES = [page for page in pages() if not page[0].startswith(ACCOUNTS) and page[0] not in PUBLIC]
WITH_PARAMETERS = [page for page in PAGES if page[2]]


@pytest.fixture
def both(desk, other_creditor, make_desk):
    return desk, make_desk(other_creditor, "Somebody Else", "Z")


def address(route, values):
    for name, value in values.items():
        start = next(
            at for at in range(len(route)) if route.startswith("<", at) and _names(route, at) == name
        )
        route = route[:start] + str(value) + route[route.index(">", start) + 1 :]
    assert "<" not in route, f"a parameter of {route} was not filled"
    return f"/{route}"


def _names(route, at):
    return route[at + 1 : route.index(">", at)].split(":")[-1]


def mixes(names):
    """Which of the parameters are the other creditor's: every mix with at least one, capabilities alone excepted."""
    own = [name for name in names if name in PARAMETERS]
    for picks in product((False, True), repeat=len(own)):
        theirs = {name for name, pick in zip(own, picks, strict=True) if pick}
        if theirs and not (theirs == set(own) and theirs & CAPABILITIES):
            yield theirs


def values(names, mine, theirs, foreign):
    return {
        name: SHARED[name] if name in SHARED else PARAMETERS[name](theirs if name in foreign else mine)
        for name in names
    }


def sign_in(client, desk):
    """As the customer whose link it is: the door in front of the account would hide what lies behind."""
    number = {"answer": desk.number}
    assert client.post(f"/p/{desk.token}/account/enter/", number).status_code == 303


def test_every_parameter_is_known():
    unknown = {name: page for page in PAGES for name in page[2] if name not in PARAMETERS | SHARED}
    assert not unknown, f"say in PARAMETERS or SHARED what these stand for: {unknown}"


def test_every_page_without_parameters_is_known():
    found = {name for name, _, names in PAGES if not names}
    unknown = {name for name in found if name not in OPEN}
    assert not unknown, f"does a page without parameters show a creditor's data? decide and add: {unknown}"


@pytest.mark.parametrize(
    ("name", "route", "names"), WITH_PARAMETERS, ids=[page[0] for page in WITH_PARAMETERS]
)
def test_nothing_of_another_creditor_is_found(both, login, name, route, names):
    mine, theirs = both
    client = login(Role.OWNER)
    for foreign in mixes(names):
        url = address(route, values(names, mine, theirs, foreign))
        if "/account/" in route:
            sign_in(client, theirs if "token" in foreign else mine)
        answers = {client.get(url).status_code, client.post(url).status_code}
        assert answers <= {404, 405}, f"{url} with another creditor's {foreign} answered {answers}"
        assert 404 in answers


@pytest.mark.parametrize(
    ("name", "route", "names"), WITH_PARAMETERS, ids=[page[0] for page in WITH_PARAMETERS]
)
def test_the_same_address_with_ones_own_ids_is_there(both, login, name, route, names):
    mine, theirs = both
    if "webhook" in route:
        pytest.skip("a provider's address: it refuses what is not signed, whoever asks")
    client = login(Role.OWNER)
    url = address(route, values(names, mine, theirs, set()))
    answers = {client.get(url).status_code, client.post(url).status_code}
    assert answers - {404, 405}, f"{url} is not there for its own creditor: {answers}"


def test_pages_without_parameters_name_only_ones_own_creditor(both, login):
    client = login(Role.OWNER)
    for name, route, names in PAGES:
        if not names and name != "desk:language":
            shown = client.get(f"/{route}", follow=True).content.decode()
            assert "Birkenhof" not in shown
            assert "Somebody Else" not in shown


def test_a_search_finds_only_ones_own_customers(both, login):
    mine, theirs = both
    client = login(Role.OWNER)
    shown = client.get(
        mine.url("cases/"), {"q": theirs.case.customer.number, "state": "all"}
    ).content.decode()
    assert "Somebody Else" not in shown
    assert "Somebody Else" in login(Role.OWNER, theirs.creditor).get(theirs.url("cases/")).content.decode()
