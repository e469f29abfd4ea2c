"""The mapping that a header suggests."""

from dataclasses import dataclass

from kulanz.intake.mapping import REQUIRED, Mapping, recognised
from kulanz.intake.words import column_names, squeezed

NAME_PARTS = ("first_name", "last_name")


@dataclass(frozen=True, slots=True)
class Guess:
    """`open_fields` are those it is not sure about, with the columns that might fit; certain means none is open."""

    mapping: Mapping
    open_fields: dict[str, tuple[str, ...]]

    @property
    def certain(self) -> bool:
        return not self.open_fields


def guess(header: tuple[str, ...]) -> Guess:
    """A built-in mapping made for this header, else one from synonyms.

    A field is certain when exactly one column bears one of its names; a column that only contains such a name is a
    suggestion. Optional fields without any column are left out.
    """
    built_in = recognised(header)
    if built_in is not None:
        return Guess(built_in, {})
    exact = {field: _exact(header, names) for field, names in column_names().items()}
    columns: dict[str, tuple[str, ...]] = {field: (found[0],) for field, found in exact.items() if found}
    open_fields = {field: tuple(found) for field, found in exact.items() if len(found) > 1}
    _join_name(columns, open_fields)
    taken = {column for names in columns.values() for column in names}
    for field in (*REQUIRED, "name"):
        if field not in columns:
            open_fields[field] = _similar(header, column_names()[field], taken)
            columns |= {field: open_fields[field][:1]} if open_fields[field] else {}
    return Guess(Mapping(columns), open_fields)


def _join_name(columns: dict[str, tuple[str, ...]], open_fields: dict[str, tuple[str, ...]]) -> None:
    """`Vorname` and `Nachname`, or `Vorname` and `Name`, together are the name."""
    first, last = (columns.pop(part, ()) for part in NAME_PARTS)
    parts_open = any(open_fields.pop(part, ()) for part in NAME_PARTS)
    if first and (last or "name" in columns):
        columns["name"] = first + (last or columns["name"])
        open_fields.pop("name", None)
    elif last and "name" not in columns:
        columns["name"] = last
    if parts_open:
        open_fields["name"] = columns["name"]


def _exact(header: tuple[str, ...], names: tuple[str, ...]) -> list[str]:
    rank = {name: place for place, name in enumerate(names)}
    found = [column for column in header if squeezed(column) in rank]
    return sorted(found, key=lambda column: rank[squeezed(column)])


def _similar(header: tuple[str, ...], names: tuple[str, ...], taken: set[str]) -> tuple[str, ...]:
    """Columns whose name contains one of the longer names of the field."""
    return tuple(
        column
        for column in header
        if column not in taken and any(len(name) > 3 and name in squeezed(column) for name in names)
    )
