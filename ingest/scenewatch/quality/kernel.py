"""The compiled heart of quality: one plain loop over a batch, one row of memory a series.

A row holds what the tests need of the past. Time and value of the newest reading decide its place; those
of the newest *not failed* reading decide how fast it changed and how long it stood still, so a spike that
the sensor cannot have measured spoils neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenewatch.model.clock import YEAR_2000_MS
from scenewatch.model.compiled import allocating
from scenewatch.model.flags import Flag, Place, Test

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

NEVER = -(2**62)
"""A time before all times, from which a step to any real time still fits 64 bits."""

STATE = np.dtype(
    [
        ("last_t", np.int64),  # newest reading, whatever its flag
        ("last_value", np.float64),
        ("good_t", np.int64),  # newest reading that did not fail
        ("good_value", np.float64),
        ("run_t", np.int64),  # since when `good_value` has stood still
        ("kind", np.int32),  # row of LIMITS
        ("flag", np.uint8),  # of the newest reading
        ("test", np.uint8),
        ("spare", np.uint16),  # named, so that it is copied: the same state is saved as the same bytes
    ],
    align=True,
)

LIMITS = np.dtype(
    [
        ("possible_low", np.float64),
        ("possible_high", np.float64),
        ("expected_low", np.float64),
        ("expected_high", np.float64),
        ("fastest_per_minute", np.float64),
        ("stuck_ms", np.int64),
        ("gap_ms", np.int64),
    ]
)

# Compiled code knows plain numbers only.
GOOD, SUSPECT, FAIL = int(Flag.GOOD), int(Flag.SUSPECT), int(Flag.FAIL)
NONE, CLOCK, POSSIBLE, EXPECTED, FASTEST, STUCK, GAP = (int(test) for test in Test)
NEW, LATE, DUPLICATE = int(Place.NEW), int(Place.LATE), int(Place.DUPLICATE)
MS_PER_MINUTE = 60_000.0


@allocating
def _alone(value: float, limit: Any) -> int:
    """The tests that need no past. Not a number fails, as every comparison with it is false."""
    if not (limit.possible_low <= value <= limit.possible_high):
        return POSSIBLE
    if not (limit.expected_low <= value <= limit.expected_high):
        return EXPECTED
    return NONE


@allocating
def _with_past(t: int, value: float, row: Any, limit: Any) -> int:
    """Tests of a reading that did not fail against the row, and the row's step to it."""
    since_good = t - row.good_t
    step = value - row.good_value
    known = row.good_t != NEVER
    gap = since_good > limit.gap_ms
    # What happened in a gap is unknown: neither a change nor a standstill is measured across it.
    if not known or gap or step != 0.0:
        row.run_t = t
    row.good_t = t
    row.good_value = value
    if known and gap:
        return GAP
    if known and abs(step) * MS_PER_MINUTE > limit.fastest_per_minute * since_good:
        return FASTEST
    if t - row.run_t >= limit.stuck_ms:
        return STUCK
    return NONE


@allocating
def _flag_of(test: int) -> int:
    if test == POSSIBLE:
        return FAIL
    if test in (NONE, GAP):
        return GOOD
    return SUSPECT


class Columns(NamedTuple):
    """The columns of a batch that judging reads and fills."""

    series: NDArray[np.int32]
    t_ms: NDArray[np.int64]
    value: NDArray[np.float64]
    live: NDArray[np.bool_]
    received_ms: NDArray[np.int64]
    flag: NDArray[np.uint8]
    test: NDArray[np.uint8]
    place: NDArray[np.uint8]


@allocating
def judge(
    batch: Columns,
    state: NDArray[np.void],
    limits: NDArray[np.void],
    allowed_skew_ms: int,
    counts: NDArray[np.int64],
) -> None:
    """Fill `flag`, `test`, `place`, mend `t_ms`, and add to `counts[place, test]`."""
    for i in range(len(batch.series)):
        if not 0 <= batch.series[i] < len(state):
            raise IndexError("a reading of a series that was not grown")
        row = state[batch.series[i]]
        limit = limits[row.kind]
        t = batch.t_ms[i]
        wrong_clock = t > batch.received_ms[i] + allowed_skew_ms or t < YEAR_2000_MS
        if wrong_clock:
            t = batch.received_ms[i]
            batch.t_ms[i] = t

        if t < row.last_t or not batch.live[i]:
            where = LATE
        elif t == row.last_t:
            where = DUPLICATE
        else:
            where = NEW

        found = _alone(batch.value[i], limit)
        if where == NEW and found != POSSIBLE:
            moved = _with_past(t, batch.value[i], row, limit)
            # The first named test of the worst flag wins; a gap is named only where nothing is wrong.
            if found == NONE:
                found = moved
        if wrong_clock and found != POSSIBLE:
            found = CLOCK

        batch.flag[i] = _flag_of(found)
        batch.test[i] = found
        batch.place[i] = where
        counts[where, found] += 1
        if where == NEW:
            row.last_t = t
            row.last_value = batch.value[i]
            row.flag = batch.flag[i]
            row.test = found
