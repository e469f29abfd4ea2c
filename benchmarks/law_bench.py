"""How fast default interest is worked out: columns of claims against the loop over single ones, on one core.

One accrual is one claim over one period of German default interest, a third of the claims with a part payment within
it. Both forms start from the same portfolio, and the totals of the single form are checked against the columns'.
python benchmarks/law_bench.py [--claims 1000000]; prints a table and writes build/bench/law.json.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kulanz.law.accrual import RateIndex, accrue_block, rate_index
from kulanz.law.figures.interest import DayCount, Party
from kulanz.law.interest import Movement, accrue
from kulanz.law.packs import load
from kulanz.law.rates import Terms, default_rate

LEAST_PER_SECOND = 1_000_000
SINGLE = 3_000
BLOCK = 100_000
REPEATS = 5
EPOCH = date(1970, 1, 1)
OUT = Path("build/bench/law.json")
PACK = load("DE")
TERMS = Terms(Party.CONSUMER, date(2020, 1, 1))
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Portfolio:
    """n claims from `start` to `end` (epoch days); m movements of their principals, those of a claim side by side."""

    claim: Ints
    day: Ints
    amount: Ints
    start: Ints
    end: Ints

    def part(self, first: int, last: int) -> "Portfolio":
        """The claims from place `first` to before `last`."""
        rows = slice(*np.searchsorted(self.claim, [first, last]).tolist())
        return Portfolio(
            self.claim[rows] - first,
            self.day[rows],
            self.amount[rows],
            self.start[first:last],
            self.end[first:last],
        )


def portfolio(claims: int) -> Portfolio:
    """Claims of 2020 to 2024 in default for up to two years; every third has paid a half on a day of it."""
    draw = np.random.Generator(np.random.Philox(1))
    start = draw.integers((date(2020, 1, 1) - EPOCH).days, (date(2024, 12, 31) - EPOCH).days, claims)
    length = draw.integers(1, 730, claims)
    principal = (draw.lognormal(8.5, 0.8, claims) + 300).astype(np.int64)
    claim = np.repeat(np.arange(claims), np.where(np.arange(claims) % 3, 1, 2))
    second = np.r_[False, np.diff(claim) == 0]
    day = start[claim] + np.where(second, length[claim] // 2, 0)
    amount = np.where(second, -(principal[claim] // 2), principal[claim])
    return Portfolio(claim, day, amount, start, start + length)


def block_totals(index: RateIndex, all_claims: Portfolio) -> Ints:
    """Totals in minor units, int64[n], worked out in blocks of columns."""
    n = len(all_claims.start)
    parts = [all_claims.part(at, min(at + BLOCK, n)) for at in range(0, n, BLOCK)]
    return np.concatenate(
        [accrue_block(index, each.claim, each.day, each.amount, each.start, each.end) for each in parts]
    )


def single_totals(some: Portfolio) -> list[int]:
    """The same from the form that explains itself row by row, one claim after the other."""
    moves: list[list[Movement]] = [[] for _ in some.start]
    for claim, day, amount in zip(some.claim.tolist(), some.day.tolist(), some.amount.tolist(), strict=True):
        moves[claim].append(Movement(EPOCH + timedelta(days=day), amount))
    periods = zip(moves, some.start.tolist(), some.end.tolist(), strict=True)
    return [
        accrue(of_claim, EPOCH + timedelta(days=start), EPOCH + timedelta(days=end), PACK, TERMS).total
        for of_claim, start, end in periods
    ]


def accruals(claims: int) -> dict[str, Any]:
    """Accruals per second of both forms in one run; the totals must be the same to the cent."""
    everything, few = portfolio(claims), min(SINGLE, claims)
    index = rate_index(PACK, default_rate(PACK, TERMS), DayCount.ACT_ACT)
    totals, block_seconds = _best(lambda: block_totals(index, everything))
    singles, single_seconds = _best(lambda: single_totals(everything.part(0, few)), 1)
    block, single = claims / block_seconds, few / single_seconds
    return {
        "accruals": claims,
        "movements": len(everything.claim),
        "block_per_second": block,
        "single_per_second": single,
        "ratio": block / single,
        "checked": few,
        "equal": totals[:few].tolist() == singles,
        "total_minor": int(totals.sum()),
    }


def report(figures: dict[str, Any]) -> None:
    """Print the table, keep it as JSON, and end with an error where a bound does not hold."""
    print(f"{'form':<28}{'accruals':>12}{'accruals/s':>14}")
    print(f"{'columns':<28}{figures['accruals']:>12,}{figures['block_per_second']:>14,.0f}")
    print(f"{'one claim after another':<28}{figures['checked']:>12,}{figures['single_per_second']:>14,.0f}")
    print(f"columns are {figures['ratio']:,.0f} times as fast; equal to the cent: {figures['equal']}")
    bounds = {
        f"at least {LEAST_PER_SECOND:,} accruals/s": figures["block_per_second"] >= LEAST_PER_SECOND,
        "both forms equal to the cent": figures["equal"],
    }
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({"accruals": figures, "bounds": bounds, "machine": machine}, indent=1) + "\n")
    print(f"written to {OUT}")
    if missed := [name for name, holds in bounds.items() if not holds]:
        sys.exit(f"missed: {', '.join(missed)}")


def _best(work: Callable[[], Any], repeats: int = REPEATS) -> tuple[Any, float]:
    seconds = []
    for _ in range(repeats):
        begun = perf_counter()
        result = work()
        seconds.append(perf_counter() - begun)
    return result, min(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=1_000_000)
    report(accruals(parser.parse_args().claims))


if __name__ == "__main__":
    main()
