"""A message that lacks what the law wants said does not leave."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from kulanz.claims.accrual import accrue
from kulanz.claims.models import Claim
from kulanz.contact.models import ContactPoint
from kulanz.documents import layout as layouts
from kulanz.outreach import compose
from kulanz.outreach.dispatcher import DUTY_MISSING, dispatch
from kulanz.outreach.models import Message
from kulanz.tenancy.models import Creditor

COLLECTOR = {
    "role": "collector",
    "client_name": "Birkenhof Strom GmbH",
    "client_address": "Birkenweg 2, 20095 Hamburg",
    "authority": "Amtsgericht Musterstadt",
    "authority_contact": "aufsicht@gericht.example",
    "vat_statement": "Der Auftraggeber ist vorsteuerabzugsberechtigt.",
}


@pytest.fixture
def collector(creditor) -> Creditor:
    Creditor.objects.filter(id=creditor.id).update(**COLLECTOR)
    creditor.refresh_from_db()
    return creditor


def bodies(mail) -> list[str]:
    texts = [mail.get_body((kind,)).get_content() for kind in ("plain", "html")]
    return [" ".join(text.split()) for text in texts]


def test_a_collectors_first_demand_says_all_eight_items_in_both_bodies(
    collector, make_case, queue, sink
) -> None:
    case = make_case("K1", 10000)
    ContactPoint.objects.update(source="traced")
    queue(case)
    assert dispatch().sent == 1
    for body in bodies(sink.mails[0]):
        for words in (
            "Wir fordern für: Birkenhof Strom GmbH, Birkenweg 2, 20095 Hamburg.",
            "Grund der Forderung: R-K1, Vertrag vom 2026-02-06 (goods).",
            "Zinsen: keine.",
            "nicht über dem gesetzlichen Satz",
            "Inkassokosten: keine.",
            "Umsatzsteuer: Der Auftraggeber ist vorsteuerabzugsberechtigt.",
            "sondern ermittelt.",
            "Zuständige Aufsichtsbehörde: Amtsgericht Musterstadt, aufsicht@gericht.example.",
        ):
            assert words in body


def test_the_second_demand_and_the_creditors_own_need_none_of_it(
    collector, make_case, queue, sink, clock
) -> None:
    case = make_case("K1", 10000)
    queue(case)
    assert dispatch().sent == 1
    clock.advance(timedelta(days=7))
    queue(case, decision=2)
    assert dispatch().sent == 1
    assert "Aufsichtsbehörde" not in bodies(sink.mails[1])[0]
    Creditor.objects.update(role="creditor")
    queue(make_case("K2", 10000))
    assert dispatch().sent == 1
    assert "Aufsichtsbehörde" not in bodies(sink.mails[2])[0]


@pytest.mark.parametrize(
    "setting", ["client_name", "client_address", "authority", "authority_contact", "vat_statement"]
)
def test_what_is_not_known_is_never_left_blank(collector, make_case, queue, sink, setting: str) -> None:
    Creditor.objects.update(**{setting: ""})
    queue(make_case("K1", 10000))
    done = dispatch()
    assert (done.sent, done.failed, sink.mails) == (0, 1, [])
    message = Message.objects.get()
    assert message.state == Message.State.FAILED
    assert "The message must say" in message.outcome


def test_a_layout_that_drops_the_way_out_is_refused(creditor, make_case, queue, sink, monkeypatch) -> None:
    """As a brand's own layout might: the footer with the preferences link is gone from the HTML part."""
    real = layouts.layout

    def broken(look):
        made = real(look)
        return replace(made, html=made.html.replace("[[kulanz:preferences]]", ""))

    monkeypatch.setattr(compose.layouts, "layout", broken)
    queue(make_case("K1", 10000))
    done = dispatch()
    assert (done.sent, done.failed, sink.mails) == (0, 1, [])
    message = Message.objects.get()
    assert message.outcome == "The text lacks what the law wants said: opt_out."


def test_a_text_that_loses_its_sentences_is_refused(collector, make_case, queue, sink, monkeypatch) -> None:
    monkeypatch.setattr(compose.informing, "written", lambda rendered, sentences: rendered)
    queue(make_case("K1", 10000))
    assert dispatch().failed == 1
    outcome = Message.objects.get().outcome
    for code in ("rdg_creditor", "rdg_ground", "rdg_interest", "rdg_above_statutory", "rdg_costs", "rdg_vat"):
        assert code in outcome
    assert "opt_out" not in outcome
    assert DUTY_MISSING == "duty_missing"


def test_unverified_figures_in_the_amount_are_said(creditor, make_case, queue, sink) -> None:
    Creditor.objects.update(charges_interest=True)
    case = make_case("K1", 100000, date(2026, 1, 10))
    Claim.objects.update(default_from=date(2026, 1, 11), default_cause="reminder")
    accrue(date(2026, 3, 1))
    queue(case)
    assert dispatch().sent == 1
    for body in bodies(sink.mails[0]):
        assert "Nicht geprüft: Basiszinssatz ab 2026-01-01" in body


def test_a_time_barred_claim_is_not_among_what_is_demanded(creditor, make_case, queue, sink) -> None:
    case = make_case("K1", 5000, date(2022, 5, 3))
    make_case("K1", 10000, date(2026, 2, 1), claim="R-2")
    queue(case)
    assert dispatch().sent == 1
    text = bodies(sink.mails[0])[0]
    assert "R-2" in text
    assert "100,00" in text
    assert "R-K1" not in text
    assert "150,00" not in text
