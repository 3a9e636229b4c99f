"""A long record as few windows: which level is read, what is read finer, and how it is put together.

What is asked for is covered by whole windows of the coarsest level that is fine enough; before and behind them,
where there is no whole window or none yet, by the next finer level, down to the readings. So nothing is shown
twice, and the newest readings never miss. Where two windows are apart the device was silent.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from scenewatch.model.errors import TemporaryError
from scenewatch.model.level import Level, Summaries
from scenewatch.model.ports import Levels, Store
from scenewatch.store.fold import chosen, folded, joined, of_readings

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = 500_000
"""Readings or windows that are in memory at once."""
MOST_PAGES = 20
"""Of readings so dense that a slice has more than a page. What is behind them is left out, and that is told."""
SLICE_MS = 30 * Level.DAY.span_ms
MOST_SLICES = 100

NO_NUMBERS = np.empty(0)
NOTHING = Summaries(
    t_ms=NO_NUMBERS.astype(np.int64),
    low=NO_NUMBERS,
    high=NO_NUMBERS,
    mean=NO_NUMBERS,
    count=NO_NUMBERS.astype(np.int64),
    good=NO_NUMBERS.astype(np.int64),
    flag=NO_NUMBERS.astype(np.uint8),
    truncated=False,
)

log = logging.getLogger(__name__)


class Record(Store, Levels, Protocol):
    """What charts are made of."""


@dataclass(frozen=True, slots=True)
class Chart:
    """At most as many windows as were asked for. `width_ms` is how long each is; 0: they are single readings."""

    windows: Summaries
    width_ms: int


def chart(record: Record, series: str, from_ms: int, to_ms: int, points: int) -> Chart:
    """What the series did in [from_ms, to_ms); no peak is hidden, however short. Raises TemporaryError."""
    width_ms = max(1, -(-(to_ms - from_ms) // points))
    level = next(one for one in reversed(Level) if one.span_ms <= width_ms)

    def fold(windows: Summaries) -> Summaries:
        return folded(windows, from_ms + (windows.t_ms - from_ms) // width_ms * width_ms)

    found, number = [], 0
    for part in _parts(record, series, level, from_ms, to_ms):
        number += len(part.t_ms)
        found.append(part if len(part.t_ms) <= points else fold(part))
    whole = joined(found)
    return Chart(whole, level.span_ms) if number <= points else Chart(fold(whole), width_ms)


def _parts(record: Record, series: str, level: Level, from_ms: int, to_ms: int) -> Iterator[Summaries]:
    """All of the span once, in order; at least one part."""
    if level is Level.READING:
        yield from _readings(record, series, from_ms, to_ms)
        return
    windows = _whole_windows(record, series, level, from_ms, to_ms)
    if len(windows.t_ms) == 0:
        yield from _parts(record, series, level.below, from_ms, to_ms)
        return
    first, end = int(windows.t_ms[0]), int(windows.t_ms[-1]) + level.span_ms
    if from_ms < first:
        yield from _parts(record, series, level.below, from_ms, first)
    yield windows
    if end < to_ms:
        yield from _parts(record, series, level.below, end, to_ms)


def _whole_windows(record: Record, series: str, level: Level, from_ms: int, to_ms: int) -> Summaries:
    """None where the level cannot be read now: the finer ones have all of it too."""
    try:
        found = record.summaries(series, level, from_ms, to_ms, PAGE)
    except TemporaryError as error:
        log.debug("%s of %s: %s", level.name, series, error)
        return NOTHING
    return chosen(found, found.t_ms <= to_ms - level.span_ms, truncated=False)


def _readings(record: Record, series: str, from_ms: int, to_ms: int) -> Iterator[Summaries]:
    """A slice of time after the other: a store sorts all that a question spans, however few are wanted."""
    slice_ms = max(SLICE_MS, (to_ms - from_ms) // MOST_SLICES)
    pages = 0
    while from_ms < to_ms and pages < MOST_PAGES:
        end_ms = min(from_ms + slice_ms, to_ms)
        found = of_readings(record.readings(series, from_ms, end_ms, PAGE))
        from_ms = int(found.t_ms[-1]) + 1 if found.truncated else end_ms
        pages += found.truncated
        yield replace(found, truncated=pages == MOST_PAGES)
