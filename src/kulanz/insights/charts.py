"""Geometry of the dashboard's charts. Pure: numbers in, coordinates in the chart's own units out."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """A column of a chart that is `height` units high; `value` and `label` are what it stands for."""

    x: float
    y: float
    width: float
    height: float
    value: int
    label: object
    last: bool = False

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 2)


def columns(
    values: Sequence[int], labels: Sequence[object], *, width: float, height: float, gap: float = 0.28
) -> tuple[Bar, ...]:
    """One column per value; below zero nothing is drawn, above zero at least one unit."""
    top = max([*values, 0]) or 1
    step = width / max(len(values), 1)
    bars = []
    for index, (value, label) in enumerate(zip(values, labels, strict=True)):
        tall = 0.0 if value <= 0 else max(1.0, height * value / top)
        bars.append(
            Bar(
                x=round(index * step + step * gap / 2, 2),
                y=round(height - tall, 2),
                width=round(step * (1 - gap), 2),
                height=round(tall, 2),
                value=value,
                label=label,
                last=index == len(values) - 1,
            )
        )
    return tuple(bars)


@dataclass(frozen=True, slots=True)
class Share:
    """One line of a list of shares; `width` is of 100."""

    code: str
    value: int
    share: float

    @property
    def width(self) -> float:
        return round(100 * self.share, 2)


def shares(counts: dict[str, int]) -> tuple[Share, ...]:
    """Largest first."""
    total = sum(counts.values())
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Share(code, value, value / total) for code, value in ordered if total)


@dataclass(frozen=True, slots=True)
class Whisker:
    """An interval on a horizontal axis from -`limit` to +`limit`, drawn from 0 to 400; zero lies at 200."""

    low: float
    high: float
    dot: float
    limit: float


def whisker(low: float, high: float, middle: float) -> Whisker:
    """Shares between -1 and 1; the axis ends at the next round number beyond the interval."""
    reach = max(abs(low), abs(high), abs(middle))
    limit = next((step for step in (0.02, 0.05, 0.1, 0.2, 0.5) if reach <= step), 1.0)

    def at(value: float) -> float:
        return round(200 + 190 * max(-1.0, min(1.0, value / limit)), 1)

    return Whisker(at(low), at(high), at(middle), limit)
