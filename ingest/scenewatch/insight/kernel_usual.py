"""What is usual of a channel, hour by hour, and how far it departs from that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenewatch.insight.rows import HOURS, HOURS_A_PART, NEVER, PARTS
from scenewatch.model.compiled import compiled

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from scenewatch.insight.rows import Tables

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


@compiled
def usual_at(one: Any, pattern: NDArray[np.float64], hour: int) -> float:
    """Of an hour's time of day, and of its part of the week as far as that is surely different."""
    of_week: float = pattern[HOURS + hour // HOURS_A_PART % PARTS]
    weeks = _weeks(one, hour)
    doubt = WEEKLY_DOUBT * one.spread / np.sqrt(weeks) if weeks >= FEWEST_WEEKS else np.inf
    usual: float = pattern[hour % HOURS] + np.sign(of_week) * max(0.0, abs(of_week) - doubt)
    return usual


@compiled
def _weeks(one: Any, hour: int) -> float:
    """How many of them are known, as far as that matters."""
    return float(min(MOST_WEEKS, max(1, (hour - one.first_t) // (HOURS_A_PART * PARTS))))


@compiled
def _median(values: NDArray[np.float64], n: int, otherwise: float) -> float:
    """Of the first `n`, which are sorted for it."""
    if n == 0:
        return otherwise
    for i in range(1, n):
        value = values[i]
        k = i
        while k > 0 and values[k - 1] > value:
            values[k] = values[k - 1]
            k -= 1
        values[k] = value
    median: float = 0.5 * (values[(n - 1) // 2] + values[n // 2])
    return median


@compiled
def _learn(
    one: Any, pattern: NDArray[np.float64], means: NDArray[np.float64], room: NDArray[np.float64], begin: int
) -> None:
    """The usual at first: medians of each hour of day, or of all; then of each part of the week in what is left.

    `means` begin with hour `begin`; they are left as what is usual leaves of them.
    """
    n = 0
    total, squares = 0.0, 0.0
    for i in range(len(means)):
        if not np.isnan(means[i]):
            room[n] = means[i]
            n += 1
            total += means[i]
    for i in range(n):
        squares += (room[i] - total / n) ** 2
    all_of_it = _median(room, n, 0.0)
    for k in range(HOURS):
        pattern[k] = _median(room, _gathered(means, room, begin, 1, HOURS, k), all_of_it)
    for i in range(len(means)):
        means[i] -= pattern[(begin + i) % HOURS]
    for k in range(PARTS):
        pattern[HOURS + k] = _median(room, _gathered(means, room, begin, HOURS_A_PART, PARTS, k), 0.0)
    middle = _median(room, _gathered(means, room, begin, 1, 1, 0), 0.0)
    for i in range(n):
        room[i] = abs(room[i] - middle)
    spread = MEDIAN_TO_SPREAD * _median(room, n, 0.0)
    one.spread = max(spread, LEAST_SHARE_OF_ALL * np.sqrt(squares / n), 1e-9) * FIRST_ALLOWANCE


@compiled
def _gathered(
    means: NDArray[np.float64], room: NDArray[np.float64], begin: int, hours: int, slots: int, slot: int
) -> int:
    """Copy the means of one of the `slots` of `hours` into which time is cut again and again; how many."""
    n = 0
    for i in range(len(means)):
        if (begin + i) // hours % slots == slot and not np.isnan(means[i]):
            room[n] = means[i]
            n += 1
    return n


@compiled
def _depart(one: Any, operation: Any, pattern: NDArray[np.float64], hour: int, mean: float, hours: int) -> None:
    """One hour's mean, `hours` after the one before, against the usual; then the usual follows a little."""
    away = mean - usual_at(one, pattern, hour)
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


@compiled
def hour_of(one: Any, operation: Any, tables: Tables, t: int, value: float) -> bool:
    """Take the first reading of an hour of a departure's channel; True where one is over that tells something."""
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
            if _gathered(means, tables.room, 0, 1, 1, 0) < LEAST_KNOWN * operation.learning:
                means[:] = np.nan
                one.first_t = hour
            else:
                _learn(one, pattern, means, tables.room, one.first_t)
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
    one.until = (hour + 1) * operation.every
    one.sum += value
    one.count += 1
    return told
