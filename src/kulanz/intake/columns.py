"""The columns of a table that a mapping names, as single-spaced text."""

from collections.abc import Mapping as Dictionary
from dataclasses import dataclass

from kulanz.intake.mapping import REQUIRED, Mapping
from kulanz.intake.reading import Table, duplicate_names
from kulanz.kernel.errors import InputError


@dataclass(frozen=True, slots=True)
class Texts:
    """`values[field]` has one text per row; `columns[field]` names its column; `rows` are lines of the file."""

    rows: tuple[int, ...]
    values: dict[str, list[str]]
    columns: dict[str, str]

    def get(self, field: str) -> list[str]:
        """The values of a field; empty ones where no column is mapped to it."""
        return self.values[field] if field in self.values else [""] * len(self.rows)


def invoice_columns(table: Table, mapping: Mapping) -> Texts:
    """The fields of invoices. Raises InputError naming the columns that the mapping or the file lacks."""
    needed = REQUIRED if mapping.synthetic_customers else (*REQUIRED, "name")
    unmapped = [field for field in needed if field not in mapping.columns]
    if unmapped:
        hint = (
            " Without names, synthetic_customers = true makes some up for a trial."
            if "name" in unmapped
            else ""
        )
        raise InputError(
            f"The mapping has no column for {', '.join(unmapped)}. The file has {_listed(table.header)}.{hint}"
        )
    return chosen_columns(table, mapping.columns)


def chosen_columns(table: Table, wanted: Dictionary[str, tuple[str, ...]]) -> Texts:
    """The columns of each field in `wanted`, several joined by a space."""
    places = {name: place for place, name in enumerate(table.header)}
    twice = duplicate_names(table.header)
    for field, names in wanted.items():
        for name in names:
            if name not in places:
                raise InputError(
                    f"The mapping takes {field} from the column {name!r}, which the file does not have. "
                    f"It has {_listed(table.header)}."
                )
            if name in twice:
                positions = " and ".join(map(str, twice[name]))
                raise InputError(
                    f"The column name {name!r} ({field}) stands at positions {positions}; rename one of them."
                )
    cells = list(zip(*table.cells, strict=True)) or [()] * len(table.header)
    values = {field: _joined([cells[places[name]] for name in names]) for field, names in wanted.items()}
    return Texts(table.lines, values, {field: " + ".join(names) for field, names in wanted.items()})


def _joined(columns: list[tuple[str, ...]]) -> list[str]:
    if len(columns) == 1:
        return [" ".join(value.split()) for value in columns[0]]
    return [" ".join(" ".join(values).split()) for values in zip(*columns, strict=True)]


def _listed(header: tuple[str, ...]) -> str:
    return (
        "the columns " + ", ".join(map(repr, header))
        if len(header) > 1
        else f"only one column, {header[0]!r}"
    )
