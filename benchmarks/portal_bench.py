"""`make bench TOPIC=portal`: how heavy and how quick the customer's first page is.

Pages come from granian with WSGI workers on a fresh PostgreSQL database, as docs/deployment.md says, the requests from
this machine as well. `p95_ms`: response time at a steady 100 requests per second; `per_s`: as many as come with 16
connections. Weight, number of requests and largest contentful paint (LCP) are Chromium's own, the second LCP with a
slow mobile network (1.6 Mbit/s down, 150 ms). Writes build/bench/portal.json.
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg

OUT = Path(__file__).parents[1] / "build" / "bench" / "portal.json"
POSTGRES = os.environ.get("KULANZ_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
CHROMIUM = Path("/usr/bin/chromium")
SLOW = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_600_000 / 8,
    "uploadThroughput": 750_000 / 8,
}
STEADY, CONNECTIONS, CASES = 100, 16, 200


@contextmanager
def site() -> Iterator[tuple[str, list[str]]]:
    """The site's address and the paths of its customers' pages."""
    name = f"kulanz_bench_{os.getpid()}"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = os.environ | {
        "KULANZ_DATABASE_URL": urlsplit(POSTGRES)._replace(path=f"/{name}").geturl(),
        "KULANZ_PUBLIC_URL": url,
        "KULANZ_SECRET_KEY": "benchmark",
        "DJANGO_SETTINGS_MODULE": "kulanz.config.settings",
    }
    with psycopg.connect(POSTGRES, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            made = subprocess.run(
                [sys.executable, __file__, "--setup"], env=environment, stdout=-1, check=True
            )
            server = subprocess.Popen(
                [
                    Path(sys.executable).parent / "granian",
                    *("--interface", "wsgi", "--workers", "2", "--blocking-threads", "4", "--no-ws"),
                    *("--port", str(port), "--log-level", "error", "kulanz.config.wsgi:application"),
                ],
                env=environment,
            )
            try:
                _wait(url)
                yield url, json.loads(made.stdout)
            finally:
                server.terminate()
                server.wait(10)
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def set_up() -> None:
    """Customers with three invoices each and a part payment; prints the paths of their pages."""
    import django  # noqa: PLC0415 - only in the child, with its own database

    django.setup()
    from datetime import date, timedelta  # noqa: PLC0415

    import numpy as np  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import transaction  # noqa: PLC0415

    from kulanz.claims.actions import book_payment  # noqa: PLC0415
    from kulanz.claims.models import Case  # noqa: PLC0415
    from kulanz.claims.opening import NewClaims, open_claims  # noqa: PLC0415
    from kulanz.kernel import clock  # noqa: PLC0415
    from kulanz.payments import links  # noqa: PLC0415
    from kulanz.tenancy.actions import NewCreditor, add_creditor  # noqa: PLC0415
    from kulanz.tenancy.scope import scope  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    creditor = add_creditor(NewCreditor("shop", "Shop", "post@shop.example", iban="DE89370400440532013000"))
    n, day = CASES * 3, date(2026, 2, 1)
    with scope(creditor.id), transaction.atomic():
        open_claims(
            NewClaims(
                numbers=[f"R-{k}" for k in range(n)],
                customer_numbers=[f"K-{k // 3}" for k in range(n)],
                amounts=[4_990 + k for k in range(n)],
                currencies=["EUR"] * n,
                contract_dates=[day] * n,
                due_dates=[day + timedelta(days=14 + k % 3) for k in range(n)],
                jurisdictions=["DE"] * n,
                products=["goods"] * n,
                customer_names=[f"Name {k // 3}" for k in range(n)],
                customer_kinds=["person"] * n,
                languages=["de"] * n,
                countries=["DE"] * n,
                postal_codes=["10115"] * n,
            )
        )
        cases = list(Case.objects.order_by("id").values_list("id", flat=True))
        for case in cases:
            book_payment(case, 1_000, value_date=day + timedelta(days=20), key=f"p{case}", method="transfer")
        made = links.create_block(np.array(cases), clock.now() + timedelta(days=60))
    print(json.dumps([f"/p/{links.token(int(each))}/" for each in made]))


def _wait(url: str) -> None:
    for _ in range(100):
        try:
            httpx.get(f"{url}/healthz")
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("granian did not come up")


async def load(
    url: str, paths: list[str], seconds: float, per_second: float | None
) -> tuple[list[float], float]:
    """Response times in ms and requests per second; `per_second` None: as many as come."""
    host, port = urlsplit(url).hostname or "", urlsplit(url).port or 0
    times: list[float] = []
    begun = time.perf_counter()

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection(host, port)
        done = 0
        while (now := time.perf_counter()) - begun < seconds:
            if per_second is not None:
                due = begun + (done * CONNECTIONS + number) / per_second
                await asyncio.sleep(max(0.0, due - now))
            path = paths[(done * CONNECTIONS + number) % len(paths)]
            sent = time.perf_counter()
            writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Language: de\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head[:200]
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            times.append(1000 * (time.perf_counter() - sent))
            done += 1
        writer.close()

    await asyncio.gather(*(client(number) for number in range(CONNECTIONS)))
    return times, len(times) / (time.perf_counter() - begun)


def in_browser(url: str) -> dict[str, Any]:
    """Weight, requests and LCP of one first page; empty where there is no browser."""
    if not CHROMIUM.exists():
        return {}
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where there is a browser

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-background-networking"]
        )
        found = {"lcp_ms": _visit(browser, url, None)[0]}
        found["lcp_slow4g_ms"], found["bytes"], found["requests"] = _visit(browser, url, SLOW)
        browser.close()
    return found


def _visit(browser: Any, url: str, network: dict[str, Any] | None) -> tuple[int, int, int]:
    page = browser.new_context(viewport={"width": 360, "height": 740}).new_page()
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    loaded: list[int] = []
    session.on("Network.loadingFinished", lambda event: loaded.append(int(event["encodedDataLength"])))
    if network:
        session.send("Network.emulateNetworkConditions", network)
    page.goto(url, wait_until="load")
    script = """() => new Promise(done => new PerformanceObserver(list => done(list.getEntries().at(-1).startTime))
      .observe({type: 'largest-contentful-paint', buffered: true}))"""
    lcp = page.evaluate(script)
    page.context.close()
    return round(lcp), sum(loaded), len(loaded)


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--setup", action="store_true")
    words.add_argument("--seconds", type=float, default=10.0)
    asked = words.parse_args()
    if asked.setup:
        set_up()
        return
    with site() as (url, paths):
        asyncio.run(load(url, paths, 2, None))
        steady, _ = asyncio.run(load(url, paths, asked.seconds, STEADY))
        _, per_s = asyncio.run(load(url, paths, asked.seconds, None))
        figures = {
            **in_browser(url + paths[0]),
            "p50_ms": round(sorted(steady)[len(steady) // 2], 1),
            "p95_ms": round(sorted(steady)[int(len(steady) * 0.95)], 1),
            "per_s": round(per_s),
        }
    for name, value in figures.items():
        print(f"{name:>16}  {value}")
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=2), "utf-8")


if __name__ == "__main__":
    main()
