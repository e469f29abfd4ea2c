"""Facts by hand and the rules of a German creditor."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kulanz.contact.facts import NO_HOLD, CaseFacts, CreditorRules, StageSet
from kulanz.engine import ActionSpace
from kulanz.law.packs import ContactLimits, load

MakeFacts = Callable[..., CaseFacts]


@pytest.fixture(scope="session")
def space() -> ActionSpace:
    return ActionSpace(
        channels=("email", "sms"), tones=("friendly", "factual", "firm"), offers=("none", "later")
    )


@pytest.fixture(scope="session")
def stage() -> StageSet:
    return StageSet("reminder_1", True, ("email", "sms"), ("friendly", "factual"), ("none",), 72, 100)


@pytest.fixture(scope="session")
def rules() -> CreditorRules:
    return CreditorRules(load("DE"), "Europe/Berlin", ContactLimits(), frozenset({"email", "sms"}))


@pytest.fixture(scope="session")
def make_facts() -> MakeFacts:
    """n cases of n customers in Berlin with 100.00 open, an e-mail address and a mobile number; changed by column."""

    def make(n: int = 1, **changes: Any) -> CaseFacts:
        columns: dict[str, Any] = {
            "case_id": np.arange(1, n + 1),
            "customer_id": np.arange(101, n + 101),
            "open_amount": np.full(n, 10_000),
            "minor": np.zeros(n, bool),
            "has_point": np.ones((n, 2), bool),
            "bounced": np.zeros((n, 2), bool),
            "opted_out": np.zeros((n, 2), bool),
            "no_consent": np.zeros((n, 2), bool),
            "hold": np.full(n, NO_HOLD, np.int8),
            "last_contact": np.zeros(n, np.int64),
            "contacts_7d": np.zeros(n, np.int16),
            "pending": np.zeros(n, bool),
            "region": np.array(["DE-BE"] * n, object),
            "returns_at": np.zeros(n, np.int64),
            "barred": np.zeros(n, bool),
            "last_talk": np.zeros(n, np.int64),
            "calls_7d": np.zeros(n, np.int16),
        }
        given = {name: np.array(value, columns[name].dtype) for name, value in changes.items()}
        return CaseFacts(**(columns | given))

    return make
