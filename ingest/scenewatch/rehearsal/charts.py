"""Where lines, dots and bars of a run's charts stand: geometry alone, drawn by the templates as SVG."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenewatch.model.load import Load
    from scenewatch.rehearsal.report import Excerpt, Mark, Named
    from scenewatch.rehearsal.wording import Times

WIDTH, HEIGHT = 640, 230
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 22, 22
BARS_WIDTH, BARS_HEIGHT = 960, 140
STRIP_WIDTH, STRIP_HEIGHT = 300, 24
STRIP_EDGE = 8
STRIP_FROM_S: Final = 10.0
STRIP_TICKS: Final = (
    (10, "10 s"),
    (60, "1 min"),
    (600, "10 min"),
    (3_600, "1 h"),
    (36_000, "10 h"),
    (86_400 * 4, "4 d"),
)


@dataclass(frozen=True, slots=True)
class Tick:
    """Where a word stands."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Band:
    """A fault or an alarm, from left to right."""

    x: float
    width: float
    title: Named


@dataclass(frozen=True, slots=True)
class ExcerptChart:
    """Everything in the picture's own pixels."""

    excerpt: Excerpt
    path: str
    limits: list[Tick]
    faults: list[Band]
    alarms: list[Band]
    across: list[Tick]
    up: list[Tick]


@dataclass(frozen=True, slots=True)
class Bar:
    """Alarms of one step."""

    x: float
    width: float
    y: float
    height: float
    count: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class BarChart:
    """Alarms over time. `most` is the highest bar's count."""

    bars: list[Bar]
    across: list[Tick]
    most: int


@dataclass(frozen=True, slots=True)
class Strip:
    """Delays of one kind, and their median."""

    dots: list[float]
    median: float | None


def excerpt_chart(excerpt: Excerpt, times: Times) -> ExcerptChart | None:
    """None where nothing was measured."""
    values = [v for v in excerpt.value if v is not None]
    if not values:
        return None
    begin_ms, end_ms = excerpt.t_ms[0], max(excerpt.t_ms[-1], excerpt.t_ms[0] + 1)
    low, high = _height([*values, *_near(excerpt.limits, values)])

    def x(at_ms: int) -> float:
        inside = min(max(at_ms, begin_ms), end_ms)
        return round(LEFT + (inside - begin_ms) / (end_ms - begin_ms) * (WIDTH - LEFT - RIGHT), 1)

    def y(value: float) -> float:
        return round(TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)

    def bands(kind: str) -> list[Band]:
        marks = [m for m in excerpt.marks if m.kind == kind]
        return [Band(x(m.from_ms), max(2.0, round(x(_end(m, end_ms)) - x(m.from_ms), 1)), m.title) for m in marks]

    return ExcerptChart(
        excerpt=excerpt,
        path=_path([(x(t), None if v is None else y(v)) for t, v in zip(excerpt.t_ms, excerpt.value, strict=True)]),
        limits=[Tick(y(at), f"{at:g}") for at in excerpt.limits if low <= at <= high],
        faults=bands("fault"),
        alarms=bands("alarm"),
        across=[Tick(x(at), words) for at, words in times.ticks(begin_ms, end_ms, 6)],
        up=[Tick(y(at), f"{at:g}".replace("-", "−")) for at in _round_steps(low, high, 4)],
    )


def bar_chart(load: Load, times: Times) -> BarChart:
    most = max(load.steps, default=0)
    length_ms = load.to_ms - load.from_ms
    scale = (BARS_WIDTH - LEFT - RIGHT) / length_ms
    floor, tall = BARS_HEIGHT - BOTTOM, BARS_HEIGHT - BOTTOM - 8
    bars = []
    for n, count in enumerate(load.steps):
        if count:
            height = round(tall * count / most, 1)
            at_ms = load.from_ms + n * load.step_ms
            width = max(1.0, min(load.step_ms, load.to_ms - at_ms) * scale - 0.5)
            bars.append(
                Bar(
                    round(LEFT + (at_ms - load.from_ms) * scale, 1),
                    round(width, 1),
                    round(floor - height, 1),
                    height,
                    count,
                    at_ms,
                )
            )
    across = [
        Tick(round(LEFT + (at - load.from_ms) * scale, 1), t) for at, t in times.ticks(load.from_ms, load.to_ms, 8)
    ]
    return BarChart(bars, across, most)


class Strips:
    """One axis of time for all kinds, by the power of ten."""

    def __init__(self, longest_s: float) -> None:
        until_s = 1.1 * max(longest_s, 10 * STRIP_FROM_S)
        self._span = math.log(until_s / STRIP_FROM_S)
        self.ticks = [Tick(self._x(at_s), words) for at_s, words in STRIP_TICKS if at_s <= until_s]

    def strip(self, delays_s: Sequence[float], median_s: float | None) -> Strip:
        return Strip([self._x(d) for d in delays_s], None if median_s is None else self._x(median_s))

    def _x(self, delay_s: float) -> float:
        share = math.log(max(delay_s, STRIP_FROM_S) / STRIP_FROM_S) / self._span
        return round(STRIP_EDGE + share * (STRIP_WIDTH - 2 * STRIP_EDGE), 1)


def _end(mark: Mark, end_ms: int) -> int:
    return end_ms if mark.to_ms is None else mark.to_ms


def _near(limits: Sequence[float], values: Sequence[float]) -> list[float]:
    """Limits so far from what was measured that all else would be flat are left out."""
    low, high = min(values), max(values)
    room = 1.5 * max(high - low, abs(high) * 0.2, 1.0)
    return [at for at in limits if low - room <= at <= high + room]


def _height(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = 0.06 * (high - low) or max(1.0, 0.1 * abs(high))
    return low - room, high + room


def _round_steps(low: float, high: float, at_most: int) -> list[float]:
    rough = (high - low) / at_most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough)
    return [round(n * step, 9) for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _path(points: Sequence[tuple[float, float | None]]) -> str:
    """A new piece begins behind every gap; a single reading is a dot."""
    pieces: list[str] = []
    drawing = False
    for x, y in points:
        if y is None:
            drawing = False
            continue
        pieces.append(f"L{x} {y}" if drawing else f"M{x} {y}h.1")
        drawing = True
    return "".join(pieces)
