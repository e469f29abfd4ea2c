"""Capability links open one case, for a time, for whoever holds the whole token."""

import base64
from datetime import timedelta

import numpy as np
import pytest

from kulanz.events.models import Event
from kulanz.kernel import clock as kernel_clock
from kulanz.kernel.errors import NotFoundError
from kulanz.payments import links
from kulanz.payments.models import PaymentLink
from kulanz.tenancy.scope import scope


@pytest.fixture
def link_id(creditor, make_case) -> int:
    case = make_case()
    return int(links.create_block(np.array([case.id]), kernel_clock.now() + timedelta(days=60))[0])


def test_a_token_opens_its_case_without_a_tenant_in_scope(creditor, link_id):
    token = links.token(link_id)
    found = links.resolve(token)
    link = PaymentLink.objects.get(id=link_id)
    assert (found.link_id, found.case_id, found.creditor_id) == (link_id, link.case_id, creditor.id)
    assert len(base64.urlsafe_b64decode(token)) == 8 + 16, "64 bits of id and 128 bits nobody can guess"


def test_the_address_is_made_from_the_public_one(link_id, settings):
    settings.PUBLIC_URL = "https://pay.example"
    assert links.url(link_id) == f"https://pay.example/p/{links.token(link_id)}/"


def test_no_changed_token_opens_anything(link_id):
    token = links.token(link_id)
    for place in range(len(token)):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(NotFoundError):
            links.resolve(changed)


@pytest.mark.parametrize(
    "token", ["", "x", "ä" * 32, "A" * 31, "A" * 33, "!" * 32, "//" * 16, "_" * 32, " " * 32]
)
def test_nonsense_is_not_found(link_id, token):
    with pytest.raises(NotFoundError):
        links.resolve(token)


def test_a_genuine_token_of_a_link_that_is_gone_is_not_found(link_id):
    with pytest.raises(NotFoundError):
        links.resolve(links.token(link_id + 1))


def test_an_expired_link_says_so_but_still_lets_people_unsubscribe(creditor, clock, link_id):
    clock.advance(timedelta(days=60))
    with pytest.raises(links.ExpiredError) as expired:
        links.resolve(links.token(link_id))
    assert expired.value.creditor_id == creditor.id
    assert links.resolve(links.token(link_id), expired_ok=True).link_id == link_id


def test_a_revoked_link_is_over_for_everything(link_id):
    links.revoke(link_id)
    with pytest.raises(links.ExpiredError):
        links.resolve(links.token(link_id), expired_ok=True)


def test_another_creditor_cannot_revoke(link_id, other_creditor):
    with scope(other_creditor.id), pytest.raises(NotFoundError):
        links.revoke(link_id)
    assert links.resolve(links.token(link_id))


def test_links_outlive_a_new_secret_as_long_as_the_old_one_is_kept(link_id, settings):
    token, old = links.token(link_id), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new secret", [old]
    assert links.resolve(token).link_id == link_id
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(NotFoundError):
        links.resolve(token)


def test_opening_is_recorded_once_an_hour(creditor, clock, link_id):
    token = links.token(link_id)
    assert links.note_opened(links.resolve(token))
    stale = links.resolve(token)
    clock.advance(timedelta(minutes=59))
    assert not links.note_opened(links.resolve(token))
    clock.advance(timedelta(minutes=2))
    assert links.note_opened(links.resolve(token))
    assert not links.note_opened(stale), "two requests at once count once"
    events = Event.objects.filter(type="link.opened")
    assert [event.payload for event in events] == [{"link": link_id}] * 2
