"""How each device of recorded data did against its labelled windows, and how quiet it was outside of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scenewatch.rehearsal.report import SeriesEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scenewatch.rehearsal.labels import RaisedAlarm
    from scenewatch.rehearsal.score import FaultOutcome

    Span = tuple[int, int]

DAY_MS: Final = 86_400_000
MONTH_MS: Final = 30 * DAY_MS


@dataclass(frozen=True, slots=True)
class Watched:
    """From when to when there are readings of a device, and how long its rules learn at first."""

    device: str
    from_ms: int
    to_ms: int
    learning_ms: int


def series_entry(of: Watched, windows: Sequence[FaultOutcome], alarms: Sequence[RaisedAlarm]) -> SeriesEntry:
    """`windows` and `alarms` are the device's own."""
    spans = union((w.label.from_ms, w.label.to_ms) for w in windows)
    judged = [(min(of.from_ms + of.learning_ms, of.to_ms), of.to_ms)]
    outside = minus(judged, spans)
    standing = union((a.raised_at_ms, of.to_ms if a.cleared_at_ms is None else a.cleared_at_ms) for a in alarms)
    raised_outside = sum(not any(begin <= a.raised_at_ms <= end for begin, end in spans) for a in alarms)
    outside_ms, in_alarm_ms = length(outside), length(outside) - length(minus(outside, standing))
    return SeriesEntry(
        device=of.device,
        from_ms=of.from_ms,
        to_ms=of.to_ms,
        learning_days=of.learning_ms / DAY_MS,
        windows=len(windows),
        found=sum(w.detected for w in windows),
        raised_outside=raised_outside,
        raised_outside_a_month=raised_outside / (outside_ms / MONTH_MS) if outside_ms else None,
        outside_in_alarm=in_alarm_ms / outside_ms if outside_ms else None,
    )


def union(spans: Iterable[Span]) -> list[Span]:
    """The same time in spans that do not touch, ascending."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def minus(spans: Iterable[Span], others: Sequence[Span]) -> list[Span]:
    """What is in `spans` and in none of `others`, which ascend and do not touch."""
    found = []
    for begin, end in spans:
        at = begin
        for other_begin, other_end in others:
            if other_end <= at or other_begin >= end:
                continue
            if other_begin > at:
                found.append((at, other_begin))
            at = max(at, other_end)
        if at < end:
            found.append((at, end))
    return found


def length(spans: Iterable[Span]) -> int:
    return sum(end - begin for begin, end in spans)
