"""Customers write, wait in peace, and read the answer: told through Django's client."""

import re

from kulanz.claims.models import Hold
from kulanz.outreach.inbound.actions import take_in
from kulanz.outreach.inbound.answering import answer
from kulanz.outreach.models import InboundMessage


def send(visitor, text: str, key: str = "form-0001"):
    return visitor.post("messages/", {"text": text, "form": key})


def test_writes_sees_it_and_is_not_chased_while_waiting(visitor):
    assert 'href="./messages/"' in visitor.text()
    sent = send(visitor, "Wofür ist die Rechnung?\nIch habe zwei bestellt.")
    assert (sent.status_code, sent["Location"]) == (303, "./#latest")
    page = visitor.text("messages/")
    assert "Wofür ist die Rechnung?\nIch habe zwei bestellt." in page
    assert "Ein Mensch antwortet Ihnen. Bis dahin erinnern wir Sie nicht." in page
    assert visitor.holds() == ["question"]
    assert "Ihre Nachricht ist da" in visitor.text()
    assert "100,00\xa0€ online bezahlen" in visitor.text()


def test_reads_the_answer_and_who_answered_is_the_house(visitor):
    send(visitor, "Wofür?")
    answer(visitor.case.id, "Für die Schuhe.", author="agnes", by="agent:1")
    page = visitor.text("messages/")
    assert page.index("Wofür?") < page.index("Für die Schuhe.")
    assert "agnes" not in page
    assert "Ein Mensch antwortet Ihnen. Bis dahin" not in page
    assert "Wir haben Ihnen geantwortet" in visitor.text()
    assert "Bis zum 6.\xa0März 2026 erinnern wir Sie nicht" in visitor.text()


def test_a_double_click_is_one_message(visitor):
    send(visitor, "Hallo")
    send(visitor, "Hallo")
    assert InboundMessage.objects.count() == 1
    key = re.search(r'name="form" value="([\w-]+)"', visitor.text("messages/"))
    assert key is not None
    send(visitor, "Hallo", key[1])
    assert InboundMessage.objects.count() == 2


def test_a_form_key_that_was_tampered_with_loses_no_words(visitor):
    for key in ("", "x", "' OR 1=1", "a" * 300):
        assert send(visitor, f"Hallo {len(key)}", key).status_code == 303
    assert InboundMessage.objects.count() == 4


def test_an_empty_or_endless_message_is_asked_again_with_its_words(visitor):
    for text in ("", "   ", "a" * 4001):
        again = send(visitor, text)
        assert again.status_code == 422
        assert 'aria-invalid="true"' in again.content.decode()
    assert "a" * 4001 in again.content.decode()
    assert (InboundMessage.objects.count(), visitor.holds()) == (0, [])


def test_words_of_need_are_met_with_care_on_the_page_of_messages_too(visitor):
    send(visitor, "Ich will nicht mehr leben.")
    assert sorted(visitor.holds()) == ["question", "vulnerable"]
    page = visitor.text("messages/")
    assert "tel:08001110111" in page
    assert "Im Notfall wählen Sie 112" in page
    assert "danger" not in page


def test_a_mail_from_a_stranger_and_its_files_are_said(visitor):
    send(visitor, "Hallo")
    InboundMessage.objects.update(channel="email", verified=False, files=["a<b>.pdf"], shortened=True)
    page = visitor.text("messages/")
    assert "Von einer E-Mail-Adresse, die wir noch nicht kennen." in page
    assert "a&lt;b&gt;.pdf" in page
    assert "Wir haben ihren Anfang behalten." in page


def test_another_case_sees_nothing_of_it(visitor, make_case):
    take_in(b"From: x@x.example\n\nNobody's mail")
    send(visitor, "<script>alert(1)</script> geheim")
    other = make_case("K2")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; geheim" in visitor.text("messages/")
    assert "Nobody" not in visitor.text("messages/")
    assert not InboundMessage.objects.filter(case=other).exists()


def test_who_owes_nothing_may_write_too(visitor):
    visitor.psp.pay(visitor.pay()["Location"].rsplit("/", 1)[1])
    assert 'href="./messages/"' in visitor.text()
    assert send(visitor, "Danke!").status_code == 303
    assert Hold.objects.filter(reason="question").exists()
    assert "Danke!" in visitor.text("messages/")
