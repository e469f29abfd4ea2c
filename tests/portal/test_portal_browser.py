"""Customers in a real browser: paying, transferring, promising, disputing; at 360 px, on a desktop, without scripts."""

import re
from datetime import date

import pytest
from tests.portal.browsing import DESKTOP, PHONE, no_findings, shoot

from kulanz.claims.actions import book_payment
from kulanz.outreach.inbound.answering import answer
from kulanz.tenancy.models import Brand, Creditor
from kulanz.tenancy.scope import scope

pytestmark = pytest.mark.browser


def test_pays_online_on_a_phone_in_german(site):
    case_id, url = site.link("K1")
    page = site.page(PHONE)
    page.goto(url)
    no_findings(page)
    page.locator("details.item summary").click()
    assert page.get_by_text("Vereinbarter Betrag aus Ihrem Vertrag").is_visible()
    page.locator("details.item summary").click()
    shoot(page, "payment-360")
    page.get_by_role("button", name="129,90 € online bezahlen").click()
    page.get_by_role("button", name="Jetzt zahlen").click()
    page.get_by_role("heading", name="Vielen Dank! Ihre Zahlung ist angekommen.").wait_for()
    no_findings(page)
    shoot(page, "paid-360")
    assert site.owed(case_id) == 0
    page.get_by_role("link", name="Zurück zur Übersicht").click()
    page.get_by_role("heading", name="Alles bezahlt. Vielen Dank!").wait_for()
    no_findings(page)
    assert not [each for each in site.requests if each.startswith("error:")]
    assert all(re.match(r"http://127\.0\.0\.1:|data:,", each) for each in site.requests)


def test_is_declined_in_english_on_a_desktop_and_told_that_no_money_moved(site):
    case_id, url = site.link("K2", language="en", name="Alex Example")
    page = site.page(DESKTOP, locale="en-GB")
    page.goto(url)
    no_findings(page)
    page.locator("details.item summary").click()
    shoot(page, "payment-desktop")
    page.emulate_media(color_scheme="dark")
    shoot(page, "payment-desktop-dark")
    page.emulate_media(color_scheme="light")
    page.get_by_role("button", name="online").click()
    page.get_by_role("button", name="Let the payment be declined").click()
    page.get_by_role("heading", name="The payment did not work").wait_for()
    assert page.get_by_text("No money has moved.").is_visible()
    no_findings(page)
    assert site.owed(case_id) == 12990
    page.get_by_role("link", name="Try again").click()
    page.get_by_role("button", name="online").click()
    page.get_by_role("button", name="Cancel and go back").click()
    page.get_by_role("heading", name="You cancelled the payment").wait_for()


def test_transfers_with_the_code_and_copies_the_details(site):
    case_id, url = site.link("K3")
    page = site.page(PHONE)
    page.goto(url)
    page.get_by_role("link", name="Per Überweisung bezahlen").click()
    page.get_by_role("heading", name="Per Überweisung bezahlen").wait_for()
    page.wait_for_load_state("load")
    assert page.locator("figure.qr img").evaluate("image => image.complete && image.naturalWidth > 0")
    no_findings(page)
    page.get_by_role("button", name="Kopieren IBAN").click()
    page.get_by_role("button", name="Kopiert IBAN").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == "DE89370400440532013000"
    shoot(page, "transfer-360")
    page.get_by_role("link", name="Ich habe überwiesen").click()
    no_findings(page)
    page.get_by_role("button", name="Absenden").click()
    page.get_by_role("heading", name="Ihre Zahlung ist unterwegs").wait_for()
    no_findings(page)
    assert site.holds(case_id) == ["payment_pending"]


def test_chooses_a_day_without_scripts(site):
    case_id, url = site.link("K4", language="en")
    page = site.page(PHONE, scripts=False, locale="en-GB")
    page.goto(url)
    page.get_by_role("link", name="I can’t pay now").click()
    page.get_by_role("button", name="Choose this day").click()
    page.get_by_role("alert").get_by_text("Choose a day.").wait_for()
    page.get_by_label("10 March 2026").check()
    page.get_by_role("button", name="Choose this day").click()
    page.get_by_role("heading", name="Thank you for choosing a day").wait_for()
    shoot(page, "promised-360")
    assert site.holds(case_id) == ["promise"]


def test_disputes_and_switches_the_language(site):
    case_id, url = site.link("K5")
    page = site.page(DESKTOP)
    page.goto(url)
    page.get_by_text("Deutsch", exact=True).click()
    page.get_by_role("link", name="English").click()
    page.get_by_role("link", name="Something is wrong").click()
    no_findings(page)
    page.get_by_role("button", name="Send and stop everything").click()
    no_findings(page)
    page.get_by_role("link", name="Tell us in a few words what is wrong.").click()
    assert page.evaluate("document.activeElement.id") == "text"
    page.get_by_label("The amount is not right").check()
    page.get_by_label("What happened?").fill("I sent one of the two chairs back.")
    shoot(page, "problem-desktop")
    page.get_by_role("button", name="Send and stop everything").click()
    page.get_by_role("heading", name="We are looking into it").wait_for()
    no_findings(page)
    assert site.holds(case_id) == ["dispute"]


def test_writes_to_a_person_and_reads_the_answer(site):
    case_id, url = site.link("K30")
    page = site.page(PHONE)
    page.goto(url)
    page.get_by_role("link", name="Schreiben Sie uns").click()
    no_findings(page)
    page.get_by_role("button", name="Nachricht senden").click()
    no_findings(page)
    page.get_by_role("link", name="Bitte schreiben Sie Ihre Nachricht.").click()
    assert page.evaluate("document.activeElement.id") == "text"
    page.get_by_label("Schreiben Sie uns").fill(
        "Wofür ist die Rechnung?\nIch habe nur ein Paar Schuhe bestellt."
    )
    page.get_by_role("button", name="Nachricht senden").click()
    page.get_by_role("status").wait_for()
    no_findings(page)
    shoot(page, "messages-waiting-360")
    with scope(site.creditor_id):
        answer(case_id, "Für das eine Paar.\n\nViel Freude damit!", author="agnes", by="agent:1")
    page.reload()
    page.get_by_text("Für das eine Paar.").wait_for()
    no_findings(page)
    shoot(page, "messages-360")
    page.emulate_media(color_scheme="dark")
    shoot(page, "messages-360-dark")
    page.emulate_media(color_scheme="light")
    page.get_by_role("link", name="Zurück").click()
    page.get_by_role("heading", name="Wir haben Ihnen geantwortet").wait_for()
    no_findings(page)
    shoot(page, "answered-360")
    assert site.holds(case_id) == ["question"]


def test_writes_in_arabic_without_scripts_and_is_told_who_listens(site):
    case_id, url = site.link("K31", language="ar")
    page = site.page(PHONE, scripts=False)
    page.goto(f"{url}messages/")
    page.get_by_label("اكتب إلينا").fill("أنا في المستشفى وفقدت عملي.")
    page.get_by_role("button", name="إرسال الرسالة").click()
    page.get_by_text("أنا في المستشفى").wait_for()
    shoot(page, "messages-cared-ar-360")
    assert sorted(site.holds(case_id)) == ["question", "vulnerable"]


def test_every_other_page_has_no_findings_in_either_theme(site):
    _, url = site.link("K6")
    page = site.page(PHONE)
    for path in ("later/", "part/", "preferences/", "unsubscribe/"):
        page.goto(url + path)
        no_findings(page)
    page.goto(url + "later/")
    page.get_by_label("An einem anderen Tag").check()
    page.get_by_role("button", name="Diesen Tag wählen").click()
    no_findings(page)
    shoot(page, "later-360")
    page.goto(url + "preferences/")
    page.get_by_role("button", name="Speichern").click()
    page.get_by_role("status").wait_for()
    page.get_by_role("button", name="Ich widerspreche").click()
    page.get_by_role("button", name="Widerspruch zurücknehmen").wait_for()
    no_findings(page)
    shoot(page, "objected-360")
    page.goto(url.replace("/p/", "/p/x"))
    no_findings(page)
    with scope(site.creditor_id):
        Brand.objects.update(colour_primary="#ffe14d", colour_on_primary="#ffffff")
    page.goto(url)
    no_findings(page)
    shoot(page, "payment-360-yellow")


def test_pays_a_part_without_scripts(site):
    case_id, url = site.link("K10", language="en")
    page = site.page(PHONE, scripts=False, locale="en-GB")
    page.goto(url)
    page.get_by_role("link", name="Pay a part").click()
    page.get_by_label("Another amount").check()
    page.get_by_label("How much?").fill("29.90")
    shoot(page, "part-360")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Pay €29.90 online").click()
    page.get_by_role("button", name="Pay now").click()
    page.get_by_role("heading", name="Thank you! Your payment has arrived.").wait_for()
    assert page.get_by_text("Still open: €100.00.").is_visible()
    assert site.owed(case_id) == 10000


def test_the_statement_of_account_on_a_phone_and_on_paper(site):
    """Without scripts: the table scrolls by itself, the page does not; the paper is a PDF."""
    case_id, url = site.link("K8")
    with scope(site.creditor_id):
        book_payment(case_id, 2990, value_date=date(2026, 2, 25), key="p1", method="transfer")
    page = site.page(PHONE)
    page.goto(url)
    page.get_by_role("link", name="Kontoauszug ansehen").click()
    page.get_by_role("heading", name="Kontoauszug").wait_for()
    no_findings(page)
    assert page.get_by_role("row", name="Insgesamt offen").get_by_text("100,00").is_visible()
    shoot(page, "statement-360")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Als PDF herunterladen").click()
    assert waiting.value.suggested_filename == "statement.pdf"
    page.emulate_media(media="print")
    shoot(page, "statement-print")


@pytest.mark.parametrize(
    ("language", "name", "open_since"),
    [
        ("fr", "Français", "À payer depuis le"),
        ("es", "Español", "Venció el"),
        ("pl", "Polski", "Termin minął"),
        ("tr", "Türkçe", "Son ödeme günü"),
        ("ar", "العربية", "كان مستحقًا"),
    ],
)
def test_speaks_the_customers_language(site, language, name, open_since):
    """Chosen on the page; Arabic from right to left. Every page but the details of law is in that language."""
    _, url = site.link("K9", name="Erika Beispiel")
    page = site.page(PHONE)
    page.goto(url)
    page.get_by_text("Deutsch", exact=True).click()
    page.get_by_role("link", name=name).click()
    page.get_by_text(open_since).wait_for()
    assert page.evaluate("document.documentElement.dir") == ("rtl" if language == "ar" else "ltr")
    no_findings(page)
    shoot(page, f"payment-360-{language}")
    for path in ("later/", "paid/", "problem/", "transfer/", "preferences/", "statement/"):
        page.goto(url + path)
        no_findings(page)
        assert page.evaluate("document.documentElement.lang") == language


def test_the_whole_page_is_reached_by_keyboard(site):
    _, url = site.link("K7")
    page = site.page(DESKTOP)
    page.goto(url)
    reached = []
    for _ in range(14):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.innerText || document.activeElement.tagName"))
    text = " | ".join(reached)
    for words in (
        "Zum Inhalt",
        "Deutsch",
        "online bezahlen",
        "Überweisung",
        "nicht zahlen",
        "schon bezahlt",
        "R-K7",
    ):
        assert words in text


def test_agrees_on_instalments_with_a_mandate_on_a_phone(site):
    Creditor.objects.filter(id=site.creditor_id).update(creditor_identifier="DE98ZZZ09999999999")
    case_id, url = site.link("K20")
    page = site.page(PHONE)
    page.goto(url)
    page.get_by_role("link", name="In Raten zahlen").click()
    no_findings(page)
    shoot(page, "plan-form-360")
    page.get_by_label("Betrag", exact=True).fill("5,00")
    page.get_by_role("button", name="Plan ansehen").click()
    page.get_by_text("Die Raten wären zu klein.").wait_for()
    no_findings(page)
    shoot(page, "plan-refused-360")
    page.get_by_role("button", name="Diesen Plan ansehen").click()
    page.get_by_role("heading", name="Ihr Plan").wait_for()
    assert not page.get_by_label("Ich erkenne die Forderung an").is_checked()
    no_findings(page)
    page.get_by_label("Ja, per SEPA-Lastschrift").check()
    page.get_by_label("IBAN").fill("DE89 3704 0044 0532 0130 01")
    shoot(page, "plan-offer-360")
    page.get_by_role("button", name="Zustimmen").click()
    page.get_by_role("link", name="Diese IBAN kann nicht stimmen.").wait_for()
    no_findings(page)
    page.get_by_label("IBAN").fill("DE89 3704 0044 0532 0130 00")
    page.get_by_role("button", name="Zustimmen").click()
    page.get_by_role("heading", name="Sie zahlen in Raten").wait_for()
    no_findings(page)
    shoot(page, "plan-360")
    assert site.holds(case_id) == ["plan"]
    page.get_by_role("link", name="Zurück").click()
    page.get_by_role("heading", name="Sie zahlen in Raten").wait_for()
    no_findings(page)
    shoot(page, "plan-first-360")


def test_agrees_on_instalments_without_scripts_in_arabic(site):
    case_id, url = site.link("K21", language="ar")
    page = site.page(PHONE, scripts=False)
    page.goto(f"{url}plan/")
    page.get_by_role("button", name="عرض الخطة").click()
    page.get_by_role("heading", name="خطتك").wait_for()
    assert page.locator("html").get_attribute("dir") == "rtl"
    shoot(page, "plan-offer-ar-360")
    page.locator("form[action$='plan/agree/'] button").click()
    page.get_by_role("heading", name="أنت تدفع بالتقسيط").wait_for()
    shoot(page, "plan-ar-360")
    assert site.holds(case_id) == ["plan"]


def test_takes_a_discount_that_was_made_for_them_on_a_phone(site):
    case_id, url = site.link("K1")
    site.offer(case_id, "discount")
    page = site.page(PHONE)
    page.goto(url)
    page.get_by_role("heading", name="Unser Angebot für Sie").wait_for()
    no_findings(page)
    shoot(page, "offer-discount-360")
    page.emulate_media(color_scheme="dark")
    shoot(page, "offer-discount-360-dark")
    page.emulate_media(color_scheme="light")
    page.get_by_role("link", name="Per Überweisung bezahlen").first.click()
    page.get_by_text("Es zählt der Tag").wait_for()
    no_findings(page)
    shoot(page, "offer-transfer-360")
    page.go_back()
    page.get_by_role("button", name="116,91 € online bezahlen").click()
    page.get_by_role("button", name="Jetzt zahlen").click()
    page.get_by_role("heading", name="Vielen Dank! Ihre Zahlung ist angekommen.").wait_for()
    assert "Nichts ist mehr offen" in page.content() or "nichts mehr offen" in page.content()
    assert site.owed(case_id) == 0


def test_takes_an_offered_plan_without_scripts_and_declines_another_day(site):
    case_id, url = site.link("K1")
    site.offer(case_id, "plan")
    site.offer(case_id, "later", 2)
    page = site.page(PHONE, scripts=False)
    page.goto(url)
    no_offer = page.get_by_role("button", name="Nein, danke")
    assert no_offer.count() == 2
    shoot(page, "offer-plan-later-360")
    no_offer.first.click()
    assert no_offer.count() == 1
    page.get_by_role("button", name="Diesen Plan ansehen").click()
    page.get_by_text("18. März 2026").first.wait_for()
    page.get_by_role("button", name=re.compile("in Raten")).click()
    page.get_by_role("heading", name="Ihr Plan").wait_for()
    assert site.holds(case_id) == ["plan"]


def test_offers_in_arabic_and_on_a_desktop(site):
    case_id, url = site.link("K1", language="ar", name="سلمى")
    for number, kind in enumerate(("plan", "later", "discount"), start=1):
        site.offer(case_id, kind, number)
    page = site.page(PHONE)
    page.goto(url)
    assert page.get_by_role("heading", name="أُعدّ لك").count() == 1
    no_findings(page)
    shoot(page, "offers-360-ar")
    wide = site.page(DESKTOP)
    wide.goto(url + "?lang=en")
    no_findings(wide)
    shoot(wide, "offers-desktop-en")
