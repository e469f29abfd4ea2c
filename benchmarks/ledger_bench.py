"""`make bench TOPIC=ledger`: journals per second, singly and in batches, and how long a replay takes.

Singly: eight client processes over a hundred creditors commit one journal each time, on PostgreSQL as it is set up
(fsync and synchronous_commit are printed); beside it all eight on one creditor, and one client on SQLite. Batches:
`post_block`. Replay: `check_ledger` over a ledger of --postings, extrapolated to ten million.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import psycopg

OUT = Path(__file__).parents[1] / "build" / "bench" / "ledger.json"
POSTGRES = os.environ.get("KULANZ_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
CLIENTS, TENANTS, CLAIMS, BATCH = 8, 100, 100, 10_000
DAY = date(2026, 3, 3)


def child(job: str, words: list[str], url: str) -> subprocess.Popen[str]:
    environment = os.environ | {
        "KULANZ_DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "kulanz.config.settings",
    }
    command = [sys.executable, __file__, "--job", job, *words]
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def answer(job: str, words: list[str], url: str) -> Any:
    out, _ = child(job, words, url).communicate()
    return json.loads(out)


def together(seconds: float, tenants: int, url: str, clients: int = CLIENTS) -> float:
    """Journals per second of `clients` processes, which begin together once all are connected."""
    words = [[str(seconds), str(number), str(tenants)] for number in range(clients)]
    running = [child("single", each, url) for each in words]
    for each in running:
        assert each.stdout
        assert each.stdout.readline() == "ready\n"
    for each in running:
        assert each.stdin
        each.stdin.write("go\n")
        each.stdin.flush()
    done = [json.loads(each.communicate()[0]) for each in running]
    return float(sum(each["journals"] for each in done) / max(each["seconds"] for each in done))


def set_up(tenants: int) -> None:
    """Creditors, each with some cases of one claim, and statistics as a database has them after a while."""
    from django.core.management import call_command  # noqa: PLC0415 - after Django is set up
    from django.db import connection, transaction  # noqa: PLC0415

    from kulanz.claims.opening import open_claims  # noqa: PLC0415
    from kulanz.tenancy.actions import NewCreditor, add_creditor  # noqa: PLC0415
    from kulanz.tenancy.scope import scope  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    for number in range(tenants):
        creditor = add_creditor(NewCreditor(f"c{number}", f"Creditor {number}", f"c{number}@shop.example"))
        with scope(creditor.id), transaction.atomic():
            open_claims(_claims(CLAIMS, number))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _claims(n: int, number: int) -> Any:
    from kulanz.claims.opening import NewClaims  # noqa: PLC0415

    def many(value: object) -> list[Any]:
        return [value] * n

    return NewClaims(
        numbers=[f"R-{number}-{k}" for k in range(n)],
        customer_numbers=[f"K-{number}-{k}" for k in range(n)],
        amounts=many(10_000),
        currencies=many("EUR"),
        contract_dates=many(DAY),
        due_dates=many(DAY),
        jurisdictions=many("DE"),
        products=many(""),
        customer_names=many("Name"),
        customer_kinds=many("person"),
        languages=many("de"),
        countries=many("DE"),
        postal_codes=many("10115"),
    )


def single(seconds: float, client: int, tenants: int) -> dict[str, float]:
    """Commit journals one by one, each on the next creditor, once told to."""
    from django.db import transaction  # noqa: PLC0415

    from kulanz.claims import ledger  # noqa: PLC0415
    from kulanz.claims.models import Claim  # noqa: PLC0415
    from kulanz.tenancy.scope import every_creditor, scope  # noqa: PLC0415

    with every_creditor("a benchmark"):
        rows = list(Claim.objects.order_by("id").values_list("creditor_id", "case_id", "id"))
    owned = [rows[first : first + CLAIMS] for first in range(0, tenants * CLAIMS, CLAIMS)]
    print("ready", flush=True)
    sys.stdin.readline()
    done, begun = 0, perf_counter()
    while perf_counter() - begun < seconds:
        turn = done * CLIENTS + client
        creditor, case, claim = owned[turn % tenants][turn // tenants % CLAIMS]
        lines = (ledger.Line("received", 1, None, "payment"), ledger.Line("principal", -1, claim, "payment"))
        with scope(creditor), transaction.atomic():
            ledger.post(ledger.Entry(f"bench:{os.getpid()}:{done}", "payment", case, DAY, lines, "bench"))
        done += 1
    return {"journals": done, "seconds": perf_counter() - begun}


def batches(postings: int) -> dict[str, float]:
    """Open claims and book payments in blocks until there are `postings`; then replay them."""
    from django.db import transaction  # noqa: PLC0415

    from kulanz.claims import ledger  # noqa: PLC0415
    from kulanz.claims.checks import check_ledger  # noqa: PLC0415
    from kulanz.claims.models import Claim  # noqa: PLC0415
    from kulanz.claims.opening import open_claims  # noqa: PLC0415
    from kulanz.claims.sealing import seal_all  # noqa: PLC0415
    from kulanz.tenancy.actions import NewCreditor, add_creditor  # noqa: PLC0415
    from kulanz.tenancy.scope import scope  # noqa: PLC0415

    creditor = add_creditor(NewCreditor("batch", "Batch", "b@shop.example"))
    in_blocks, journals = 0.0, 0
    with scope(creditor.id):
        with transaction.atomic():
            for number in range(1000, 1000 + max(1, postings // 10 // BATCH)):
                open_claims(_claims(BATCH, number))
        claims = list(Claim.objects.order_by("id").values_list("id", "case_id"))
        round_ = 0
        while journals * 2 + len(claims) * 2 < postings:
            for start in range(0, len(claims), BATCH):
                part = claims[start : start + BATCH]
                block = ledger.EntryBlock(
                    keys=[f"i:{round_}:{claim}" for claim, _ in part],
                    kinds=["interest"] * len(part),
                    case_ids=[case for _, case in part],
                    claim_ids=[claim for claim, _ in part],
                    value_dates=[DAY] * len(part),
                    debit_account="interest",
                    credit_account="earned",
                    amounts=[1] * len(part),
                    bases=["interest"] * len(part),
                )
                begun = perf_counter()
                with transaction.atomic():
                    ledger.post_block(block)
                in_blocks += perf_counter() - begun
                journals += len(part)
            round_ += 1
        begun = perf_counter()
        sealed = seal_all()
        sealing = perf_counter() - begun
        begun = perf_counter()
        found = check_ledger()
        checking = perf_counter() - begun
    assert found.clean, found
    return {
        "batch_journals": journals / in_blocks,
        "batch_postings": 2 * journals / in_blocks,
        "sealed_per_s": sealed / sealing,
        "postings": found.postings,
        "check_s": checking,
    }


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--seconds", type=float, default=8.0)
    words.add_argument("--postings", type=int, default=1_000_000)
    asked = words.parse_args()
    figures: dict[str, Any] = {"clients": CLIENTS, "tenants": TENANTS}
    name = f"kulanz_bench_{os.getpid()}"
    url = urlsplit(POSTGRES)._replace(path=f"/{name}").geturl()
    with psycopg.connect(POSTGRES, autocommit=True) as admin:
        for setting in ("fsync", "synchronous_commit"):
            figures[setting] = admin.execute(f"SHOW {setting}").fetchone()[0]  # type: ignore[index]
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            answer("setup", [str(TENANTS)], url)
            figures["postgres_single"] = round(together(asked.seconds, TENANTS, url))
            figures["postgres_one_tenant"] = round(together(asked.seconds, 1, url))
            figures["postgres_one_client"] = round(together(asked.seconds, TENANTS, url, 1))
            figures |= {
                f"postgres_{k}": round(v) for k, v in answer("batches", [str(asked.postings)], url).items()
            }
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/ledger.db"
        answer("setup", [str(TENANTS)], url)
        figures["sqlite_one_client"] = round(together(asked.seconds, TENANTS, url, 1))
        figures |= {f"sqlite_{k}": round(v) for k, v in answer("batches", [str(asked.postings)], url).items()}
    for kind in ("postgres", "sqlite"):
        per_posting = figures[f"{kind}_check_s"] / figures[f"{kind}_postings"]
        figures[f"{kind}_replay_10m_minutes"] = round(per_posting * 10_000_000 / 60, 1)
    for key, value in figures.items():
        print(f"{key:>28}  {value}")
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=2), "utf-8")


def job(name: str, words: list[str]) -> None:
    import django  # noqa: PLC0415 - only in the child, with its own database

    django.setup()
    if name == "setup":
        set_up(int(words[0]))
        print("{}")
    elif name == "single":
        print(json.dumps(single(float(words[0]), int(words[1]), int(words[2]))))
    else:
        print(json.dumps(batches(int(words[0]))))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--job"]:
        job(sys.argv[2], sys.argv[3:])
    else:
        main()
