"""Invoices per second from a CSV file to committed ledger and events, on a fresh SQLite database.

python benchmarks/intake_bench.py [--rows 100000] [--json]; writes build/bench/intake.json.
"""

import argparse
import csv
import json
import os
import platform
import resource
import tempfile
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

TARGET_PER_SECOND = 10_000
OUT = Path("build/bench/intake.json")


def write_invoices(path: Path, rows: int) -> None:
    """A German export: semicolons, decimal commas, thousands points, day first; three invoices per two customers."""
    draws = np.random.Generator(np.random.Philox(key=1))
    customers = draws.integers(0, max(rows * 2 // 3, 1), rows).tolist()
    cents = draws.integers(500, 250_000, rows).tolist()
    days = draws.integers(0, 700, rows).tolist()
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, delimiter=";")
        out.writerow(
            [
                "Rechnungsnummer",
                "Kundennummer",
                "Kundenname",
                "E-Mail",
                "PLZ",
                "Betrag",
                "Rechnungsdatum",
                "Fälligkeit",
            ]
        )
        for number, (customer, amount, day) in enumerate(zip(customers, cents, days, strict=True)):
            written = f"{amount // 100:,}".replace(",", ".") + f",{amount % 100:02d}"
            issued = date(2024, 1, 1) + timedelta(days=day)
            out.writerow(
                [
                    f"R-{number:07d}",
                    f"K-{customer:06d}",
                    f"Kundin {customer:06d}",
                    f"k{customer:06d}@customers.example",
                    f"{10000 + customer % 89999}",
                    written,
                    issued.strftime("%d.%m.%Y"),
                    (issued + timedelta(days=14)).strftime("%d.%m.%Y"),
                ]
            )


def measure(rows: int, folder: Path) -> dict[str, object]:
    """Generate, import and check; seconds per step."""
    os.environ["KULANZ_DATABASE_URL"] = f"sqlite:///{folder / 'bench.db'}"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kulanz.config.settings")
    import django  # noqa: PLC0415 - the database is chosen before Django is set up

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    from kulanz.claims.checks import check_ledger  # noqa: PLC0415
    from kulanz.events.models import Event  # noqa: PLC0415
    from kulanz.intake.actions import Options, import_table  # noqa: PLC0415
    from kulanz.intake.reading import read_file  # noqa: PLC0415
    from kulanz.tenancy.actions import NewCreditor, add_creditor  # noqa: PLC0415
    from kulanz.tenancy.scope import scope  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    creditor = add_creditor(NewCreditor("bench", "Bench", "bench@creditor.example"))
    path = folder / "invoices.csv"
    write_invoices(path, rows)
    marks: list[tuple[str, float]] = []
    with scope(creditor.id):
        cpu_from = process_time()
        marks.append(("reading", perf_counter()))
        table = read_file(path)
        report = import_table(table, Options(progress=lambda step, _: marks.append((step, perf_counter()))))
        marks.append(("end", perf_counter()))
        cpu_seconds = process_time() - cpu_from
        again_from = perf_counter()
        again = import_table(read_file(path), Options())
        again_seconds = perf_counter() - again_from
        ledger = check_ledger()
        events = Event.objects.count()
    steps: dict[str, float] = {}
    for (step, start), (_, end) in pairwise(marks):
        steps[step] = steps.get(step, 0.0) + end - start
    seconds = marks[-1][1] - marks[0][1]
    if (report.imported, again.imported, again.existing) != (rows, 0, rows) or events < rows:
        raise SystemExit(
            f"the import is wrong: {report.imported} imported, {again.existing} found again, {events} events"
        )
    return {
        "rows": rows,
        "file_bytes": path.stat().st_size,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "invoices_per_second": rows / seconds,
        "target_per_second": TARGET_PER_SECOND,
        "steps": {step: {"seconds": s, "invoices_per_second": rows / s} for step, s in steps.items()},
        "same_file_again_per_second": rows / again_seconds,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "ledger": {
            "journals": ledger.journals,
            "imbalances": ledger.imbalances,
            "differences": ledger.differences,
        },
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(arguments.rows, Path(folder))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    if arguments.json:
        print(json.dumps(result))
        return
    for step, figures in result["steps"].items():  # type: ignore[attr-defined]
        print(f"{step:<24}{figures['seconds']:>8.2f} s {figures['invoices_per_second']:>12,.0f} invoices/s")
    print(f"{'all':<24}{result['seconds']:>8.2f} s {result['invoices_per_second']:>12,.0f} invoices/s")
    print(f"{'same file again':<24}{'':>10} {result['same_file_again_per_second']:>12,.0f} invoices/s")
    print(f"{'processor time alone':<24}{result['cpu_seconds']:>8.2f} s")
    print(f"peak memory {result['peak_memory_mb']:,.0f} MB; written to {OUT}")


if __name__ == "__main__":
    main()
