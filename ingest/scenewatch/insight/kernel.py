"""The compiled heart of insight: one step a reading and derived channel that reads it.

Time between two neighbouring readings counts for what the earlier one said; a step longer than the gap counts for
nothing. What a term says is taken as it was before the instant at hand, so that the order of the channels within a
message makes no difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from scenewatch.insight.rows import (
    DEPARTURE,
    HOURS,
    HOURS_A_PART,
    IS_TERM,
    IS_VALUE,
    LAST_RUN,
    LASTING,
    MEAN,
    NEVER,
    PARTS,
    SHARE,
    SLOPE,
    TIME_TO,
    USUAL,
)
from scenewatch.model.flags import Flag, Place

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from scenewatch.insight.rows import Columns, Tables, Told

FAIL, NEW = int(Flag.FAIL), int(Place.NEW)
MINUTE_MS = 60_000.0
HOUR_MS = 3_600_000.0
PERCENT = 100.0
FARTHEST = 6.0
"""A single hour's departure is taken for no more than this, nor moves the usual by more than `CLIPPED` spreads."""
CLIPPED = 3.0
MEAN_TO_SPREAD = 1.2533
"""From the mean absolute deviation of a normal distribution to its standard deviation."""
MEDIAN_TO_SPREAD = 1.4826
LEAST_SHARE_OF_ALL = 0.02
"""The spread at first is at least this share of the values' own."""
FIRST_ALLOWANCE = 1.2
"""A spread of one week is taken for a little larger."""
WARY_PACE = 0.35
"""How much slower the usual follows while the departure is suspicious."""
LEAST_KNOWN = 0.5
"""Share of the hours of learning that must have been measured; else it begins anew."""
WEEKLY_DOUBT = 0.6
"""A part of the week counts for what it differs beyond this many spreads, fewer the more weeks are known."""
FEWEST_WEEKS = 2
"""One week cannot say what is weekly of it."""
MOST_WEEKS = 4
"""As many as one part's own learning remembers."""
LEAST_OF_SPAN = 0.5
"""More than this share of a span must be known."""
LEAST_OF_LINE = 0.5
"""Share of its buckets that a line must have; with fewer nothing is said."""


@njit(cache=True)
def _add(one: Any, operation: Any, buckets: NDArray[np.void], t: int, part: float, whole: float) -> None:
    number = t // operation.bucket
    row = buckets[one.ring + number % operation.buckets]
    if row.number != number:
        row.number = number
        row.part = 0.0
        row.whole = 0.0
        row.count = 0
    row.part += part
    row.whole += whole
    row.count += 1


@njit(cache=True)
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


@njit(cache=True)
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


@njit(cache=True)
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


@njit(cache=True)
def _holds(operation: Any, value: float, test: int) -> bool:
    holds: bool = value > operation.high or value < operation.low or test == operation.test
    return holds


@njit(cache=True)
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


@njit(cache=True)
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


@njit(cache=True)
def _usual(one: Any, pattern: NDArray[np.float64], hour: int) -> float:
    """Of an hour's time of day, and of its part of the week as far as that is surely different."""
    of_week: float = pattern[HOURS + hour // HOURS_A_PART % PARTS]
    weeks = _weeks(one, hour)
    doubt = WEEKLY_DOUBT * one.spread / np.sqrt(weeks) if weeks >= FEWEST_WEEKS else np.inf
    usual: float = pattern[hour % HOURS]
    return usual + np.sign(of_week) * max(0.0, abs(of_week) - doubt)


@njit(cache=True)
def _weeks(one: Any, hour: int) -> float:
    """How many of them are known, as far as that matters."""
    return float(min(MOST_WEEKS, max(1, (hour - one.first_t) // (HOURS_A_PART * PARTS))))


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
    part = np.empty(n, np.int64)
    for i in range(n):
        rest[i] = means[i] - pattern[(last_hour - n + 1 + i) % HOURS]
        part[i] = (last_hour - n + 1 + i) // HOURS_A_PART % PARTS
    for k in range(PARTS):
        of_part = rest[(part == k) & ~np.isnan(rest)]
        pattern[HOURS + k] = np.median(of_part) if len(of_part) else 0.0
    rest = rest[~np.isnan(rest)]
    spread = MEDIAN_TO_SPREAD * np.median(np.abs(rest - np.median(rest)))
    least = LEAST_SHARE_OF_ALL * np.std(means[~np.isnan(means)])
    one.spread = max(spread, least, 1e-9) * FIRST_ALLOWANCE


@njit(cache=True)
def _depart(one: Any, operation: Any, pattern: NDArray[np.float64], hour: int, mean: float, hours: int) -> None:
    """One hour's mean, `hours` after the one before, against the usual; then the usual follows a little."""
    away = mean - _usual(one, pattern, hour)
    if hours > HOURS:
        one.smooth = 0.0
    step = min(max(away / one.spread, -FARTHEST), FARTHEST)
    one.smooth += (1.0 - np.exp(-hours / operation.smoothing)) * (step - one.smooth)
    pace = WARY_PACE if abs(one.smooth) > operation.wary else 1.0
    most = CLIPPED * one.spread
    clipped = min(max(away, -most), most)
    part = HOURS + hour // HOURS_A_PART % PARTS
    beside = min(max(mean - pattern[hour % HOURS] - pattern[part], -most), most)
    pattern[part] += beside * (1.0 - np.exp(-pace / HOURS_A_PART / (1.0 + _weeks(one, hour))))
    pattern[hour % HOURS] += clipped * (1.0 - np.exp(-pace * HOURS / operation.pattern))
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
    if operation.form == SLOPE:
        return _line(one, operation, tables.buckets, t)[1] * HOUR_MS
    if operation.form == TIME_TO:
        return _minutes_to(operation, *_line(one, operation, tables.buckets, t))
    if t - one.first_t < operation.known:
        return np.nan
    if operation.form == SHARE:
        return PERCENT * _ratio(one, operation, tables.buckets, t - 1, LEAST_OF_SPAN * operation.known)
    return _ratio(one, operation, tables.buckets, t - 1, 0.0)


@njit(cache=True)
def _at_times(one: Any, tables: Tables, role: int, reading: tuple[int, float, int]) -> tuple[int, float]:
    """One reading's step of what is told at each full interval: when to tell what; at NEVER nothing."""
    operation = tables.operations[one.operation]
    t, value, _ = reading
    is_line = operation.form in {SLOPE, TIME_TO}
    if not is_line:
        _accrue(one, operation, tables, role, reading)
    at, telling = NEVER, np.nan
    if role & (IS_VALUE if is_line or operation.form == MEAN else IS_TERM):
        number = t // operation.every
        if one.first_t == NEVER:
            one.first_t = t
            one.told = number
        if number != one.told:
            one.told = number
            telling = _value(one, operation, tables, number * operation.every)
            if not np.isnan(telling):
                at = number * operation.every
    if is_line:
        _add(one, operation, tables.buckets, t, value, float(t % operation.bucket))
    return at, telling


@njit(cache=True)
def _step(first: int, link: Any, tables: Tables, reading: tuple[int, float, int]) -> tuple[int, float]:
    """One reading's step of one derived series of the device whose rows begin at `first`."""
    one = tables.state[first + link.operation]
    operation = tables.operations[one.operation]
    t, value, test = reading
    if operation.form == DEPARTURE:
        if _hour(one, operation, tables, t, value):
            return one.since * operation.every, one.smooth
        return NEVER, np.nan
    if operation.form == USUAL:
        departure = tables.state[first + operation.departure]
        if departure.since == one.told:
            return NEVER, np.nan
        one.told = departure.since
        return one.told * operation.every, _usual(departure, tables.pattern[departure.ring], one.told)
    if operation.form == LAST_RUN:
        length = _run(one, operation, t, value, test)
        return (NEVER if np.isnan(length) else t), length
    return _at_times(one, tables, link.role, reading)


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
            at, value = _step(tables.base[series], link, tables, (batch.t_ms[i], batch.value[i], batch.test[i]))
            if at != NEVER:
                told.cause[written] = i
                told.series[written] = tables.state[tables.base[series] + link.operation].series
                told.t_ms[written] = at
                told.value[written] = value
                written += 1
    return len(batch.series), written
