"""Paying in instalments on the customer's page: three screens, no script, every refusal with a way on."""

import html
import io
import re
from datetime import date, timedelta

import pypdf
import pytest

from kulanz.claims.actions import book_payment
from kulanz.claims.holds import place_hold
from kulanz.claims.models import Claim, Customer, LimitationFact
from kulanz.events.delivery import deliver
from kulanz.events.models import Event
from kulanz.outreach.models import Message
from kulanz.payments.models import DirectDebit, Mandate, PaymentIntent, Plan, PlanPolicy
from kulanz.payments.plans import collecting
from kulanz.payments.plans.advancing import check_plans
from kulanz.tenancy.models import Creditor

TODAY = date(2026, 3, 3)
IBAN = "DE89 3704 0044 0532 0130 00"
FORM = {"how": "rate", "rate": "30,00", "rhythm": "monthly", "first_on": "2026-03-15"}


def words(answer) -> str:
    """The text of a page without its tags."""
    plain = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", html.unescape(plain).replace("\xa0", " "))


def hidden(answer, action: str) -> dict[str, str]:
    """The hidden fields of the form with an action, as a browser would post them."""
    page = answer.content.decode()
    form = re.search(rf'<form method="post" action="[^"]*{re.escape(action)}">(.*?)</form>', page, re.DOTALL)
    assert form, page
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form.group(1))
    return {name: html.unescape(value) for name, value in fields if name != "csrfmiddlewaretoken"}


def offer(visitor, **changes):
    return visitor.post("plan/", FORM | changes)


def agree(visitor, **more):
    return visitor.post("plan/agree/", hidden(offer(visitor), "plan/agree/") | more)


@pytest.fixture
def collects(visitor):
    Creditor.objects.filter(id=visitor.creditor.id).update(creditor_identifier="DE98ZZZ09999999999")
    return visitor


def test_from_the_link_to_an_agreed_plan_in_three_screens(visitor) -> None:
    assert 'plan/"><b>In Raten zahlen' in visitor.text()
    form = visitor.get("plan/")
    assert "100,00 € sind offen" in words(form)
    assert "Mindestens 20,00 €" in words(form)
    shown = offer(visitor)
    assert shown.status_code == 200
    for text in ("15. März 2026", "15. April 2026", "15. Mai 2026", "15. Juni 2026", "10,00 €"):
        assert text in words(shown)
    assert "Diese Vereinbarung kostet Sie: nichts." in words(shown)
    assert "Sie zahlen insgesamt 100,00 €" in words(shown)
    answer = agree(visitor)
    assert (answer.status_code, answer["location"]) == (303, "../../plan/")
    page = words(visitor.get("plan/"))
    assert "Die nächste Rate von 30,00 € ist am 15. März 2026 fällig." in page
    assert "Bisher bezahlt: 0,00 €. Noch zu zahlen: 100,00 €." in page
    assert "Die nächste Rate von 30,00 € ist am 15. März 2026 fällig." in words(visitor.get())
    assert visitor.holds() == ["plan"]


def test_the_form_begins_with_something_that_works(visitor) -> None:
    values = dict(re.findall(r'name="(rate|count|first_on)"[^>]*? value="([^"]*)"', visitor.text("plan/")))
    assert values == {"rate": "20,00", "count": "5", "first_on": "2026-04-01"}
    assert offer(visitor, **values).status_code == 200


def test_in_english_amounts_are_written_as_english_has_them(visitor) -> None:
    shown = visitor.post("plan/?lang=en", FORM | {"rate": "30.00"})
    assert "You pay in total €100.00" in words(shown)
    assert "This agreement costs you: nothing." in words(shown)


@pytest.mark.parametrize("language", ["de", "en", "fr", "es", "pl", "tr", "ar"])
def test_every_language_has_every_screen(visitor, language) -> None:
    assert visitor.get(f"plan/?lang={language}").status_code == 200
    shown = visitor.post("plan/", FORM | {"how": "count", "count": "4"})
    assert shown.status_code == 200
    assert visitor.post("plan/agree/", hidden(shown, "plan/agree/")).status_code == 303
    assert visitor.get("plan/").status_code == 200
    assert visitor.get("").status_code == 200


@pytest.mark.parametrize(
    ("changes", "why", "nearest"),
    [
        ({"rate": "5,00"}, "Die Raten wären zu klein.", "20,00 €, jeden Monat, ab 15. März 2026"),
        ({"first_on": "2026-05-01"}, "zu spät fällig", "30,00 €, jeden Monat, ab 3. April 2026"),
        ({"first_on": "2026-03-03"}, "frühestens morgen", "30,00 €, jeden Monat, ab 4. März 2026"),
        ({"how": "count", "count": "600"}, "zu klein", "5 Raten, jeden Monat, ab 15. März 2026"),
        (
            {"rhythm": "salary_day", "pay_day": "31", "rate": "1,00"},
            "zu klein",
            "20,00 €, monatlich am 31., ab 15. März 2026",
        ),
    ],
)
def test_a_refusal_says_why_offers_the_nearest_and_names_a_person(visitor, changes, why, nearest) -> None:
    answer = offer(visitor, **changes)
    page = words(answer)
    assert why in page
    assert nearest in page
    assert "Sie können verlangen, dass ein Mensch es prüft: rechnung@lindenhof.example" in page
    assert "Sie zahlen insgesamt 100,00 €" in words(visitor.post("plan/", hidden(answer, "plan/")))


def test_a_large_amount_is_a_matter_for_a_person(visitor) -> None:
    PlanPolicy.objects.create(creditor_id=visitor.creditor.id, max_amount=9999)
    page = words(offer(visitor))
    assert "entscheidet ein Mensch" in page
    assert "ein Mensch es prüft" in page
    assert "Das ginge sofort" not in page


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rate": ""}, "Geben Sie einen Betrag ein"),
        ({"rate": "viel"}, "Geben Sie einen Betrag ein"),
        ({"rate": "9" * 20}, "Geben Sie einen Betrag ein"),
        ({"how": "count", "count": "0"}, "Geben Sie eine Zahl ein"),
        ({"how": "count", "count": "x"}, "Geben Sie eine Zahl ein"),
        ({"rhythm": "salary_day", "pay_day": "32"}, "Geben Sie einen Tag des Monats ein"),
        ({"first_on": "bald"}, "Geben Sie ein Datum ein"),
        ({"first_on": ""}, "Wählen Sie einen Tag."),
        ({"how": ""}, "Wählen Sie, wie Sie zahlen möchten."),
        ({"rhythm": "hourly"}, "Wählen Sie, wie oft."),
    ],
)
def test_what_cannot_be_read_is_said_at_its_field(visitor, changes, message) -> None:
    answer = offer(visitor, **changes)
    assert answer.status_code == 422
    assert message in words(answer)


def test_the_same_agreement_twice_is_one_plan(visitor) -> None:
    fields = hidden(offer(visitor), "plan/agree/")
    assert [visitor.post("plan/agree/", fields).status_code for _ in range(2)] == [303, 303]
    assert Plan.objects.count() == 1


def test_an_amount_that_changed_is_shown_again_before_anything_is_agreed(visitor) -> None:
    fields = hidden(offer(visitor), "plan/agree/")
    book_payment(visitor.case.id, 1000, value_date=TODAY, key="p1", method="transfer")
    answer = visitor.post("plan/agree/", fields)
    assert answer.status_code == 409
    assert "ging der Plan über 100,00 €" in words(answer)
    assert "Sie zahlen insgesamt 90,00 €" in words(answer)
    assert not Plan.objects.exists()
    assert visitor.post("plan/agree/", hidden(answer, "plan/agree/")).status_code == 303
    assert Plan.objects.get().total == 9000


@pytest.mark.parametrize(
    "forged",
    [
        {"rate": "100"},
        {"rate": "", "count": "500"},
        {"rate": "", "count": ""},
        {"first_on": "2027-01-01"},
        {"first_on": "0000"},
        {"rhythm": "never"},
        {"rhythm": "salary_day", "pay_day": "99"},
        {"form": "x"},
        {"form": "a" * 10_000},
        {"rate": "9" * 10_000},
    ],
)
def test_a_forged_form_agrees_nothing(visitor, forged) -> None:
    fields = hidden(offer(visitor), "plan/agree/") | forged
    assert visitor.post("plan/agree/", fields).status_code in (303, 409)
    assert not Plan.objects.exists()
    assert visitor.holds() == []


def test_the_acknowledgement_stands_apart_unticked_and_is_not_needed(visitor) -> None:
    page = offer(visitor).content.decode()
    assert "Verjährung beginnt neu" in page
    assert re.search(r'<input type="checkbox" name="acknowledge" value="yes" id="acknowledge">', page)
    button, box = page.index("plan/agree/"), page.index('name="acknowledge"')
    assert page.index('<button class="button">', button) < box, "agreeing comes before and without it"
    agree(visitor)
    assert not LimitationFact.objects.exists()
    assert not Plan.objects.get().acknowledged


def test_with_the_tick_the_acknowledgement_is_kept(visitor) -> None:
    agree(visitor, acknowledge="yes")
    fact = LimitationFact.objects.get()
    assert (fact.kind, fact.from_day, fact.claim_id) == (
        "acknowledged",
        TODAY,
        Claim.objects.get(case=visitor.case).id,
    )


def test_the_rates_may_be_collected_by_mandate(collects) -> None:
    page = words(offer(collects))
    assert f"Mandatsreferenz M-{collects.case.customer_id}-1" in page
    assert "DE98ZZZ09999999999" in page
    assert "Lindenhof Versand GmbH" in page
    answer = agree(collects, debit="yes", holder="Erika Beispiel", iban=IBAN.lower())
    assert answer.status_code == 303
    mandate = Mandate.objects.get()
    assert (mandate.iban, mandate.bic, mandate.holder) == (
        "DE89370400440532013000",
        "COBADEFFXXX",
        "Erika Beispiel",
    )
    assert mandate.consent == "sepa-core-1:de"
    debit = DirectDebit.objects.get()
    assert (debit.amount, debit.collect_on, debit.state) == (3000, date(2026, 3, 17), "announced")
    shown = words(collects.get("plan/"))
    assert "Wir buchen von DE•• •••• 3000 ab." in shown
    assert "3704" not in shown
    assert "Nächste Rate zahlen" not in shown
    assert Event.objects.filter(type="mandate.signed").count() == 1


@pytest.mark.parametrize(
    ("holder", "iban", "message"),
    [
        ("", IBAN, "Geben Sie den Namen der Kontoinhaberin"),
        ("x" * 71, IBAN, "mit höchstens 70 Zeichen"),
        ("Erika", "", "Geben Sie die IBAN ein."),
        ("Erika", "DE89 3704 0044 0532 0130 0", "Eine IBAN dieses Landes hat 22 Zeichen."),
        ("Erika", "DE88 3704 0044 0532 0130 00", "Diese IBAN kann nicht stimmen."),
        ("Erika", "TR33 0006 1005 1978 6457 8413 26", "nur von Konten im SEPA-Raum"),
        ("Erika", "XX89 3704 0044 0532 0130 00", "nur von Konten im SEPA-Raum"),
        ("Erika", "١٢٣", "Diese IBAN kann nicht stimmen."),
        ("Erika", "9" * 10_000, "Diese IBAN kann nicht stimmen."),
        ("n" * 10_000, IBAN, "mit höchstens 70 Zeichen"),
    ],
)
def test_a_wrong_account_is_said_in_a_sentence_that_helps_and_nothing_is_agreed(
    collects, holder, iban, message
) -> None:
    answer = agree(collects, debit="yes", holder=holder, iban=iban)
    assert answer.status_code == 422
    assert message in words(answer)
    assert len(answer.content) < 40_000
    assert not Plan.objects.exists()
    assert not Mandate.objects.exists()


def test_an_account_without_the_tick_is_asked_about_instead_of_forgotten(collects) -> None:
    answer = agree(collects, holder="Erika Beispiel", iban=IBAN)
    assert answer.status_code == 422
    assert "Setzen Sie das Häkchen" in words(answer)
    assert f'value="{IBAN}"' in answer.content.decode()
    assert 'id="debit" aria-invalid' in answer.content.decode()
    assert not Plan.objects.exists()


def test_after_a_wrong_iban_everything_else_is_still_there(collects) -> None:
    answer = agree(collects, debit="yes", holder="Erika <b>", iban="DE00", acknowledge="yes")
    page = answer.content.decode()
    assert 'value="Erika &lt;b&gt;"' in page
    assert 'id="debit" checked' in page
    assert 'id="acknowledge" checked' in page
    fixed = hidden(answer, "plan/agree/") | {"debit": "yes", "holder": "Erika", "iban": IBAN}
    assert collects.post("plan/agree/", fixed).status_code == 303


def test_a_creditor_that_cannot_collect_asks_for_no_account(visitor) -> None:
    assert "IBAN" not in offer(visitor).content.decode()
    assert agree(visitor, debit="yes", holder="Erika", iban=IBAN).status_code == 303
    assert not Plan.objects.exists()


def test_the_next_rate_is_paid_online_and_too_much_counts_for_the_one_after(visitor) -> None:
    agree(visitor)
    page = visitor.get("plan/")
    fields = hidden(page, "pay/")
    assert (fields["part"], fields["amount"]) == ("3000", "10000")
    assert visitor.post("pay/", fields).status_code == 303
    visitor.psp.pay(PaymentIntent.objects.get().provider_reference)
    visitor.psp.deliver()
    assert visitor.owed() == 7000
    assert "Bisher bezahlt: 30,00 €. Noch zu zahlen: 70,00 €." in words(visitor.get("plan/"))
    book_payment(visitor.case.id, 4000, value_date=TODAY, key="p", method="transfer")
    assert "Die nächste Rate von 20,00 € ist am 15. Mai 2026 fällig." in words(visitor.get())


def test_paid_off_early_the_page_says_all_paid(visitor) -> None:
    agree(visitor)
    assert visitor.pay().status_code == 303
    visitor.psp.pay(PaymentIntent.objects.get().provider_reference)
    visitor.psp.deliver()
    assert "Alles bezahlt" in words(visitor.get())
    assert Plan.objects.get().state == "completed"
    assert visitor.get("plan/").status_code == 303


def test_a_missed_rate_is_a_friendly_notice_with_one_click_to_spread_anew(visitor, clock) -> None:
    agree(visitor)
    clock.advance(timedelta(days=15))
    check_plans()
    page = visitor.get("plan/")
    assert "30,00 € sind noch nicht angekommen. Zahlen Sie bis 25. März 2026" in words(page)
    assert visitor.post("plan/anew/", hidden(page, "plan/anew/")).status_code == 303
    after = words(visitor.get("plan/"))
    assert "Die nächste Rate von 30,00 € ist am 15. April 2026 fällig." in after
    assert "Sie haben diesen Plan schon geändert." in after
    assert visitor.post("plan/anew/", hidden(page, "plan/anew/")).status_code == 303
    assert Plan.objects.count() == 2


def test_after_a_broken_plan_the_page_is_as_before_it(visitor, clock) -> None:
    agree(visitor)
    for days in (15, 8):
        clock.advance(timedelta(days=days))
        check_plans()
    assert visitor.holds() == []
    page = words(visitor.get())
    assert "Sie zahlen in Raten" not in page
    assert "In Raten zahlen" in page


def test_pause_and_change_once(visitor) -> None:
    agree(visitor)
    assert visitor.post("plan/pause/").status_code == 303
    page = words(visitor.get("plan/"))
    assert "Bis 14. April 2026 ist nichts fällig." in page
    assert "Einen Monat pausieren" not in page
    assert "100,00 € sind offen" in words(visitor.get("plan/?change"))
    shown = offer(visitor, rate="50,00")
    assert visitor.post("plan/agree/", hidden(shown, "plan/agree/")).status_code == 303
    assert "Plan ändern (einmal)" not in words(visitor.get("plan/"))
    assert offer(visitor, rate="25,00").status_code == 303, "changed once"


def test_the_paper_has_every_rate_the_cost_and_the_way_to_pay(collects) -> None:
    assert collects.get("plan.pdf").status_code == 303
    agree(collects, debit="yes", holder="Erika Beispiel", iban=IBAN)
    answer = collects.get("plan.pdf")
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == 'attachment; filename="plan.pdf"'
    document = pypdf.PdfReader(io.BytesIO(answer.content))
    text = re.sub(r"\s+", " ", " ".join(page.extract_text() for page in document.pages)).replace("\xa0", " ")
    for part in (
        "Ratenplan",
        "Lindenhof Versand GmbH",
        "Vereinbart am 3. März 2026",
        "15. Juni 2026",
        "10,00 €",
        "Kosten des Plans",
        "Diese Vereinbarung kostet Sie: nichts.",
        f"M-{collects.case.customer_id}-1",
        "DE98ZZZ09999999999",
    ):
        assert part in text
    assert "0532013000" not in text.replace(" ", "")
    assert document.trailer["/Root"]["/Lang"] == "de"


def test_the_messages_of_a_plan(collects, clock) -> None:
    agree(collects, debit="yes", holder="Erika Beispiel", iban=IBAN)
    deliver()
    deliver()
    assert sorted(Message.objects.values_list("stage", flat=True)) == ["debit_announced", "plan_agreed"]
    agreed = Message.objects.get(stage="plan_agreed").data
    assert agreed["rates"][0] == ["2026-03-15", 3000]
    assert (agreed["plan_total"], agreed["plan_cost"]) == (10000, 0)
    debit = DirectDebit.objects.get()
    assert Message.objects.get(stage="debit_announced").data == {
        "rate": 3000,
        "until": "2026-03-17",
        "mandate": f"M-{collects.case.customer_id}-1",
        "identifier": "DE98ZZZ09999999999",
        "account": "DE•• •••• 3000",
    }
    clock.advance(timedelta(days=14))
    collecting.submitted(debit.id)
    collecting.returned(debit.id, date(2026, 3, 17))
    clock.advance(timedelta(days=1))
    check_plans()
    clock.advance(timedelta(days=3))
    check_plans()
    book_payment(collects.case.id, 10000, value_date=date(2026, 3, 21), key="p", method="psp")
    deliver()
    assert sorted(Message.objects.values_list("stage", flat=True)) == [
        "debit_announced",
        "plan_agreed",
        "plan_completed",
        "plan_rate_missed",
    ]


def test_a_name_of_ten_kilobytes_of_script_stays_a_name(visitor) -> None:
    Customer.objects.update(name='<script>alert("x")</script>' + "\u202e" + "n" * 170)
    for page in (visitor.get("plan/"), offer(visitor)):
        assert b"<script>alert" not in page.content
    agree(visitor)
    assert b"<script>alert" not in visitor.get("plan/").content
    assert visitor.get("plan.pdf").status_code == 200


def test_a_disputed_case_has_no_plan_form_to_post(visitor) -> None:
    visitor.post("problem/", {"kind": "amount", "text": "zu viel"})
    assert "In Raten zahlen" not in words(visitor.get())
    assert offer(visitor).status_code == 303
    assert not Plan.objects.exists()


def test_where_plans_are_off_there_is_no_way_to_them(visitor) -> None:
    PlanPolicy.objects.create(creditor_id=visitor.creditor.id, offered=False)
    assert "plan/" not in visitor.text()
    assert visitor.get("plan/").status_code == 303
    assert visitor.post("plan/", FORM).status_code == 303


def test_a_hold_by_hand_without_a_plan_is_a_pause(visitor) -> None:
    place_hold(visitor.case.id, "plan", by="agent:1")
    page = words(visitor.get())
    assert "Wir schicken im Moment keine" in page
    assert "Sie zahlen in Raten" not in page


def test_no_page_needs_script_or_breaks_the_policy(visitor) -> None:
    pages = [visitor.get("plan/"), offer(visitor)]
    agree(visitor)
    pages.append(visitor.get("plan/"))
    for page in pages:
        text = page.content.decode()
        assert "<script" not in text
        assert " style=" not in text
        assert "unsafe" not in page["Content-Security-Policy"]
        assert page["Cache-Control"] == "no-store"
        assert len(page.content) < 20_000
        ids = re.findall(r' id="([^"]+)"', text)
        assert len(ids) == len(set(ids))
        for target in re.findall(r'(?:for|aria-describedby|aria-labelledby)="([^"]+)"', text):
            assert set(target.split()) <= set(ids), target


@pytest.mark.parametrize("path", ["plan/", "plan/agree/", "plan/pause/", "plan/anew/", "plan.pdf"])
def test_a_guessed_token_opens_nothing(client, db, path) -> None:
    assert client.get(f"/p/{'x' * 32}/{path}").status_code == 404
    assert client.post(f"/p/{'x' * 32}/{path}").status_code in (404, 405)
