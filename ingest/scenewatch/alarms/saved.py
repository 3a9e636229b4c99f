"""What is saved of the alarms: by rule and device, so that rules may come and go between saving and going on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from scenewatch.alarms.memory import no_grouped, no_held
from scenewatch.alarms.rows import GROUPED, HAPPENED, HELD, INSTANCE, NEVER, NORMAL
from scenewatch.alarms.tables import grouped
from scenewatch.alarms.terms import terms_of
from scenewatch.model.errors import CorruptError
from scenewatch.model.pieces import array_of
from scenewatch.model.rule import Term, While

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from scenewatch.alarms.memory import Memory
    from scenewatch.alarms.tables import RuleTables
    from scenewatch.model.pieces import Piece
    from scenewatch.model.rule import Rule

VERSION = 3


class Section(msgspec.Struct, array_like=True):
    """One rule on the devices of one type: those of which there is anything to say."""

    rule: str
    looks_at: str
    """A rule that looks at other channels than before begins anew."""
    device: bytes
    instances: bytes
    grouped: bytes = b""
    held: bytes = b""


class Saved(msgspec.Struct, array_like=True):
    """What a snapshot is read as."""

    version: int
    series: int
    good_t: memoryview
    heard: memoryview
    listening_ms: int
    causes: list[str]
    """What `GROUPED.cause` stands for."""
    sections: list[Section]


def save(
    memory: Memory, tables: RuleTables, rules: Mapping[str, Rule], listening_ms: int, causes: Sequence[str]
) -> Iterator[Piece]:
    """One MessagePack array, in pieces."""
    series = memory.series
    sections = _sections(memory, tables, rules)
    return array_of(VERSION, len(series), series["good_t"], series["heard"], listening_ms, causes, sections)


def load(data: bytes, memory: Memory, tables: RuleTables, rules: Mapping[str, Rule]) -> tuple[int, list[str]]:
    """Into the memory of the same inventory; returns since when the source has been heard, and the causes.

    Raises CorruptError, and all is as before, if the bytes are not a snapshot of as many series.
    """
    try:
        saved = msgspec.msgpack.decode(data, type=Saved)
        made_for, here = (saved.version, saved.series), (VERSION, len(memory.series))
        if made_for != here:
            raise CorruptError(f"alarm snapshot of (version, series) {made_for}, not {here}")
        good_t, heard = (np.frombuffer(column, np.int64, count=here[1]) for column in (saved.good_t, saved.heard))
        instances = np.zeros(len(memory.instances), INSTANCE)
        states, held = no_grouped(len(memory.grouped)), no_held(len(memory.held))
        by_rule = _rows_by_rule(tables, rules)
        for section in saved.sections:
            for row in by_rule.get((section.rule, section.looks_at), ()):
                _load_section(section, row, memory, tables, (instances, states, held))
    except (msgspec.MsgspecError, ValueError, IndexError) as error:
        raise CorruptError(f"not an alarm snapshot: {error}") from error
    memory.series["good_t"], memory.series["heard"] = good_t, heard
    memory.instances, memory.grouped, memory.held = instances, states, held
    return saved.listening_ms, saved.causes


def _looks_at(rule: Rule) -> str:
    """Of a rule that takes a group."""
    graded = (Term("", step.beyond) for step in rule.priority_steps if step.beyond is not None)
    whiles = (s.term for s in rule.suppressed_by if isinstance(s, While))
    channels = (term.channel for term in (*terms_of(rule.when), *graded, *whiles))
    return " ".join((type(rule.when).__name__, *channels))


def _rows_by_rule(tables: RuleTables, rules: Mapping[str, Rule]) -> dict[tuple[str, str], list[int]]:
    """As in `Memory.instance_row`: of RULE, or of GROUP turned over."""
    groups = grouped(rules)
    named = [(key, _looks_at(rule) if key in groups else "") for key, rule in rules.items()]
    found: dict[tuple[str, str], list[int]] = {}
    for row, number in enumerate(tables.rule_number.tolist()):
        found.setdefault(named[number], []).append(row)
    for row, number in enumerate(tables.group_number.tolist()):
        found.setdefault(named[number], []).append(~row)
    return found


def _sections(memory: Memory, tables: RuleTables, rules: Mapping[str, Rule]) -> list[Section]:
    busy = memory.instances["state"] != NORMAL
    sections = []
    for (key, looks_at), rows in _rows_by_rule(tables, rules).items():
        for row in rows:
            mine = np.flatnonzero(memory.instance_row == row)
            if row >= 0:
                mine = mine[busy[mine]]
                states, held = no_grouped(0), no_held(0)
            else:
                states = memory.grouped[memory.instance_grouped[mine]]
                held = memory.held[_held_rows(memory, tables, ~row, memory.instance_device[mine])]
                is_event = tables.groups["shape"][~row] == HAPPENED
                told = busy[mine] | (states["met"] != 0) | (is_event & (states["seen"] != NEVER))
                told |= states["ended"] != NEVER
                told |= ((held["began"] != NEVER) | (held["ended"] != NEVER) | (held["now"] != 0)).any(axis=1)
                mine, states, held = mine[told], states[told], held[told]
            if len(mine):
                columns = (memory.instance_device[mine], memory.instances[mine], states, held)
                sections.append(Section(key, looks_at, *(column.tobytes() for column in columns)))
    return sections


def _held_rows(memory: Memory, tables: RuleTables, group: int, devices: NDArray[np.int32]) -> NDArray[np.int64]:
    """By device, the rows of HELD of a group's terms."""
    row = tables.groups[group]
    place = tables.members["number"][row["member_from"] : row["during_from"]]
    rows: NDArray[np.int64] = memory.devices["first_held"][devices][:, None] + place[None, :]
    return rows


def _load_section(
    section: Section,
    row: int,
    memory: Memory,
    tables: RuleTables,
    into: tuple[NDArray[np.void], NDArray[np.void], NDArray[np.void]],
) -> None:
    instances, states, held = into
    mine = np.flatnonzero(memory.instance_row == row)
    devices = np.frombuffer(section.device, np.int32)
    _, here, there = np.intersect1d(memory.instance_device[mine], devices, return_indices=True)
    mine = mine[here]
    instances[mine] = np.frombuffer(section.instances, INSTANCE)[there]
    if row < 0:
        states[memory.instance_grouped[mine]] = np.frombuffer(section.grouped, GROUPED)[there]
        rows = _held_rows(memory, tables, ~row, devices[there])
        held[rows] = np.frombuffer(section.held, HELD).reshape(len(devices), -1)[there]
