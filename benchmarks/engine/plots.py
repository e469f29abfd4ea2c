"""Small line charts on two logarithmic axes, as SVG that follows the reader's light or dark colours."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 184, 44, 48
LINE = 16
COLOURS = ("s0", "s1", "s2", "s3")
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; }
.grid { stroke: #d0d7de; }
.line { fill: none; stroke-width: 2; }
.s0 { stroke: #0550ae; fill: #0550ae; } .s1 { stroke: #8250df; fill: #8250df; }
.s2 { stroke: #9a6700; fill: #9a6700; } .s3 { stroke: #cf222e; fill: #cf222e; }
text.s0, text.s1, text.s2, text.s3 { stroke: none; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .grid { stroke: #30363d; }
  .s0 { stroke: #6cb6ff; fill: #6cb6ff; } .s1 { stroke: #d2a8ff; fill: #d2a8ff; }
  .s2 { stroke: #e3b341; fill: #e3b341; } .s3 { stroke: #ff7b72; fill: #ff7b72; }
}
.line.s0, .line.s1, .line.s2, .line.s3 { fill: none; }
"""

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class _Axes:
    """From values to pixels: the least and largest x, and whole powers of ten for y, frame the plot."""

    low_x: float
    high_x: float
    low_y: int
    high_y: int

    def x(self, value: float) -> float:
        return LEFT + log10(value / self.low_x) / log10(self.high_x / self.low_x) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return (
            HEIGHT
            - BOTTOM
            - (log10(value) - self.low_y) / (self.high_y - self.low_y) * (HEIGHT - TOP - BOTTOM)
        )


def chart(title: str, x_label: str, y_label: str, series: dict[str, Points]) -> str:
    """One line with dots and its name per series: all values above zero, two or more x, at most four series."""
    drawn = {name: points for name, points in series.items() if points}
    if len(drawn) > len(COLOURS):
        raise ValueError(f"A chart shows at most {len(COLOURS)} series, not {len(drawn)}.")
    xs = [x for points in drawn.values() for x, _ in points]
    ys = [y for points in drawn.values() for _, y in points]
    axes = _Axes(min(xs), max(xs), *_powers(ys))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<text class="title" x="{LEFT}" y="18">{escape(title)}</text>',
        *_grid(axes, sorted(set(xs))),
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x_label)}</text>',
        f'<text x="{LEFT}" y="36">{escape(y_label)}</text>',
    ]
    for colour, (name, points) in _coloured(drawn):
        parts += _series(axes, name, points, colour)
    parts += _names(axes, drawn)
    return "\n".join([*parts, "</svg>", ""])


def _grid(axes: _Axes, xs: Sequence[float]) -> list[str]:
    """A line per measured x and per power of ten in y."""
    out = []
    for value in xs:
        x = axes.x(value)
        out.append(f'<path class="grid" d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
        out.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{value:,g}</text>')
    for power in range(axes.low_y, axes.high_y + 1):
        y = axes.y(10.0**power)
        out.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_tick(power)}</text>')
    return out


def _series(axes: _Axes, name: str, points: Points, colour: str) -> list[str]:
    placed = [(axes.x(x), axes.y(y)) for x, y in sorted(points)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in placed)
    return [f'<polyline class="line {colour}" points="{line}"/>', f'<g class="{colour}">{dots}</g>']


def _names(axes: _Axes, series: dict[str, Points]) -> list[str]:
    """Each name beside the plot, level with its line's last point, moved up where two would overlap."""
    ends = sorted(
        ((axes.y(max(points)[1]) + 4, name, colour) for colour, (name, points) in _coloured(series)),
        reverse=True,
    )
    out, free = [], float(HEIGHT)
    for wanted, name, colour in ends:
        y = min(wanted, free)
        free = y - LINE
        out.append(f'<text class="{colour}" x="{WIDTH - RIGHT + 8}" y="{y:.1f}">{escape(name)}</text>')
    return out


def _coloured(series: dict[str, Points]) -> Iterator[tuple[str, tuple[str, Points]]]:
    return zip(COLOURS, series.items(), strict=False)


def _powers(values: Sequence[float]) -> tuple[int, int]:
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    return low, max(high, low + 1)


def _tick(power: int) -> str:
    return f"{10**power:,}" if power >= 0 else f"{10.0**power:.{-power}f}"
