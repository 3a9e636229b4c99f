"""Alarms that an event raises, and that end when no more come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenewatch.alarms.kernel import suppressed
from scenewatch.alarms.rows import CLEARED, FOREVER, MOVE, NORMAL, RAISED, STANDING
from scenewatch.model.flags import Flag

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from scenewatch.alarms.memory import Memory
    from scenewatch.alarms.rows import Tables
    from scenewatch.alarms.tables import RuleTables
    from scenewatch.model.event import Event

    Move = tuple[int, int, int, int, float, int]

NONE = np.empty(0, MOVE)


class Happenings:
    """The instances of rules about events. Each event is a step of a few of them, so plain Python does it.

    An alarm ends `quiet` after the newest event by the device's clock. That is noticed by the later of its clock
    and ours: events that were kept while their device was away do not end at once.
    """

    def __init__(self) -> None:
        self._standing: dict[int, tuple[int, int]] = {}
        """The rows of GROUPED and of GROUP, by the row of INSTANCE."""

    def look_again(self, memory: Memory, rules: RuleTables) -> None:
        """Derive again which stand."""
        at = memory.standing_events(rules)
        grouped, row = memory.instance_grouped[at].tolist(), (~memory.instance_row[at]).tolist()
        self._standing = dict(zip(at.tolist(), zip(grouped, row, strict=True), strict=True))

    def due_ms(self, tables: Tables) -> int:
        """When the first of those that stand ends."""
        return min((self._noticed_ms(at, tables) for at in self._standing), default=FOREVER)

    def clear_due(self, now_ms: int, tables: Tables) -> NDArray[np.void]:
        """End what ends at or before `now_ms`; the moves in the order in which they were due."""
        due = sorted((ends_ms, at) for at in self._standing if (ends_ms := self._noticed_ms(at, tables)) <= now_ms)
        return np.array([self._clear(at, tables) for _, at in due], MOVE) if due else NONE

    def step(self, event: Event, groups: Iterable[int], tables: Tables) -> NDArray[np.void]:
        """`groups` are those of the device's type that this kind of event raises."""
        device = tables.devices[event.device]
        of_type = tables.types[device["type"]]
        moves: list[Move] = []
        for k in groups:
            at, row = int(device["first_instance"]) + k, int(device["first_grouped"]) + k
            group = int(of_type["group_from"]) + k
            state = tables.grouped[row]
            if at in self._standing and (
                event.at_ms >= self._ends_ms(at, tables) or event.received_ms >= self._noticed_ms(at, tables)
            ):
                moves.append(self._clear(at, tables))
            if event.at_ms <= state["seen"]:
                continue
            state["seen"] = event.at_ms
            state["heard"] = max(state["heard"], event.at_ms, event.received_ms)
            if at not in self._standing and not suppressed(tables.groups[group], device, tables, event.at_ms):
                moves.append(self._raise(at, event.at_ms, tables))
                self._standing[at] = row, group
        return np.array(moves, MOVE) if moves else NONE

    def _ends_ms(self, at: int, tables: Tables) -> int:
        row, group = self._standing[at]
        return int(tables.grouped["seen"][row] + tables.groups["off_ms"][group])

    def _noticed_ms(self, at: int, tables: Tables) -> int:
        row, group = self._standing[at]
        return int(tables.grouped["heard"][row] + tables.groups["off_ms"][group])

    def _raise(self, at: int, at_ms: int, tables: Tables) -> Move:
        one = tables.instances[at]
        one["state"], one["raised_at"], one["value"], one["flag"] = STANDING, at_ms, np.nan, Flag.GOOD
        return at, RAISED, at_ms, at_ms, np.nan, int(Flag.GOOD)

    def _clear(self, at: int, tables: Tables) -> Move:
        ends_ms = self._ends_ms(at, tables)
        tables.instances["state"][at] = NORMAL
        del self._standing[at]
        return at, CLEARED, ends_ms, int(tables.instances["raised_at"][at]), np.nan, int(Flag.GOOD)
