"""The texts that come with Kulanz: one file per language, stage and tone, and the service texts."""

from collections.abc import Iterable
from functools import lru_cache
from importlib import resources

from kulanz.documents.layout import LANGUAGES, text_language
from kulanz.documents.texts import Text, parse
from kulanz.kernel.errors import InputError

SERVICE = (
    "receipt",
    "promise_noted",
    "dispute_received",
    "opt_out_confirmed",
    "payment_failed",
    "plan_agreed",
    "plan_rate_missed",
    "plan_completed",
    "debit_announced",
    "answer",
    "login_code",
    "new_link",
)

NAMES = frozenset(
    [
        "account", "amount", "answer", "claim.amount", "claim.due", "claim.number", "claim.what", "claims", "code",
        "count", "creditor.legal_name", "creditor.name", "credit", "customer.name", "days", "due", "identifier",
        "later", "mandate", "messages", "more", "offer", "offer_day", "offer_full",
        "offer_pay", "offer_until", "paid", "pay", "pay_by", "plan", "plan_cost", "plan_total", "preferences",
        "rate", "rates", "rates_more", "rest", "settled", "until",
    ]
)  # fmt: skip
"""Every value that a text may use; `values.py` says what each holds."""


@lru_cache
def find(name: str, tone: str, language: str) -> Text:
    """The text of a stage in a tone, or the service text `name`; another language than de and en gets English.

    Raises InputError where there is none or where it uses an unknown value.
    """
    folder = resources.files("kulanz.outreach") / "texts" / text_language(language)
    file = f"{name}.liquid" if name in SERVICE else f"{name}.{tone}.liquid"
    path = folder / file
    if "/" in file or "\\" in file or not path.is_file():
        raise InputError(f"There is no text for stage {name!r} in tone {tone!r} ({text_language(language)}).")
    text = parse(path.read_text("utf-8"), f"{text_language(language)}/{file}")
    if unknown := text.names - NAMES:
        raise InputError(f"The text {text.name} uses unknown values: {', '.join(sorted(unknown))}.")
    return text


def require(stages: Iterable[tuple[str, Iterable[str]]]) -> None:
    """Check before a journey is installed that each (stage, tones) has its text in every language.

    Raises InputError that lists all that are missing or wrong.
    """
    wrong = []
    for stage, tones in stages:
        for tone in tones:
            for language in LANGUAGES:
                try:
                    find(stage, tone, language)
                except InputError as error:
                    wrong.append(str(error))
    if wrong:
        raise InputError("The journey cannot be used, texts are missing:\n" + "\n".join(wrong))
