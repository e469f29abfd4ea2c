"""Strangers, other people's links, forged forms and hostile names."""

import logging
import re
from datetime import date, timedelta

import numpy as np
import pytest
from django.test import Client

from kulanz.claims.models import Customer
from kulanz.kernel import clock as kernel_clock
from kulanz.payments import links
from kulanz.payments.models import PaymentIntent
from kulanz.portal import brand as brands
from kulanz.portal.logs import redact
from kulanz.tenancy.models import Brand
from kulanz.tenancy.scope import scope

FORMS = ("pay/", "later/", "paid/", "problem/", "messages/", "preferences/")
PATHS = ("", "transfer/", "transfer/qr.svg", *FORMS, "unsubscribe/", "return/1/")


def other_home(make_case, number: str = "K2") -> tuple[int, str]:
    case = make_case(number, 777, date(2026, 2, 1), name="Otto Fremd")
    (link_id,) = links.create_block(np.array([case.id]), kernel_clock.now() + timedelta(days=9))
    return case.id, f"/p/{links.token(int(link_id))}/"


@pytest.mark.parametrize("path", PATHS)
def test_a_guessed_token_opens_nothing_and_names_nobody(visitor, path):
    guessed = visitor.home[:-3] + ("AA/" if not visitor.home.endswith("AA/") else "BB/")
    for home in (guessed, "/p/x/", f"/p/{'a' * 32}/", f"/p/{visitor.link_id}/", f"/p/{'ä' * 32}/"):
        for verb in ("get", "post"):
            answer = getattr(visitor.client, verb)(home + path)
            assert answer.status_code == (404 if verb == "get" or path in (*FORMS, "unsubscribe/") else 405)
            assert "Lindenhof" not in answer.content.decode()


def test_one_link_never_shows_another_customers_payment(visitor, make_case):
    visitor.pay()
    intent = PaymentIntent.objects.get()
    _, stranger = other_home(make_case)
    assert visitor.get(f"return/{intent.id}/").status_code == 200
    assert visitor.client.get(f"{stranger}return/{intent.id}/").status_code == 404
    assert visitor.client.get(f"{stranger}return/{10**17}/").status_code == 404
    assert "Erika" not in visitor.client.get(stranger).content.decode()


def test_another_creditors_link_opens_only_its_own(visitor, other_creditor, make_case):
    with scope(other_creditor.id):
        _, home = other_home(make_case, "K1")
    page = visitor.client.get(home).content.decode()
    assert "Birkenhof Strom" in page
    assert "7,77" in page
    assert "100,00" not in page
    visitor.pay()
    assert visitor.client.get(f"{home}return/{PaymentIntent.objects.get().id}/").status_code == 404


def test_a_form_cannot_name_another_case_or_amount(visitor, make_case):
    other, _ = other_home(make_case)
    visitor.post("problem/", {"text": "x", "case": other, "case_id": other, "customer": other})
    assert visitor.holds() == ["dispute"]
    answer = visitor.post("pay/", {"amount": 1, "form": "form-0001"})
    assert answer.status_code == 409
    assert PaymentIntent.objects.count() == 0


@pytest.mark.parametrize("form", ["", "x", "a b c d e f g h", "'" * 12, "x" * 90])
def test_a_broken_form_key_starts_nothing(visitor, form):
    assert visitor.pay(form)["Location"] == "../"
    assert PaymentIntent.objects.count() == 0


@pytest.mark.parametrize("amount", ["", "-10000", "1e4", "100.00", "9" * 40, "١٠٠٠٠"])
def test_a_broken_amount_starts_nothing(visitor, amount):
    visitor.post("pay/", {"amount": amount, "form": "form-0001"})
    assert PaymentIntent.objects.count() == 0


@pytest.mark.parametrize("path", FORMS)
def test_forms_from_elsewhere_are_refused(visitor, path):
    stranger = Client(enforce_csrf_checks=True)
    stranger.get(visitor.home)
    assert stranger.post(visitor.home + path, {"text": "x", "day": "2026-03-20"}).status_code == 403
    assert visitor.holds() == []


@pytest.mark.parametrize("method", ["transfer", "shells", "", "../../x"])
def test_only_offered_methods_lead_anywhere(visitor, method):
    answer = visitor.post("pay/", {"amount": 10000, "form": "form-0001", "method": method})
    assert answer.status_code in (303, 404)
    assert "psp" not in answer.get("Location", "")


@pytest.mark.parametrize(
    "query", ["?next=https://evil.example", "?return_url=//evil.example", "?lang=//evil.example"]
)
def test_no_parameter_leads_away(visitor, query):
    for path in PATHS:
        answer = visitor.client.post(visitor.home + path + query, {"amount": 10000, "form": "form-0001"})
        assert "evil" not in answer.get("Location", "")
        assert "evil" not in answer.content.decode()


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7*7 }}{% load x %}",
    "Robert'); DROP TABLE claims_case;--",
    "\u202egnp.exe \U0001f642",
    "x" * 200,
)


@pytest.mark.parametrize("name", HOSTILE)
def test_names_and_texts_are_only_ever_text(visitor, creditor, name):
    Customer.objects.update(name=name)
    creditor.legal_name = creditor.address = name
    creditor.save()
    Brand.objects.update(imprint=name)
    answer = visitor.get()
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert name[:9] in page or "&" in page
    sent = visitor.post("problem/", {"kind": "nonsense", "text": name}).content.decode()
    assert "<script>alert" not in sent


def test_what_was_typed_comes_back_as_text(visitor):
    page = visitor.post("paid/", {"paid_on": "x", "note": "</textarea><script>1</script>"}).content.decode()
    assert "</textarea><script>" not in page
    assert "&lt;/textarea&gt;" in page


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_kept_nowhere_and_framed_by_nobody(visitor, path):
    visitor.pay()
    answer = visitor.get(path.replace("return/1/", f"return/{PaymentIntent.objects.get().id}/"))
    policy = answer["Content-Security-Policy"]
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "noindex" in answer["X-Robots-Tag"]
    page = answer.content.decode() if "html" in answer["Content-Type"] else ""
    assert links.token(visitor.link_id) not in page
    assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', page)
    assert "style=" not in page
    assert " on" not in "".join(re.findall(r"<[a-z][^>]*>", page)).replace(" one-", "")


def test_the_pay_form_may_lead_to_the_provider_and_nowhere_else(visitor):
    policy = visitor.get()["Content-Security-Policy"]
    assert re.search(r"form-action 'self' http://psp\.simulated(;|$)", policy)
    assert "psp.simulated" not in visitor.get("problem/")["Content-Security-Policy"]


def test_logs_hold_no_token(visitor, caplog):
    caplog.set_level(logging.DEBUG)
    token = links.token(visitor.link_id)
    visitor.get("return/99/")
    visitor.client.get(f"/p/{token}/nothing-here/")
    visitor.client.get(visitor.home[:-3] + "AA/")
    visitor.client.delete(visitor.home)
    Client(enforce_csrf_checks=True).post(visitor.home + "pay/")
    visitor.psp.outage = True
    visitor.pay()
    visitor.get(f"return/{PaymentIntent.objects.get().id}/")
    assert "/p/<token>" in caplog.text
    assert token[:24] not in caplog.text
    for record in caplog.records:
        assert token[:24] not in str(record.__dict__.get("request", ""))


def test_redacting_leaves_other_addresses_alone():
    assert redact("GET /p/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/pay/ 200") == "GET /p/<token>/pay/ 200"
    assert redact("/p/brand/1-0123456789ab.css") == "/p/brand/1-0123456789ab.css"


def test_wrong_verbs_are_refused(visitor):
    assert visitor.post("").status_code == 405
    assert visitor.client.put(visitor.home).status_code == 405
    assert visitor.post("transfer/").status_code == 405


def test_a_brands_sheet_is_public_and_lasting(visitor, client):
    brand = Brand.objects.get()
    url = brands.sheet_url(brand.id, brand.colour_primary, brand.colour_on_primary)
    answer = client.get(url)
    assert answer["Content-Type"].startswith("text/css")
    assert "immutable" in answer["Cache-Control"]
    assert "--brand:" in answer.content.decode()
    old = re.sub("-[0-9a-f]{12}", "-000000000000", url)
    assert client.get(old)["Cache-Control"] == "no-cache"
    assert client.get(url.replace(f"/{brand.id}-", "/999-")).status_code == 404
    assert client.get(url.replace(".css", ".svg")).status_code == 404
    Brand.objects.update(logo_svg="<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>")
    logo_url = brands.logo_url(brand.id, Brand.objects.get().logo_svg)
    logo = client.get(logo_url)
    assert logo["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert f'src="{logo_url}"' in visitor.text()
