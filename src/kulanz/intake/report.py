"""What an import found and did."""

from dataclasses import asdict, dataclass
from typing import Any

from kulanz.intake.mapping import Mapping
from kulanz.intake.problems import Problem


@dataclass(frozen=True, slots=True)
class Report:
    """What an import did, or with `stored` false would have done.

    `rejected` counts rows with an error, `duplicates` rows that repeat an earlier one, `existing` claims that were
    stored before with the same content. `errors` and `warnings` list the first MAX_LISTED of their totals.
    """

    rows: int
    imported: int
    existing: int
    rejected: int
    duplicates: int
    errors: tuple[Problem, ...]
    error_total: int
    warnings: tuple[Problem, ...]
    warning_total: int
    mapping: Mapping
    encoding: str
    delimiter: str
    stored: bool

    def to_data(self) -> dict[str, Any]:
        """The report as plain data for JSON."""
        data = {name: getattr(self, name) for name in self.__slots__}
        data["errors"] = [asdict(problem) for problem in self.errors]
        data["warnings"] = [asdict(problem) for problem in self.warnings]
        data["mapping"] = self.mapping.to_data()
        return data
