"""What is wrong with a file, by row and field."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

MAX_LISTED = 1_000
"""Problems listed one by one; beyond that they are only counted."""
MAX_SHOWN_VALUE = 60
"""Characters of a value that a message repeats."""
MAX_STRAY_SHARE = 0.05
"""Values that contradict the rest of a column are errors of their rows up to this share; beyond it the column is
refused."""


@dataclass(frozen=True, slots=True)
class Problem:
    """`row` is the line of the file, the header being 1; `field` is empty when the whole row is meant."""

    row: int
    field: str
    value: str
    message: str


def shown(value: str) -> str:
    """A value short enough to stand in a message."""
    return value if len(value) <= MAX_SHOWN_VALUE else value[: MAX_SHOWN_VALUE - 1] + "…"


@dataclass(slots=True)
class Problems:
    """Collects problems. `bad_rows` knows all of them, `listed` the first MAX_LISTED."""

    listed: list[Problem] = field(default_factory=list)
    bad_rows: set[int] = field(default_factory=set)
    total: int = 0

    def add(self, row: int, name: str, value: str, message: str) -> None:
        self.total += 1
        self.bad_rows.add(row)
        if len(self.listed) < MAX_LISTED:
            self.listed.append(Problem(row, name, shown(value), message))

    def add_faults(
        self, name: str, rows: Sequence[int], values: Sequence[str], faults: Mapping[int, str]
    ) -> None:
        """`faults` maps an index into `rows` and `values` to what is wrong there."""
        for index, message in faults.items():
            self.add(rows[index], name, values[index], message)

    def extend(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.add(problem.row, problem.field, problem.value, problem.message)

    def in_order(self) -> tuple[Problem, ...]:
        return tuple(sorted(self.listed, key=lambda problem: problem.row))
