"""Rows of duties to inform: what a message or page must say, to whom and on which occasion."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal


class Occasion(StrEnum):
    """What a message or page is about to do."""

    FIRST_DEMAND = "first_demand"
    ELECTRONIC = "electronic"
    PLAN = "plan"
    ACKNOWLEDGEMENT = "acknowledgement"
    TRACED_ADDRESS = "traced_address"
    CHAT = "chat"
    REFUSAL = "refusal"


@dataclass(frozen=True, slots=True)
class Duty:
    """A sentence owed on an occasion. `{name}` in the texts stands for a value that the writer must supply.

    `shows`: values that must be seen wherever the message's own layout puts them; then there is no sentence.
    """

    valid_from: date
    code: str
    occasion: Occasion
    role: Literal["any", "creditor", "collector"]
    party: Literal["any", "consumer", "business"]
    text_de: str
    text_en: str
    source: str
    verified: bool
    shows: tuple[str, ...] = ()

    def text(self, language: str) -> str:
        """German for `de...`, English for every other language."""
        return self.text_de if language.lower().startswith("de") else self.text_en
