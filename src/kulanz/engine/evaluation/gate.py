"""May a challenger take the champion's place, and must a champion go? Answers with numbers, at any time.

Every interval here is always-valid, so the gate may be asked after each batch. A challenger is promoted
wrongly, or a sound champion rolled back, with a chance of 1 - level at most over all the times that it is
asked.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from kulanz.engine.arrays import Bools
from kulanz.engine.evaluation.evidence import Evidence
from kulanz.engine.evaluation.intervals import chance_to_err
from kulanz.kernel.errors import InputError


class Outcome(StrEnum):
    PROMOTE = "promote"
    KEEP = "keep"
    NEED_MORE_DATA = "need_more_data"
    ROLL_BACK = "roll_back"


class State(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A harm (complaints, opt-outs: more is worse) and how large its mean may be."""

    harm: Evidence
    limit: float


@dataclass(frozen=True, slots=True)
class GateSettings:
    """`level` of the whole answer; `tolerance`: how much worse a slice may be, in units of reward."""

    level: float = 0.95
    tolerance: float = 0.02


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `needed`: rows in all at which it may be settled, None where nobody can say."""

    name: str
    state: State
    rows: int
    value: float | None
    low: float
    high: float
    limit: float
    needed: int | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome, the figure it turns on with its interval, every finding, and reasons for people to read.

    `needed`: rows in all at which a decision may be expected if things stay as they look, extrapolated with
    the square root of the rows; None where nobody can say.
    """

    outcome: Outcome
    value: float | None
    low: float
    high: float
    level: float
    rows: int
    needed: int | None
    findings: tuple[Finding, ...]
    reasons: tuple[str, ...]


def gate(
    difference: Evidence,
    *,
    slices: Mapping[str, Bools] | None = None,
    guardrails: Mapping[str, Guardrail] | None = None,
    settings: GateSettings | None = None,
) -> Verdict:
    """Promote the challenger, keep the champion, or wait for more data.

    `difference` is challenger less champion, more being better; `slices` name rows of it (bool[n]);
    guardrails are the challenger's harm less the champion's. Promoted: the difference's low limit is above 0,
    no slice is worse by more than the tolerance and no harm above its limit, each shown by its interval.
    Kept: one of them is shown to fail. All else needs more data. Intervals of slices and guardrails hold
    together (Bonferroni).
    """
    settings = settings or GateSettings()
    slices, guardrails = slices or {}, guardrails or {}
    each = _level_each(settings.level, len(slices) + len(guardrails))
    rows = difference.rows()
    found = [_better("difference", difference, 0.0, settings.level, rows)]
    for name, mask in slices.items():
        if len(mask) != rows:
            raise InputError(f"Slice {name} has {len(mask)} rows, the difference {rows}.")
        found.append(_better(name, difference.within(np.asarray(mask)), -settings.tolerance, each, rows))
    found += [_harmless(name, one, each) for name, one in guardrails.items()]
    states = {finding.state for finding in found}
    outcome = Outcome.PROMOTE
    if State.FAILED in states:
        outcome = Outcome.KEEP
    elif State.OPEN in states:
        outcome = Outcome.NEED_MORE_DATA
    return _verdict(outcome, found, settings.level, found[0])


def watch(guardrails: Mapping[str, Guardrail], *, settings: GateSettings | None = None) -> Verdict:
    """Roll the champion back as soon as one of its harms is shown to be above its limit, else keep it.

    Harms are rates (`Terms` within [0, 1]) or the rise over the holdout (`Groups`). Shown means that the low
    limit passed: a run of bad luck rolls back nothing, whoever looks how often. The figure is the worst
    guardrail's.
    """
    settings = settings or GateSettings()
    if not guardrails:
        raise InputError("There is nothing to watch: name at least one guardrail.")
    each = _level_each(settings.level, len(guardrails))
    found = [_harmless(name, one, each) for name, one in guardrails.items()]
    failed = any(finding.state is State.FAILED for finding in found)
    worst = max(found, key=lambda finding: finding.low - finding.limit)
    return _verdict(Outcome.ROLL_BACK if failed else Outcome.KEEP, found, settings.level, worst)


def _level_each(level: float, count: int) -> float:
    return 1.0 - chance_to_err(level) / max(count, 1)


def _better(name: str, evidence: Evidence, limit: float, level: float, total: int) -> Finding:
    low, high = evidence.interval(level)
    state = State.PASSED if low > limit else State.FAILED if high < limit else State.OPEN
    needed = total if state is not State.OPEN else _needed(evidence.value(), low, high, limit, total)
    return Finding(name, state, evidence.rows(), evidence.value(), low, high, limit, needed)


def _harmless(name: str, guardrail: Guardrail, level: float) -> Finding:
    harm, limit = guardrail.harm, guardrail.limit
    low, high = harm.interval(level)
    state = State.FAILED if low > limit else State.PASSED if high <= limit else State.OPEN
    needed = harm.rows() if state is not State.OPEN else _needed(harm.value(), low, high, limit, harm.rows())
    return Finding(name, state, harm.rows(), harm.value(), low, high, limit, needed)


def _needed(value: float | None, low: float, high: float, limit: float, rows: int) -> int | None:
    """Rows until the end of the interval that has to pass the limit gets there."""
    if value is None or value == limit:
        return None
    reach = value - low if value > limit else high - value
    return math.ceil(rows * (reach / (value - limit)) ** 2) if math.isfinite(reach) else None


def _verdict(outcome: Outcome, found: list[Finding], level: float, figure: Finding) -> Verdict:
    rows = max(finding.rows for finding in found)
    needed: int | None = rows
    if outcome is Outcome.NEED_MORE_DATA:
        waits = [finding.needed for finding in found if finding.state is State.OPEN]
        needed = None if None in waits else max(wait for wait in waits if wait is not None)
    return Verdict(
        outcome=outcome,
        value=figure.value,
        low=figure.low,
        high=figure.high,
        level=level,
        rows=rows,
        needed=needed,
        findings=tuple(found),
        reasons=tuple(_words(finding) for finding in found),
    )


def _words(finding: Finding) -> str:
    value = "nothing yet" if finding.value is None else f"{finding.value:+.4f}"
    said = f"{finding.name} {finding.state}: {value}, from {finding.low:+.4f} to {finding.high:+.4f}"
    said += f" against {finding.limit:+.4f}, {finding.rows:,} rows"
    if finding.state is not State.OPEN:
        return said
    return (
        f"{said}; about {finding.needed:,} may settle it"
        if finding.needed
        else f"{said}; nobody knows how many do"
    )
