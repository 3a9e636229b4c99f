"""The compiled heart of the alarms: a row of memory a series, and one small state machine a rule and device.

Nearly all readings change nothing. So each is first held against its series' quiet band, in which no rule would
move and no term would turn, and only outside of it the rules are walked. Walking them draws the band anew from
where they then stand; whoever else moves an instance wakes its series. Doubtful readings are always walked: a
rule may be about the doubt.

Where a reading outside its band is also of a group's term, the rest of its instant is taken at once: the readings
that follow of the same device and time. Only then are the device's groups judged, so none sees half a message. A
group in which silence or time alone could change something keeps the bands of its series shut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenewatch.alarms.rows import (
    ALONE,
    CLEARED,
    COUNTING_OFF,
    COUNTING_ON,
    FLAGGED,
    NEVER,
    NORMAL,
    RAISED,
    SILENCE,
    STANDING,
    THEN,
    Columns,
    Tables,
)
from scenewatch.model.compiled import compiled
from scenewatch.model.flags import Flag, Place

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

SUSPECT, FAIL, MISSING, NEW = int(Flag.SUSPECT), int(Flag.FAIL), int(Flag.MISSING), int(Place.NEW)


@compiled
def _counts(batch: Columns, i: int) -> bool:
    """Whether a reading moves alarms at all."""
    return batch.place[i] == NEW and batch.live[i] and batch.flag[i] < FAIL


@compiled
def _beyond(comparison: Any, value: float, test: int) -> bool:
    if comparison.sort == FLAGGED:
        return test == comparison.test
    return value > comparison.high or value < comparison.low


@compiled
def _released(comparison: Any, value: float, test: int) -> bool:
    if comparison.sort == FLAGGED:
        return test != comparison.test
    return comparison.release_low <= value <= comparison.release_high


@compiled
def _shut(row: Any) -> None:
    """The series' next reading is walked: an empty band is quiet for no value."""
    row.quiet_low = np.inf


@compiled
def _narrow(row: Any, comparison: Any, holds: bool, value: float) -> None:  # noqa: FBT001 - as all state in kernels, a plain number
    """Leave in the quiet band only values like `value`, which neither end what holds nor begin what does not."""
    if comparison.sort == FLAGGED:
        if holds:
            _shut(row)
    elif not holds:
        row.quiet_low = max(row.quiet_low, comparison.low)
        row.quiet_high = min(row.quiet_high, comparison.high)
    elif value > comparison.release_high:
        row.quiet_low = max(row.quiet_low, comparison.release_high)
    else:
        row.quiet_high = min(row.quiet_high, comparison.release_low)


# --- one instance ------------------------------------------------------------------------------------------


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
def _clear(one: Any, at_ms: int, value: float, flag: int, move: Any) -> None:
    one.state = NORMAL
    move.step = CLEARED
    move.at_ms = at_ms
    move.raised_at_ms = one.raised_at
    move.value = value
    move.flag = flag


@compiled
def _turn(one: Any, beyond: bool, released: bool, t: int) -> None:  # noqa: FBT001 - as above
    """Begin or end a count."""
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


@compiled
def _complete(one: Any, delays: Any, t: int) -> bool:
    """Whether a count has now lasted as long as it must."""
    if one.state == COUNTING_ON:
        return t - one.since >= delays.on_ms
    return one.state == COUNTING_OFF and t - one.since >= delays.off_ms


@compiled
def _finish(one: Any, t: int, value: float, flag: int, move: Any) -> None:
    if one.state == COUNTING_ON:
        _raise(one, t, value, flag, move)
    else:
        _clear(one, t, value, flag, move)


# --- rules that one reading decides ------------------------------------------------------------------------


@compiled
def _silence(rule: Any, one: Any, row: Any, t: int, received_ms: int, move: Any) -> bool:
    """Raise missing data that nobody noticed before this reading came; True if so."""
    deadline = max(row.good_t, row.floor) + rule.on_ms
    due = max(row.heard, row.floor) + rule.on_ms
    if one.state != NORMAL or (t < deadline and received_ms < due):
        return False
    _raise(one, deadline, np.nan, MISSING, move)
    return True


@compiled
def _walk(
    row: Any, tables: Tables, reading: tuple[int, int, float, int, int], moves: NDArray[np.void], written: int
) -> int:
    """One reading's step of every rule of its series. Returns `written` plus the moves added."""
    t, received_ms, value, flag, test = reading
    kind = tables.kinds[row.kind]
    gap = t - row.good_t > kind.gap_ms
    row.quiet_low = -np.inf
    row.quiet_high = np.inf
    for k in range(kind.rule_to - kind.rule_from):
        rule = tables.rules[kind.rule_from + k]
        one = tables.instances[row.first + k]
        if rule.sort == SILENCE:
            if _silence(rule, one, row, t, received_ms, moves[written]):
                moves[written].instance = row.first + k
                written += 1
            beyond = False
            # A backlog older than the alarm does not prove that data flow again.
            released = t >= one.raised_at
        else:
            beyond = _beyond(rule, value, test)
            released = _released(rule, value, test)
        if gap:
            one.since = t  # what was in between is unknown, so it counts towards no delay
        _turn(one, beyond, released, t)
        if _complete(one, rule, t):
            _finish(one, t, value, flag, moves[written])
            moves[written].instance = row.first + k
            written += 1
        if one.state in (COUNTING_ON, COUNTING_OFF) or (rule.sort == SILENCE and one.state == STANDING):
            _shut(row)
        elif rule.sort != SILENCE:
            _narrow(row, rule, one.state == STANDING, value)
    return written


# --- rules that an instant decides -------------------------------------------------------------------------


@compiled
def _hold(row: Any, device: Any, tables: Tables, reading: tuple[int, int, float, int, int]) -> None:
    """One reading's step of every term of its series."""
    t, _, value, _, test = reading
    kind = tables.kinds[row.kind]
    of_type = tables.types[device.type]
    for k in range(kind.term_from, kind.term_to):
        term = tables.terms[k]
        held = tables.held[device.first_held + k - of_type.term_from]
        if term.alone >= 0:
            standing = tables.instances[device.first_instance + term.alone].state >= STANDING
            held.now = not _released(term, value, test) if standing else _beyond(term, value, test)
            continue
        before = held.now
        if before and t - row.good_t > kind.gap_ms:
            before = 0
            held.ended = row.good_t + kind.gap_ms + 1
        held.now = not _released(term, value, test) if before else _beyond(term, value, test)
        if held.now and not before:
            held.began = t
        elif before and not held.now:
            held.ended = t


@compiled
def _newest(group: Any, device: Any, tables: Tables) -> int:
    """The time of the newest reading of its terms' channels."""
    newest = NEVER
    first_term = tables.types[device.type].term_from
    for m in range(group.member_from, group.while_from):
        term = tables.terms[first_term + tables.members[m].term]
        newest = max(newest, tables.series[device.first_series + term.channel].good_t)
    return newest


@compiled
def _holding(group: Any, device: Any, tables: Tables, t: int) -> int:
    """How many of its terms hold at `t`; one whose channel has been silent for longer than its gap does not."""
    of_type = tables.types[device.type]
    holding = 0
    for m in range(group.member_from, group.while_from):
        number = tables.members[m].term
        row = tables.series[device.first_series + tables.terms[of_type.term_from + number].channel]
        if tables.held[device.first_held + number].now and t - row.good_t <= of_type.gap_ms:
            holding += 1
    return holding


@compiled
def _in_order(group: Any, device: Any, state: Any, tables: Tables, t: int) -> bool:
    """Whether the second of a sequence holds, and began to in time."""
    of_type = tables.types[device.type]
    first = tables.held[device.first_held + tables.members[group.member_from].term]
    number = tables.members[group.member_from + 1].term
    second = tables.held[device.first_held + number]
    row = tables.series[device.first_series + tables.terms[of_type.term_from + number].channel]
    if second.now and second.began == t:
        state.met = t - first.began <= group.within_ms
    if not second.now or t - row.good_t > of_type.gap_ms:
        state.met = 0
    return state.met != 0


@compiled
def suppressed(group: Any, device: Any, tables: Tables, t: int) -> bool:
    """Whether the group must not be raised at `t`. Its site's spans of that day must be known."""
    of_type = tables.types[device.type]
    for m in range(group.while_from, group.while_to):
        number = tables.members[m].term
        held = tables.held[device.first_held + number]
        row = tables.series[device.first_series + tables.terms[of_type.term_from + number].channel]
        until = row.good_t + of_type.gap_ms + 1 if held.now else held.ended
        if t < until + tables.members[m].after_ms:
            return True
    for d in range(group.during_from, group.during_to):
        during = tables.durings[d]
        for k in range(tables.spans.shape[2]):
            begin = tables.spans[device.site, during.occasion, k, 0]
            if begin > t:
                break
            if t < tables.spans[device.site, during.occasion, k, 1] + during.after_ms:
                return True
    return False


@compiled
def _reading_of(series: int, batch: Columns, i: int, end: int) -> int:
    """The row of this series' reading within the instant that has row `i` and ends at `end`; -1 without one."""
    t = batch.t_ms[i]
    for j in range(end - 1, -1, -1):
        if batch.t_ms[j] != t:
            return -1
        if batch.series[j] == series and _counts(batch, j):
            return j
    return -1


@compiled
def _judge(
    device: Any, tables: Tables, batch: Columns, instant: tuple[int, int], moves: NDArray[np.void], written: int
) -> int:
    """Step every group of the device of which something has come. Returns `written` plus the moves added."""
    i, end = instant
    t = batch.t_ms[i]
    of_type = tables.types[device.type]
    for k in range(of_type.group_to - of_type.group_from):
        group = tables.groups[of_type.group_from + k]
        if _newest(group, device, tables) != t:
            continue  # or else newer data have been judged
        one = tables.instances[device.first_instance + k]
        state = tables.grouped[device.first_grouped + k]
        if group.shape == THEN:
            holds = _in_order(group, device, state, tables, t)
        else:
            holds = _holding(group, device, tables, t) >= group.count
        if t - state.seen > of_type.gap_ms:
            one.since = t
        state.seen = t
        _turn(one, holds and not (one.state < STANDING and suppressed(group, device, tables, t)), not holds, t)
        if _complete(one, group, t):
            at = _reading_of(device.first_series + group.channel, batch, i, end)
            value, flag = (np.nan, MISSING) if at < 0 else (batch.value[at], int(batch.flag[at]))
            _finish(one, t, value, flag, moves[written])
            moves[written].instance = device.first_instance + k
            written += 1
    return written


@compiled
def _calm(group: Any, one: Any, state: Any, device: Any, tables: Tables) -> bool:
    """Whether nothing can change as long as each reading stays within what its terms make of the last one."""
    if one.state == NORMAL and group.shape == THEN:
        return state.met == 0
    holding = 0
    for m in range(group.member_from, group.while_from):
        holding += tables.held[device.first_held + tables.members[m].term].now
    if one.state == NORMAL:
        return holding < group.count
    return one.state == STANDING and group.shape == ALONE and holding > 0


@compiled
def _draw(device: Any, tables: Tables, batch: Columns, instant: tuple[int, int]) -> None:
    """Narrow the bands by the terms and shut those of groups that must be judged again at the next instant."""
    of_type = tables.types[device.type]
    for i in range(instant[0], instant[1]):
        if _counts(batch, i):
            row = tables.series[batch.series[i]]
            kind = tables.kinds[row.kind]
            for k in range(kind.term_from, kind.term_to):
                held = tables.held[device.first_held + k - of_type.term_from]
                _narrow(row, tables.terms[k], held.now != 0, batch.value[i])
    for k in range(of_type.group_to - of_type.group_from):
        group = tables.groups[of_type.group_from + k]
        one = tables.instances[device.first_instance + k]
        state = tables.grouped[device.first_grouped + k]
        if not _calm(group, one, state, device, tables):
            for m in range(group.member_from, group.while_from):
                term = tables.terms[of_type.term_from + tables.members[m].term]
                _shut(tables.series[device.first_series + term.channel])


# --- a batch -----------------------------------------------------------------------------------------------


@compiled
def _may_move(row: Any, kind: Any, batch: Columns, i: int) -> bool:
    """Whether a reading that counts could move anything."""
    silent_ms = max(batch.t_ms[i] - row.good_t, batch.received_ms[i] - row.heard)
    quiet = row.quiet_low < batch.value[i] < row.quiet_high
    return silent_ms >= kind.silence_ms or not quiet or batch.flag[i] == SUSPECT


@compiled
def _remember(row: Any, batch: Columns, i: int) -> None:
    row.good_t = batch.t_ms[i]
    row.heard = max(row.heard, batch.t_ms[i], batch.received_ms[i])


@compiled
def _instant(
    i: int, device_number: int, batch: Columns, tables: Tables, moves: NDArray[np.void], written: int
) -> tuple[int, int]:
    """What is left of one instant from row `i` on. Returns where it ends, and `written` plus the moves added."""
    device = tables.devices[device_number]
    end = i
    while end < len(batch.series) and batch.t_ms[end] == batch.t_ms[i]:
        series = batch.series[end]
        if not 0 <= series < len(tables.series) or tables.series_device[series] != device_number:
            break
        if _counts(batch, end):
            row = tables.series[series]
            if _may_move(row, tables.kinds[row.kind], batch, end):
                reading = (
                    batch.t_ms[end],
                    batch.received_ms[end],
                    batch.value[end],
                    batch.flag[end],
                    batch.test[end],
                )
                written = _walk(row, tables, reading, moves, written)
                _hold(row, device, tables, reading)
            _remember(row, batch, end)
        end += 1
    written = _judge(device, tables, batch, (i, end), moves, written)
    _draw(device, tables, batch, (i, end))
    return end, written


DONE, FULL, UNKNOWN_DAY = 0, 1, 2
"""Why `step` stopped: all is done, `moves` might run over, or a site's calendar must first be asked."""


@compiled
def step(begin: int, batch: Columns, tables: Tables, moves: NDArray[np.void]) -> tuple[int, int, int]:
    """Readings from `begin` on. Returns where it stopped, how many moves it wrote, in order, and why it stopped."""
    written = 0
    i = begin
    while i < len(batch.series):
        if not _counts(batch, i):
            i += 1
            continue
        if not 0 <= batch.series[i] < len(tables.series):
            raise IndexError("a reading of a series that was not grown")
        row = tables.series[batch.series[i]]
        kind = tables.kinds[row.kind]
        if _may_move(row, kind, batch, i):
            if kind.term_from < kind.term_to:
                number = tables.series_device[batch.series[i]]
                of_type = tables.types[tables.devices[number].type]
                site = tables.devices[number].site
                if of_type.calendar and not tables.known[site, 0] <= batch.t_ms[i] < tables.known[site, 1]:
                    return i, written, UNKNOWN_DAY
                if written + of_type.most_moves > len(moves):
                    return i, written, FULL
                i, written = _instant(i, number, batch, tables, moves, written)
                continue
            if written + 2 * (kind.rule_to - kind.rule_from) > len(moves):
                return i, written, FULL
            reading = (batch.t_ms[i], batch.received_ms[i], batch.value[i], batch.flag[i], batch.test[i])
            written = _walk(row, tables, reading, moves, written)
        _remember(row, batch, i)
        i += 1
    return i, written, DONE
