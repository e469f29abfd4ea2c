"""Every address of the URLconf that lies behind a token, so that a new page is covered the day it is added."""

import re
from datetime import date, timedelta

import numpy as np
import pytest
from django.test import Client

from kulanz.claims.models import Claim
from kulanz.kernel import clock as kernel_clock
from kulanz.payments import links
from kulanz.payments.models import PaymentIntent
from kulanz.portal.urls import urlpatterns
from kulanz.tenancy.scope import scope

BEHIND = sorted(str(each.pattern) for each in urlpatterns if "<str:token>" in str(each.pattern))
ONE_CLICK = "p/<str:token>/unsubscribe/"
"""A mail program posts here by itself (RFC 8058), so it has no CSRF token to give."""
WITH_ID = [each for each in BEHIND if re.search(r"<(int|uuid|slug|str):(?!token)", each)]


def address(pattern: str, token: str, number: int = 1) -> str:
    """The pattern as an address; a converter that is not known here must be given a value here first."""
    path = "/" + re.sub(r"<int:\w+>", str(number), pattern.replace("<str:token>", token))
    assert "<" not in path, f"give {pattern} a value"
    return path


def disguises(token: str) -> list[str]:
    """Tokens that differ from a true one by as little as can be."""
    last = "A" if token[-1] != "A" else "Q"
    first = "A" if token[0] != "A" else "B"
    return [token[:-1], token + "A", first + token[1:], token[:-1] + last, token.swapcase(), token[::-1]]


def stranger(make_case, number: str) -> str:
    case = make_case(number, 777, date(2026, 2, 1), name="Otto Fremd")
    (link_id,) = links.create_block(np.array([case.id]), kernel_clock.now() + timedelta(days=9))
    return links.token(int(link_id))


def test_the_walk_sees_the_portal():
    assert len(BEHIND) >= 18
    assert "p/<str:token>/return/<int:intent_id>/" in WITH_ID


@pytest.mark.parametrize("pattern", BEHIND)
def test_a_token_changed_by_a_letter_opens_nothing(visitor, pattern):
    token = links.token(visitor.link_id)
    pages = set()
    for guess in disguises(token):
        answer = visitor.client.get(address(pattern, guess))
        if answer.status_code == 405:
            continue
        assert answer.status_code == 404, guess
        assert "Lindenhof" not in answer.content.decode()
        pages.add(answer.content.replace(guess.encode(), b""))
    assert len(pages) <= 1


@pytest.mark.parametrize("pattern", [each for each in BEHIND if each != ONE_CLICK])
def test_no_form_is_taken_without_its_csrf_token(visitor, pattern):
    browser = Client(enforce_csrf_checks=True)
    path = address(pattern, links.token(visitor.link_id))
    browser.get(visitor.home)
    status = browser.post(path, {"text": "x", "amount": 10000, "form": "form-0001"}).status_code
    assert status in (403, 405)
    assert not PaymentIntent.objects.exists()
    assert visitor.holds() == []


@pytest.mark.parametrize("pattern", WITH_ID)
def test_an_id_of_somebody_else_is_nobodys(visitor, make_case, other_creditor, pattern):
    visitor.pay()
    number = PaymentIntent.objects.get().id
    tokens = [stranger(make_case, "K2")]
    with scope(other_creditor.id):
        tokens.append(stranger(make_case, "K1"))
    for token in tokens:
        for verb in ("get", "post"):
            answer = getattr(visitor.client, verb)(address(pattern, token, number))
            door = "/account/" in pattern and answer.get("Location") == "../../../account/"
            assert door or answer.status_code in (404, 405)
            assert "Erika" not in answer.content.decode()


@pytest.mark.parametrize("pattern", BEHIND)
def test_every_answer_carries_the_strict_headers(visitor, pattern):
    visitor.pay()
    number = PaymentIntent.objects.get().id
    answer = visitor.client.get(address(pattern, links.token(visitor.link_id), number))
    policy = answer["Content-Security-Policy"]
    assert answer.status_code < 500
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy or "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    if answer.status_code != 405 or answer.content:
        assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "text", ["\x00", "a\r\nBcc: x@example.org", "\u202e00,1", "\U0001f642" * 50, "x" * 10_000]
)
@pytest.mark.parametrize("pattern", BEHIND)
def test_a_hostile_text_in_any_field_is_no_error_of_ours(visitor, pattern, text):
    fields = (
        "text",
        "note",
        "kind",
        "day",
        "paid_on",
        "amount",
        "form",
        "method",
        "rates",
        "iban",
        "name",
        "language",
        "income",
        "housing",
        "living",
        "debts",
        "maintained",
        "wish",
        "step",
    )
    path = address(pattern, links.token(visitor.link_id))
    assert visitor.client.post(path, dict.fromkeys(fields, text)).status_code < 500
    answer = visitor.client.get(path, {"lang": text, "amount": text, "page": text})
    assert answer.status_code < 500
    assert "Bcc" not in str(answer.headers)


@pytest.mark.parametrize("pattern", BEHIND)
def test_bytes_that_are_no_text_are_no_error_of_ours(visitor, pattern):
    path = address(pattern, links.token(visitor.link_id))
    form = "application/x-www-form-urlencoded"
    assert visitor.client.get(path, QUERY_STRING="lang=%ff%fe&amount=%c3%28").status_code < 500
    assert (
        visitor.client.post(path, b"text=%ff%fe&amount=\xc3\x28&form=\xff", content_type=form).status_code
        < 500
    )
    twice = b"amount=1&amount=10000&form=form-0001&form=form-0002&lang=de&lang=en"
    assert visitor.client.post(path, twice, content_type=form).status_code < 500


def test_a_turning_mark_in_a_product_turns_no_date(visitor):
    Claim.objects.update(product="Shoes \u202e")
    page = visitor.text()
    assert "<bdi>Shoes \u202e</bdi>" in page
    assert "\u202e" not in page.replace("<bdi>Shoes \u202e</bdi>", "")
