"""The compiled heart of insight: one step a reading and derived channel that reads it.

Time between two neighbouring readings counts for what the earlier one said; a step longer than the gap counts for
nothing. What a term says is taken as it was before the instant at hand, so that the order of the channels within a
message makes no difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenewatch.insight.kernel_usual import hour_of, usual_at
from scenewatch.insight.rows import (
    DEPARTURE,
    IS_TERM,
    IS_VALUE,
    LAST_RUN,
    LASTING,
    MEAN,
    NEVER,
    SHARE,
    SLOPE,
    TIME_TO,
    USUAL,
)
from scenewatch.model.compiled import compiled, inlined
from scenewatch.model.flags import Flag, Place

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from scenewatch.insight.rows import Tables, Told
    from scenewatch.model.batch import Columns

FAIL, NEW = int(Flag.FAIL), int(Place.NEW)
MINUTE_MS = 60_000.0
HOUR_MS = 3_600_000.0
PERCENT = 100.0
LEAST_OF_SPAN = 0.5
"""More than this share of a span must be known."""
LEAST_OF_LINE = 0.5
"""Share of its buckets that a line must have; with fewer nothing is said."""


@compiled
def _bucket(one: Any, operation: Any, buckets: NDArray[np.void], t: int) -> Any:
    """That of `t`, which never goes back; emptied if it was of another time."""
    if t >= one.bucket_end:
        number = t // operation.bucket
        one.bucket_end = (number + 1) * operation.bucket
        one.bucket = one.ring + number % operation.buckets
        row = buckets[one.bucket]
        row.number = number
        row.part = 0.0
        row.whole = 0.0
        row.count = 0
    return buckets[one.bucket]


@compiled
def _ratio(one: Any, operation: Any, buckets: NDArray[np.void], t: int, least: float) -> float:
    """Over all buckets that are not too old; not a number where no more than `least` is known."""
    oldest = t // operation.bucket - operation.buckets + 1
    part = 0.0
    whole = 0.0
    for i in range(operation.buckets):
        row = buckets[one.ring + i]
        if row.number >= oldest:
            part += row.part
            whole += row.whole
    return part / whole if whole > least else np.nan


@compiled
def _line(one: Any, operation: Any, buckets: NDArray[np.void], t: int) -> tuple[float, float, float]:
    """Least squares through the means of the buckets before `t`: its value at `t`, slope and that one's error.

    Each bucket counts as one, so the error is that of means that hardly depend on each other, not of each reading's
    noise. Per millisecond; not numbers where too little is known.
    """
    oldest = (t - 1) // operation.bucket - operation.buckets + 1
    n, sum_t, sum_v = 0, 0.0, 0.0
    for i in range(operation.buckets):
        row = buckets[one.ring + i]
        if row.number >= oldest:
            n += 1
            sum_t += row.whole / row.count + (row.number * operation.bucket - t)
            sum_v += row.part / row.count
    if n < 3 or n < LEAST_OF_LINE * operation.buckets:
        return np.nan, np.nan, np.nan
    mean_t, mean_v = sum_t / n, sum_v / n
    tt, tv, vv = 0.0, 0.0, 0.0
    for i in range(operation.buckets):
        row = buckets[one.ring + i]
        if row.number >= oldest:
            away_t = row.whole / row.count + (row.number * operation.bucket - t) - mean_t
            away_v = row.part / row.count - mean_v
            tt += away_t * away_t
            tv += away_t * away_v
            vv += away_v * away_v
    slope = tv / tt
    error = np.sqrt(max(0.0, vv - slope * tv) / (n - 2) / tt)
    return mean_v - slope * mean_t, slope, error


@compiled
def _minutes_to(operation: Any, level: float, slope: float, error: float) -> float:
    """Until a line passes the limit."""
    if np.isnan(level):
        return np.nan
    missing, pace = (operation.limit - level) * operation.towards, slope * operation.towards
    if missing < 0.0:
        return 0.0
    minutes: float = operation.horizon
    if pace > 0.0 and pace >= operation.sure * error:
        minutes = min(minutes, missing / pace / MINUTE_MS)
    return minutes


@compiled
def _holds(operation: Any, value: float, test: int) -> bool:
    holds: bool = value > operation.high or value < operation.low or test == operation.test
    return holds


@inlined
def _run(one: Any, operation: Any, t: int, value: float, test: int) -> float:
    """How many minutes the run was that ends with this reading; not a number where none does, or none was whole."""
    holds = _holds(operation, value, test)
    silent = t - one.seen_t > operation.gap
    whole = one.since != NEVER and not silent
    length = (t - one.since) / MINUTE_MS if one.holds and not holds and whole else np.nan
    if silent:
        one.since = NEVER
    elif holds and not one.holds:
        one.since = t
    one.holds = holds
    one.seen_t = t
    return length


@compiled
def _term(one: Any, operation: Any, t: int, value: float, test: int) -> None:
    """Take what the term says from `t` on."""
    holds = _holds(operation, value, test)
    if t - one.seen_t > operation.gap:
        one.since = t
    if one.changed_t != t:
        one.held = one.holds
        one.spoke_t = one.seen_t
        one.changed_t = t
    if holds and not one.holds:
        one.since = t
    one.holds = holds
    one.seen_t = t


@inlined
def _accrue(
    one: Any, operation: Any, buckets: NDArray[np.void], role: int, reading: tuple[int, float, int]
) -> None:
    """What the time since the reading before was; then take this one."""
    t, value, test = reading
    if operation.form >= SLOPE:
        row = _bucket(one, operation, buckets, t)
        row.part += value
        row.whole += t - (one.bucket_end - operation.bucket)
        row.count += 1
        return
    if operation.form == SHARE and t - one.seen_t <= operation.gap:
        row = _bucket(one, operation, buckets, one.seen_t)
        row.part += float(t - one.seen_t) * one.holds
        row.whole += float(t - one.seen_t)
    if operation.form == MEAN and role & IS_VALUE:
        held, spoke_t = (one.held, one.spoke_t) if one.changed_t == t else (one.holds, one.seen_t)
        if held and t - one.of_t <= operation.gap and t - spoke_t <= operation.gap:
            row = _bucket(one, operation, buckets, one.of_t)
            row.part += float(t - one.of_t) * one.of_value
            row.whole += float(t - one.of_t)
        one.of_t = t
        one.of_value = value
    if role & IS_TERM:
        _term(one, operation, t, value, test)


@compiled
def _value(one: Any, operation: Any, buckets: NDArray[np.void], t: int) -> float:
    """What is to be told at `t`; not a number for nothing."""
    if operation.form == LASTING:
        return (t - one.since) / MINUTE_MS if one.held and one.since <= t else 0.0
    if operation.form == SLOPE:
        return _line(one, operation, buckets, t)[1] * HOUR_MS
    if operation.form == TIME_TO:
        return _minutes_to(operation, *_line(one, operation, buckets, t))
    if t - one.first_t < operation.known:
        return np.nan
    if operation.form == SHARE:
        return PERCENT * _ratio(one, operation, buckets, t - 1, LEAST_OF_SPAN * operation.known)
    return _ratio(one, operation, buckets, t - 1, 0.0)


@inlined
def _at_times(
    one: Any, operation: Any, buckets: NDArray[np.void], role: int, reading: tuple[int, float, int]
) -> tuple[int, float]:
    """One reading's step of what is told at each full interval: when to tell what; at NEVER nothing.

    A line ends before the interval; of all else the time up to this reading counts.
    """
    t, _, _ = reading
    driver = IS_TERM if operation.form in (SHARE, LASTING) else IS_VALUE
    if t < one.until or not role & driver:
        _accrue(one, operation, buckets, role, reading)
        return NEVER, np.nan
    at = t // operation.every * operation.every
    telling = np.nan
    if operation.form >= SLOPE:
        telling = _value(one, operation, buckets, at)
    _accrue(one, operation, buckets, role, reading)
    if operation.form < SLOPE and one.first_t != NEVER:
        telling = _value(one, operation, buckets, at)
    if one.first_t == NEVER:
        one.first_t = t
    one.until = at + operation.every
    return (NEVER if np.isnan(telling) else at), telling


@inlined
def _step(first: int, link: Any, tables: Tables, reading: tuple[int, float, int]) -> tuple[int, float]:
    """One reading's step of one derived series of the device whose rows begin at `first`."""
    one = tables.state[first + link.operation]
    operation = tables.operations[one.operation]
    t, value, test = reading
    if operation.form == DEPARTURE:
        if t < one.until:
            one.sum += value
            one.count += 1
        elif hour_of(one, operation, tables, t, value):
            return one.since * operation.every, one.smooth
        return NEVER, np.nan
    if operation.form == USUAL:
        departure = tables.state[first + operation.departure]
        if departure.since == one.told:
            return NEVER, np.nan
        one.told = departure.since
        return one.told * operation.every, usual_at(departure, tables.pattern[departure.ring], one.told)
    if operation.form == LAST_RUN:
        length = _run(one, operation, t, value, test)
        return (NEVER if np.isnan(length) else t), length
    return _at_times(one, operation, tables.buckets, link.role, reading)


@compiled
def step(begin: int, batch: Columns, tables: Tables, told: Told) -> tuple[int, int]:
    """Readings from `begin` on, until all are done or `told` is full. Returns where it stopped and how many."""
    written = 0
    for i in range(begin, len(batch.series)):
        if batch.place[i] != NEW or not batch.live[i] or batch.flag[i] >= FAIL:
            continue
        series = batch.series[i]
        if not 0 <= series < len(tables.kind):
            raise IndexError("a reading of a series that was not grown")
        kind = tables.kind[series]
        first, behind = tables.first_link[kind], tables.first_link[kind + 1]
        if written + behind - first > len(told.series):
            return i, written
        for number in range(first, behind):
            link = tables.links[number]
            at, value = _step(tables.base[series], link, tables, (batch.t_ms[i], batch.value[i], batch.test[i]))
            if at != NEVER:
                told.cause[written] = i
                told.series[written] = tables.state[tables.base[series] + link.operation].series
                told.t_ms[written] = at
                told.value[written] = value
                written += 1
    return len(batch.series), written
