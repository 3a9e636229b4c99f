"""Charts and timelines of the dashboards' pictures, as SVG."""
# ruff: noqa: INP001 - beside the script that uses it, not a package

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Json = dict[str, Any]
LOCAL = timezone(timedelta(hours=8))
HOUR_MS = 3_600_000
LEFT, RIGHT, TOP, BOTTOM = 58, 10, 6, 20
LETTER_PX = 7
WHOLE_NAME = 26


@dataclass(frozen=True)
class Frame:
    """Where a chart is drawn, and which time it shows. `left` is kept for what stands before it."""

    width: int
    height: int
    from_ms: int
    to_ms: int
    left: int = LEFT

    def x(self, t_ms: float) -> float:
        share = (t_ms - self.from_ms) / (self.to_ms - self.from_ms)
        return round(self.left + share * (self.width - self.left - RIGHT), 1)

    @property
    def bottom(self) -> int:
        return self.height - BOTTOM

    def times(self) -> Iterator[str]:
        """Lines each few hours, with the kitchens' clock below."""
        step = 3 * HOUR_MS
        for t in range(math.ceil(self.from_ms / step) * step, self.to_ms + 1, step):
            clock = datetime.fromtimestamp(t / 1000, LOCAL).strftime("%H:%M")
            yield f'<line class="grid" x1="{self.x(t)}" x2="{self.x(t)}" y1="{TOP}" y2="{self.bottom}"/>'
            yield f'<text class="axis" x="{self.x(t)}" y="{self.height - 5}" text-anchor="middle">{clock}</text>'


@dataclass(frozen=True)
class Line:
    """One series of a chart with how it is drawn."""

    name: str
    color: str
    t_ms: Sequence[int]
    values: Sequence[float | None]
    width: float = 1.5
    fill_to: str = ""
    bars: bool = False
    in_legend: bool = True


def chart(frame: Frame, lines: Sequence[Line], steps: Sequence[Json], unit: str, marks: Sequence[Json]) -> str:
    """Lines over time, the limits dashed, alarms as bands."""
    drawn = [y for one in lines for y in one.values if y is not None]
    limits = [step for step in steps if step["value"] is not None and step["color"] != "transparent"]
    low, high = min(drawn, default=0), max(drawn, default=1)
    near = [step["value"] for step in limits if low - (high - low) / 2 <= step["value"] <= high + (high - low) / 2]
    low, high = min([low, *near]), max([high, *near])
    if any(one.bars for one in lines):
        low = 0
    pad = (high - low or 1) * 0.06
    scale = _Scale(frame, low - (0 if low == 0 else pad), high + pad)
    body = [*frame.times(), *scale.ticks(unit)]
    body += [_band(frame, mark) for mark in marks]
    body += [_limit(scale, step) for step in limits if step["value"] in near]
    body += [_fill(scale, one, lines) for one in lines if one.fill_to]
    body += [_bars(scale, one) if one.bars else _line(scale, one) for one in lines]
    return _svg(frame, body)


def legend(lines: Sequence[Line]) -> str:
    entries = [
        f'<span><i style="background:{one.color}"></i>{escape(one.name)}</span>' for one in lines if one.in_legend
    ]
    return f'<div class="legend">{"".join(entries)}</div>'


def timeline(frame: Frame, rows: Sequence[tuple[str, Sequence[int], Sequence[Json]]]) -> str:
    """A bar for each row, in the colours and words of its values; what is like its neighbour is one piece."""
    high = (frame.bottom - TOP) / max(1, len(rows))
    frame = replace(frame, left=12 + max(_width(_short(name)) for name, _, _ in rows))
    body = list(frame.times())
    for number, (name, t_ms, shown) in enumerate(rows):
        y = TOP + number * high + high * 0.1
        for begin, end, one in _pieces(frame, t_ms, shown):
            wide = frame.x(end) - frame.x(begin)
            body.append(
                f'<rect x="{frame.x(begin)}" y="{y:.1f}" width="{wide:.1f}" height="{high * 0.8:.1f}"'
                f' fill="{one["color"]}" fill-opacity=".8"/>'
            )
            if wide > len(one["text"]) * LETTER_PX + 8 and high > 14:
                body.append(
                    f'<text class="in" x="{frame.x(begin) + 5:.1f}" y="{y + high * 0.4 + 4:.1f}">'
                    f"{escape(one['text'])}</text>"
                )
        middle = y + high * 0.4 + 4
        body.append(
            f'<text class="axis" x="{frame.left - 6}" y="{middle:.1f}" text-anchor="end">'
            f"{escape(_short(name))}</text>"
        )
    return _svg(frame, body)


def _short(name: str) -> str:
    return name if len(name) <= WHOLE_NAME else f"{name[: WHOLE_NAME - 1]}…"


def _width(text: str) -> int:
    """About how wide small letters are; Chinese ones are twice as wide."""
    return sum(11 if ord(letter) > 0x2E80 else 6 for letter in text)


def _pieces(frame: Frame, t_ms: Sequence[int], shown: Sequence[Json]) -> Iterator[tuple[int, int, Json]]:
    begin = 0
    for n in range(1, len(t_ms) + 1):
        if n == len(t_ms) or shown[n]["text"] != shown[begin]["text"]:
            end = t_ms[n] if n < len(t_ms) else frame.to_ms
            if shown[begin]["text"]:
                yield max(t_ms[begin], frame.from_ms), end, shown[begin]
            begin = n


class _Scale:
    def __init__(self, frame: Frame, low: float, high: float) -> None:
        self.frame, self.low, self.high = frame, low, high

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.frame.bottom - share * (self.frame.bottom - TOP), 1)

    def ticks(self, unit: str) -> Iterator[str]:
        rough = (self.high - self.low) / 5
        magnitude = 10 ** math.floor(math.log10(rough))
        step = next(m * magnitude for m in (1, 2, 5, 10) if m * magnitude >= rough)
        for n in range(math.ceil(self.low / step), math.floor(self.high / step) + 1):
            y = self.y(n * step)
            yield f'<line class="grid" x1="{self.frame.left}" x2="{self.frame.width - RIGHT}" y1="{y}" y2="{y}"/>'
            number = f"{n * step:.6g}{escape(unit)}"
            yield f'<text class="axis" x="{self.frame.left - 6}" y="{y + 4}" text-anchor="end">{number}</text>'


def _segments(one: Line) -> Iterator[list[tuple[int, float]]]:
    """What is without a gap."""
    run: list[tuple[int, float]] = []
    for t, value in zip(one.t_ms, one.values, strict=True):
        if value is None:
            if run:
                yield run
            run = []
        else:
            run.append((t, value))
    if run:
        yield run


def _line(scale: _Scale, one: Line) -> str:
    """A value alone between gaps is a point."""
    paths = []
    for run in _segments(one):
        points = "L".join(f"{scale.frame.x(t)},{scale.y(v)}" for t, v in run)
        paths.append(f"M{points}" if len(run) > 1 else f"M{points}h.1")
    style = f'stroke="{one.color}" stroke-width="{one.width}" stroke-linecap="round" stroke-linejoin="round"'
    return f'<path d="{"".join(paths)}" fill="none" {style}/>'


def _bars(scale: _Scale, one: Line) -> str:
    places = [scale.frame.x(t) for t in one.t_ms]
    wide = max(1.5, min((b - a for a, b in pairwise(places)), default=6) * 0.8)
    return "".join(
        f'<rect x="{x - wide / 2:.1f}" y="{scale.y(v)}" width="{wide:.1f}" height="{scale.y(0) - scale.y(v):.1f}"'
        f' fill="{one.color}" fill-opacity=".85"/>'
        for x, v in zip(places, one.values, strict=True)
        if v
    )


def _fill(scale: _Scale, one: Line, lines: Sequence[Line]) -> str:
    other = next(line for line in lines if line.name == one.fill_to)
    paths = []
    for upper, lower in zip(_segments(one), _segments(other), strict=False):
        there = [f"{scale.frame.x(t)},{scale.y(v)}" for t, v in upper]
        back = [f"{scale.frame.x(t)},{scale.y(v)}" for t, v in reversed(lower)]
        paths.append(f"M{'L'.join(there + back)}Z")
    return f'<path d="{"".join(paths)}" fill="{one.color}" fill-opacity=".2"/>'


def _limit(scale: _Scale, step: Json) -> str:
    y = scale.y(step["value"])
    return (
        f'<line x1="{scale.frame.left}" x2="{scale.frame.width - RIGHT}" y1="{y}" y2="{y}" stroke="{step["color"]}"'
        ' stroke-width="1.3" stroke-dasharray="7 5"/>'
    )


def _band(frame: Frame, mark: Json) -> str:
    begin, end = frame.x(mark["from_ms"]), frame.x(mark["to_ms"])
    return (
        f'<rect x="{begin}" y="{TOP}" width="{max(1.5, end - begin):.1f}" height="{frame.bottom - TOP}"'
        f' fill="{mark["color"]}" fill-opacity=".07"/>'
        f'<path d="M{begin},{frame.bottom}h{max(4, end - begin):.1f}" stroke="{mark["color"]}" stroke-width="3"/>'
    )


def _svg(frame: Frame, body: Sequence[str]) -> str:
    return f'<svg width="{frame.width}" height="{frame.height}">{"".join(body)}</svg>'


def unit_of(example: str) -> str:
    """What Grafana writes behind a number."""
    return re.sub(r"^[-\d.,]+", "", example)
