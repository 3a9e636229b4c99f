"""The compiled heart of the alarms: a row of memory a series, and one small state machine a rule and device.

Nearly all readings change nothing. So each is first held against its series' quiet band, in which no rule would
move and no term would turn, and only outside of it the rules are walked. Walking them draws the band anew from
where they then stand; whoever else moves an instance wakes its series. Doubtful readings are always walked: a
rule may be about the doubt.

Where a reading outside its band is also of concern to a group, first all that was due before it happens; then the
rest of its instant is taken at once: the readings that follow of the same device and time. Only then are the
device's groups judged, so none sees half a message. A group in which silence or time alone could change something
keeps the bands of its series shut; one that does nothing but count lets them open until its count is complete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenewatch.alarms.kernel_clock import DONE, FULL, UNKNOWN_DAY, pass_time
from scenewatch.alarms.kernel_groups import counts, judge
from scenewatch.alarms.kernel_instance import beyond, clear_it, complete, narrow, raise_it, released, turn
from scenewatch.alarms.kernel_terms import hold
from scenewatch.alarms.rows import COUNTING_OFF, COUNTING_ON, FOREVER, NORMAL, SILENCE, STANDING, Tables
from scenewatch.model.compiled import compiled, within
from scenewatch.model.flags import Flag

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from scenewatch.model.batch import Columns

SUSPECT = int(Flag.SUSPECT)
MISSING: int = np.uint8(Flag.MISSING)  # type: ignore[assignment]  # of its column's type: each is compiled for itself


@within
def _silence(rule: Any, one: Any, row: Any, t: int, received_ms: int, move: Any) -> bool:
    """Raise missing data that nobody noticed before this reading came; True if so."""
    deadline = max(row.good_t, row.floor) + rule.on_ms
    due = max(row.heard, row.floor) + rule.on_ms
    if one.state != NORMAL or (t < deadline and received_ms < due):
        return False
    raise_it(one, deadline, np.nan, MISSING, move)
    return True


@within
def _walk(
    row: Any,
    kind: Any,
    rules: NDArray[np.void],
    instances: NDArray[np.void],
    reading: tuple[int, int, float, int, int],
    moves: NDArray[np.void],
    written: int,
) -> int:
    """One reading's step of every rule of its series. Returns `written` plus the moves added."""
    t, received_ms, value, flag, test = reading
    gap = t - row.good_t > kind.gap_ms
    row.quiet_low = -np.inf
    row.quiet_high = np.inf
    row.quiet_until = FOREVER
    for k in range(kind.rule_to - kind.rule_from):
        rule = rules[kind.rule_from + k]
        one = instances[row.first + k]
        if rule.sort == SILENCE:
            if _silence(rule, one, row, t, received_ms, moves[written]):
                moves[written].instance = row.first + k
                written += 1
            is_beyond = False
            # A backlog older than the alarm does not prove that data flow again.
            is_released = t >= one.raised_at
        else:
            is_beyond = beyond(rule, value, test)
            is_released = released(rule, value, test)
        if gap:
            one.since = t  # what was in between is unknown, so it counts towards no delay
        turn(one, is_beyond, is_released, t)
        if complete(one, rule.on_ms, rule.off_ms, t):
            if one.state == COUNTING_ON:
                raise_it(one, t, value, flag, moves[written])
            else:
                clear_it(one, t, value, flag, moves[written])
            moves[written].instance = row.first + k
            written += 1
        if one.state in (COUNTING_ON, COUNTING_OFF) or (rule.sort == SILENCE and one.state == STANDING):
            row.quiet_low = np.inf
        elif rule.sort != SILENCE:
            narrow(row, rule, one.state == STANDING, value)
    return written


@within
def _quiet(row: Any, kind: Any, t: int, received_ms: int, value: float, flag: int) -> bool:
    """Whether a reading moves nothing, as all others do not either between the same two values."""
    silent_ms = max(t - row.good_t, received_ms - row.heard)
    is_in_band = row.quiet_low < value < row.quiet_high and t < row.quiet_until
    return bool(is_in_band and silent_ms < kind.silence_ms and flag != SUSPECT)


@within
def _remember(row: Any, t: int, received_ms: int) -> None:
    row.good_t = t
    row.heard = max(row.heard, t, received_ms)


@within
def _instant(
    i: int, number: int, batch: Columns, tables: Tables, moves: NDArray[np.void], written: int
) -> tuple[int, int]:
    """What is left of one device's instant from row `i` on. Returns where it ends, and `written` as it is then."""
    device = tables.devices[number]
    end = i
    while end < len(batch.series) and batch.t_ms[end] == batch.t_ms[i]:
        series = batch.series[end]
        if not 0 <= series < len(tables.series) or tables.series_device[series] != number:
            break
        t, received_ms, value = batch.t_ms[end], batch.received_ms[end], batch.value[end]
        flag, test = int(batch.flag[end]), int(batch.test[end])
        if counts(batch.place[end], batch.live[end], flag):
            row = tables.series[series]
            kind = tables.kinds[row.kind]
            if not _quiet(row, kind, t, received_ms, value, flag):
                reading = (t, received_ms, value, flag, test)
                written = _walk(row, kind, tables.rules, tables.instances, reading, moves, written)
                hold(row, kind, device, tables, reading)
            _remember(row, t, received_ms)
        end += 1
    return end, judge(device, tables, batch, (i, end), moves, written)


@within
def _pass_quiet(begin: int, batch: Columns, series: NDArray[np.void], kinds: NDArray[np.void]) -> int:
    """Take the readings from `begin` on that move nothing. Returns where the first is that may."""
    # Of a type that cannot be negative, as numba would else look at every index of every column whether it is.
    for i in range(np.uint64(begin), np.uint64(len(batch.series))):
        flag = int(batch.flag[i])
        if not counts(batch.place[i], batch.live[i], flag):
            continue
        number = batch.series[i]
        if not 0 <= number < len(series):
            raise IndexError("a reading of a series that was not grown")
        row = series[np.uint64(number)]
        t, received_ms = batch.t_ms[i], batch.received_ms[i]
        if not _quiet(row, kinds[np.uint64(row.kind)], t, received_ms, batch.value[i], flag):
            return int(np.int64(i))
        _remember(row, t, received_ms)
    return len(batch.series)


@compiled
def step(begin: int, batch: Columns, tables: Tables, moves: NDArray[np.void]) -> tuple[int, int, int]:
    """Readings from `begin` on. Returns where it stopped, how many moves it wrote, in order, and why it stopped."""
    written = int(np.int64(0))  # a plain 0 is of a type of its own, for which all behind it is compiled again
    i = _pass_quiet(begin, batch, tables.series, tables.kinds)
    while i < len(batch.series):
        series, t, received_ms = batch.series[i], batch.t_ms[i], batch.received_ms[i]
        row = tables.series[series]
        kind = tables.kinds[row.kind]
        if kind.grouped:
            number = tables.series_device[series]
            written, why = pass_time(i, number, tables, batch, moves, written)
            if why != DONE:
                return i, written, why
            of_type = tables.types[tables.devices[number].type]
            site = tables.devices[number].site
            if of_type.calendar and not tables.known[site, 0] <= t < tables.known[site, 1]:
                tables.asked[0], tables.asked[1] = site, t
                return i, written, UNKNOWN_DAY
            if written + of_type.most_moves > len(moves):
                return i, written, FULL
            i, written = _instant(i, number, batch, tables, moves, written)
        else:
            if written + 2 * (kind.rule_to - kind.rule_from) > len(moves):
                return i, written, FULL
            reading = (t, received_ms, batch.value[i], int(batch.flag[i]), int(batch.test[i]))
            written = _walk(row, kind, tables.rules, tables.instances, reading, moves, written)
            _remember(row, t, received_ms)
            i += 1
        i = _pass_quiet(i, batch, tables.series, tables.kinds)
    return i, written, DONE
