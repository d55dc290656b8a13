"""The geometry of a report's pictures: pure figures, which the templates draw as inline SVG.

Nothing here knows a colour or a tag, and everything that is drawn is also told in words.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from grader.report.summary import decade_label, figure, percent

SIDE = 320
"""Width of a picture, and height of a square one, in SVG units."""
LOW = 160
"""Height of a flat picture."""
MARGIN = 44
"""Room for the figures on the axes."""
INSET = 8
"""Room at the right, so that no dot is cut."""
TOP = 22
"""Room above, for the name of the vertical axis."""

_HUGE = 1e300

_SHORTEST_BAR = 1.0
"""Per cent of the width that the smallest amount above nothing is drawn with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A figure on an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """Dots on two axes."""

    dots: str
    """Path data: one stroke of no length per dot."""
    reference: str
    """Path data of the line on which a right port lies."""
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    width: int
    height: int
    description: str
    """The picture in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A named amount."""

    label: str
    width: float
    """Per cent of the full width."""
    value: str
    good: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    """A stretch of numbers, laid onto a stretch of the picture."""

    low: float
    high: float
    begin: float
    end: float

    def place(self, value: float) -> float:
        """Return where a value lies in the picture."""
        part = (value - self.low) / (self.high - self.low)
        return round(self.begin + part * (self.end - self.begin), 1)

    def ticks(self) -> tuple[Tick, ...]:
        """Return round figures within the axis, three to seven of them."""
        step = _round_step((self.high - self.low) / 6)
        first = math.ceil(self.low / step)
        last = math.floor(self.high / step)
        values = (index * step for index in range(first, last + 1))
        return tuple(Tick(at=self.place(value), label=f"{value:.4g}") for value in values)


def scatter(points: Sequence[tuple[float, float]]) -> Plot | None:
    """Draw ported against legacy answers; a right port lies on the diagonal."""
    known = _drawable(points)
    if not known:
        return None
    low, high = _range([value for point in known for value in point])
    x = _Axis(low=low, high=high, begin=MARGIN, end=SIDE - INSET)
    y = _Axis(low=low, high=high, begin=SIDE - MARGIN, end=TOP)
    return Plot(
        dots=_dots((x.place(legacy), y.place(ported)) for legacy, ported in known),
        reference=f"M{x.begin} {y.begin}L{x.end} {y.end}",
        x_ticks=x.ticks(),
        y_ticks=y.ticks(),
        width=SIDE,
        height=SIDE,
        description=f"{_rows(known)}: the ported answer over the recorded one. "
        f"{_on_line(known)} of them lie on the diagonal, where both are the same.",
    )


def differences(points: Sequence[tuple[float, float]]) -> Plot | None:
    """Draw ported minus legacy, row by row; a right port lies on the line at 0."""
    known = _drawable(points)
    if not known:
        return None
    off = [ported - legacy for legacy, ported in known]
    low, high = _range([0.0, *off])
    x = _Axis(low=1, high=max(len(off), 2), begin=MARGIN, end=SIDE - INSET)
    y = _Axis(low=low, high=high, begin=LOW - MARGIN / 2, end=TOP)
    zero = y.place(0)
    return Plot(
        dots=_dots((x.place(row), y.place(value)) for row, value in enumerate(off, start=1)),
        reference=f"M{x.begin} {zero}L{x.end} {zero}",
        x_ticks=(),
        y_ticks=y.ticks(),
        width=SIDE,
        height=LOW,
        description=f"{_rows(known)}, in order: the ported answer minus the recorded one, "
        f"between {figure(min(off))} and {figure(max(off))}.",
    )


def decades(rows: Sequence[int]) -> tuple[Bar, ...]:
    """Count rows by the size of their difference, in multiples of the tolerance."""
    most = max(rows, default=0)
    return tuple(
        Bar(
            label=decade_label(index, len(rows)),
            width=_width(count / most) if most else 0.0,
            value=f"{count:,}",
            good=index == 0,
        )
        for index, count in enumerate(rows)
    )


def segments(shares: Mapping[str, float], worst: str) -> tuple[Bar, ...]:
    """Show the share within tolerance by kind of row, the worst first."""
    return tuple(
        Bar(
            label=name,
            width=_width(share),
            value=percent(share),
            good=share >= 1,
            note="worst" if name == worst and share < 1 else "",
        )
        for name, share in sorted(shares.items(), key=lambda item: item[1])
    )


def timings(seconds: Mapping[str, float]) -> tuple[Bar, ...]:
    """Show how long each step took, the longest first."""
    longest = max(seconds.values(), default=0.0)
    return tuple(
        Bar(
            label=name,
            width=_width(value / longest) if longest else 0.0,
            value=f"{value:.2f} s",
            good=True,
        )
        for name, value in sorted(seconds.items(), key=lambda item: -item[1])
    )


def bar_width(share: float | None) -> float:
    """Return the per cent to draw a share with: full only for all, empty only for nothing."""
    return 0.0 if share is None else _width(share)


def _width(share: float) -> float:
    if share <= 0 or share >= 1:
        return 100.0 if share >= 1 else 0.0
    return min(max(round(share * 100, 1), _SHORTEST_BAR), 100 - _SHORTEST_BAR)


def _drawable(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Keep what can be drawn: NaN compares as false, and the largest floats overflow an axis."""
    return [(x, y) for x, y in points if abs(x) < _HUGE and abs(y) < _HUGE]


def _range(values: Sequence[float]) -> tuple[float, float]:
    """Return the limits of an axis, which is never of no length."""
    low, high = min(values), max(values)
    half = max(high / 2 - low / 2, abs(high) * 1e-6, abs(low) * 1e-6, 1e-9)
    middle = low / 2 + high / 2
    return middle - half * 1.04, middle + half * 1.04


def _round_step(rough: float) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that is not below ``rough``."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next((m * power for m in (1, 2, 5) if m * power >= rough), 10 * power)


def _rows(points: Sequence[object]) -> str:
    return f"{len(points)} row{'' if len(points) == 1 else 's'}"


def _on_line(points: Sequence[tuple[float, float]]) -> int:
    return sum(math.isclose(x, y, rel_tol=1e-6, abs_tol=1e-9) for x, y in points)


def _dots(places: Iterable[tuple[float, float]]) -> str:
    return "".join(f"M{x} {y}h0" for x, y in places)
