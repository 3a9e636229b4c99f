"""The alarm engine between batches: watches for silence, asks calendars, turns the kernel's moves into words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenewatch.alarms import saved
from scenewatch.alarms.calendars import Calendars
from scenewatch.alarms.happenings import Happenings
from scenewatch.alarms.kernel import DONE, UNKNOWN_DAY, step
from scenewatch.alarms.memory import Memory
from scenewatch.alarms.order import in_time_order
from scenewatch.alarms.overrides import in_force, mistakes, usable
from scenewatch.alarms.rows import CLEARED, MOVE, NEVER, NORMAL, RAISED, STANDING
from scenewatch.alarms.silence import Silences, wake
from scenewatch.alarms.tables import lay_out, unusable
from scenewatch.model.alarm import PRIORITIES, TRANSITION, Names, Transitions
from scenewatch.model.errors import ConfigurationError
from scenewatch.model.flags import Flag

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from scenewatch.model.alarm import Transition
    from scenewatch.model.batch import Batch
    from scenewatch.model.event import Event
    from scenewatch.model.pieces import Piece
    from scenewatch.model.registry import Registry
    from scenewatch.model.scene import DeviceType, Rule, Scene

MOVES_AT_A_TIME = 4096
OWN_PRIORITY = PRIORITIES.index(None)


class Engine:
    """Implements `ports.AlarmEngine`. Everything in the pipeline's thread.

    Missing data is *noticed* by the later of the device's clock and ours, but *dated* by the device's: a
    device that is behind, or hands in a backlog, is not silent. It is noticed at the latest by the series'
    next reading, so that ticks may come early, late or not at all: the transitions are the same. Only, a tick
    must not be ahead of the receive time of readings that are still to come. The same holds for events that
    come no more.
    """

    def __init__(
        self, scenes: Iterable[Scene], overrides: Mapping[str, Mapping[str, object]] | None = None
    ) -> None:
        self._scenes, numbers = tuple(scenes), overrides or {}
        if found := [*unusable(self._scenes), *mistakes(self._scenes, numbers)]:
            raise ConfigurationError(found)
        self.rules: Mapping[str, Rule] = in_force(self._scenes, numbers)
        """By `<scene>.<rule>`, with the operators' numbers. Replaced whole: other threads see one moment."""
        self._names = _names(self.rules)
        self._types: list[tuple[Scene, DeviceType]] = []
        self._rows = lay_out((), self.rules)
        self._calendars = Calendars(self._scenes)
        self._memory = Memory()
        self._listening_ms = NEVER
        self._happenings = Happenings()
        self._moves = np.empty(0, MOVE)
        self._settle()

    def grow(self, registry: Registry) -> None:
        """Take up new series, and which devices are active since when."""
        self._types = [(registry.scenes[scene], device_type) for (scene, _), device_type in registry.types.items()]
        self._rows = lay_out(self._types, self.rules)
        self._memory.grow(registry, self._rows, self._calendars)
        self._calendars.grow()
        most = int(self._rows.types["most_moves"].max(initial=0))
        self._moves = np.zeros(max(MOVES_AT_A_TIME, most), MOVE)
        self._settle()

    def step(self, batch: Batch) -> Transitions:
        columns = in_time_order(batch, self._memory.series_device)
        found: list[Transitions] = []
        done, why = 0, None
        while why != DONE:
            done, written, why = step(done, columns, self._tables, self._moves)
            moves = self._moves[:written]
            cleared_at = moves["at_ms"][moves["step"] == CLEARED]
            if len(cleared_at):
                self._silences.cleared(int(cleared_at.min()))
            found.append(self._transitions(moves))
            if why == UNKNOWN_DAY:
                self._learn(self._memory.series_device[columns.series[done]], columns.t_ms[done])
        return Transitions.joined(found)

    def happened(self, events: Sequence[Event]) -> Transitions:
        found: list[Transitions] = []
        for event in events:
            groups = self._rows.events.get((int(self._memory.devices["type"][event.device]), event.kind), ())
            if groups and event.live:
                self._learn(event.device, event.at_ms)
                found.append(self._transitions(self._happenings.step(event, groups, self._tables)))
        return Transitions.joined(found)

    def overdue(self, now_ms: int) -> bool:
        series, instances = self._memory.series, self._memory.instances
        if self._happenings.due_ms(self._tables) <= now_ms:
            return True
        return self._silences.any_due(now_ms, series, instances)

    def tick(self, now_ms: int) -> Transitions:
        missing = self._silences.raise_due(now_ms, self._memory.series, self._memory.instances)
        over = self._happenings.clear_due(now_ms, self._tables)
        return self._transitions(missing) + self._transitions(over)

    def listening(self, since_ms: int) -> None:
        self._listening_ms = max(self._listening_ms, since_ms)
        self._settle()

    def retire(self, registry: Registry, at_ms: int) -> Transitions:
        """Clear what stands of devices that are no longer in the inventory. Before or after `grow`."""
        memory = self._memory
        gone = ~np.array(registry.active, np.bool_)
        which = np.flatnonzero(gone[memory.instance_device] & (memory.instances["state"] != NORMAL))
        moves = self._standing_moves(which)
        moves["step"] = CLEARED
        moves["at_ms"] = np.maximum(moves["raised_at_ms"], at_ms)
        moves["value"], moves["flag"] = np.nan, Flag.MISSING
        memory.instances["state"][which] = NORMAL
        memory.forget(gone)
        self._settle()
        return self._transitions(moves)

    def change(self, limits: Mapping[str, Mapping[str, float]]) -> None:
        """A delay that is under way goes on, and is held against the new number at the series' next reading."""
        self.rules = in_force(self._scenes, usable(self._scenes, limits))
        self._names = _names(self.rules)
        self._rows = lay_out(self._types, self.rules)
        self._settle()

    def standing(self) -> Transitions:
        """Every alarm that stands, as it was raised, the oldest first."""
        moves = self._standing_moves(np.arange(len(self._memory.instances)))
        return self._transitions(moves[np.argsort(moves["at_ms"], kind="stable")])

    def alarm(self, rule: str, device: int) -> Transition | None:
        """The one that stands now, as it was raised."""
        moves = self._standing_moves(np.flatnonzero(self._memory.instance_device == device))
        return next((alarm for alarm in self._transitions(moves) if alarm.rule == rule), None)

    def snapshot(self) -> Iterator[Piece]:
        return saved.save(self._memory, self._rows, self.rules, self._listening_ms)

    def restore(self, data: bytes) -> None:
        """Raises CorruptError, and is as before, if the bytes are not a snapshot of as many series."""
        self._listening_ms = saved.load(data, self._memory, self._rows, self.rules)
        self._settle()

    def _settle(self) -> None:
        """Derive again what follows from rules, states, inventory and listening."""
        memory = self._memory
        wake(memory.series, slice(None))
        memory.series["floor"] = np.maximum(memory.since_ms, self._listening_ms)
        which, after_ms = memory.silences(self._rows)
        self._silences = Silences(which, memory.instance_series[which], after_ms)
        self._happenings.look_again(memory, self._rows)
        self._tables = memory.tables(self._rows, self._calendars)

    def _learn(self, device: int, t_ms: int) -> None:
        """Know what is done at the device's site on that day."""
        self._calendars.learn(int(self._memory.devices["site"][device]), int(t_ms))
        self._tables = self._memory.tables(self._rows, self._calendars)

    def _standing_moves(self, among: NDArray[np.intp]) -> NDArray[np.void]:
        """A RAISED move for each instance of these that is an alarm now."""
        instances = self._memory.instances
        which = among[instances["state"][among] >= STANDING]
        moves = np.zeros(len(which), MOVE)
        moves["instance"] = which
        moves["step"] = RAISED
        moves["at_ms"] = moves["raised_at_ms"] = instances["raised_at"][which]
        moves["value"], moves["flag"] = instances["value"][which], instances["flag"][which]
        return moves

    def _transitions(self, moves: NDArray[np.void]) -> Transitions:
        if not len(moves):
            return Transitions.NONE
        rows = np.zeros(len(moves), TRANSITION)
        rows["rule"] = self._memory.numbers(moves["instance"], self._rows)
        rows["device"] = self._memory.instance_device[moves["instance"]]
        for name in ("step", "at_ms", "raised_at_ms", "value", "flag"):
            rows[name] = moves[name]
        rows["priority"] = OWN_PRIORITY
        return Transitions(rows, self._names)


def _names(rules: Mapping[str, Rule]) -> Names:
    return Names(tuple((key, "") for key in rules))
