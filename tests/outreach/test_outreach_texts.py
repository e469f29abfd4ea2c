"""The texts themselves: complete, truthful, kind, in both languages."""

import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from kulanz.kernel.errors import InputError
from kulanz.outreach import texts
from kulanz.outreach.reading import CaseView, Owed
from kulanz.outreach.values import values
from kulanz.tenancy.models import Creditor

STAGES = ("pre_due", "due_day", "reminder_1", "reminder_2", "dunning_1", "dunning_2", "final_notice")
TONES = ("friendly", "factual", "firm")
FILES = sorted(Path(texts.__file__).with_name("texts").glob("*/*.liquid"))
CREDITOR = Creditor(
    name="Lindenhof Versand", legal_name="Lindenhof Versand GmbH", country="DE", timezone="Europe/Berlin"
)
URL = "https://pay.example/p/abc/"
AT = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)


def view(*owed: Owed, credit: int = 0, language: str = "de", currency: str = "EUR") -> CaseView:
    return CaseView("Erika Beispiel", language, currency, owed, credit, version=1)


INVOICE = Owed("R-1", "invoice", date(2026, 2, 20), 10000)


def written(
    stage: str, tone: str, case: CaseView, *, offer: str = "none", data: Any = None
) -> tuple[str, str]:
    filled = values(CREDITOR, case, URL, AT, offer=offer, data=data or {})
    rendered = texts.find(stage, tone, case.language).render(filled)
    return rendered.subject.replace("\xa0", " "), rendered.text().replace("\xa0", " ")


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_stage_has_every_tone_and_every_service_text_exists(language: str) -> None:
    for stage in STAGES:
        for tone in TONES:
            texts.find(stage, tone, language)
    for name in texts.SERVICE:
        texts.find(name, "friendly", language)
    assert len(FILES) == 2 * (len(STAGES) * len(TONES) + len(texts.SERVICE))


def test_the_journeys_that_come_with_kulanz_have_all_their_texts() -> None:
    journeys = list((Path(texts.__file__).parents[1] / "strategy" / "journeys").glob("*.toml"))
    assert {journey.stem for journey in journeys} >= {"standard", "vexcash"}
    for journey in journeys:
        stages = tomllib.loads(journey.read_text())["stages"]
        texts.require([(stage["name"], stage["tones"]) for stage in stages if "tones" in stage])


def test_a_journey_with_a_stage_without_text_is_refused_before_it_is_installed() -> None:
    texts.require([("reminder_1", ["friendly"])])
    with pytest.raises(InputError, match=r"stage 'reminder_9' in tone 'friendly' \(de\)") as refused:
        texts.require([("reminder_9", ["friendly"]), ("reminder_1", ["angry"])])
    assert "'angry' (en)" in str(refused.value), "all that is missing is named at once"


@pytest.mark.parametrize("name", ["../de/receipt", "reminder_1.friendly.liquid/..", ""])
def test_a_stage_name_cannot_leave_the_folder(name: str) -> None:
    with pytest.raises(InputError):
        texts.find(name, "friendly", "de")


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_no_text_threatens_or_calls_names(file: Path) -> None:
    source = file.read_text().lower()
    for word in (
        "schuldner",
        "debtor",
        "schufa",
        "gericht",
        "court",
        "pfänd",
        "anwalt",
        "lawyer",
        "sofort!",
        "!!",
    ):
        assert word not in source
    buttons = 0 if file.stem == "login_code" else 1
    assert source.count("| button:") == buttons, "one clear button; a mail with a code leads nowhere"
    assert source.startswith("subject: ")


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("tone", TONES)
@pytest.mark.parametrize("stage", STAGES)
def test_amount_and_due_date_are_named_and_there_is_one_button(stage: str, tone: str, language: str) -> None:
    due = date(2026, 3, 6) if stage == "pre_due" else date(2026, 2, 20)
    subject, body = written(stage, tone, view(Owed("R-1", "invoice", due, 10000), language=language))
    amount = "100,00 €" if language == "de" else "€100.00"
    day = due.strftime("%-d. ") if language == "de" else due.strftime("%-d ")
    month = {
        (2, "de"): "Februar 2026",
        (3, "de"): "März 2026",
        (2, "en"): "February 2026",
        (3, "en"): "March 2026",
    }
    assert amount in body
    assert day + month[due.month, language] in body
    assert body.count(f"\n{URL}\n") == 1
    assert "{" not in subject + body
    assert "\n\n\n" not in body
    assert len(subject) <= 90
    assert f"{URL}later/" not in body, "no offer, no sentence about it"


TERMS = {
    "offer_full": 10_000,
    "offer_pay": 8_500,
    "offer_day": "2026-03-18",
    "offer_until": "2026-03-17",
}


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("tone", TONES)
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(
    ("offer", "link", "said"),
    [
        ("later", "later/", [("18. März 2026", "18 March 2026")]),
        ("plan", "plan/", [("85,00 €", "€85.00"), ("18. März 2026", "18 March 2026")]),
        (
            "discount",
            "",
            [("85,00 €", "€85.00"), ("100,00 €", "€100.00"), ("17. März 2026", "17 March 2026")],
        ),
    ],
)
def test_an_offer_is_told_with_its_terms_and_one_link_and_leaves_the_subject(
    stage: str, tone: str, language: str, offer: str, link: str, said: list[tuple[str, str]]
) -> None:
    case = view(INVOICE, language=language)
    subject, plain = written(stage, tone, case)
    offered, body = written(stage, tone, case, offer=offer, data=TERMS)
    assert offered == subject
    assert body.count(f"({URL}{link})") == 1
    for german, english in said:
        assert (german if language == "de" else english) in body
    assert "\n\n\n" not in body
    assert set(plain.splitlines()) <= set(body.splitlines()), "the rest stays as it is"


@pytest.mark.parametrize(
    ("stage", "german", "english"),
    [
        ("dunning_1", "1. Mahnung", "First dunning notice"),
        ("dunning_2", "2. Mahnung", "Second dunning notice"),
        ("final_notice", "Letzte Mahnung", "Final notice"),
    ],
)
@pytest.mark.parametrize("tone", TONES)
def test_dunning_levels_are_named_plainly_and_cost_nothing(
    stage: str, german: str, english: str, tone: str
) -> None:
    subject, body = written(stage, tone, view(INVOICE))
    assert german in subject
    assert "Für diese Mahnung berechnen wir Ihnen keine Kosten." in body
    assert "10. März 2026" in body, "seven days to pay"
    subject, body = written(stage, tone, view(INVOICE, language="en"))
    assert english in subject
    assert "We charge you nothing for this notice." in body


@pytest.mark.parametrize("tone", TONES)
def test_reminders_are_not_called_dunning(tone: str) -> None:
    for stage in STAGES[:4]:
        assert "Mahnung" not in "".join(written(stage, tone, view(INVOICE)))


@pytest.mark.parametrize("tone", TONES)
def test_on_the_due_day_today_is_said_and_afterwards_the_date(tone: str) -> None:
    today, _ = written("due_day", tone, view(Owed("R-1", "invoice", date(2026, 3, 3), 10000)))
    assert "eute" in today
    later, body = written("due_day", tone, view(Owed("R-1", "invoice", date(2026, 3, 2), 10000)))
    assert "eute" not in later + body
    assert "2. März 2026" in body


def test_only_what_is_due_is_demanded() -> None:
    case = view(INVOICE, Owed("R-2", "invoice", date(2026, 4, 1), 5000))
    _, body = written("reminder_1", "factual", case)
    assert "100,00 €" in body
    assert "R-2" not in body


def test_before_anything_is_due_the_next_claims_are_named() -> None:
    early = date(2026, 3, 10)
    case = view(
        Owed("R-1", "invoice", early, 1000),
        Owed("R-2", "invoice", early, 2000),
        Owed("R-3", "invoice", date(2026, 5, 1), 1),
    )
    subject, body = written("pre_due", "friendly", case)
    assert subject == "Bald fällig: 30,00 € am 10. März 2026"
    assert "R-3" not in body


def test_credits_are_taken_off_and_shown() -> None:
    _, body = written("reminder_1", "factual", view(INVOICE, credit=2500))
    assert "75,00 €" in body
    assert "- Guthaben und Gutschriften: −25,00 €" in body


def test_a_long_list_is_cut_short() -> None:
    case = view(*[Owed(f"R-{n}", "invoice", date(2026, 2, 20), 100) for n in range(25)])
    _, body = written("reminder_1", "factual", case)
    assert body.count("\n- Rechnung") == 10
    assert "- und 15 weitere" in body


def test_claims_are_called_what_they_are() -> None:
    _, body = written("reminder_1", "factual", view(Owed("D-1", "loan", date(2026, 2, 20), 100)))
    assert "- Darlehen D-1: 1,00 €, fällig am 20. Februar 2026" in body


def test_a_receipt_says_what_came_and_what_is_left() -> None:
    _, body = written("receipt", "friendly", view(), data={"paid": 10000})
    assert "Zahlung über 100,00 €" in body
    assert "Damit ist alles bezahlt." in body
    _, body = written("receipt", "friendly", view(INVOICE), data={"paid": 2500})
    assert "Offen sind jetzt noch 100,00 €." in body


def test_a_promise_is_confirmed_with_its_day() -> None:
    subject, body = written("promise_noted", "friendly", view(INVOICE), data={"until": "2026-03-20"})
    assert subject == "Notiert: Sie zahlen bis zum 20. März 2026"
    assert "Bis dahin erinnern wir Sie nicht." in body


def test_dates_follow_the_creditors_country_in_english() -> None:
    american = Creditor(name="Acme", legal_name="Acme Inc.", country="US", timezone="America/New_York")
    case = view(INVOICE, language="en", currency="USD")
    filled = values(american, case, URL, AT, offer="none", data={})
    assert (filled["due"], filled["amount"]) == ("February 20, 2026", "$100.00")
