"""What staff see and do at the desk."""

import io
from datetime import date, timedelta

import pypdf
import pytest

from kulanz.claims.holds import place_hold
from kulanz.claims.models import Hold
from kulanz.claims.queries import active_holds, open_amount
from kulanz.contact.vulnerability.actions import look_after
from kulanz.desk.models import Note
from kulanz.desk.rules import may_lift
from kulanz.events.log import record
from kulanz.outreach.models import Message
from kulanz.payments.actions import book_transfer
from kulanz.payments.models import Payment
from kulanz.payments.offers.models import OfferPolicy
from kulanz.tenancy.actions import add_user
from kulanz.tenancy.models import Role


def text(response):
    return response.content.decode()


def test_a_case_tells_its_whole_story(desk, login):
    page = text(login().get(desk.case_url()))
    assert "Erika Beispiel" in page
    assert "€100.00" in page, "129.90 less 29.90"
    assert "§ 433" in page, "the legal basis of the principal"
    assert "The parcel never came." in page
    assert "Called back, waiting for the carrier." in page
    assert "€29.90 came in" in page
    assert "Read what was sent" in page
    assert "Decided:" in page
    assert "k1@customers.example" in page


def test_a_case_tells_which_offers_were_made_and_taken(desk, login, make_offer):
    OfferPolicy.objects.create(creditor=desk.creditor, discounts=True, on_principal=True, min_days=0)
    make_offer(desk.case.id, "discount")
    make_offer(desk.case.id, "plan", 2)
    make_offer(desk.case.id, "later", 3, told=False)
    page = text(login().get(desk.case_url()))
    assert "Offer: settlement discount" in page
    assert "€90.00 instead of €100.00" in page
    assert "€20.00 a month, first on Mar 18, 2026" in page
    assert page.count("not told to the customer") == 1
    book_transfer(desk.case.id, 9000, date(2026, 3, 3), "B-offer")
    page = text(login().get(desk.case_url()))
    assert "Offer taken: settlement discount" in page
    assert "Offer taken: instalments" not in page
    assert "withdrawn" in page


def test_the_statement_of_account_is_a_pdf_for_everybody_who_may_look(desk, login):
    page = login().get(desk.case_url())
    assert "Statement of account (PDF)" in text(page)
    answer = login().get(desk.url(f"cases/{desk.case.id}/statement.pdf"))
    assert answer["Content-Type"] == "application/pdf"
    words = pypdf.PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()
    assert "100,00" in words
    assert login().get(desk.url("cases/999999/statement.pdf")).status_code == 404


def test_the_story_is_told_in_german(desk, login):
    page = text(login(language="de").get(desk.case_url()))
    assert "Was offen ist und warum" in page
    assert "100,00\xa0€" in page
    assert "Einwand in Prüfung" in page


def test_what_was_sent_can_be_read_as_text_and_as_it_looked(desk, login):
    client = login()
    page = text(client.get(desk.url(f"messages/{desk.message.id}/")))
    assert "129,90" in page
    assert desk.token not in page
    sent = client.get(desk.url(f"messages/{desk.message.id}/sent/"))
    policy = sent["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
    assert "script-src 'none'" in policy
    assert "form-action 'none'" in policy
    assert "allow-" not in policy


def test_a_decision_shows_its_reasons_and_draws_the_same_again(desk, login):
    page = text(login().get(desk.url(f"decisions/{desk.decision.id}/")))
    assert "the same, bit for bit" in page
    assert "plain ladder decided" in page


def test_a_viewer_looks_and_an_agent_acts(desk, login):
    viewer = login(Role.VIEWER)
    assert "Book a bank transfer" not in text(viewer.get(desk.case_url()))
    for act in ("hold/", "transfer/", "note/", f"holds/{desk.hold.id}/lift/"):
        assert viewer.post(desk.case_url(act)).status_code == 403
    assert viewer.post(desk.url(f"messages/{desk.message.id}/settle/")).status_code == 403
    assert "Book a bank transfer" in text(login(Role.AGENT).get(desk.case_url()))


def test_an_agent_lets_a_case_rest_until_a_day(desk, login, clock):
    response = login().post(
        desk.case_url("hold/"),
        {"reason": "hardship", "until": "2026-03-20", "note": "Lost her job."},
        follow=True,
    )
    assert "No reminder leaves while the hold lasts" in text(response)
    hold = Hold.objects.get(reason="hardship")
    assert hold.until_at.isoformat() == "2026-03-20T22:59:59+00:00", "the end of that day in Berlin"
    assert hold.placed_by.startswith("agent:")
    assert hold.note == "Lost her job."


def test_people_in_danger_stand_at_the_top_of_the_tasks(desk, login, make_case):
    for number, words in (("K8", "I lost my job."), ("K9", "I want to die.")):
        look_after(make_case(number, 5000).id, words, "message")
    page = text(login().get(desk.url("tasks/")))
    assert page.index("danger: look today") < page.index("livelihood")
    assert page.index("People who need care") < page.index("Objections")


def test_a_hold_cannot_end_in_the_past(desk, login):
    response = login().post(desk.case_url("hold/"), {"reason": "manual", "until": "2026-03-01"})
    assert response.status_code == 422
    assert "Choose today or a day to come." in text(response)
    assert not Hold.objects.filter(reason="manual").exists()


def test_an_agent_ends_a_dispute_but_only_a_manager_an_insolvency(desk, login):
    insolvency = place_hold(desk.case.id, "insolvency", by="agent:1")
    agent = login(Role.AGENT)
    assert agent.post(desk.case_url(f"holds/{desk.hold.id}/lift/")).status_code == 302
    assert agent.post(desk.case_url(f"holds/{insolvency.id}/lift/")).status_code == 403
    assert [hold.reason for hold in active_holds(desk.case.id)] == ["insolvency"]
    assert login(Role.MANAGER).post(desk.case_url(f"holds/{insolvency.id}/lift/")).status_code == 302
    assert active_holds(desk.case.id) == ()


@pytest.mark.parametrize(("role", "reason", "allowed"), [
    ("viewer", "manual", False), ("agent", "manual", True), ("agent", "minor", False), ("owner", "minor", True),
])  # fmt: skip
def test_who_may_lift_what(role, reason, allowed):
    assert may_lift(role, reason) is allowed


def test_a_transfer_is_booked_once(desk, login):
    client = login(language="de")
    form = {"amount": "60,00", "value_date": "2026-03-02", "bank_reference": "camt-77"}
    page = text(client.post(desk.case_url("transfer/"), form, follow=True))
    assert "60,00\xa0€ gebucht" in page
    client.post(desk.case_url("transfer/"), form)
    assert Payment.objects.filter(provider_reference="camt-77").count() == 1
    assert open_amount(desk.case.id) == 4000
    again = client.post(desk.case_url("transfer/"), form | {"amount": "1,00"})
    assert again.status_code == 422
    assert open_amount(desk.case.id) == 4000


@pytest.mark.parametrize(("amount", "day"), [
    ("0", "2026-03-02"), ("-5", "2026-03-02"), ("1.001", "2026-03-02"), ("abc", "2026-03-02"), ("5", "2026-03-09"),
    ("1e5", "2026-03-02"), ("999999999999999999", "2026-03-02"),
])  # fmt: skip
def test_what_cannot_be_money_is_refused(desk, login, amount, day):
    form = {"amount": amount, "value_date": day, "bank_reference": "x"}
    assert login().post(desk.case_url("transfer/"), form).status_code == 422
    assert open_amount(desk.case.id) == 10000


def test_a_note_stays_with_the_case_as_text(desk, login):
    client = login()
    page = text(client.post(desk.case_url("note/"), {"text": "<b>Will call</b>"}, follow=True))
    assert "&lt;b&gt;Will call&lt;/b&gt;" in page
    assert Note.objects.filter(author="agent-lindenhof").count() == 1


def test_cases_are_found_by_number_claim_and_name(desk, login, make_case):
    make_case("Q7", 5000, date(2026, 4, 1), name="Paul Quandt")
    client = login()
    for words in ("Q7", "R-Q7", "quandt"):
        page = text(client.get(desk.url("cases/"), {"q": words}))
        assert "Paul Quandt" in page
        assert "Erika Beispiel" not in page
    assert "Nothing found for" in text(client.get(desk.url("cases/"), {"q": "nobody%_\x00"}))


def test_cases_are_filtered_by_what_the_ledger_says(desk, login, make_case):
    make_case("Q1", 5000, date(2026, 4, 1), name="Not Due")
    make_case("Q2", 5000, date(2026, 1, 1), name="Long Due")
    client = login()
    expected = {
        "open": {"Erika", "Not", "Long"},
        "overdue": {"Erika", "Long"},
        "held": {"Erika"},
        "settled": set(),
    }
    for state, names in expected.items():
        page = text(client.get(desk.url("cases/"), {"state": state}))
        assert {name for name in ("Erika", "Not", "Long") if f"<strong>{name} " in page} == names


def test_a_long_list_comes_in_pages(creditor, login, make_case):
    for n in range(51):
        make_case(f"K{n}", 1000 + n, date(2026, 4, 1), name=f"Customer {n}", email=None)
    client = login()
    first = client.get("/desk/lindenhof/cases/")
    assert text(first).count("<strong>Customer") == 50
    second = text(client.get("/desk/lindenhof/cases/", {"before": first.context["found"].before}))
    assert second.count("<strong>Customer") == 1
    assert "Next page" not in second


def test_tasks_are_what_waits_for_a_person(desk, login, clock):
    Message.objects.filter(id=desk.message.id).update(state="unknown")
    clock.advance(timedelta(minutes=1))
    record("complaint.made", desk.case.id, {})
    record("handover.due", desk.case.id, {})
    client = login()
    page = text(client.get(desk.url("tasks/")))
    for heading in ("Objections", "Questions and complaints", "Unclear messages", "To hand over"):
        assert heading in page
    clock.advance(timedelta(minutes=1))
    client.post(desk.case_url("note/"), {"text": "Answered by phone."})
    client.post(desk.case_url(f"holds/{desk.hold.id}/lift/"))
    client.post(desk.url(f"messages/{desk.message.id}/settle/"), {"arrived": "yes"})
    page = text(client.get(desk.url("tasks/")))
    assert "To hand over" in page
    for heading in ("Objections", "Questions and complaints", "Unclear messages"):
        assert heading not in page
    assert Message.objects.get(id=desk.message.id).state == "sent"


def test_an_empty_desk_is_kind(creditor, login):
    client = login()
    assert "Nobody is waiting for you" in text(client.get("/desk/lindenhof/tasks/"))
    assert "Nothing is waiting to be paid here" in text(client.get("/desk/lindenhof/cases/"))
    assert "ready for your first invoices" in text(client.get("/insights/lindenhof/"))


def test_one_creditor_opens_at_once_several_are_offered(creditor, other_creditor, login):
    client = login()
    assert client.get("/desk/").url == "/insights/lindenhof/"
    login(Role.VIEWER, other_creditor)
    add_user("agent-lindenhof", "", other_creditor, Role.VIEWER)
    page = text(client.get("/desk/"))
    assert "Lindenhof Versand" in page
    assert "Birkenhof Strom" in page


def test_a_simulated_creditor_says_so_on_every_page(desk, login):
    desk.creditor.simulated = True
    desk.creditor.save()
    client = login()
    for page in ("cases/", "tasks/", f"cases/{desk.case.id}/", f"messages/{desk.message.id}/"):
        assert 'class="badge simulated"' in text(client.get(desk.url(page)))
    assert 'class="badge simulated"' in text(client.get("/insights/lindenhof/"))


def test_the_language_is_remembered_and_the_way_back_stays_on_the_site(creditor, login):
    client = login()
    answer = client.post("/desk/language/", {"language": "de", "next": "/desk/lindenhof/tasks/"})
    assert answer.url == "/desk/lindenhof/tasks/"
    assert "Aufgaben" in text(client.get("/desk/lindenhof/tasks/"))
    assert client.post("/desk/language/", {"language": "de", "next": "https://evil.example/"}).url == "/desk/"


def test_whoever_is_not_logged_in_is_asked_to(desk, client):
    answer = client.get(desk.case_url())
    assert answer.status_code == 302
    assert answer.url == f"/accounts/login/?next={desk.case_url()}"


def test_no_page_needs_inline_script_or_style(desk, login):
    client = login()
    record_pages = ["cases/", "tasks/", f"cases/{desk.case.id}/", f"decisions/{desk.decision.id}/"]
    for path in [*map(desk.url, record_pages), "/insights/lindenhof/"]:
        response = client.get(path)
        assert "script-src 'self'" in response["Content-Security-Policy"]
        assert " style=" not in text(response)
        assert "<style" not in text(response)
        assert "<script>" not in text(response)


def test_wishes_about_money_wait_for_a_person_until_a_note_is_written(desk, login, clock):
    client = login()
    record("plan.refused", desk.case.id, {"reason": "rate_too_small", "amount": 10000})
    assert "Refunds and instalments" not in text(client.get(desk.url("tasks/")))
    for kind, payload, words in (
        ("plan.refused", {"reason": "needs_person", "amount": 10000}, "only a person may agree to"),
        ("plan.broken", {"plan": 1, "amount": 10000}, "Instalment plan broken"),
        ("credit.wished", {"amount": 3000}, "Wants credit back"),
    ):
        clock.advance(timedelta(minutes=1))
        record(kind, desk.case.id, payload)
        assert words in text(client.get(desk.url("tasks/")))
        clock.advance(timedelta(minutes=1))
        client.post(desk.case_url("note/"), {"text": "Done."})
        assert "Refunds and instalments" not in text(client.get(desk.url("tasks/")))
