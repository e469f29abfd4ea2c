"""Which column of a file is which field: mapping files, the built-in ones, and the guess from the header."""

import json
import tomllib
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from kulanz.intake.dates import date_order
from kulanz.intake.reading import DELIMITERS
from kulanz.kernel.errors import InputError, NotFoundError

REQUIRED = ("number", "customer_number", "amount", "due_date")
FIELDS = (
    *REQUIRED, "contract_date", "name", "email", "currency", "postal_code", "country", "language", "kind",
    "customer_kind", "jurisdiction", "product",
)  # fmt: skip
"""Fields of an invoice; `name` too is required unless the mapping makes names up."""
DATES = ("due_date", "contract_date")
HISTORY = ("settled_on", "disputed")
_TEXTS = (
    "name", "currency", "jurisdiction", "kind", "customer_kind", "language", "country", "product", "date_format",
    "decimal_mark", "encoding", "delimiter",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mapping:
    """`columns` and `history`: field -> column names (several are joined by a space).

    The texts from `currency` to `product` stand in where a row has no value of its own; empty ones are taken from
    the options of the import. `date_format` and `decimal_mark` end the search for them.
    """

    columns: Dictionary[str, tuple[str, ...]]
    name: str = ""
    currency: str = ""
    jurisdiction: str = ""
    kind: str = ""
    customer_kind: str = ""
    language: str = ""
    country: str = ""
    product: str = ""
    date_format: str = ""
    decimal_mark: str = ""
    encoding: str = ""
    delimiter: str = ""
    synthetic_customers: bool = False
    header: tuple[str, ...] = ()
    history: Dictionary[str, tuple[str, ...]] = field(default_factory=dict)

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON: the settings that are not empty, and the columns."""
        data: dict[str, Any] = {name: getattr(self, name) for name in _TEXTS if getattr(self, name)}
        if self.synthetic_customers:
            data["synthetic_customers"] = True
        return data | {"columns": {name: _plain(columns) for name, columns in self.columns.items()}}


def load(path: Path) -> Mapping:
    """The mapping in a TOML file, or the built-in one of that name. Raises NotFoundError or InputError."""
    if not path.is_file():
        if str(path) in _built_in():
            return _built_in()[str(path)]
        raise NotFoundError(
            f"There is no mapping file {path}, and no built-in mapping of that name ({', '.join(_built_in())})."
        )
    try:
        return parse(path.read_text("utf-8-sig"))
    except UnicodeDecodeError:
        raise InputError(f"The mapping {path.name} is not UTF-8 text; save it as UTF-8.") from None
    except InputError as error:
        raise InputError(f"The mapping {path.name} cannot be used: {error}") from None


def parse(text: str) -> Mapping:
    """A mapping from TOML text. Raises InputError that names the key and what it should be."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"it is not valid TOML ({error}).") from None
    texts = {key: _text(key, data.pop(key)) for key in _TEXTS if key in data}
    columns = _columns(data.pop("columns", {}), FIELDS, "columns")
    history = _columns(data.pop("history", {}), HISTORY, "history")
    header = _names("header", data.pop("header", []))
    synthetic = data.pop("synthetic_customers", False)
    if data:
        raise InputError(f"it has the unknown key {next(iter(data))!r}; the keys are {', '.join(_TEXTS)}.")
    if not isinstance(synthetic, bool):
        raise InputError("synthetic_customers is true or false.")
    mapping = Mapping(columns, **texts, synthetic_customers=synthetic, header=header, history=history)
    _check(mapping)
    return mapping


def recognised(header: tuple[str, ...]) -> Mapping | None:
    """The built-in mapping of a file with exactly this header."""
    return next((m for m in _built_in().values() if m.header == header), None)


def dump(
    mapping: Mapping, header: tuple[str, ...], open_fields: Dictionary[str, tuple[str, ...]] | None = None
) -> str:
    """The mapping as TOML to edit; `open_fields` are still to be decided, with the columns that might fit."""
    open_fields = open_fields or {}
    lines = ["# Left the field, right the name of the column in your file; edit and pass with --map."]
    lines += [
        f"{name} = {json.dumps(getattr(mapping, name), ensure_ascii=False)}"
        for name in _TEXTS
        if getattr(mapping, name)
    ]
    lines += ["synthetic_customers = true"] if mapping.synthetic_customers else []
    lines += ["", "[columns]"]
    for name in FIELDS:
        if name in open_fields:
            choices = ", ".join(map(repr, open_fields[name])) or "no column of this file looks like it"
            lines.append(f"# {name}: please choose ({choices})")
        if name in mapping.columns:
            lines.append(f"{name} = {json.dumps(_plain(mapping.columns[name]), ensure_ascii=False)}")
        elif name in open_fields:
            lines.append(f'# {name} = ""')
    used = {column for columns in mapping.columns.values() for column in columns}
    unused = [column for column in header if column and column not in used]
    lines += ["", f"# Columns not imported: {', '.join(map(repr, unused))}"] if unused else []
    return "\n".join(lines) + "\n"


@lru_cache
def _built_in() -> dict[str, Mapping]:
    folder = files("kulanz.intake") / "mappings"
    mappings = [parse(f.read_text("utf-8")) for f in folder.iterdir() if f.name.endswith(".toml")]
    return {mapping.name: mapping for mapping in mappings}


def _plain(columns: tuple[str, ...]) -> str | list[str]:
    return columns[0] if len(columns) == 1 else list(columns)


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InputError(f"{key} must be text in quotation marks.")
    return value


def _names(key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise InputError(f"{key} must be a list of column names.")
    return tuple(value)


def _columns(raw: Any, known: tuple[str, ...], table: str) -> dict[str, tuple[str, ...]]:
    if not isinstance(raw, dict):
        raise InputError(f'[{table}] must be a table of field = "column".')
    found: dict[str, tuple[str, ...]] = {}
    for name, value in raw.items():
        if name not in known:
            raise InputError(f"[{table}] has the unknown field {name!r}; the fields are {', '.join(known)}.")
        names = value if isinstance(value, list) else [value]
        if not names or not all(isinstance(column, str) and column for column in names):
            raise InputError(f"[{table}] {name} must be the name of a column, or a list of names.")
        found[name] = tuple(" ".join(column.split()) for column in names)
    return found


def _check(mapping: Mapping) -> None:
    if mapping.date_format:
        date_order(mapping.date_format)
    if mapping.decimal_mark not in ("", ".", ","):
        raise InputError('decimal_mark is "." or ",".')
    if mapping.delimiter and mapping.delimiter not in DELIMITERS:
        raise InputError('delimiter is one of ";", ",", "\\t" and "|".')
    if mapping.synthetic_customers and mapping.columns.keys() & {"name", "email"}:
        raise InputError(
            "synthetic_customers makes up names and addresses; take out the columns name and email."
        )
