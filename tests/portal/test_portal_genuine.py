"""How to recognise the creditor: on a page of its own, and the account is the one in the QR code."""

import re
from html import unescape

import pytest

from kulanz.documents import qr
from kulanz.kernel.money import Money
from kulanz.portal.access import LANGUAGES
from kulanz.tenancy.models import Brand
from kulanz.tenancy.scope import scope


def address(brand_id: int) -> str:
    return f"/p/brand/{brand_id}/genuine/"


def test_the_payment_page_leads_there_and_strangers_may_read_it(visitor, client, creditor) -> None:
    brand = Brand.objects.get()
    assert f'href="{address(brand.id)}"' in visitor.text()
    html = client.get(address(brand.id), headers={"accept-language": "en"}).content.decode()
    for words in (creditor.account_holder, creditor.iban[-4:], brand.sender_email, "/p/"):
        assert words in unescape(html)
    assert creditor.iban not in html
    assert visitor.case.customer.name not in html


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_speaks_every_language(visitor, client, language) -> None:
    answer = client.get(f"{address(Brand.objects.get().id)}?lang={language}")
    assert answer.status_code == 200
    assert f'lang="{language}"' in answer.content.decode()
    assert answer["X-Robots-Tag"] == "noindex, nofollow"


def test_each_brand_shows_its_own_creditor_and_unknown_ones_nothing(visitor, client, other_creditor) -> None:
    with scope(other_creditor.id):
        other = Brand.objects.get()
    html = client.get(address(other.id)).content.decode()
    assert other_creditor.name in html
    assert visitor.creditor.name not in html.replace(other_creditor.legal_name, "")
    assert client.get(address(9_999)).status_code == 404
    assert client.post(address(other.id)).status_code == 405


def test_without_an_account_no_account_is_named(visitor, client, creditor) -> None:
    creditor.iban = ""
    creditor.save()
    assert "IBAN" not in client.get(address(Brand.objects.get().id)).content.decode()


def test_the_name_shown_is_the_payee_of_the_qr_code(visitor, creditor) -> None:
    creditor.account_holder = "Lindenhof & Söhne Treuhandkonto"
    creditor.save()
    html = visitor.text("transfer/")
    holder, iban, *_, amount, reference = map(unescape, re.findall(r'data-copy="([^"]*)"', html))
    shown = qr.Transfer(holder, iban, Money(round(float(amount) * 100), "EUR"), reference, bic=creditor.bic)
    assert holder == "Lindenhof & Söhne Treuhandkonto"
    assert qr.payload(shown).decode().split("\n")[5] == holder
    assert visitor.get("transfer/qr.svg").content == qr.svg(shown).encode()
    assert holder in unescape(visitor.text())
