"""The compiled rules that one reading alone does not decide, each judged when all readings of an instant are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenewatch.alarms.kernel_instance import clear_it, complete, raise_it, turn, write_down
from scenewatch.alarms.kernel_terms import cause_of, gap_of, good_t_of, look, looks_at_one, suppressed
from scenewatch.alarms.rows import (
    ALONE,
    COUNTING_ON,
    HAPPENED,
    LATCHED,
    NEVER,
    NORMAL,
    OWN,
    REPRIORITISED,
    RETURNED,
    SILENT,
    STANDING,
    THEN,
    Tables,
)
from scenewatch.model.compiled import compiled, within
from scenewatch.model.flags import Flag, Place

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from scenewatch.model.batch import Columns

FAIL, NEW = int(Flag.FAIL), int(Place.NEW)
GOOD: int = np.uint8(Flag.GOOD)  # type: ignore[assignment]  # of its column's type: each is compiled for itself
MISSING: int = np.uint8(Flag.MISSING)  # type: ignore[assignment]  # as above


@within
def counts(place: int, live: bool, flag: int) -> bool:  # noqa: FBT001 - as it is in its column
    """Whether a reading moves alarms at all."""
    return place == NEW and live and flag < FAIL


@within
def priority_at(group: Any, one: Any, device: Any, tables: Tables, t: int) -> int:
    """Of the steps that hold at `t` the last in the table's order; the rule's own without one."""
    found = OWN
    for k in range(group.grade_from, group.grade_to):
        grade = tables.grades[k]
        if grade.term < 0:
            holds = t - one.raised_at >= grade.lasting_ms
        else:
            held = tables.held[device.first_held + grade.term]
            is_fresh = t - good_t_of(grade.term, device, tables) <= gap_of(grade.term, device, tables)
            holds = held.now and is_fresh and t - held.since >= grade.lasting_ms
        if holds:
            found = grade.to
    return int(found)


@within
def raise_group(
    group: Any,
    place: int,
    device: Any,
    tables: Tables,
    moment: tuple[int, int, float, int],
    move: Any,
) -> None:
    """`moment` is when, the same by the later of the clocks, and the value and flag to show."""
    at_ms, heard_ms, value, flag = moment
    one = tables.instances[device.first_instance + place]
    state = tables.grouped[device.first_grouped + place]
    raise_it(one, at_ms, value, flag, move)
    state.raised_heard = heard_ms
    state.passed = 0
    state.priority = priority_at(group, one, device, tables, at_ms)
    move.instance = device.first_instance + place
    move.priority = state.priority
    move.cause = cause_of(group, device, tables, at_ms)
    if group.shape in (HAPPENED, SILENT):
        tables.sites[device.site].due = NEVER  # somebody must look again


@within
def end_group(
    group: Any,
    place: int,
    device: Any,
    tables: Tables,
    moment: tuple[int, int, float, int],
    move: Any,
) -> None:
    """The condition is over."""
    at_ms, heard_ms, value, flag = moment
    one = tables.instances[device.first_instance + place]
    state = tables.grouped[device.first_grouped + place]
    clear_it(one, at_ms, value, flag, move)
    move.instance = device.first_instance + place
    move.priority = state.priority
    if group.latching:
        one.state = LATCHED
        move.step = RETURNED
    else:
        state.ended, state.ended_heard = at_ms, heard_ms
    tables.sites[device.site].due = NEVER


@within
def reprioritise(
    group: Any,
    place: int,
    device: Any,
    tables: Tables,
    moment: tuple[int, float, int],
    move: Any,
) -> bool:
    """Whether the alarm is more or less urgent at that time than before."""
    at_ms, value, flag = moment
    one = tables.instances[device.first_instance + place]
    state = tables.grouped[device.first_grouped + place]
    found = priority_at(group, one, device, tables, at_ms)
    if found == state.priority:
        return False
    state.priority = found
    write_down(REPRIORITISED, one, at_ms, value, flag, move)
    move.instance = device.first_instance + place
    move.priority = found
    return True


@within
def _is_pending(group: Any, one: Any, device: Any, tables: Tables, t: int) -> bool:
    """Whether the alarm's priority could change by time alone."""
    for k in range(group.grade_from, group.grade_to):
        grade = tables.grades[k]
        if grade.term < 0:
            if t - one.raised_at < grade.lasting_ms:
                return True
        else:
            held = tables.held[device.first_held + grade.term]
            if held.now and t - held.since < grade.lasting_ms:
                return True
    return False


@within
def _is_calm(group: Any, one: Any, state: Any, holding: int) -> bool:
    """Whether nothing can change as long as no term turns, but for its priority."""
    if one.state in (NORMAL, LATCHED) and group.shape == THEN:
        return bool(state.met == 0)
    if one.state in (NORMAL, LATCHED):
        return bool(holding < group.count)
    return bool(one.state == STANDING and group.shape == ALONE and holding > 0)


@within
def _only_counts(group: Any, one: Any, device: Any, tables: Tables) -> bool:
    """Whether readings like the newest go on counting towards the alarm and do nothing else.

    With a deadband they may not: what has passed the limit counts, what has not yet returned does not.
    """
    if one.state != COUNTING_ON or not looks_at_one(group):
        return False
    is_ = tables.terms[tables.types[device.type].term_from + tables.members[group.member_from].number].is_
    return bool(is_.low == is_.release_low and is_.high == is_.release_high)


@within
def _holds(group: Any, device: Any, state: Any, tables: Tables, t: int, fresh: int) -> bool:
    """Whether the group's condition holds at `t`, by what its terms say now."""
    if group.shape != THEN:
        return bool(fresh >= group.count)
    first = tables.held[device.first_held + tables.members[group.member_from].number]
    number = tables.members[group.member_from + 1].number
    second = tables.held[device.first_held + number]
    if second.now and second.began == t:
        state.met = t - first.began <= group.within_ms
    if not second.now or t - good_t_of(number, device, tables) > gap_of(number, device, tables):
        state.met = 0
    return bool(state.met != 0)


@within
def row_of(series: int, batch: Columns, i: int, end: int) -> int:
    """The row of this series' reading within the instant that has row `i` and ends at `end`; -1 without one."""
    for j in range(end - 1, -1, -1):
        if batch.t_ms[j] != batch.t_ms[i]:
            return -1
        if batch.series[j] == series and counts(batch.place[j], batch.live[j], batch.flag[j]):
            return j
    return -1


@within
def _step_group(k: int, device: Any, tables: Tables, batch: Columns, instant: tuple[int, int], move: Any) -> bool:
    """Step the device's group at place `k` of which something has come. Whether it made a move."""
    i, end = instant
    t, heard_ms = batch.t_ms[i], max(batch.t_ms[i], batch.received_ms[i])
    group = tables.groups[tables.types[device.type].group_from + k]
    one = tables.instances[device.first_instance + k]
    state = tables.grouped[device.first_grouped + k]
    newest, holding, fresh = look(group, device, tables, t)
    moved = False
    if newest == t:  # or else nothing of it has come, or newer data have been judged
        holds = _holds(group, device, state, tables, t, fresh)
        if t - state.seen > group.gap_ms and not looks_at_one(group):
            one.since = t
        state.seen = t
        turn(one, holds and (one.state >= STANDING or not suppressed(group, device, tables, t)), not holds, t)
        at = row_of(device.first_series + group.channel, batch, i, end)
        value, flag = (np.nan, MISSING) if at < 0 else (batch.value[at], batch.flag[at])
        if complete(one, group.on_ms, group.off_ms, t):
            if one.state == COUNTING_ON:
                raise_group(group, k, device, tables, (t, heard_ms, value, flag), move)
            else:
                end_group(group, k, device, tables, (t, heard_ms, value, flag), move)
            moved = True
        elif group.grade_from < group.grade_to and STANDING <= one.state < LATCHED:
            moved = reprioritise(group, k, device, tables, (t, value, flag), move)
    is_pending = STANDING <= one.state < LATCHED and _is_pending(group, one, device, tables, t)
    if _only_counts(group, one, device, tables):
        term = tables.terms[tables.types[device.type].term_from + tables.members[group.member_from].number]
        row = tables.series[device.first_series + term.channel]
        row.quiet_until = min(row.quiet_until, one.since + group.on_ms)
    elif is_pending or not _is_calm(group, one, state, holding):
        for m in range(group.member_from, group.while_from):
            term = tables.terms[tables.types[device.type].term_from + tables.members[m].number]
            tables.series[device.first_series + term.channel].quiet_low = np.inf
    return moved


@within
def _hear_again(k: int, device: Any, tables: Tables, moment: tuple[int, int, float, int], move: Any) -> bool:
    """A reading ends missing data, if none older than it is proof. Whether it made a move."""
    t = moment[0]
    group = tables.groups[tables.types[device.type].group_from + k]
    one = tables.instances[device.first_instance + k]
    state = tables.grouped[device.first_grouped + k]
    is_back = t >= state.met
    if t - state.seen > group.gap_ms:
        one.since = t
    state.seen = t
    turn(one, False, is_back, t)
    if not complete(one, group.on_ms, group.off_ms, t):
        return False
    end_group(group, k, device, tables, moment, move)
    return True


@within
def newest_of_family(device: Any, tables: Tables) -> int:
    """The time of the newest reading of all devices that speak through this one."""
    found = NEVER
    for k in range(device.family_from, device.family_to):
        child = tables.devices[tables.family[k]]
        for series in range(child.first_series, child.first_series + tables.types[child.type].channels):
            found = max(found, tables.series[series].good_t)
    return found


@within
def judge(
    device: Any, tables: Tables, batch: Columns, instant: tuple[int, int], moves: NDArray[np.void], written: int
) -> int:
    """Step every group of the device of which something has come. Returns `written` plus the moves added."""
    i, end = instant
    t, heard_ms = batch.t_ms[i], max(batch.t_ms[i], batch.received_ms[i])
    of_type = tables.types[device.type]
    for k in range(of_type.group_to - of_type.group_from):
        group = tables.groups[of_type.group_from + k]
        if group.shape == SILENT:
            series = tables.series[device.first_series + max(group.channel, 0)]
            one = tables.instances[device.first_instance + k]
            if group.channel < 0 or not STANDING <= one.state < LATCHED:
                continue
            at = row_of(device.first_series + group.channel, batch, i, end)
            if at >= 0 and series.good_t == t:
                moment = (t, heard_ms, batch.value[at], batch.flag[at])
                written += _hear_again(k, device, tables, moment, moves[written])
            if STANDING <= one.state < LATCHED:
                series.quiet_low = np.inf
        elif group.shape != HAPPENED:
            written += _step_group(k, device, tables, batch, instant, moves[written])
    if device.through >= 0:
        written = _judge_gateway(device, tables, (t, heard_ms), moves, written)
    return written


@within
def _judge_gateway(
    child: Any, tables: Tables, moment: tuple[int, int], moves: NDArray[np.void], written: int
) -> int:
    """Step the groups of its gateway that are about the silence of all who speak through it."""
    device = tables.devices[child.through]
    of_type = tables.types[device.type]
    if not of_type.listens:
        return written
    for k in range(of_type.group_to - of_type.group_from):
        one = tables.instances[device.first_instance + k]
        group = tables.groups[of_type.group_from + k]
        if group.shape != SILENT or group.channel >= 0 or not STANDING <= one.state < LATCHED:
            continue
        t, heard_ms = moment
        if newest_of_family(device, tables) == t:
            written += _hear_again(k, device, tables, (t, heard_ms, np.nan, GOOD), moves[written])
        if STANDING <= one.state < LATCHED:
            for series in range(child.first_series, child.first_series + tables.types[child.type].channels):
                tables.series[series].quiet_low = np.inf
    return written


@compiled
def tell(place: int, device: Any, tables: Tables, event: tuple[int, int], moves: NDArray[np.void]) -> int:
    """An event's step of the group at that place. Returns how many moves it made."""
    at_ms, received_ms = event
    group = tables.groups[tables.types[device.type].group_from + place]
    one = tables.instances[device.first_instance + place]
    state = tables.grouped[device.first_grouped + place]
    written = int(np.int64(0))
    if one.state == STANDING and at_ms >= state.seen + group.off_ms:
        ends_ms, heard_ms = state.seen + group.off_ms, state.heard + group.off_ms
        end_group(group, place, device, tables, (ends_ms, heard_ms, np.nan, GOOD), moves[written])
        written += 1
    if at_ms <= state.seen:
        return written
    state.seen = at_ms
    state.heard = max(state.heard, at_ms, received_ms)
    if one.state == LATCHED:
        one.state = STANDING
        tables.sites[device.site].due = NEVER
    elif one.state == NORMAL and not suppressed(group, device, tables, at_ms):
        moment = (at_ms, max(at_ms, received_ms), np.nan, GOOD)
        raise_group(group, place, device, tables, moment, moves[written])
        written += 1
    return written
