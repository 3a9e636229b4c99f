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
from scenewatch.model.compiled import compiled, inlined
from scenewatch.model.flags import Flag, Place

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

SUSPECT, FAIL, MISSING, NEW = int(Flag.SUSPECT), int(Flag.FAIL), int(Flag.MISSING), int(Place.NEW)


@compiled
def _counts(place: int, live: bool, flag: int) -> bool:  # noqa: FBT001 - as it is in its column
    """Whether a reading moves alarms at all."""
    return place == NEW and live and flag < FAIL


@compiled
def _beyond(comparison: Any, value: float, test: int) -> bool:
    if comparison.sort == FLAGGED:
        return bool(test == comparison.test)
    return bool(value > comparison.high or value < comparison.low)


@compiled
def _released(comparison: Any, value: float, test: int) -> bool:
    if comparison.sort == FLAGGED:
        return bool(test != comparison.test)
    return bool(comparison.release_low <= value <= comparison.release_high)


@compiled
def _narrow(row: Any, comparison: Any, holds: bool, value: float) -> None:  # noqa: FBT001 - as all state in kernels, a plain number
    """Leave in the quiet band only values like `value`, which neither end what holds nor begin what does not."""
    if comparison.sort == FLAGGED:
        if holds:
            row.quiet_low = np.inf  # an empty band is quiet for no value
    elif not holds:
        row.quiet_low = max(row.quiet_low, comparison.low)
        row.quiet_high = min(row.quiet_high, comparison.high)
    elif value > comparison.release_high:
        row.quiet_low = max(row.quiet_low, comparison.release_high)
    else:
        row.quiet_high = min(row.quiet_high, comparison.release_low)


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
def _complete(one: Any, on_ms: int, off_ms: int, t: int) -> bool:
    """Whether a count has now lasted as long as it must."""
    if one.state == COUNTING_ON:
        return bool(t - one.since >= on_ms)
    return bool(one.state == COUNTING_OFF and t - one.since >= off_ms)


@compiled
def _finish(one: Any, t: int, value: float, flag: int, move: Any) -> None:
    if one.state == COUNTING_ON:
        _raise(one, t, value, flag, move)
        return
    one.state = NORMAL
    move.step = CLEARED
    move.at_ms = t
    move.raised_at_ms = one.raised_at
    move.value = value
    move.flag = flag


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
    for k in range(kind.rule_to - kind.rule_from):
        rule = rules[kind.rule_from + k]
        one = instances[row.first + k]
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
        if _complete(one, rule.on_ms, rule.off_ms, t):
            _finish(one, t, value, flag, moves[written])
            moves[written].instance = row.first + k
            written += 1
        if one.state in (COUNTING_ON, COUNTING_OFF) or (rule.sort == SILENCE and one.state == STANDING):
            row.quiet_low = np.inf
        elif rule.sort != SILENCE:
            _narrow(row, rule, one.state == STANDING, value)
    return written


@inlined
def _hold(row: Any, kind: Any, device: Any, tables: Tables, reading: tuple[int, int, float, int, int]) -> None:
    """One reading's step of every term of its series, behind `_walk`."""
    t, _, value, _, test = reading
    to_held = device.first_held - tables.types[device.type].term_from
    for k in range(kind.term_from, kind.term_to):
        term = tables.terms[k]
        held = tables.held[to_held + k]
        before = held.now
        if term.alone >= 0:  # its alarm remembers for it
            before = int(tables.instances[device.first_instance + term.alone].state >= STANDING)
        elif before and t - row.good_t > kind.gap_ms:
            before = 0
            held.ended = row.good_t + kind.gap_ms + 1
        held.now = not _released(term.is_, value, test) if before else _beyond(term.is_, value, test)
        if held.now and not before:
            # Of what already holds where readings begin, or begin again, nobody knows since when.
            if t - row.good_t <= kind.gap_ms:
                held.began = t
        elif before and not held.now:
            held.ended = t
        _narrow(row, term.is_, held.now != 0, value)


@compiled
def _look(group: Any, device: Any, tables: Tables, t: int) -> tuple[int, int, int]:
    """The time of the newest reading of its terms' channels, how many terms hold, and how many do at `t`.

    A term whose channel has been silent for longer than its gap does not.
    """
    of_type = tables.types[device.type]
    newest, holding, fresh = NEVER, 0, 0
    for m in range(group.member_from, group.while_from):
        number = tables.members[m].number
        good_t = tables.series[device.first_series + tables.terms[of_type.term_from + number].channel].good_t
        newest = max(newest, good_t)
        if tables.held[device.first_held + number].now:
            holding += 1
            fresh += t - good_t <= of_type.gap_ms
    return newest, holding, fresh


@compiled
def suppressed(group: Any, device: Any, tables: Tables, t: int) -> bool:
    """Whether the group must not be raised at `t`. Its site's spans of that day must be known."""
    of_type = tables.types[device.type]
    for m in range(group.while_from, group.during_from):
        member = tables.members[m]
        held = tables.held[device.first_held + member.number]
        good_t = tables.series[device.first_series + tables.terms[of_type.term_from + member.number].channel].good_t
        until = good_t + of_type.gap_ms + 1 if held.now else held.ended
        if t < until + member.after_ms:
            return True
    for m in range(group.during_from, group.during_to):
        member = tables.members[m]
        for k in range(tables.spans.shape[2]):
            begin = tables.spans[device.site, member.number, k, 0]
            if begin > t:
                break
            if t < tables.spans[device.site, member.number, k, 1] + member.after_ms:
                return True
    return False


@inlined
def _calm(group: Any, one: Any, state: Any, holding: int) -> bool:
    """Whether nothing can change as long as no term turns."""
    if one.state == NORMAL and group.shape == THEN:
        return bool(state.met == 0)
    if one.state == NORMAL:
        return bool(holding < group.count)
    return bool(one.state == STANDING and group.shape == ALONE and holding > 0)


@inlined
def _holds(group: Any, device: Any, state: Any, tables: Tables, t: int) -> bool:
    """Whether the group's condition holds at `t`, by what its terms say now."""
    _, _, fresh = _look(group, device, tables, t)
    if group.shape != THEN:
        return bool(fresh >= group.count)
    first = tables.held[device.first_held + tables.members[group.member_from].number]
    number = tables.members[group.member_from + 1].number
    second = tables.held[device.first_held + number]
    of_type = tables.types[device.type]
    good_t = tables.series[device.first_series + tables.terms[of_type.term_from + number].channel].good_t
    if second.now and second.began == t:
        state.met = t - first.began <= group.within_ms
    if not second.now or t - good_t > of_type.gap_ms:
        state.met = 0
    return bool(state.met != 0)


@inlined
def _judge(
    device: Any, tables: Tables, batch: Columns, instant: tuple[int, int], moves: NDArray[np.void], written: int
) -> int:
    """Step every group of the device of which something has come. Returns `written` plus the moves added."""
    i, end = instant
    t = batch.t_ms[i]
    of_type = tables.types[device.type]
    for k in range(of_type.group_to - of_type.group_from):
        group = tables.groups[of_type.group_from + k]
        one = tables.instances[device.first_instance + k]
        state = tables.grouped[device.first_grouped + k]
        newest, holding, _ = _look(group, device, tables, t)
        if newest == t:  # or else nothing of it has come, or newer data have been judged
            holds = _holds(group, device, state, tables, t)
            if t - state.seen > of_type.gap_ms:
                one.since = t
            state.seen = t
            _turn(one, holds and (one.state >= STANDING or not suppressed(group, device, tables, t)), not holds, t)
            if _complete(one, group.on_ms, group.off_ms, t):
                at = _row_of(device.first_series + group.channel, batch, i, end)
                value, flag = (np.nan, MISSING) if at < 0 else (batch.value[at], int(batch.flag[at]))
                _finish(one, t, value, flag, moves[written])
                moves[written].instance = device.first_instance + k
                written += 1
        if not _calm(group, one, state, holding):
            for m in range(group.member_from, group.while_from):
                term = tables.terms[of_type.term_from + tables.members[m].number]
                tables.series[device.first_series + term.channel].quiet_low = np.inf
    return written


@inlined
def _row_of(series: int, batch: Columns, i: int, end: int) -> int:
    """The row of this series' reading within the instant that has row `i` and ends at `end`; -1 without one."""
    for j in range(end - 1, -1, -1):
        if batch.t_ms[j] != batch.t_ms[i]:
            return -1
        if batch.series[j] == series and _counts(batch.place[j], batch.live[j], batch.flag[j]):
            return j
    return -1


@compiled
def _quiet(row: Any, kind: Any, t: int, received_ms: int, value: float, flag: int) -> bool:
    """Whether a reading moves nothing, as all others do not either between the same two values."""
    silent_ms = max(t - row.good_t, received_ms - row.heard)
    return bool(row.quiet_low < value < row.quiet_high and silent_ms < kind.silence_ms and flag != SUSPECT)


@compiled
def _remember(row: Any, t: int, received_ms: int) -> None:
    row.good_t = t
    row.heard = max(row.heard, t, received_ms)


@inlined
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
        if _counts(batch.place[end], batch.live[end], flag):
            row = tables.series[series]
            kind = tables.kinds[row.kind]
            if not _quiet(row, kind, t, received_ms, value, flag):
                reading = (t, received_ms, value, flag, test)
                written = _walk(row, kind, tables.rules, tables.instances, reading, moves, written)
                _hold(row, kind, device, tables, reading)
            _remember(row, t, received_ms)
        end += 1
    return end, _judge(device, tables, batch, (i, end), moves, written)


DONE, FULL, UNKNOWN_DAY = 0, 1, 2
"""Why `step` stopped: all is done, `moves` might run over, or a site's calendar must first be asked."""


@compiled
def _pass_quiet(begin: int, batch: Columns, series: NDArray[np.void], kinds: NDArray[np.void]) -> int:
    """Take the readings from `begin` on that move nothing. Returns where the first is that may."""
    for i in range(begin, len(batch.series)):
        flag = int(batch.flag[i])
        if not _counts(batch.place[i], batch.live[i], flag):
            continue
        if not 0 <= batch.series[i] < len(series):
            raise IndexError("a reading of a series that was not grown")
        row = series[batch.series[i]]
        t, received_ms = batch.t_ms[i], batch.received_ms[i]
        if not _quiet(row, kinds[row.kind], t, received_ms, batch.value[i], flag):
            return i
        _remember(row, t, received_ms)
    return len(batch.series)


@compiled
def step(begin: int, batch: Columns, tables: Tables, moves: NDArray[np.void]) -> tuple[int, int, int]:
    """Readings from `begin` on. Returns where it stopped, how many moves it wrote, in order, and why it stopped."""
    written = 0
    i = _pass_quiet(begin, batch, tables.series, tables.kinds)
    while i < len(batch.series):
        series, t, received_ms = batch.series[i], batch.t_ms[i], batch.received_ms[i]
        row = tables.series[series]
        kind = tables.kinds[row.kind]
        if kind.term_from < kind.term_to:
            number = tables.series_device[series]
            of_type = tables.types[tables.devices[number].type]
            site = tables.devices[number].site
            if of_type.calendar and not tables.known[site, 0] <= t < tables.known[site, 1]:
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
