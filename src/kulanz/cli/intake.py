"""`kulanz import`: a file of claims becomes customers, cases and ledger entries."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import Progress as Bar
from rich.table import Table as Grid

from kulanz.cli.output import console, errors, print_json
from kulanz.cli.scoped import for_creditor
from kulanz.intake.actions import MappingNeededError, Options, Progress, import_table
from kulanz.intake.guessing import Guess, guess
from kulanz.intake.mapping import REQUIRED, Mapping, dump, load
from kulanz.intake.problems import Problem
from kulanz.intake.reading import NAMES, Table, read_file
from kulanz.intake.report import Report

SHOWN_PROBLEMS = 20
PROGRESS_ROWS = 20_000
"""Files with more rows take over two seconds and show a progress bar."""
_NOTES = {"synthetic_customers": "names and addresses are made up"}


def import_(
    file: Annotated[Path, typer.Argument(help="CSV file with a header.")],
    creditor: Annotated[str, typer.Option(help="Short name of the creditor.")],
    mapping_file: Annotated[
        Path | None, typer.Option("--map", help="TOML file: which column is which field.")
    ] = None,
    currency: Annotated[str, typer.Option(help="ISO code for rows without a currency.")] = "",
    jurisdiction: Annotated[str, typer.Option(help="Law pack for rows without one, such as DE or US.")] = "",
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Import the good rows, list the others.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, store nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Import open invoices from a CSV file; the same file twice adds nothing."""
    with for_creditor(creditor):
        given = load(mapping_file) if mapping_file else None
        table = read_file(
            file, encoding=given.encoding if given else "", delimiter=given.delimiter if given else ""
        )
        mapping = given or _chosen(table, as_json)
        with _progress(table, as_json) as progress:
            report = import_table(
                table, Options(mapping, currency.upper(), jurisdiction.upper(), skip_bad, dry_run, progress)
            )
    if as_json:
        print_json(report.to_data() | {"dry_run": dry_run})
    else:
        _print_report(report, file, dry_run)
    if report.errors and not skip_bad:
        raise typer.Exit(2)


def _chosen(table: Table, as_json: bool) -> Mapping:
    """The guess, shown before it is used; asked about on a terminal, refused elsewhere when it is not certain."""
    found = guess(table.header)
    complete = found.mapping.synthetic_customers or all(
        f in found.mapping.columns for f in (*REQUIRED, "name")
    )
    asking = complete and not as_json and sys.stdin.isatty() and console.is_terminal
    if not as_json and (asking or found.certain):
        errors.print(_mapping_grid(found, table))
    if asking:
        if typer.confirm("Import with this mapping?", default=found.certain, err=True):
            return found.mapping
        _print_mapping(found, table, as_json)
        raise typer.Exit(1)
    if not found.certain:
        _print_mapping(found, table, as_json)
        raise MappingNeededError(found)
    return found.mapping


def _mapping_grid(found: Guess, table: Table) -> Grid:
    grid = Grid(
        "field", "column", "first value", "", title=f"Mapping ({found.mapping.name or 'from the header'})"
    )
    first = dict(zip(table.header, table.cells[0], strict=True)) if table.cells else {}
    for field, columns in found.mapping.columns.items():
        example = " ".join(first.get(column, "") for column in columns)
        note = "not sure" if field in found.open_fields else ""
        grid.add_row(field, escape(" + ".join(columns)), escape(example[:40]), note)
    if "contract_date" not in found.mapping.columns:
        grid.add_row("contract_date", "", "", "no column: the due date")
    for name, value in found.mapping.to_data().items():
        if name not in ("name", "columns"):
            grid.add_row(name, "", str(value), _NOTES.get(name, "for every row"))
    return grid


def _print_mapping(found: Guess, table: Table, as_json: bool) -> None:
    text = dump(found.mapping, table.header, found.open_fields)
    if as_json:
        open_fields = {field: list(columns) for field, columns in found.open_fields.items()}
        print_json(
            {
                "error": "mapping_needed",
                "open": open_fields,
                "mapping": found.mapping.to_data(),
                "mapping_toml": text,
            }
        )
    else:
        typer.echo(text, nl=False)


@contextmanager
def _progress(table: Table, as_json: bool) -> Iterator[Progress]:
    hidden = as_json or not errors.is_terminal or len(table.lines) < PROGRESS_ROWS
    with Bar(console=errors, transient=True, disable=hidden) as bar:
        task = bar.add_task("reading", total=1.0)

        def show(step: str, share: float) -> None:
            bar.update(task, description=step, completed=share)

        yield show


def _print_report(report: Report, file: Path, dry_run: bool) -> None:
    delimiter = NAMES.get(report.delimiter, report.delimiter)
    console.print(
        f"{escape(file.name)}: {report.rows:,} rows, {report.encoding}, {delimiter} between the fields."
    )
    _print_problems("Rows that cannot be imported", report.errors, report.error_total)
    _print_problems("Worth a look", report.warnings, report.warning_total)
    verb = "would be imported" if dry_run else "imported"
    console.print(
        f"{report.imported:,} {verb}, {report.existing:,} known already, {report.duplicates:,} repeated, "
        f"{report.rejected:,} with errors."
    )
    if report.errors and not report.stored and not dry_run and not report.imported:
        console.print("Nothing was stored. Correct the rows, or leave them out with --skip-bad.")


def _print_problems(title: str, problems: tuple[Problem, ...], total: int) -> None:
    if not problems:
        return
    grid = Grid("row", "field", "value", "what is wrong", title=title)
    for problem in problems[:SHOWN_PROBLEMS]:
        grid.add_row(str(problem.row), problem.field, escape(problem.value), escape(problem.message))
    console.print(grid)
    if total > SHOWN_PROBLEMS:
        console.print(f"... and {total - SHOWN_PROBLEMS:,} more (all of them with --json).")
