"""Nothing that is kept about a customer may be missing from the copy that they can ask for."""

import ast
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import Model

import kulanz
from kulanz.claims.models import Case, Customer
from kulanz.claims.personal.registry import tables
from kulanz.events.models import Event
from kulanz.payments.plans.actions import Plan

SOURCES = Path(kulanz.__file__).parent
OF_NOBODY = {
    "demo.ReceivedMail": "the mailbox of the simulation: nobody real stands in it",
    "events.Cursor": "how far a subscriber has read",
    "events.Event": "told by the tables that its subjects are in",
    "intake.ImportedFile": "a file's name, digest and counts; its rows became claims",
    "outreach.Layout": "the look of mails, the same for everybody",
    "payments.OfferPolicy": "the creditor's terms",
    "payments.PlanPolicy": "the creditor's terms",
    "payments.WebhookCall": "a provider's event id and what became of it; what it changed stands in the payments",
    "strategy.Journey": "the creditor's ladder",
    "strategy.PolicyVersion": "sums over many customers, of which no one can be taken out by sight",
    "strategy.Run": "counts",
    "tenancy.Brand": "the creditor's",
    "tenancy.Creditor": "the creditor's",
    "tenancy.LawRow": "law",
    "tenancy.Membership": "staff",
}
EVENTS_OF_NOBODY = {
    "journals.sealed", "events.sealed", "run.finished", "terms.changed",
    *(f"{name}.{verb}" for name in ("creditor", "brand", "membership") for verb in ("added", "changed", "removed")),
}  # fmt: skip
EVENT = re.compile(r"[a-z_]+\.[a-z_]+")


def ours() -> list[type[Model]]:
    return [each for each in apps.get_models() if each.__module__.startswith("kulanz.")]


def leads_to_a_customer(model: type[Model], seen: frozenset[type[Model]] = frozenset()) -> bool:
    if model in (Customer, Case):
        return True
    forward = {f.related_model for f in model._meta.concrete_fields if f.is_relation} - seen - {model}
    return any(leads_to_a_customer(each, seen | {model}) for each in forward if isinstance(each, type))


def recorded_types() -> set[str]:
    """Every event type that stands in a call which records one, and those that are put together."""
    found = {f"plan.{state}" for state in Plan.State.values}
    found |= {
        f"offer.{state}"
        for state in ("made", "shown", "accepted", "used", "expired", "withdrawn", "reopened")
    }
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            named = isinstance(node, ast.Call) and getattr(node.func, "id", "") in {
                "record", "record_many", "_post", "_event", "subscribe",
            }  # fmt: skip
            if named:
                texts = (n.value for n in ast.walk(node) if isinstance(n, ast.Constant))
                found |= {text for text in texts if isinstance(text, str) and EVENT.fullmatch(text)}
    return found - {"kulanz.events"}


def test_every_table_that_leads_to_a_customer_is_in_the_copy():
    told = {table.label for table in tables()}
    missing = {each._meta.label for each in ours() if leads_to_a_customer(each)} - told
    assert not missing, "say in the room's kept.py what these tables keep"


def test_every_other_table_says_why_it_is_not():
    told = {table.label for table in tables()} | set(OF_NOBODY)
    assert {each._meta.label for each in ours()} == told


@pytest.mark.parametrize("table", tables(), ids=lambda table: table.label)
def test_what_is_left_out_exists_and_has_a_reason(table):
    columns = {field.attname for field in table.model._meta.concrete_fields}
    assert set(table.without) <= columns
    assert all(len(why) > 20 for why in table.without.values())
    if not table.further:
        assert {column.name for column in table.paper} <= columns - set(table.without)


def test_every_event_belongs_to_a_table_or_to_nobody():
    told = {name for table in tables() for name in table.events}
    recorded = recorded_types()
    assert len(recorded) > 50
    undecided = {
        name for name in recorded if not name.startswith(("outreach.", "payments.", "claims.", "strategy."))
    }
    assert undecided - told - EVENTS_OF_NOBODY == set()


def test_events_name_no_type_twice():
    names = [name for table in tables() for name in table.events]
    assert len(names) == len(set(names))
    assert Event._meta.label not in {table.label for table in tables()}
