"""The tables that the benchmark prints."""

from collections.abc import Sequence

from engine.results import Decided, Learned, Rewarded, Year

EPSILON = "epsilon_greedy"
NOTE_DECIDE = """\
CPU seconds of one thread, best of several runs; the same contexts, 32 features. "of product" is the share of what
contexts times weights alone would reach; keeps and peak are bytes per row of a block. What differs: kulanz draws, with
exact probabilities, and obeys the vetoes (a fifth of the actions); compiled is the same arithmetic by numba. Vowpal
Wabbit returns probabilities without drawing; a vetoed action is left out of its examples, which are parsed before the
clock starts. mabwiser and contextualbandits know no vetoes and return an action without its probability;
epsilon-greedy explores without regard to what is known, so "/ peers" leaves it out."""
NOTE_LEARN = """\
kulanz and LinUCB keep sums or matrices per action (spreads included), the others a weight vector. One update is one row
by itself; kulanz refreshes its weights with the first decision after learning, the others with each update."""
NOTE_REWARDS = """\
Mean reward over the same permutations for all, with standard errors; differences are paired with the reference's. The
same features for all; kulanz with one default. mabwiser_linucb has its package's alpha of 1, _0.1 that of linear_ts."""
NOTE_YEAR = (
    "Simulated customers, not real ones, the same for all; the share is of the oracle's gain over the ladder."
)


def decide(rows: Sequence[Decided]) -> str:
    """One block per number of actions, with ratios to the best of Vowpal Wabbit's ways and of the other peers."""
    lines = [NOTE_DECIDE]
    for actions in sorted({row.actions for row in rows}):
        group = sorted((row for row in rows if row.actions == actions), key=lambda row: -row.per_cpu_s)
        wabbit = max((row.per_cpu_s for row in group if "vowpal" in row.engine), default=None)
        others = max((row.per_cpu_s for row in group if _is_other_peer(row)), default=None)
        body = [_decided(row, wabbit, others) for row in group]
        head = [
            f"{actions:,} actions",
            "exploration",
            "per CPU s",
            "/ VW",
            "/ peers",
            "of product",
            "keeps",
            "peak",
        ]
        lines.append(_table(head, body, left=2))
    return "\n\n".join(lines)


def learn(rows: Sequence[Learned]) -> str:
    body = [
        [
            row.engine,
            f"{row.actions} x {row.features}",
            f"{row.per_cpu_s:,.0f}",
            _number(row.one_update_us, ".1f"),
            _number(row.refresh_ms, ".1f"),
            _size(row.file_bytes),
            _size(row.memory_bytes),
        ]
        for row in rows
    ]
    head = ["engine", "size", "rows per CPU s", "one update, us", "refresh, ms", "file", "memory"]
    return NOTE_LEARN + "\n\n" + _table(head, body, left=2)


def rewards(rows: Sequence[Rewarded], constants: str) -> str:
    """One data set and delay, after what `constants` says of it."""
    first = rows[0]
    body = [
        [
            row.policy,
            f"{row.mean:.4f} +- {row.se:.4f}",
            "reference"
            if row.policy == row.reference
            else f"{row.paired_difference:+.4f} +- {row.paired_se:.4f}",
        ]
        for row in rows
    ]
    delay = f", outcomes {first.delay:,} rows later" if first.delay else ""
    head = [f"{first.data}{delay}, {first.permutations} permutations", "mean", f"against {first.reference}"]
    return constants + "\n" + _table(head, body, left=1)


def year(rows: Sequence[Year]) -> str:
    body = [
        [
            row.policy,
            f"{row.value:,.1f} +- {row.se:.1f}",
            f"{row.paired_difference:+,.1f} +- {row.paired_se:.1f}",
            f"{row.share_of_gap:.1%}" + (f" +- {row.share_se:.1%}" if row.share_se is not None else ""),
            f"{row.contacts:,.0f}",
            f"{row.complaints:,.1f}",
            f"{row.recovered:.1%}",
        ]
        for row in rows
    ]
    title = f"simulated year, {rows[0].cases:,} cases, {rows[0].seeds} seeds"
    head = [title, "value", "against the ladder", "share of the gap", "contacts", "complaints", "recovered"]
    return NOTE_YEAR + "\n\n" + _table(head, body, left=1)


def _decided(row: Decided, wabbit: float | None, others: float | None) -> list[str]:
    ours = row.engine.startswith("kulanz")
    product = row.per_cpu_s / row.score_product_per_cpu_s if row.score_product_per_cpu_s else None
    return [
        row.engine,
        row.exploration,
        f"{row.per_cpu_s:,.0f}",
        f"{row.per_cpu_s / wabbit:.0f}x" if ours and wabbit else "",
        f"{row.per_cpu_s / others:.1f}x" if ours and others else "",
        f"{product:.1%}" if product else "",
        _size(row.kept_bytes),
        _size(row.peak_bytes),
    ]


def _is_other_peer(row: Decided) -> bool:
    return not row.engine.startswith(("kulanz", "vowpal")) and row.exploration != EPSILON


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _size(count: float | None) -> str:
    if count is None:
        return ""
    return f"{count:,.0f} B" if count < 10_000 else f"{count / 1000:,.0f} kB"


def _table(head: list[str], body: list[list[str]], left: int) -> str:
    """Columns as wide as their longest entry; the first `left` of them start on the left."""
    widths = [max(len(line[at]) for line in [head, *body]) for at in range(len(head))]

    def written(line: list[str]) -> str:
        cells = [
            cell.ljust(width) if at < left else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    return "\n".join([written(head), "  ".join("-" * width for width in widths), *map(written, body)])
