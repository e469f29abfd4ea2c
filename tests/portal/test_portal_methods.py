"""The payment page offers the ways of the link's step, in their order."""

import re
from datetime import timedelta

import numpy as np
import pytest

from kulanz.kernel import clock
from kulanz.payments import links
from kulanz.payments.models import PaymentIntent
from kulanz.tenancy.models import Creditor


def ways(html: str) -> list[str]:
    """The ways to pay as they stand on the page, from top to bottom."""
    found = re.findall(r'name="method" value="(\w+)"|class="button[^"]*" href="[^"]*(transfer)/', html)
    return [online or transfer for online, transfer in found]


@pytest.fixture
def with_ways(visitor):
    def make(*codes: str):
        expires = clock.now() + timedelta(days=60)
        visitor.link_id = int(links.create_block(np.array([visitor.case.id]), expires, [codes])[0])
        return visitor

    return make


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ((), ["psp", "transfer"]),
        (("psp", "transfer"), ["psp", "transfer"]),
        (("transfer", "psp"), ["transfer", "psp"]),
        (("transfer",), ["transfer"]),
        (("psp",), ["psp"]),
        (("gone",), ["transfer"]),
        (("gone", "psp"), ["psp"]),
    ],
)
def test_the_buttons_are_those_of_the_step_in_its_order(with_ways, codes, expected) -> None:
    assert ways(with_ways(*codes).text()) == expected


def test_the_first_button_is_the_big_one_whatever_it_is(with_ways) -> None:
    html = with_ways("transfer", "psp").text()
    [classes] = re.findall(r'class="button ([^"]*)" href="[^"]*transfer/', html)
    assert "second" not in classes
    assert "second" in html.split("pay/")[1].split("<button")[1].split(">")[0]


def test_a_way_that_the_step_leaves_out_cannot_be_asked_for(with_ways) -> None:
    visitor = with_ways("transfer")
    assert visitor.pay().status_code == 404
    assert not PaymentIntent.objects.exists()


def test_without_an_account_an_empty_set_says_whom_to_ask(with_ways, creditor) -> None:
    visitor = with_ways("gone")
    Creditor.objects.update(iban="")
    html = visitor.text(headers={"accept-language": "en"}, data={"lang": "en"})
    assert ways(html) == []
    assert "Please ask us how to pay" in html
