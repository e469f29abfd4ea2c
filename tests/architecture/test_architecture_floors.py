"""What import contracts cannot see: foreign keys, string references and SQL point down the house, never up."""

import re
from pathlib import Path

import pytest
from django.apps import apps

import kulanz

pytestmark = pytest.mark.anydatabase
FLOOR = {
    "tenancy": 2,
    "events": 3,
    "documents": 3,
    "claims": 4,
    "contact": 5,
    "payments": 5,
    "intake": 6,
    "outreach": 6,
    "strategy": 7,
    "portal": 8,
    "desk": 8,
    "insights": 8,
    "demo": 9,
}
SOURCE = Path(kulanz.__file__).parent
TABLES = {
    model._meta.db_table: model._meta.app_label
    for model in apps.get_models(include_auto_created=True)
    if model._meta.app_label in FLOOR
}


def may_name(room: str, other: str) -> bool:
    return room == other or FLOOR[other] < FLOOR[room]


def test_foreign_keys_point_down() -> None:
    upwards = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if model._meta.app_label in FLOOR
        for field in model._meta.get_fields()
        if field.concrete and field.is_relation and field.related_model._meta.app_label in FLOOR
        if not may_name(model._meta.app_label, field.related_model._meta.app_label)
    ]
    assert upwards == []


@pytest.mark.parametrize("room", sorted(FLOOR))
def test_statements_name_tables_of_the_same_room_or_below(room: str) -> None:
    wrong = [
        f"{path.relative_to(SOURCE)}: {table}"
        for path in sorted((SOURCE / room).rglob("*.py"))
        for table in set(re.findall(r"\b[a-z]+_[a-z]+\b", path.read_text("utf-8"))) & TABLES.keys()
        if not may_name(room, TABLES[table])
    ]
    assert wrong == []


def test_lower_rooms_know_no_tables_at_all() -> None:
    named = [
        f"{path.relative_to(SOURCE)}: {table}"
        for room in ("kernel", "law", "engine")
        for path in sorted((SOURCE / room).rglob("*.py"))
        for table in set(re.findall(r"\b[a-z]+_[a-z]+\b", path.read_text("utf-8"))) & TABLES.keys()
    ]
    assert named == []


def test_every_room_with_tables_has_a_floor() -> None:
    rooms = {path.parent.name for path in SOURCE.glob("*/apps.py")}
    assert rooms == FLOOR.keys()
