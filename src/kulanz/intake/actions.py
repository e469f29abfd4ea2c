"""Importing a file of claims: all of it in one transaction, or nothing."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
from django.db import transaction

from kulanz.claims.opening import NewClaims, open_claims
from kulanz.contact.actions import add_points
from kulanz.intake.columns import invoice_columns
from kulanz.intake.guessing import Guess, guess
from kulanz.intake.mapping import Mapping
from kulanz.intake.models import ImportedFile
from kulanz.intake.problems import Problems
from kulanz.intake.queries import customers_without_email, opened_claims
from kulanz.intake.reading import Table, read_file
from kulanz.intake.report import Report
from kulanz.intake.rules import CONTENT, Defaults, check
from kulanz.kernel import clock
from kulanz.kernel.errors import InputError
from kulanz.tenancy.models import Creditor
from kulanz.tenancy.scope import creditor_id

BLOCK_ROWS = 50_000
"""Claims handed to the ledger at once."""

Progress = Callable[[str, float], None]
"""Called with the name of a step and the share of it that is done."""


@dataclass(frozen=True, slots=True)
class Options:
    """`mapping` None: the guess is used if it is certain. Empty texts: as the mapping or the creditor says."""

    mapping: Mapping | None = None
    currency: str = ""
    jurisdiction: str = ""
    skip_bad: bool = False
    dry_run: bool = False
    progress: Progress | None = None


class MappingNeededError(InputError):
    """The guess from the header is not certain; `guess` holds what is known."""

    def __init__(self, found: Guess) -> None:
        fields = ", ".join(found.open_fields)
        super().__init__(
            f"Which columns hold {fields} is not certain. Write the mapping to a file, correct it and pass it with "
            "--map."
        )
        self.guess = found


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """The claims of a file that may be stored (`frame`: see rules.Checked) and what is wrong with its other rows."""

    frame: pl.DataFrame
    mapping: Mapping
    problems: Problems


def check_file(path: Path, options: Options) -> CheckedFile:
    """Read and check a file for the creditor in scope without storing it; raises InputError as import_file does."""
    table = _read(path, options)
    mapping, problems = _mapping(table, options), Problems()
    problems.extend(table.problems)
    checked = check(invoice_columns(table, mapping), mapping, _defaults(options), problems)
    return CheckedFile(checked.frame, mapping, problems)


def import_file(path: Path, options: Options) -> Report:
    """Import a file for the creditor in scope. Raises InputError (nothing stored) for what concerns all of it."""
    return import_table(_read(path, options), options)


def import_table(table: Table, options: Options) -> Report:
    """Import a table that was read; rows with errors are left out with `skip_bad`, else they stop all of it."""
    mapping = _mapping(table, options)
    progress = options.progress or _silent
    problems = Problems()
    problems.extend(table.problems)
    progress("checking", 0.0)
    checked = check(invoice_columns(table, mapping), mapping, _defaults(options), problems)
    with transaction.atomic():
        frame, existing = _without_stored(checked.frame, problems)
        stop = bool(problems.total) and not options.skip_bad
        report = Report(
            rows=len(table.lines) + len(table.problems),
            imported=0 if stop else frame.height,
            existing=existing,
            rejected=len(problems.bad_rows),
            duplicates=checked.duplicates,
            errors=problems.in_order(),
            error_total=problems.total,
            warnings=checked.warnings.in_order(),
            warning_total=checked.warnings.total,
            mapping=mapping,
            encoding=table.encoding,
            delimiter=table.delimiter,
            stored=not stop and not options.dry_run,
        )
        if report.stored and report.imported:
            store(frame, mapping, progress)
            _remember(table, report)
    return report


def _read(path: Path, options: Options) -> Table:
    given = options.mapping
    return read_file(
        path, encoding=given.encoding if given else "", delimiter=given.delimiter if given else ""
    )


def _mapping(table: Table, options: Options) -> Mapping:
    mapping = options.mapping
    if mapping is None:
        found = guess(table.header)
        if not found.certain:
            raise MappingNeededError(found)
        mapping = found.mapping
    return replace(
        mapping,
        currency=options.currency or mapping.currency,
        jurisdiction=options.jurisdiction or mapping.jurisdiction,
    )


def _defaults(options: Options) -> Defaults:
    creditor = Creditor.objects.get(id=creditor_id())
    return Defaults(creditor.currency, creditor.jurisdiction, creditor.language)


def _without_stored(frame: pl.DataFrame, problems: Problems) -> tuple[pl.DataFrame, int]:
    """The rows whose number is new, and how many are stored with the same content; other content is an error."""
    stored = opened_claims()
    same = frame.join(stored, on=["number", *CONTENT], how="semi")
    fresh = frame.join(stored, on="number", how="anti")
    changed = frame.join(stored, on="number", how="semi").join(same, on="row", how="anti")
    for row, number in changed.select("row", "number").iter_rows():
        problems.add(
            row, "number", number,
            "this number is stored with another customer, due date, currency or amount; correct it with a credit note",
        )  # fmt: skip
    return fresh, same.height


def _silent(step: str, share: float) -> None:
    pass


def store(frame: pl.DataFrame, mapping: Mapping, progress: Progress = _silent) -> None:
    """Open the claims of a checked frame; their numbers must be new. Runs in the caller's transaction."""
    for start in range(0, frame.height, BLOCK_ROWS):
        progress("storing", start / frame.height)
        open_claims(_block(frame.slice(start, BLOCK_ROWS), mapping.synthetic_customers))
    without = customers_without_email()
    wanted = frame.filter(pl.col("email") != "").unique("customer_number", keep="first", maintain_order=True)
    points = [
        (without[n], email)
        for n, email in wanted.select("customer_number", "email").iter_rows()
        if n in without
    ]
    if points:
        add_points(
            customer_ids=[customer for customer, _ in points],
            channel="email",
            values=[email for _, email in points],
            source="synthetic" if mapping.synthetic_customers else "import",
        )
    progress("storing", 1.0)


def _block(frame: pl.DataFrame, synthetic: bool) -> NewClaims:
    def column(name: str) -> list[Any]:
        return frame[name].to_list()

    return NewClaims(
        numbers=column("number"),
        customer_numbers=column("customer_number"),
        amounts=column("amount"),
        currencies=column("currency"),
        contract_dates=column("contract_date"),
        due_dates=column("due_date"),
        jurisdictions=column("jurisdiction"),
        products=column("product"),
        customer_names=column("name"),
        customer_kinds=column("customer_kind"),
        languages=column("language"),
        countries=column("country"),
        postal_codes=column("postal_code"),
        synthetic=synthetic,
    )


def _remember(table: Table, report: Report) -> None:
    ImportedFile.objects.create(
        creditor_id=creditor_id(),
        digest=table.digest,
        filename=table.filename[:200],
        at=clock.now(),
        imported=report.imported,
        rejected=report.rejected,
        duplicates=report.duplicates,
    )
