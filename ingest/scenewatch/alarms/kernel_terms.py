"""What a group's terms say, what suppresses it and what explains it: compiled, and looked up only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.alarms.kernel_instance import beyond, narrow, released
from scenewatch.alarms.rows import ALONE, LATCHED, NEVER, STANDING, Tables
from scenewatch.model.compiled import within

if TYPE_CHECKING:
    from typing import Any


@within
def looks_at_one(group: Any) -> bool:
    """Whether it is of one comparison, and nothing else grades or suppresses it."""
    return bool(group.shape == ALONE and group.follows_from - group.member_from == 1)


@within
def hold(row: Any, kind: Any, device: Any, tables: Tables, reading: tuple[int, int, float, int, int]) -> None:
    """One reading's step of every term of its series, behind the walk of its rules."""
    t, _, value, _, test = reading
    to_held = device.first_held - tables.types[device.type].term_from
    for k in range(kind.term_from, kind.term_to):
        term = tables.terms[k]
        held = tables.held[to_held + k]
        before = held.now
        if term.alone >= 0:  # its alarm remembers for it
            one = tables.instances[device.first_instance + term.alone]
            before = int(STANDING <= one.state < LATCHED)
            group = tables.groups[tables.types[device.type].group_from + term.alone]
            if looks_at_one(group) and t - row.good_t > kind.gap_ms:
                one.since = t  # what was in between is unknown
        elif before and t - row.good_t > kind.gap_ms:
            before = 0
            held.ended = row.good_t + kind.gap_ms + 1
        held.now = not released(term.is_, value, test) if before else beyond(term.is_, value, test)
        if held.now and not before:
            held.since = t
            # Of what already holds where readings begin, or begin again, nobody knows since when.
            if t - row.good_t <= kind.gap_ms:
                held.began = t
        elif before and not held.now:
            held.ended = t
            if term.puts_off:
                tables.sites[device.site].due = NEVER  # that may be due earlier than was thought
        narrow(row, term.is_, held.now != 0, value)


@within
def good_t_of(number: int, device: Any, tables: Tables) -> int:
    """The time of the newest reading of a term's channel."""
    term = tables.terms[tables.types[device.type].term_from + number]
    return int(tables.series[device.first_series + term.channel].good_t)


@within
def gap_of(number: int, device: Any, tables: Tables) -> int:
    return int(tables.terms[tables.types[device.type].term_from + number].gap_ms)


@within
def held_until(number: int, device: Any, tables: Tables) -> int:
    """The first moment at which a term does not hold any more, as far as is known."""
    held = tables.held[device.first_held + number]
    if held.now:
        return good_t_of(number, device, tables) + gap_of(number, device, tables) + 1
    return int(held.ended)


@within
def look(group: Any, device: Any, tables: Tables, t: int) -> tuple[int, int, int]:
    """The time of the newest reading of its terms' channels, how many terms hold, and how many do at `t`.

    A term whose channel has been silent for longer than its gap does not.
    """
    newest, holding, fresh = NEVER, 0, 0
    for m in range(group.member_from, group.while_from):
        number = tables.members[m].number
        good_t = good_t_of(number, device, tables)
        newest = max(newest, good_t)
        if m < group.graded_from and tables.held[device.first_held + number].now:
            holding += 1
            fresh += t - good_t <= gap_of(number, device, tables)
    return newest, holding, fresh


@within
def stood(source: Any, tables: Tables, t: int, after_ms: int) -> bool:
    """Whether an alarm stood at `t` or within `after_ms` before. What is known is its last stand."""
    one, state = tables.instances[source.instance], tables.grouped[source.grouped]
    stands = one.state >= STANDING
    if stands and one.raised_at <= t:
        return True
    begin = state.ended if stands else one.raised_at
    return bool(begin <= t < state.ended + after_ms)


@within
def suppressed(group: Any, device: Any, tables: Tables, t: int) -> bool:
    """Whether the group must not be raised at `t`. Its site's spans of that day must be known."""
    for m in range(group.while_from, group.during_from):
        if t < held_until(tables.members[m].number, device, tables) + tables.members[m].after_ms:
            return True
    for m in range(group.during_from, group.caused_from):
        member = tables.members[m]
        for k in range(tables.spans.shape[2]):
            begin = tables.spans[device.site, member.number, k, 0]
            if begin > t:
                break
            if t < tables.spans[device.site, member.number, k, 1] + member.after_ms:
                return True
    for m in range(group.caused_from, group.follows_from):
        piece = tables.caused[device.first_caused + tables.members[m].number]
        for k in range(piece.begin, piece.end):
            if stood(tables.sources[k], tables, t, tables.members[m].after_ms):
                return True
    return False


@within
def cause_of(group: Any, device: Any, tables: Tables, t: int) -> int:
    """The instance that explains an alarm raised at `t`: of the table's first that has one the oldest; or -1."""
    for m in range(group.follows_from, group.follows_to):
        piece = tables.caused[device.first_caused + tables.members[m].number]
        found = -1
        for k in range(piece.begin, piece.end):
            if stood(tables.sources[k], tables, t, tables.members[m].after_ms):
                instance = tables.sources[k].instance
                if found < 0 or tables.instances[instance].raised_at < tables.instances[found].raised_at:
                    found = instance
        if found >= 0:
            return int(found)
    return -1
