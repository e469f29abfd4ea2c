"""A message that lacks what the law wants said does not leave."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html import escape

import pytest
from django.db import transaction

from kulanz.claims.accrual import accrue
from kulanz.claims.actions import book_payment
from kulanz.claims.fees import charge
from kulanz.claims.models import Claim
from kulanz.contact.actions import log_contact
from kulanz.contact.models import ContactPoint
from kulanz.documents import layout as layouts
from kulanz.kernel import clock as kernel_clock
from kulanz.kernel.errors import InputError
from kulanz.law import fees
from kulanz.law.packs import load
from kulanz.outreach import compose, informing
from kulanz.outreach.actions import queue_service
from kulanz.outreach.dispatcher import DUTY_MISSING, dispatch
from kulanz.outreach.informing import Informer
from kulanz.outreach.models import DeliveryEvent, Message
from kulanz.tenancy.models import Creditor

COLLECTOR = {
    "role": "collector",
    "client_name": "Birkenhof Strom GmbH",
    "client_address": "Birkenweg 2, 20095 Hamburg",
    "authority": "Amtsgericht Musterstadt",
    "authority_contact": "aufsicht@gericht.example",
    "support_email": "hilfe@lindenhof.example",
    "support_phone": "030 1234",
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
            "Grund der Forderung: R-K1, Vertrag vom 6. Februar 2026 (goods).",
            "Zinsen: keine.",
            "nicht über dem gesetzlichen Satz",
            "Inkassokosten: keine.",
            "Umsatzsteuer: Der Auftraggeber ist vorsteuerabzugsberechtigt.",
            "sondern ermittelt. Ist etwas daran falsch, sagen Sie es uns bitte: hilfe@lindenhof.example, 030 1234.",
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
    assert message.outcome == (
        f"The message must say {setting}, and this is not known. Use: kulanz creditor set {collector.slug} NAME=VALUE"
    )


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


def test_all_that_is_not_known_is_named_at_once(collector, make_case, queue, sink) -> None:
    Creditor.objects.update(client_name="", authority=" ", vat_statement="")
    Claim.objects.filter(case=queue(make_case("K1", 10000)).case).update(product="")
    assert dispatch().failed == 1
    outcome = Message.objects.get().outcome
    assert "must say client_name, vat_statement, authority, ground, and this" in outcome
    assert outcome.endswith("NAME=VALUE")


def in_default() -> None:
    """Interest on every claim from 11 January to 1 March 2026."""
    Creditor.objects.update(charges_interest=True)
    Claim.objects.update(default_from=date(2026, 1, 11), default_cause="reminder")
    accrue(date(2026, 3, 1))


def test_a_collector_shows_how_interest_and_costs_come_about(
    collector, make_case, queue, sink, clock
) -> None:
    """6.27 % of 1,000.00 EUR for 21 + 28 + 1 = 50 days: 62.70 x 50 / 365 = 8.589."""
    case = make_case("K1", 100000, date(2026, 1, 10))
    in_default()
    letter = fees.reminder(load("DE"), date(2026, 3, 1), digital=False, documented=76)
    charge(Claim.objects.get().id, letter, key="letter:1", value_date=date(2026, 3, 1), by="strategy")
    book_payment(case.id, 50, value_date=date(2026, 3, 2), key="part:1", method="transfer")
    clock.advance(timedelta(minutes=1))
    queue(case)
    assert dispatch().sent == 1
    for body in bodies(sink.mails[0]):
        assert "Zinsen: 8,59 € (1.000,00 €: 6,27 %, 11. Januar 2026 – 1. März 2026)." in body
        assert "Inkassokosten: 0,76 €: " in body
        assert "; davon schon ausgeglichen: 0,50 €." in body
        assert "Nicht geprüft: Basiszinssatz ab 2026-01-01" in body


def test_interest_that_nobody_can_work_out_is_not_called_none(
    collector, make_case, queue, sink, monkeypatch
) -> None:
    case = make_case("K1", 100000, date(2026, 1, 10))
    in_default()
    queue(case)
    real = informing.statement_of_account

    def without_rates(case_id, on):
        made = real(case_id, on)
        return replace(made, interest=tuple(replace(each, accrual=None) for each in made.interest))

    monkeypatch.setattr(informing, "statement_of_account", without_rates)
    assert dispatch().failed == 1
    assert Message.objects.get().outcome == "The message must say interest, and this is not known."


def test_a_claim_that_came_later_has_a_first_demand_of_its_own(
    collector, make_case, queue, sink, clock
) -> None:
    case = make_case("K1", 10000)
    queue(case)
    assert dispatch().sent == 1
    clock.advance(timedelta(days=7))
    make_case("K1", 5000, date(2026, 3, 5), claim="R-2")
    queue(case, decision=2)
    assert dispatch().sent == 1
    assert "R-2, Vertrag vom 19. Februar 2026 (goods)" in bodies(sink.mails[1])[0]
    clock.advance(timedelta(days=7))
    queue(case, decision=3)
    assert dispatch().sent == 1
    assert "Vertrag vom" not in bodies(sink.mails[2])[0]


def test_a_claim_that_fell_due_later_has_a_first_demand_of_its_own(
    collector, make_case, queue, sink, clock
) -> None:
    case = make_case("K1", 10000)
    make_case("K1", 5000, date(2026, 3, 9), claim="R-2")
    queue(case)
    assert dispatch().sent == 1
    assert "R-2" not in bodies(sink.mails[0])[0]
    clock.advance(timedelta(days=7))
    queue(case, decision=2)
    assert dispatch().sent == 1
    assert "R-2, Vertrag vom 23. Februar 2026 (goods)" in bodies(sink.mails[1])[0]


def test_a_demand_that_came_back_and_a_call_told_nothing_in_writing(
    collector, make_case, queue, sink, clock
) -> None:
    case = make_case("K1", 10000)
    with transaction.atomic():
        log_contact(case.id, case.customer_id, "call", demanding=True)
    clock.advance(timedelta(days=7))
    message = queue(case)
    assert dispatch().sent == 1
    assert "Aufsichtsbehörde" in bodies(sink.mails[0])[0]
    DeliveryEvent.objects.create(
        creditor=collector, message=message, kind=DeliveryEvent.Kind.BOUNCED, at=message.created_at
    )
    clock.advance(timedelta(days=7))
    queue(case, decision=2)
    assert dispatch().sent == 1
    assert "Aufsichtsbehörde" in bodies(sink.mails[1])[0]


def test_businesses_are_not_told_what_private_persons_are(collector, make_case, queue, sink) -> None:
    queue(make_case("K1", 10000, kind="business"))
    assert dispatch().sent == 1
    assert "Aufsichtsbehörde" not in bodies(sink.mails[0])[0]


def test_an_imported_subject_cannot_make_a_link_or_a_paragraph(collector, make_case, queue, sink) -> None:
    case = make_case("K1", 10000)
    Claim.objects.update(product="goods\x02button\x1fPay\x1fjavascript:alert(1)\x03\n\n<b>now</b>")
    queue(case)
    assert dispatch().sent == 1
    html = sink.mails[0].get_body(("html",)).get_content()
    assert "javascript:alert(1) &lt;b&gt;now&lt;/b&gt;" in " ".join(html.split())
    assert 'href="javascript' not in html


EVERY = {
    "demand": ({}, [
        "rdg_creditor", "rdg_ground", "rdg_interest", "rdg_above_statutory", "rdg_costs", "rdg_vat", "rdg_traced",
        "rdg_authority",
    ]),
    "service": (
        {"occasions": ["plan", "acknowledgement", "chat", "refusal"], "plan_cost": 0},
        ["rdg_plan_cost", "acknowledgement", "machine", "human_path"],
    ),
}  # fmt: skip
CASES = [(kind, code) for kind, (_, codes) in EVERY.items() for code in codes]


@pytest.mark.parametrize("part", ["text", "html"])
@pytest.mark.parametrize("lost", CASES)
def test_a_message_without_one_of_its_duties_does_not_leave(
    collector, make_case, queue, sink, clock, monkeypatch, lost: tuple[str, str], part: str
) -> None:
    """A dress that loses one sentence in one of the two bodies; each duty in turn, in the pack of a day it holds."""
    kind, code = lost
    clock.advance(datetime(2026, 9, 1, 9, tzinfo=UTC) - kernel_clock.now())
    case = make_case("K1", 10000)
    ContactPoint.objects.update(source="traced")
    if kind == "demand":
        queue(case)
    else:
        with transaction.atomic():
            queue_service(case.id, case.customer_id, "receipt", "r:1", {"paid": 100, **EVERY[kind][0]})
    real = Informer.owed
    seen = []

    def owed(*arguments):
        seen[:] = real(*arguments)
        return tuple(seen)

    def page(self, rendered, preferences):
        made = real_page(self, rendered, preferences)
        (words,) = [duty.text for duty in seen if duty.code == code]
        return replace(
            made, **{part: getattr(made, part).replace(escape(words) if part == "html" else words, "")}
        )

    real_page = layouts.Layout.page
    monkeypatch.setattr(Informer, "owed", owed)
    with monkeypatch.context() as broken:
        broken.setattr(layouts.Layout, "page", page)
        done = dispatch()
    assert (done.sent, done.failed, sink.mails) == (0, 1, [])
    assert {duty.code for duty in seen} == {"opt_out", *EVERY[kind][1]}
    assert Message.objects.get().outcome == f"The text lacks what the law wants said: {code}."


def test_every_duty_of_the_pack_is_among_those_tried() -> None:
    tried = {code for _, code in CASES} | {"opt_out", "plan_cost"}
    assert {duty.code for duty in load("DE").duties} == tried


def test_a_plan_tells_its_cost_in_the_customers_currency(creditor, make_case, sink) -> None:
    case = make_case("K1", 10000)
    with transaction.atomic():
        data = {"paid": 100, "occasions": ["plan"], "plan_cost": 3605}
        queue_service(case.id, case.customer_id, "receipt", "r:1", data)
        queue_service(case.id, case.customer_id, "receipt", "r:2", {"paid": 100, "occasions": ["plan"]})
        with pytest.raises(InputError, match="no occasion picnic"):
            queue_service(case.id, case.customer_id, "receipt", "r:3", {"occasions": ["picnic"]})
    done = dispatch()
    assert (done.sent, done.failed) == (1, 1)
    for body in bodies(sink.mails[0]):
        assert "Diese Vereinbarung kostet Sie: 36,05 €." in body
    assert (
        Message.objects.get(state="failed").outcome
        == "The message must say plan_cost, and this is not known."
    )


def test_a_caveat_that_got_lost_stops_the_message(creditor, make_case, queue, sink, monkeypatch) -> None:
    case = make_case("K1", 100000, date(2026, 1, 10))
    in_default()
    queue(case)
    monkeypatch.setattr(compose.informing, "written", lambda rendered, sentences: rendered)
    assert dispatch().failed == 1
    assert "caveat" in Message.objects.get().outcome


def test_the_united_states_get_the_validation_notice_once(collector, make_case, queue, sink, clock) -> None:
    Creditor.objects.update(jurisdiction="US", country="US")
    case = make_case("K1", 10000, language="en")
    queue(case)
    assert dispatch().sent == 1
    for body in bodies(sink.mails[0]):
        assert "We act for Birkenhof Strom GmbH. Ground: R-K1, contract of February 6, 2026 (goods)." in body
        assert "Within 30 days after you receive this notice you may dispute" in body
    clock.advance(timedelta(days=7))
    queue(case, decision=2)
    assert dispatch().sent == 1
    assert "Within 30 days" not in bodies(sink.mails[1])[0]


def test_unverified_figures_in_the_amount_are_said(creditor, make_case, queue, sink) -> None:
    case = make_case("K1", 100000, date(2026, 1, 10))
    in_default()
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
