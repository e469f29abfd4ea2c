"""The plain values that texts are filled with."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal

from kulanz.contact.login.actions import digits
from kulanz.documents.layout import text_language
from kulanz.kernel.money import Money
from kulanz.outreach.reading import CaseView, Owed
from kulanz.tenancy.models import Creditor

SHOWN = 10
"""Claims listed in a message; the page shows all."""
PAY_BY = timedelta(days=7)

_PLAN_MONEY = ("rate", "plan_cost", "plan_total")
_WHAT = {
    "de": {"invoice": "Rechnung", "loan": "Darlehen", "instalment": "Rate"},
    "en": {"invoice": "Invoice", "loan": "Loan", "instalment": "Instalment"},
}


def values(
    creditor: Creditor, case: CaseView, url: str, at: datetime, *, offer: str, data: Mapping[str, Any]
) -> dict[str, Any]:
    """Everything a text may use, formatted for the customer's language.

    The claims demanded are those due at `at`, or the next ones to fall due. `data` of a service message may hold
    `paid` (minor units), `until` (ISO date) and `code` (id of a login code), and what `_of_plan` and `_of_offer` read.
    """
    words = Words(case.language, creditor.country, case.currency)
    today = at.astimezone(ZoneInfo(creditor.timezone)).date()
    demanded = demanded_claims(case, today)
    listed = sum(claim.amount for claim in demanded)
    amount = max(0, min(case.open_amount, listed - case.credit))
    lines = [words.line(claim) for claim in demanded[:SHOWN]]
    due = demanded[0].due_date if demanded else today
    return {
        "customer": {"name": case.customer_name},
        "creditor": {"name": creditor.name, "legal_name": creditor.legal_name},
        "amount": words.money(amount),
        "credit": words.money(listed - amount) if listed > amount else "",
        "claims": lines,
        "claim": lines[0] if lines else {"what": "", "number": "", "amount": "", "due": ""},
        "count": len(demanded),
        "more": max(0, len(demanded) - SHOWN),
        "due": words.day(due),
        "days": (today - due).days,
        "pay_by": words.day(today + PAY_BY),
        "rest": words.money(case.open_amount),
        "settled": case.open_amount == 0,
        "offer": offer,
        "pay": url,
        "later": f"{url}later/",
        "preferences": f"{url}preferences/",
        "messages": f"{url}messages/",
        "answer": list(data.get("answer", ())),
        "code": digits(data["code"]) if "code" in data else "",
        "paid": words.money(int(data["paid"])) if "paid" in data else "",
        "until": words.day(date.fromisoformat(data["until"])) if "until" in data else "",
        **_of_plan(words, url, data),
        **_of_offer(words, data),
    }


def demanded_claims(case: CaseView, today: date) -> list[Owed]:
    """What is due and not time-barred; where nothing is, or credits cover it, also what falls due next."""
    due = [claim for claim in case.owed if claim.due_date <= today and not claim.barred]
    if sum(claim.amount for claim in due) > case.credit:
        return due
    coming = [claim for claim in case.owed if claim.due_date > today]
    first = min((claim.due_date for claim in coming), default=today)
    return due + [claim for claim in coming if claim.due_date == first]


class Words:
    """Amounts, days and rates as the customer's language writes them."""

    def __init__(self, language: str, country: str, currency: str) -> None:
        self.language = text_language(language)
        self.country = country
        self.currency = currency

    def money(self, minor: int) -> str:
        return Money(minor, self.currency).format(self.language)

    def day(self, day: date) -> str:
        return _day(day, self.language, self.country)

    def percent(self, rate: Decimal) -> str:
        """A rate in percent a year, such as 6,27 %."""
        return f"{format_decimal(rate.normalize(), '#,##0.######', locale=self.language)} %"

    def line(self, claim: Owed) -> dict[str, str]:
        words = _WHAT[self.language]
        return {
            "what": words.get(claim.kind, words["invoice"]),
            "number": claim.number,
            "amount": self.money(claim.amount),
            "due": self.day(claim.due_date),
        }


@lru_cache(maxsize=4_000)
def _day(day: date, language: str, country: str) -> str:
    """The date in words; English as in the creditor's country: 3 March 2026, in the United States March 3, 2026."""
    locale = Locale("en", "US" if country == "US" else "GB") if language == "en" else Locale(language)
    return format_date(day, "long", locale)


def _of_plan(words: Words, url: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """What the messages about instalment plans say; amounts in `data` are minor units, days ISO dates."""
    money = {name: words.money(int(data[name])) if data.get(name) else "" for name in _PLAN_MONEY}
    rates = [
        {"day": words.day(date.fromisoformat(day)), "amount": words.money(int(amount))}
        for day, amount in data.get("rates", ())
    ]
    texts = {name: str(data.get(name, "")) for name in ("mandate", "identifier", "account")}
    more = int(data.get("rates_more", 0))
    return {"plan": f"{url}plan/", "rates": rates, "rates_more": more, **money, **texts}


def _of_offer(words: Words, data: Mapping[str, Any]) -> dict[str, str]:
    """The terms of an offer; amounts in `data` are minor units, days ISO dates."""
    money = {
        name: words.money(int(data[name])) if name in data else "" for name in ("offer_full", "offer_pay")
    }
    days = ("offer_day", "offer_until")
    return money | {name: words.day(date.fromisoformat(data[name])) if name in data else "" for name in days}
