"""What groups do without a reading, compiled: missing data is raised, events end, alarms get more urgent.

All of it has a deadline by the device's clock, by which it is dated, and one by the later of its clock and ours, by
which it is noticed. A site's deadlines are passed in the order of the second: before any reading or event of the
site that a group looks at, and by ticks. So whoever notices, and when, changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenewatch.alarms.kernel_groups import counts, end_group, raise_group, reprioritise
from scenewatch.alarms.kernel_terms import held_until
from scenewatch.alarms.rows import (
    FOREVER,
    HAPPENED,
    LATCHED,
    NEVER,
    NORMAL,
    SILENT,
    STANDING,
    Tables,
)
from scenewatch.model.compiled import compiled, within
from scenewatch.model.flags import Flag

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from scenewatch.model.batch import Columns

GOOD: int = np.uint8(Flag.GOOD)  # type: ignore[assignment]  # of its column's type: each is compiled for itself
MISSING: int = np.uint8(Flag.MISSING)  # type: ignore[assignment]  # as above
DONE, FULL, UNKNOWN_DAY = 0, 1, 2
"""Why a loop stopped: all is done, `moves` might run over, or a site's calendar must first be asked."""


@within
def _heard(group: Any, device: Any, tables: Tables) -> tuple[int, int, int]:
    """Of what a group about missing data listens to: the newest by both clocks, and from when silence counts."""
    if group.channel >= 0:
        row = tables.series[device.first_series + group.channel]
        return int(row.good_t), int(row.heard), int(row.floor)
    good_t, heard, floor = NEVER, NEVER, FOREVER
    for k in range(device.family_from, device.family_to):
        child = tables.devices[tables.family[k]]
        for series in range(child.first_series, child.first_series + tables.types[child.type].channels):
            row = tables.series[series]
            good_t, heard = max(good_t, row.good_t), max(heard, row.heard)
            floor = min(floor, row.floor)
    return int(good_t), int(heard), int(max(floor, device.floor))


@within
def _silence(group: Any, state: Any, device: Any, tables: Tables) -> tuple[int, int, int]:
    """The deadlines of missing data by both clocks, FOREVER while a cause stands; and its begin but for occasions.

    Silence counts from the newest reading, or from the end of the newest thing that suppresses it. What an occasion
    put off holds unless a state turns out to have ended sooner than was thought: then it is asked anew.
    """
    good_t, heard, floor = _heard(group, device, tables)
    good_t, heard = max(good_t, floor), max(heard, floor)
    for m in range(group.while_from, group.during_from):
        member = tables.members[m]
        until = held_until(member.number, device, tables) + member.after_ms
        good_t, heard = max(good_t, until), max(heard, until)
    for m in range(group.caused_from, group.follows_from):
        member = tables.members[m]
        piece = tables.caused[device.first_caused + member.number]
        for k in range(piece.begin, piece.end):
            source = tables.sources[k]
            if tables.instances[source.instance].state >= STANDING:
                return FOREVER, FOREVER, FOREVER
            cause = tables.grouped[source.grouped]
            good_t = max(good_t, cause.ended + member.after_ms)
            heard = max(heard, cause.ended_heard + member.after_ms)
    since = int(good_t)
    if since >= state.rested:
        good_t, heard = max(good_t, state.met), max(heard, state.met)
    return int(good_t + group.on_ms), int(heard + group.on_ms), since


@within
def _next_grade(group: Any, state: Any, tables: Tables) -> int:
    """After how long the alarm's priority may change next; FOREVER if by time never again."""
    found = FOREVER
    for k in range(group.grade_from, group.grade_to):
        lasting_ms = tables.grades[k].lasting_ms
        if tables.grades[k].term < 0 and lasting_ms > state.passed:
            found = min(found, lasting_ms)
    return int(found)


@within
def _is_silent(one: Any) -> bool:
    return bool(one.state in (NORMAL, LATCHED))


@within
def _due(clocked: Any, tables: Tables) -> int:
    """When this group moves next if nothing comes, by the later of the clocks."""
    device = tables.devices[clocked.device]
    group = tables.groups[tables.types[device.type].group_from + clocked.place]
    one = tables.instances[device.first_instance + clocked.place]
    state = tables.grouped[device.first_grouped + clocked.place]
    if group.shape == SILENT and _is_silent(one):
        return _silence(group, state, device, tables)[1]
    if one.state < STANDING or one.state == LATCHED:
        return FOREVER
    due = FOREVER
    lasting_ms = _next_grade(group, state, tables)
    if lasting_ms < FOREVER:
        due = state.raised_heard + lasting_ms
    return int(min(due, state.heard + group.off_ms) if group.shape == HAPPENED else due)


@within
def _occasion_until(group: Any, device: Any, tables: Tables, deadline: int) -> int:
    """The end of an occasion that reached into the silence before its deadline; NEVER without one."""
    found = NEVER
    for m in range(group.during_from, group.caused_from):
        member = tables.members[m]
        for k in range(tables.spans.shape[2]):
            begin = tables.spans[device.site, member.number, k, 0]
            if begin > deadline:
                break
            until = tables.spans[device.site, member.number, k, 1] + member.after_ms
            if until > deadline - group.on_ms:
                found = max(found, until)
    return int(found)


@within
def _wake_heard(group: Any, device: Any, tables: Tables) -> None:
    """Whatever the group listens to, its next reading is not passed by."""
    if group.channel >= 0:
        tables.series[device.first_series + group.channel].quiet_low = np.inf
    for k in range(device.family_from, device.family_to if group.channel < 0 else device.family_from):
        child = tables.devices[tables.family[k]]
        for series in range(child.first_series, child.first_series + tables.types[child.type].channels):
            tables.series[series].quiet_low = np.inf


@within
def _fall_silent(place: int, device: Any, tables: Tables, noticed_ms: int, move: Any) -> tuple[int, int]:
    """Missing data at its deadline, unless an occasion puts that off. The moves made, and DONE or why not."""
    group = tables.groups[tables.types[device.type].group_from + place]
    one = tables.instances[device.first_instance + place]
    state = tables.grouped[device.first_grouped + place]
    deadline, due, since = _silence(group, state, device, tables)
    if group.during_from < group.caused_from:
        if not tables.known[device.site, 0] <= deadline < tables.known[device.site, 1]:
            tables.asked[0], tables.asked[1] = device.site, deadline
            return 0, UNKNOWN_DAY
        until = _occasion_until(group, device, tables, deadline)
        if until > NEVER:
            state.met, state.rested = until, since
            return 0, DONE
    state.met, state.rested = deadline, 0
    _wake_heard(group, device, tables)
    if one.state == LATCHED:
        one.state = STANDING
        return 0, DONE
    raise_group(group, place, device, tables, (deadline, min(due, noticed_ms), np.nan, MISSING), move)
    return 1, DONE


@within
def _move_on(clocked: Any, tables: Tables, until_ms: int, move: Any) -> tuple[int, int]:
    """What this group has to do next. As `_fall_silent`."""
    device = tables.devices[clocked.device]
    group = tables.groups[tables.types[device.type].group_from + clocked.place]
    one = tables.instances[device.first_instance + clocked.place]
    state = tables.grouped[device.first_grouped + clocked.place]
    if group.shape == SILENT and _is_silent(one):
        return _fall_silent(clocked.place, device, tables, until_ms, move)
    lasting_ms = _next_grade(group, state, tables)
    if group.shape == HAPPENED and state.heard + group.off_ms - state.raised_heard <= lasting_ms:
        moment = (state.seen + group.off_ms, state.heard + group.off_ms, np.nan, GOOD)
        end_group(group, clocked.place, device, tables, moment, move)
        return 1, DONE
    state.passed = lasting_ms
    flag = MISSING if group.shape == SILENT else GOOD
    moment_of_grade = (one.raised_at + lasting_ms, np.nan, flag)
    return int(reprioritise(group, clocked.place, device, tables, moment_of_grade, move)), DONE


@compiled
def pass_site(site: int, until_ms: int, tables: Tables, moves: NDArray[np.void], written: int) -> tuple[int, int]:
    """All that is due at a site at or before `until_ms`. Returns `written` plus the moves added, and why it stops.

    Of two that are due at once the one of the lower row comes first.
    """
    of_site = tables.sites[site]
    while of_site.due <= until_ms:
        first, which = FOREVER, -1
        for c in range(of_site.begin, of_site.end):
            due = _due(tables.clocked[c], tables)
            if due < first:
                first, which = due, c
        of_site.due = first
        if which < 0 or first > until_ms:
            break
        of_site.due = NEVER
        if written >= len(moves):
            return written, FULL
        made, why = _move_on(tables.clocked[which], tables, until_ms, moves[written])
        written += made
        if why != DONE:
            return written, why
    return written, DONE


@compiled
def pass_all(begin: int, until_ms: int, tables: Tables, moves: NDArray[np.void]) -> tuple[int, int, int]:
    """The same of all sites from `begin` on. Returns the site where it stopped too."""
    written = int(np.int64(0))
    for site in range(begin, len(tables.sites)):
        written, why = pass_site(site, until_ms, tables, moves, written)
        if why != DONE:
            return site, written, why
    return len(tables.sites), written, DONE


@compiled
def any_due(now_ms: int, tables: Tables) -> bool:
    """Whether anything is, or may be, due at or before `now_ms`. Where nothing is, that is remembered."""
    for site in range(len(tables.sites)):
        of_site = tables.sites[site]
        if of_site.due <= now_ms:
            first = FOREVER
            for c in range(of_site.begin, of_site.end):
                first = min(first, _due(tables.clocked[c], tables))
            if first <= now_ms:
                return True
            of_site.due = first
    return False


@within
def _comes(series: int, batch: Columns, i: int) -> bool:
    """Whether the instant that begins at row `i` has a reading of this series."""
    for j in range(i, len(batch.series)):
        if batch.t_ms[j] != batch.t_ms[i]:
            return False
        if batch.series[j] == series and counts(batch.place[j], batch.live[j], batch.flag[j]):
            return True
    return False


@within
def _pass_hole(
    number: int, tables: Tables, batch: Columns, i: int, moves: NDArray[np.void], written: int
) -> tuple[int, int]:
    """Missing data of this device's groups that only the newness of the reading at row `i` shows."""
    child = tables.devices[tables.series_device[batch.series[i]]]
    device = tables.devices[number]
    of_type = tables.types[device.type]
    t = batch.t_ms[i]
    for k in range(of_type.group_to - of_type.group_from):
        group = tables.groups[of_type.group_from + k]
        one = tables.instances[device.first_instance + k]
        if group.shape != SILENT or not _is_silent(one):
            continue
        if group.channel >= 0 and not _comes(child.first_series + group.channel, batch, i):
            continue
        state = tables.grouped[device.first_grouped + k]
        while _is_silent(one) and t >= _silence(group, state, device, tables)[0]:
            heard_ms = max(t, batch.received_ms[i])
            made, why = _fall_silent(k, device, tables, heard_ms, moves[written])
            written += made
            if why != DONE:
                return written, why
    return written, DONE


@within
def pass_time(
    i: int, number: int, tables: Tables, batch: Columns, moves: NDArray[np.void], written: int
) -> tuple[int, int]:
    """What must have happened at the device's site before its readings of row `i` on. As `pass_site`."""
    device = tables.devices[number]
    written, why = pass_site(int(np.int64(device.site)), batch.received_ms[i], tables, moves, written)
    if why != DONE:
        return written, why
    of_type = tables.types[device.type]
    most = of_type.group_to - of_type.group_from
    gateway = device.through
    if gateway >= 0 and tables.types[tables.devices[gateway].type].listens:
        of_gateway = tables.types[tables.devices[gateway].type]
        most += of_gateway.group_to - of_gateway.group_from
        if written + most > len(moves):
            return written, FULL
        written, why = _pass_hole(gateway, tables, batch, i, moves, written)
        if why != DONE:
            return written, why
    if written + most > len(moves):
        return written, FULL
    return _pass_hole(number, tables, batch, i, moves, written)
