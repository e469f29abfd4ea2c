"""Rows of the legal bases of postings."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Basis:
    """Why an amount is on an account: the rule, and one sentence for the customer in each language."""

    code: str
    paragraph: str
    text_de: str
    text_en: str
    source: str
    verified: bool
    kind: str
    valid_from: date

    def text(self, language: str) -> str:
        return self.text_de if language.lower().startswith("de") else self.text_en
