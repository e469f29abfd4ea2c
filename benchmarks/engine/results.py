"""The rows of build/bench/engine.json."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Decided:
    """Decisions per CPU second, one thread, without learning.

    score_product_per_cpu_s: the same block through contexts times weights alone, measured beside it.
    kept_bytes: what a decided row keeps; peak_bytes: what deciding it needs on top of its inputs.
    """

    engine: str
    exploration: str
    actions: int
    features: int
    rows: int
    per_cpu_s: float
    probabilities: bool
    vetoes: bool
    score_product_per_cpu_s: float | None = None
    kept_bytes: float | None = None
    peak_bytes: float | None = None


@dataclass(frozen=True, slots=True)
class Learned:
    """Rows learned per CPU second in batches of `rows`; one update alone; one refresh of the decision weights.

    refresh_ms is 0 where every update refreshes. memory_bytes: the arrays of the learned policy.
    """

    engine: str
    model: str
    actions: int
    features: int
    rows: int
    per_cpu_s: float
    one_update_us: float | None = None
    refresh_ms: float | None = None
    file_bytes: int | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Rewarded:
    """Mean reward over the permutations with its standard error; differences are paired with the reference's."""

    data: str
    policy: str
    delay: int
    permutations: int
    mean: float
    se: float
    reference: str
    paired_difference: float
    paired_se: float


@dataclass(frozen=True, slots=True)
class Year:
    """A simulated year: means over the seeds, with the standard errors of value and difference.

    value: the sum of the cases' rewards; difference: from the static ladder, paired over the seeds; share_of_gap:
    what of the oracle's gain over the ladder was reached, its error by leaving out one seed at a time; contacts and
    complaints: per year.
    """

    policy: str
    seeds: int
    cases: int
    value: float
    se: float
    paired_difference: float
    paired_se: float
    share_of_gap: float
    share_se: float | None
    contacts: float
    complaints: float
    recovered: float
    simulated: bool = True


@dataclass(slots=True)
class Results:
    """All rows of a run; a part that was not asked for, or has no data, stays empty."""

    decide: list[Decided] = field(default_factory=list)
    learn: list[Learned] = field(default_factory=list)
    rewards: list[Rewarded] = field(default_factory=list)
    year: list[Year] = field(default_factory=list)

    def write(self, path: Path, keep: Sequence[str] = ()) -> None:
        """Write the file; the parts named in `keep` stay as they are in it."""
        parts = asdict(self)
        if path.is_file():
            before = json.loads(path.read_text("utf-8"))
            parts |= {part: before[part] for part in keep if part in before}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(parts, indent=2) + "\n", "utf-8")
