"""A customer takes their data along, and has them put right."""

import io
import json
import re
from datetime import date, timedelta

import pypdf
import pytest
from django.db import transaction
from tests.portal.test_portal_plan import FORM, hidden
from typer.testing import CliRunner

from kulanz.claims.customers import correct
from kulanz.claims.models import Customer
from kulanz.claims.personal.collecting import as_document, copy_of
from kulanz.claims.personal.registry import tables
from kulanz.cli.commands import app
from kulanz.contact.correcting import actions as correcting
from kulanz.contact.correcting.models import Correction
from kulanz.contact.models import Representative
from kulanz.desk.models import Note
from kulanz.documents import pdf
from kulanz.documents.pdf import PdfUnavailableError
from kulanz.events.models import Event
from kulanz.kernel import clock as kernel_clock
from kulanz.kernel.errors import ConflictError, InputError, NotFoundError
from kulanz.outreach.dispatcher import dispatch
from kulanz.outreach.inbound.actions import take_in
from kulanz.outreach.inbound.answering import answer
from kulanz.outreach.models import Message
from kulanz.strategy import journeys, runs
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import scope

DEBIT = {"debit": "yes", "holder": "Erika Beispiel", "iban": "DE89370400440532013000"}


@pytest.fixture
def story(visitor, sink, make_offer, clock):
    """A customer with something in nearly every table."""
    Creditor.objects.update(creditor_identifier="DE98ZZZ09999999999")
    Customer.objects.update(birth_date=date(1980, 3, 31))
    journeys.install(Creditor.objects.get(), "standard")
    runs.run(seed=1)
    clock.advance_to(Message.objects.get().not_before)
    assert dispatch().sent == 1
    make_offer(visitor.case.id, "plan", 77)
    visitor.get()
    shown = visitor.post("plan/", FORM | {"first_on": "2026-03-28"})
    assert visitor.post("plan/agree/", hidden(shown, "plan/agree/") | DEBIT).status_code == 303
    visitor.post("messages/", {"text": "Wohin kann ich schreiben?", "form": "form-1234"})
    answer(visitor.case.id, "Hierher.", author="anna", by="agent:1")
    take_in(b"From: k1@customers.example\r\nSubject: Frage\r\nMessage-ID: <1@x>\r\n\r\nVon wem?\r\n")
    visitor.post("problem/", {"kind": "complaint", "text": "Das war zu viel."})
    visitor.post("part/", {"what": "other", "amount": "20,00"})
    visitor.psp.pay(visitor.pay(amount=10000)["Location"].rsplit("/", 1)[1])
    visitor.psp.deliver()
    visitor.post("preferences/", {"language": "de"})
    Note.objects.create(
        creditor_id=visitor.creditor.id, case=visitor.case, author="anna", text="Rief an.",
        created_at=kernel_clock.now(),
    )  # fmt: skip
    Representative.objects.create(
        creditor_id=visitor.creditor.id, customer_id=visitor.case.customer_id, kind="counsellor",
        name="Beratung Mitte", channel="email", value="rat@hilfe.example", from_day=date(2026, 3, 1),
    )  # fmt: skip
    visitor.post("account/send/")
    visitor.post("account/enter/", {"answer": "K1"})
    return visitor


def document(visitor) -> dict:
    reply = visitor.get("account/data.json")
    assert reply["Content-Type"] == "application/json"
    assert reply["Content-Disposition"] == 'attachment; filename="data.json"'
    assert reply["Cache-Control"] == "no-store"
    return json.loads(reply.content)


def test_the_file_holds_every_row_of_every_table(story):
    told = document(story)["tables"]
    empty = {
        "claims.LimitationFact",
        "payments.DirectDebit",
        "strategy.Reward",
        "contact.Correction",
        "outreach.DeliveryEvent",
    }
    assert {name for name, rows in told.items() if not rows} <= empty
    for table in tables():
        wanted = table.model.objects.filter(**{table.customer: story.case.customer_id})
        ids = list(wanted.order_by("id").values_list("id", flat=True))
        assert [row["id"] for row in told[table.label]] == ids
    types = {event["type"] for event in told["events.Event"]}
    assert {"claim.opened", "link.opened", "message.sent", "plan.agreed", "login.succeeded"} <= types
    assert set(Event.objects.exclude(type__in=types).values_list("type", flat=True)) <= {
        "creditor.added", "creditor.changed", "brand.added", "run.finished",
    }  # fmt: skip


def test_the_file_says_things_in_words(story):
    told = document(story)
    rows = told["tables"]
    assert rows["outreach.ArchivedMessage"][0]["text"].startswith("Guten Tag Erika Beispiel")
    assert [row["text"] for row in rows["outreach.InboundMessage"]] == ["Wohin kann ich schreiben?"]
    (decision,) = rows["strategy.Decision"]
    assert decision["reasons"]
    assert decision["inputs"]["days_past_due"]
    (payment,) = rows["payments.Payment"]
    assert (payment["amount"], payment["currency"]) == (10000, "EUR")
    assert told["controller"]["name"] == "Lindenhof Versand GmbH"
    assert len(told["information"]) == 6


def test_the_file_holds_no_secret_and_nobody_else(story, make_case, other_creditor):
    make_case("K2", 500, date(2026, 2, 1), name="Otto Fremd")
    with scope(other_creditor.id):
        make_case("K1", 500, date(2026, 2, 1), name="Berta Ander")
    text = json.dumps(document(story), ensure_ascii=False)
    assert "Otto" not in text
    assert "Berta" not in text
    assert "anna" not in text
    assert story.home.strip("/").removeprefix("p/") not in text
    assert "/p/…/" in text
    with scope(other_creditor.id), pytest.raises(NotFoundError):
        copy_of(story.case.customer_id, "de", by="customer")


def test_the_paper_reads_well(story):
    reply = story.get("account/data.pdf")
    assert reply["Content-Type"] == "application/pdf"
    pages = pypdf.PdfReader(io.BytesIO(reply.content))
    text = re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages.pages))
    for words in (
        "Ihre Daten",
        "Rechnungen und andere Forderungen",
        "R-K1",
        "100,00",
        "Rief an.",
        "31.03.1980",
        "Uhr, freundlich",
    ):
        assert words in text
    assert pages.trailer["/Root"]["/Lang"] == "de"
    english = story.client.get(story.home + "account/data.pdf?lang=en").content
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(english)).pages)
    assert "Your data" in text


def test_without_the_library_the_file_is_still_there(story, monkeypatch):
    def missing():
        raise PdfUnavailableError

    monkeypatch.setattr(pdf, "_weasyprint", missing)
    reply = story.get("account/data.pdf")
    assert reply.status_code == 503
    assert "Das PDF lässt sich gerade nicht erstellen" in reply.content.decode()
    assert document(story)["tables"]["claims.Customer"]


def test_every_copy_leaves_a_trace(story):
    document(story)
    story.get("account/data.pdf")
    (first, second) = Event.objects.filter(type="data.copied")
    assert (first.subject_id, first.payload) == (story.case.customer_id, {"by": "customer"})
    assert second.payload == {"by": "customer"}


def test_a_correction_waits_for_a_person(visitor):
    visitor.post("account/enter/", {"answer": "K1"})
    form = {"about": "name", "text": "Ich heiße Erika Muster.", "form": "form-0001"}
    assert visitor.post("account/data/", {**form, "about": ""}).status_code == 422
    assert visitor.post("account/data/", {**form, "text": ""}).status_code == 422
    assert not Correction.objects.exists()
    for _click in range(2):
        assert visitor.post("account/data/", form)["Location"] == "?asked=1"
    request = Correction.objects.get()
    assert "Ein Mensch kümmert sich innerhalb eines Monats" in visitor.text("account/data/?asked=1")
    assert "wartet auf einen Menschen" in visitor.text("account/data/")
    correct(visitor.case.customer_id, {"name": " Erika Muster "}, by="agent:1")
    correcting.settle(request.id, corrected=True, by="agent:1")
    page = visitor.text("account/data/")
    assert ": Mein Name – berichtigt" in page
    assert "Erika Muster" in visitor.text("account/")
    with pytest.raises(ConflictError):
        correcting.settle(request.id, corrected=False, by="agent:2")
    assert Event.objects.get(type="customer.corrected").payload == {"fields": ["name"], "by": "agent"}


def test_words_typed_until_the_login_ended_are_not_lost(visitor, clock):
    visitor.post("account/enter/", {"answer": "K1"})
    clock.advance(timedelta(minutes=21))
    form = {"about": "name", "text": "Ich heiße Erika Muster.", "form": "form-0001"}
    assert visitor.post("account/data/", form)["Location"].endswith("/account/?asked=1")
    door = visitor.text("account/?asked=1")
    assert "Ein Mensch kümmert sich innerhalb eines Monats" in door
    assert "Ihre Kundennummer" in door
    assert Correction.objects.get().text == "Ich heiße Erika Muster."
    assert visitor.post("account/data/", form | {"text": ""})["Location"].endswith("/account/")


def test_more_corrections_than_a_person_sends_are_refused(visitor):
    visitor.post("account/enter/", {"answer": "K1"})
    for number in range(correcting.OPEN_AT_ONCE):
        visitor.post("account/data/", {"about": "other", "text": "x", "form": f"form-{number}"})
    again = visitor.post("account/data/", {"about": "other", "text": "noch eins", "form": "form-99"})
    assert again.status_code == 422
    assert "noch eins" in again.content.decode()
    assert Correction.objects.count() == correcting.OPEN_AT_ONCE


def test_need_told_in_a_correction_is_noticed(visitor):
    visitor.post("account/enter/", {"answer": "K1"})
    visitor.post("account/data/", {"about": "other", "text": "Mein Mann ist gestorben.", "form": "form-0001"})
    assert visitor.holds() == ["vulnerable"]


@pytest.mark.parametrize(
    "changes",
    [{"number": "K9"}, {"name": ""}, {"name": "x" * 201}, {"birth_date": "31.3.1980"}, {"country": "DEU"}],
)
def test_what_cannot_be_corrected_stores_nothing(visitor, changes):
    before = Customer.objects.values().get()
    with pytest.raises(InputError), transaction.atomic():
        correct(visitor.case.customer_id, {"postal_code": "20095"} | changes, by="agent:1")
    assert Customer.objects.values().get() == before


def test_the_command_writes_what_the_page_gives(story, tmp_path):
    run = CliRunner()
    words = ["customer", "export", "K1", "--creditor", "lindenhof"]
    printed = json.loads(run.invoke(app, words, catch_exceptions=False).output)
    page = document(story)
    assert printed["tables"]["claims.Claim"] == page["tables"]["claims.Claim"]
    for name, begins in (("copy.json", b"{"), ("copy.pdf", b"%PDF")):
        file = tmp_path / name
        told = run.invoke(app, [*words, "--out", str(file)], catch_exceptions=False).output
        assert "rows are in" in told
        assert file.read_bytes().startswith(begins)
        with pytest.raises(InputError, match="is there already"):
            run.invoke(app, [*words, "--out", str(file)], catch_exceptions=False)
    with pytest.raises(InputError, match=r"\.json or a \.pdf"):
        run.invoke(app, [*words, "--out", "copy.csv"], catch_exceptions=False)
    with pytest.raises(NotFoundError, match="no customer"):
        run.invoke(app, ["customer", "export", "K9", "--creditor", "lindenhof"], catch_exceptions=False)
    told = run.invoke(app, ["customer", "correct", "K1", "postal_code=20095", "--creditor", "lindenhof"])
    assert "postal_code corrected" in told.output


def test_a_language_of_the_page_without_texts_gets_english(visitor):
    copy = copy_of(visitor.case.customer_id, "tr", by="customer")
    assert as_document(copy)["information"][0]["title"] == "What it is for"
