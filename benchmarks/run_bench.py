"""How fast a run decides 100,000 cases, from reading to committed decisions and outbox rows, and in how much memory.

Each size has its own SQLite database and its own process, so that its peak memory is its own. Two runs are measured:
the first over fresh cases with a policy that knows nothing, the second eight days later, when every case has a decision
and most a delivered message, with a policy that has learned. Prints tables and writes build/bench/run.json.
"""

# ruff: noqa: PLC0415 - the project is imported by the children alone, which have a database

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

SIZES = (25_000, 50_000, 100_000)
LEAST_PER_SECOND = 20_000
MOST_GROWTH = 1.15
"""From the second largest size to the largest; the database's page cache (64 MB) is full by then."""
FIRST = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
SECOND = FIRST + timedelta(days=8)
TO_MEGABYTES = 1024
OUT = Path("build/bench/run.json")


def main() -> None:
    options = _options()
    if options.child == "generate":
        generate(options.cases)
    elif options.child == "run":
        print(json.dumps(measure()))
    else:
        report([bench(size) for size in options.sizes or SIZES])


def bench(size: int) -> dict[str, Any]:
    """Generate `size` cases and run twice, each in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="kulanz-bench-") as folder:
        _child(folder, "generate", size)
        return {"cases": size, **json.loads(_child(folder, "run", size))}


def generate(cases: int) -> None:
    """`cases` customers with an e-mail address and one or two invoices each, 5-11 or 14-20 days past due."""
    import numpy as np
    from django.core.management import call_command
    from django.db import transaction

    from kulanz.claims.models import Customer
    from kulanz.claims.opening import NewClaims, open_claims
    from kulanz.contact.actions import add_points
    from kulanz.kernel import clock
    from kulanz.tenancy.actions import NewCreditor, add_creditor
    from kulanz.tenancy.scope import scope

    call_command("migrate", verbosity=0)
    draw = np.random.Generator(np.random.Philox(1))
    new = NewCreditor(slug="bench", name="Bench", sender_email="bench@example.com", holdout_share=0.1)
    with clock.virtual(FIRST), scope(add_creditor(new).id), transaction.atomic():
        invoices = np.repeat(np.arange(cases), draw.integers(1, 3, cases))
        n = len(invoices)
        late = draw.choice([*range(5, 12), *range(14, 21)], n)
        due = [date.fromordinal(FIRST.date().toordinal() - int(days)) for days in late]
        numbers = [f"C{customer}" for customer in invoices.tolist()]
        opened = open_claims(
            NewClaims(
                numbers=[f"R{at}" for at in range(n)],
                customer_numbers=numbers,
                amounts=(draw.lognormal(8.5, 0.8, n) + 300).astype(int).tolist(),
                currencies=["EUR"] * n,
                contract_dates=[day - timedelta(days=14) for day in due],
                due_dates=due,
                jurisdictions=["DE"] * n,
                products=["goods"] * n,
                customer_names=numbers,
                customer_kinds=["person"] * n,
                languages=["de"] * n,
                countries=["DE"] * n,
                postal_codes=draw.choice(["10115", "20095", "50667", "80331", "99084"], n).tolist(),
                synthetic=True,
            )
        )
        ids = list(opened.new_customers.values())
        add_points(ids, "email", [f"c{each}@customers.example" for each in ids], source="synthetic")
        assert Customer.objects.count() == cases


def measure() -> dict[str, Any]:
    """The two runs over the database in the environment; a dry run of one case loads law and calendars before."""
    from kulanz.kernel import clock
    from kulanz.strategy import journeys, learning, rewards, runs
    from kulanz.tenancy.models import Creditor
    from kulanz.tenancy.scope import scope

    creditor = Creditor.objects.get()
    with scope(creditor.id), clock.virtual(FIRST) as time:
        journeys.install(creditor, "standard")
        learning.learn()
        runs.run(seed=0, limit=1, dry_run=True)
        first = _timed_run(1)
        _deliver()
        time.advance_to(SECOND)
        credited = _seconds(rewards.credit)
        learned = _seconds(learning.learn)
        second = _timed_run(2)
    return {"first": first, "second": second, "credit_seconds": credited, "learn_seconds": learned}


def report(results: list[dict[str, Any]]) -> None:
    """Print the tables, keep them as JSON, and end with an error where a bound does not hold."""
    for name, title in (("first", "fresh cases"), ("second", "eight days later, with history")):
        print(f"\nRun over {title}")
        print(
            f"{'cases':>9} {'decided':>9} {'messages':>9} {'seconds':>8} {'cases/s':>9}"
            f" {'per CPU s':>9} {'peak MB':>8}"
        )
        for result in results:
            run = result[name]
            print(
                f"{result['cases']:>9,} {run['decided']:>9,} {run['messages']:>9,} {run['seconds']:>8.2f}"
                f" {run['per_second']:>9,.0f} {run['per_cpu_second']:>9,.0f} {run['peak_megabytes']:>8.0f}"
            )
        shares = results[-1][name]["steps"]
        print("time per step: " + ", ".join(f"{step} {share:.0%}" for step, share in shares.items()))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({"results": results, "bounds": _bounds(results)}, indent=1) + "\n")
    print(f"\nwritten to {OUT}")
    if missed := [name for name, holds in _bounds(results).items() if not holds]:
        sys.exit(f"missed: {', '.join(missed)}")


def _bounds(results: list[dict[str, Any]]) -> dict[str, bool]:
    fastest, peaks = results[-1], [result["first"]["peak_megabytes"] for result in results[-2:]]
    return {
        f"at least {LEAST_PER_SECOND:,} cases/s": all(
            fastest[name]["per_second"] >= LEAST_PER_SECOND for name in ("first", "second")
        ),
        "memory flat in the number of cases": peaks[-1] <= MOST_GROWTH * peaks[0],
    }


def _timed_run(seed: int) -> dict[str, Any]:
    from kulanz.strategy import runs

    begun, worked = perf_counter(), process_time()
    result = runs.run(seed=seed)
    seconds, worked = perf_counter() - begun, process_time() - worked
    return {
        "decided": result.cases,
        "messages": result.messages,
        "seconds": seconds,
        "per_second": result.cases / seconds,
        "per_cpu_second": result.cases / worked,
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / TO_MEGABYTES,
        "steps": {step: spent / seconds for step, spent in result.seconds.items()},
    }


def _deliver() -> None:
    """Every queued message went out at its time."""
    from django.db.models import F

    from kulanz.outreach.models import Message
    from kulanz.payments.offers.models import Offer

    Message.objects.update(state="sent", sent_at=F("not_before"))
    Offer.objects.update(told_at=F("made_at"))


def _seconds(work: Any) -> float:
    begun = perf_counter()
    work()
    return perf_counter() - begun


def _child(folder: str, task: str, cases: int) -> str:
    environment = {
        **os.environ,
        "KULANZ_DATABASE_URL": f"sqlite:///{folder}/bench.db",
        "KULANZ_DATA_DIR": folder,
        "DJANGO_SETTINGS_MODULE": "kulanz.config.settings",
    }
    command = [sys.executable, __file__, "--child", task, "--cases", str(cases)]
    return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", help="numbers of cases, ascending")
    parser.add_argument("--child", choices=("generate", "run"), help=argparse.SUPPRESS)
    parser.add_argument("--cases", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    if "--child" in sys.argv:
        import django

        django.setup()
    main()
