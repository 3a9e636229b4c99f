"""The compiled heart of the alarms: a row of memory a series, and one small state machine a rule and series.

Nearly all readings change nothing. So each is first held against its series' quiet band, in which no rule would
move, and the rules are walked only outside of it. Walking them draws the band anew from where they then stand;
whoever else moves an instance wakes its series.

A rule is one shape for both kinds of condition. A value is turned by `sign` so that more is always worse:
beyond `limit` it counts towards the alarm, at or under `release` towards the return. A rule with sign 0 is about
missing data: `on_ms` after the last good reading it is raised, whoever notices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenewatch.model.compiled import compiled
from scenewatch.model.flags import Flag, Place

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

NEVER = -(2**62)
FOREVER = 2**62
"""Times before and after all others, from which a step to any real time still fits 64 bits."""

SERIES = np.dtype(
    [
        ("good_t", np.int64),  # newest good reading, by the device's clock
        ("heard", np.int64),  # the same, by the later of the device's clock and ours
        ("floor", np.int64),  # silence counts from here at the earliest
        ("quiet_low", np.float64),  # values between these two, exclusive, move none of its instances
        ("quiet_high", np.float64),
        ("first", np.int32),  # its first row of INSTANCE; one a rule of its kind follow
        ("kind", np.int32),  # row of KIND
    ]
)

KIND = np.dtype(
    [
        ("silence_ms", np.int64),  # a shorter silence is no missing data
        ("gap_ms", np.int64),
        ("rule_from", np.int32),  # rows of RULE
        ("rule_to", np.int32),
    ]
)

RULE = np.dtype(
    [
        ("sign", np.float64),
        ("limit", np.float64),
        ("release", np.float64),
        ("on_ms", np.int64),
        ("off_ms", np.int64),
    ]
)

INSTANCE = np.dtype(
    [
        ("since", np.int64),  # when the present count began
        ("raised_at", np.int64),
        ("value", np.float64),  # of the reading that raised it
        ("state", np.int32),
        ("flag", np.int32),
    ]
)

NORMAL, COUNTING_ON, STANDING, COUNTING_OFF = 0, 1, 2, 3
"""States of an instance. It is an alarm in the last two."""

MOVE = np.dtype(
    [
        ("instance", np.int64),
        ("step", np.int64),
        ("at_ms", np.int64),
        ("raised_at_ms", np.int64),
        ("value", np.float64),
        ("flag", np.int64),
    ]
)

RAISED, CLEARED = 0, 1

FAIL, MISSING, NEW = int(Flag.FAIL), int(Flag.MISSING), int(Place.NEW)


@compiled
def _raise(one: Any, at_ms: int, value: float, flag: int, move: Any) -> None:
    one.state = STANDING
    one.raised_at = at_ms
    one.value = value
    one.flag = flag
    move.step = RAISED
    move.at_ms = at_ms
    move.raised_at_ms = at_ms
    move.value = value
    move.flag = flag


@compiled
def _silence(rule: Any, one: Any, row: Any, t: int, received_ms: int, move: Any) -> bool:
    """Raise missing data that nobody noticed before this reading came; True if so."""
    deadline = max(row.good_t, row.floor) + rule.on_ms
    due = max(row.heard, row.floor) + rule.on_ms
    if rule.sign != 0.0 or one.state != NORMAL or (t < deadline and received_ms < due):
        return False
    _raise(one, deadline, np.nan, MISSING, move)
    return True


@compiled
def _advance(rule: Any, one: Any, t: int, value: float, flag: int, move: Any) -> bool:
    """One reading's step of one instance; True if it was raised or cleared."""
    if rule.sign == 0.0:
        beyond = False
        # A backlog older than the alarm does not prove that data flow again.
        released = t >= one.raised_at
    else:
        beyond = value * rule.sign > rule.limit
        released = value * rule.sign <= rule.release

    if one.state == NORMAL and beyond:
        one.state = COUNTING_ON
        one.since = t
    elif one.state == COUNTING_ON and not beyond:
        one.state = NORMAL
    elif one.state == STANDING and released:
        one.state = COUNTING_OFF
        one.since = t
    elif one.state == COUNTING_OFF and not released:
        one.state = STANDING

    if one.state == COUNTING_ON and t - one.since >= rule.on_ms:
        _raise(one, t, value, flag, move)
        return True
    if one.state == COUNTING_OFF and t - one.since >= rule.off_ms:
        one.state = NORMAL
        move.step = CLEARED
        move.at_ms = t
        move.raised_at_ms = one.raised_at
        move.value = value
        move.flag = flag
        return True
    return False


@compiled
def _narrow(row: Any, rule: Any, state: int) -> None:
    """Leave in the quiet band only values that keep this instance where it is."""
    edge = rule.sign * (rule.limit if state == NORMAL else rule.release)
    if state in (COUNTING_ON, COUNTING_OFF) or (rule.sign == 0.0 and state == STANDING):
        row.quiet_low = np.inf
    elif rule.sign == 0.0:
        return
    elif (rule.sign > 0.0) == (state == NORMAL):
        row.quiet_high = min(row.quiet_high, edge)
    else:
        row.quiet_low = max(row.quiet_low, edge)


class Columns(NamedTuple):
    """The columns of a batch that alarms read."""

    series: NDArray[np.int32]
    t_ms: NDArray[np.int64]
    value: NDArray[np.float64]
    flag: NDArray[np.uint8]
    place: NDArray[np.uint8]
    live: NDArray[np.bool_]
    received_ms: NDArray[np.int64]


class Tables(NamedTuple):
    """What the rules are and where each series and instance stands."""

    series: NDArray[np.void]
    kinds: NDArray[np.void]
    rules: NDArray[np.void]
    instances: NDArray[np.void]


@compiled
def _walk(
    row: Any, tables: Tables, reading: tuple[int, int, float, int], moves: NDArray[np.void], written: int
) -> int:
    """One reading's step of every rule of its series. Returns `written` plus the moves added."""
    t, received_ms, value, flag = reading
    kind = tables.kinds[row.kind]
    gap = t - row.good_t > kind.gap_ms
    row.quiet_low = -np.inf
    row.quiet_high = np.inf
    for k in range(kind.rule_to - kind.rule_from):
        rule = tables.rules[kind.rule_from + k]
        one = tables.instances[row.first + k]
        if _silence(rule, one, row, t, received_ms, moves[written]):
            moves[written].instance = row.first + k
            written += 1
        if gap:
            one.since = t  # what was in between is unknown, so it counts towards no delay
        if _advance(rule, one, t, value, flag, moves[written]):
            moves[written].instance = row.first + k
            written += 1
        _narrow(row, rule, one.state)
    return written


@compiled
def step(begin: int, batch: Columns, tables: Tables, moves: NDArray[np.void]) -> tuple[int, int]:
    """Readings from `begin` on, until all are done or `moves` might run over.

    Returns where it stopped and how many moves it wrote, in the order of the readings.
    """
    written = 0
    for i in range(begin, len(batch.series)):
        if batch.place[i] != NEW or not batch.live[i] or batch.flag[i] >= FAIL:
            continue
        if not 0 <= batch.series[i] < len(tables.series):
            raise IndexError("a reading of a series that was not grown")
        row = tables.series[batch.series[i]]
        kind = tables.kinds[row.kind]
        t, received_ms, value = batch.t_ms[i], batch.received_ms[i], batch.value[i]
        silent_ms = max(t - row.good_t, received_ms - row.heard)
        if silent_ms >= kind.silence_ms or not (row.quiet_low < value < row.quiet_high):
            if written + 2 * (kind.rule_to - kind.rule_from) > len(moves):
                return i, written
            reading = (t, received_ms, value, batch.flag[i])
            written = _walk(row, tables, reading, moves, written)
        row.good_t = t
        row.heard = max(row.heard, t, received_ms)
    return len(batch.series), written
