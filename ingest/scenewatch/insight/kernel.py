"""The compiled heart of insight: one step a reading and derived channel that reads it.

Time between two neighbouring readings counts for what the earlier one said; a step longer than the gap counts for
nothing. What a term says is taken as it was before the instant at hand, so that the order of the channels within a
message makes no difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from scenewatch.model.flags import Flag, Place

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

NEVER = -(2**62)
SHARE, MEAN, LASTING, DEPARTURE = range(4)
IS_VALUE, IS_TERM = 1, 2
"""Roles of a channel in a derived one; it may have both."""
HOURS = 24
FAIL, NEW = int(Flag.FAIL), int(Place.NEW)
MINUTE_MS = 60_000.0
FARTHEST = 6.0
"""A single hour's departure is taken for no more than this, nor moves the usual by more than `CLIPPED` spreads."""
CLIPPED = 3.0
MEAN_TO_SPREAD = 1.2533
"""From the mean absolute deviation of a normal distribution to its standard deviation."""
MEDIAN_TO_SPREAD = 1.4826
LEAST_SHARE_OF_ALL = 0.02
"""The spread at first is at least this share of the values' own."""
FIRST_ALLOWANCE = 1.2
WARY_PACE = 0.35
"""How much slower the usual follows while the departure is suspicious."""
LEAST_KNOWN = 0.5
"""Share of the hours of learning that must have been measured; else it begins anew."""
"""A spread of one week is taken for a little larger."""

LINK = np.dtype([("operation", np.int32), ("role", np.int32)], align=True)
"""A derived channel that reads a channel of this kind; `operation` counts from the device's first."""

OPERATION = np.dtype(
    [
        ("form", np.int32),
        ("test", np.int32),
        ("low", np.float64),
        ("high", np.float64),
        ("every", np.int64),
        ("bucket", np.int64),
        ("buckets", np.int64),
        ("gap", np.int64),
        ("known", np.int64),
        ("smoothing", np.float64),
        ("pattern", np.float64),
        ("spread", np.float64),
        ("wary", np.float64),
        ("learning", np.int64),
    ],
    align=True,
)
"""A term holds below `low`, above `high`, or where `test` set the flag. Of a departure times are in hours."""

STATE = np.dtype(
    [
        ("operation", np.int32),
        ("series", np.int32),
        ("ring", np.int32),
        ("learnt", np.int32),
        ("first_t", np.int64),
        ("told", np.int64),
        ("seen_t", np.int64),
        ("changed_t", np.int64),
        ("spoke_t", np.int64),
        ("since", np.int64),
        ("of_t", np.int64),
        ("of_value", np.float64),
        ("sum", np.float64),
        ("spread", np.float64),
        ("smooth", np.float64),
        ("count", np.int64),
        ("hour", np.int64),
        ("holds", np.int32),
        ("held", np.int32),
    ],
    align=True,
)
"""A row a derived series. `ring` is its first bucket or pattern; `held` what the term said before `changed_t`.

Of a departure `first_t`, `told`, `since` and `hour` are hours: of the first mean, of the last that was judged, the
boundary at which it is told, and the one at hand.
"""

BUCKET = np.dtype([("number", np.int64), ("part", np.float64), ("whole", np.float64)])


class Columns(NamedTuple):
    """The columns of a batch that insight reads."""

    series: NDArray[np.int32]
    t_ms: NDArray[np.int64]
    value: NDArray[np.float64]
    flag: NDArray[np.uint8]
    test: NDArray[np.uint8]
    place: NDArray[np.uint8]
    live: NDArray[np.bool_]


class Tables(NamedTuple):
    """What is derived of what, and how far it has come."""

    first_link: NDArray[np.int32]
    """By kind of series, and one more."""
    links: NDArray[np.void]
    operations: NDArray[np.void]
    kind: NDArray[np.int32]
    base: NDArray[np.int32]
    """Of each series its device's first row of `state`."""
    state: NDArray[np.void]
    buckets: NDArray[np.void]
    pattern: NDArray[np.float64]
    """(departures, HOURS): what is usual."""
    learning: NDArray[np.float64]
    """(departures, hours of learning): hourly means, NaN where there were none."""


class Told(NamedTuple):
    """Derived readings: which of the batch's readings led to each, then its columns."""

    cause: NDArray[np.int64]
    series: NDArray[np.int32]
    t_ms: NDArray[np.int64]
    value: NDArray[np.float64]


@njit(cache=True)
def _add(one: Any, operation: Any, buckets: NDArray[np.void], t: int, part: float, whole: float) -> None:
    number = t // operation.bucket
    row = buckets[one.ring + number % operation.buckets]
    if row.number != number:
        row.number = number
        row.part = 0.0
        row.whole = 0.0
    row.part += part
    row.whole += whole


@njit(cache=True)
def _ratio(one: Any, operation: Any, buckets: NDArray[np.void], t: int) -> float:
    """Over all buckets that are not too old; not a number where nothing is known."""
    oldest = t // operation.bucket - operation.buckets + 1
    part = 0.0
    whole = 0.0
    for i in range(operation.buckets):
        row = buckets[one.ring + i]
        if row.number >= oldest:
            part += row.part
            whole += row.whole
    return part / whole if whole > 0.0 else np.nan


@njit(cache=True)
def _term(one: Any, operation: Any, t: int, value: float, test: int) -> None:
    """Take what the term says from `t` on."""
    holds = value > operation.high or value < operation.low or test == operation.test
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


@njit(cache=True)
def _learn(one: Any, pattern: NDArray[np.float64], means: NDArray[np.float64], last_hour: int) -> None:
    """The usual at first: the median of each hour of day, and of all where an hour is unknown."""
    n = len(means)
    all_of_it = np.median(means[~np.isnan(means)])
    for k in range(HOURS):
        of_hour = means[(last_hour - n + 1 + np.arange(n)) % HOURS == k]
        of_hour = of_hour[~np.isnan(of_hour)]
        pattern[k] = np.median(of_hour) if len(of_hour) else all_of_it
    rest = np.empty(n)
    for i in range(n):
        rest[i] = means[i] - pattern[(last_hour - n + 1 + i) % HOURS]
    rest = rest[~np.isnan(rest)]
    spread = MEDIAN_TO_SPREAD * np.median(np.abs(rest - np.median(rest)))
    least = LEAST_SHARE_OF_ALL * np.std(means[~np.isnan(means)])
    one.spread = max(spread, least, 1e-9) * FIRST_ALLOWANCE


@njit(cache=True)
def _depart(one: Any, operation: Any, pattern: NDArray[np.float64], hour: int, mean: float, hours: int) -> None:
    """One hour's mean, `hours` after the one before, against the usual; then the usual follows a little."""
    k = hour % HOURS
    away = mean - pattern[k]
    if hours > HOURS:
        one.smooth = 0.0
    step = min(max(away / one.spread, -FARTHEST), FARTHEST)
    one.smooth += (1.0 - np.exp(-hours / operation.smoothing)) * (step - one.smooth)
    pace = WARY_PACE if abs(one.smooth) > operation.wary else 1.0
    most = CLIPPED * one.spread
    pattern[k] += min(max(away, -most), most) * (1.0 - np.exp(-pace * HOURS / operation.pattern))
    one.spread += (min(abs(away), most) * MEAN_TO_SPREAD - one.spread) * (1.0 - np.exp(-pace / operation.spread))


@njit(cache=True)
def _hour(one: Any, operation: Any, tables: Tables, t: int, value: float) -> bool:
    """Take one reading of a departure's channel; True when an hour is over that tells something."""
    hour = t // operation.every
    told = False
    if one.count and hour != one.hour:
        mean = one.sum / one.count
        pattern, means = tables.pattern[one.ring], tables.learning[one.ring][: operation.learning]
        if one.first_t == NEVER:
            one.first_t = one.hour
        since_first = one.hour - one.first_t
        if one.learnt == 0 and since_first < operation.learning:
            means[since_first] = mean
        if one.learnt == 0 and hour - one.first_t >= operation.learning:
            if np.sum(~np.isnan(means)) < LEAST_KNOWN * operation.learning:
                means[:] = np.nan
                one.first_t = hour
            else:
                _learn(one, pattern, means, one.first_t + operation.learning - 1)
                one.learnt = 1
            one.told = hour - 1
        elif one.learnt == 1:
            _depart(one, operation, pattern, one.hour, mean, one.hour - one.told)
            one.told = one.hour
            one.since = one.hour + 1
            told = True
        one.count = 0
        one.sum = 0.0
    one.hour = hour
    one.sum += value
    one.count += 1
    return told


@njit(cache=True)
def _accrue(one: Any, operation: Any, tables: Tables, role: int, reading: tuple[int, float, int]) -> None:
    """What the time since the reading before was; then take this one."""
    t, value, test = reading
    if operation.form == SHARE and 0 < t - one.seen_t <= operation.gap:
        span = float(t - one.seen_t)
        _add(one, operation, tables.buckets, one.seen_t, span * one.holds, span)
    if operation.form == MEAN and role & IS_VALUE:
        held, spoke_t = (one.held, one.spoke_t) if one.changed_t == t else (one.holds, one.seen_t)
        if held and 0 < t - one.of_t <= operation.gap and t - spoke_t <= operation.gap:
            span = float(t - one.of_t)
            _add(one, operation, tables.buckets, one.of_t, span * one.of_value, span)
        one.of_t = t
        one.of_value = value
    if role & IS_TERM:
        _term(one, operation, t, value, test)


@njit(cache=True)
def _value(one: Any, operation: Any, tables: Tables, t: int) -> float:
    """What is to be told at `t`; not a number for nothing."""
    if operation.form == LASTING:
        return (t - one.since) / MINUTE_MS if one.held and one.since <= t else 0.0
    if t - one.first_t < operation.known:
        return np.nan
    return _ratio(one, operation, tables.buckets, t - 1)


@njit(cache=True)
def _step(one: Any, tables: Tables, role: int, reading: tuple[int, float, int]) -> tuple[int, float]:
    """One reading's step of one derived series: when to tell what; at NEVER nothing."""
    operation = tables.operations[one.operation]
    t, value, _ = reading
    if operation.form == DEPARTURE:
        if _hour(one, operation, tables, t, value):
            return one.since * operation.every, one.smooth
        return NEVER, np.nan
    driver = IS_VALUE if operation.form == MEAN else IS_TERM
    at, telling = NEVER, np.nan
    _accrue(one, operation, tables, role, reading)
    if role & driver:
        number = t // operation.every
        if one.first_t == NEVER:
            one.first_t = t
            one.told = number
        if number != one.told:
            one.told = number
            telling = _value(one, operation, tables, number * operation.every)
            if not np.isnan(telling):
                at = number * operation.every
    return at, telling


@njit(cache=True)
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
            one = tables.state[tables.base[series] + link.operation]
            at, value = _step(one, tables, link.role, (batch.t_ms[i], batch.value[i], batch.test[i]))
            if at != NEVER:
                told.cause[written] = i
                told.series[written] = one.series
                told.t_ms[written] = at
                told.value[written] = value
                written += 1
    return len(batch.series), written
