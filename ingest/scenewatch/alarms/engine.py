"""The alarm engine between batches: watches for silence, asks calendars, turns the kernel's moves into words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scenewatch.alarms import saved
from scenewatch.alarms.calendars import Calendars
from scenewatch.alarms.kernel import step
from scenewatch.alarms.kernel_clock import DONE, UNKNOWN_DAY, any_due, pass_all, pass_site
from scenewatch.alarms.kernel_groups import tell
from scenewatch.alarms.memory import Memory
from scenewatch.alarms.order import in_time_order
from scenewatch.alarms.overrides import in_force, mistakes, usable
from scenewatch.alarms.rows import CLEARED, LATCHED, MOVE, NEVER, NORMAL, OWN, RAISED, STANDING
from scenewatch.alarms.silence import Silences, wake
from scenewatch.alarms.tables import lay_out, unusable
from scenewatch.model.alarm import TRANSITION, Names, Transitions
from scenewatch.model.errors import ConfigurationError
from scenewatch.model.flags import Flag
from scenewatch.model.ruleversion import versions_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from scenewatch.model.alarm import Transition
    from scenewatch.model.batch import Batch
    from scenewatch.model.event import Event
    from scenewatch.model.pieces import Piece
    from scenewatch.model.registry import Registry
    from scenewatch.model.rule import Rule
    from scenewatch.model.scene import DeviceType, Scene

MOVES_AT_A_TIME = 4096
AS_BEFORE = -2
"""In the place of an alarm's cause: that of when it was raised."""


class Engine:
    """Implements `ports.AlarmEngine`. Everything in the pipeline's thread.

    Missing data is *noticed* by the later of the device's clock and ours, but *dated* by the device's: a
    device that is behind, or hands in a backlog, is not silent. It is noticed at the latest by the series'
    next reading, so that ticks may come early, late or not at all: the transitions are the same. Only, a tick
    must not be ahead of the receive time of readings that are still to come. The same holds for events that
    come no more, and for what causes or follows from any of them at its site.
    """

    def __init__(
        self, scenes: Iterable[Scene], overrides: Mapping[str, Mapping[str, object]] | None = None
    ) -> None:
        self._scenes, numbers = tuple(scenes), overrides or {}
        if found := [*unusable(self._scenes), *mistakes(self._scenes, numbers)]:
            raise ConfigurationError(found)
        self.rules: Mapping[str, Rule] = in_force(self._scenes, numbers)
        """By `<scene>.<rule>`, with the operators' numbers. Replaced whole: other threads see one moment."""
        self._causes = {"": 0}
        """What alarms have followed from, and the numbers that stand for it."""
        self._names = _names(self._scenes, self.rules, self._causes)
        self._types: list[tuple[Scene, DeviceType]] = []
        self._rows = lay_out((), self.rules)
        self._calendars = Calendars(self._scenes)
        self._memory = Memory()
        self._ids: Sequence[str] = ()
        self._listening_ms = NEVER
        self._moves = np.empty(0, MOVE)
        self._settle()

    def grow(self, registry: Registry) -> None:
        """Take up new series, and which devices are active since when."""
        self._types = [(registry.scenes[scene], device_type) for (scene, _), device_type in registry.types.items()]
        self._ids = registry.ids
        self._rows = lay_out(self._types, self.rules)
        self._memory.grow(registry, self._rows, self._calendars)
        self._calendars.grow()
        most = int(self._rows.types["most_moves"].max(initial=0))
        self._moves = np.zeros(max(MOVES_AT_A_TIME, 2 * most), MOVE)
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
                self._learn(*self._memory.asked)
        return Transitions.joined(found)

    def happened(self, events: Sequence[Event]) -> Transitions:
        found: list[Transitions] = []
        for event in events:
            device = self._memory.devices[event.device]
            places = self._rows.events.get((int(device["type"]), event.kind), ())
            if not places or not event.live:
                continue
            found += self._pass(event.received_ms, int(device["site"]))
            self._learn(device["site"], event.at_ms)
            for place in places:
                written = tell(place, device, self._tables, (event.at_ms, event.received_ms), self._moves)
                found.append(self._transitions(self._moves[:written]))
        return Transitions.joined(found)

    def overdue(self, now_ms: int) -> bool:
        series, instances = self._memory.series, self._memory.instances
        return self._silences.any_due(now_ms, series, instances) or bool(any_due(now_ms, self._tables))

    def tick(self, now_ms: int) -> Transitions:
        missing = self._silences.raise_due(now_ms, self._memory.series, self._memory.instances)
        return Transitions.joined([self._transitions(missing), *self._pass(now_ms)])

    def _pass(self, until_ms: int, site: int | None = None) -> Iterator[Transitions]:
        """All that groups have to do by the clock alone at or before that time, at one site or at all."""
        at, why = 0, None
        while why != DONE:
            if site is None:
                at, written, why = pass_all(at, until_ms, self._tables, self._moves)
            else:
                written, why = pass_site(site, until_ms, self._tables, self._moves, 0)
            yield self._transitions(self._moves[:written])
            if why == UNKNOWN_DAY:
                self._learn(*self._memory.asked)

    def listening(self, since_ms: int) -> None:
        self._listening_ms = max(self._listening_ms, since_ms)
        self._settle()

    def retire(self, registry: Registry, at_ms: int) -> Transitions:
        """Clear what stands of devices that are no longer in the inventory. Before or after `grow`."""
        memory = self._memory
        gone = ~np.array(registry.active, np.bool_)
        found = self._clear(np.flatnonzero(gone[memory.instance_device]), at_ms)
        memory.forget(gone)
        self._settle()
        return found

    def has_returned(self, rule: str, device: int) -> bool:
        """Whether an alarm of this rule stands there only because nobody has reset it."""
        return bool((self._memory.instances["state"][self._of(rule, device)] == LATCHED).any())

    def reset(self, rule: str, device: int, at_ms: int, *, by: str) -> Transitions:
        """Let go of it, if it has returned. What is overdue by then comes first."""
        found = [self.tick(at_ms)]
        if self.has_returned(rule, device):
            cleared = self._clear(self._of(rule, device), at_ms)
            found.append(Transitions.of(replace(one, by=by) for one in cleared))
            self._settle()
        return Transitions.joined(found)

    def _of(self, rule: str, device: int) -> NDArray[np.intp]:
        """Its row of INSTANCE, if there is one."""
        mine = np.flatnonzero(self._memory.instance_device == device)
        keys = list(self.rules)
        number = keys.index(rule) if rule in self.rules else -1
        here: NDArray[np.intp] = mine[self._memory.numbers(mine, self._rows) == number]
        return here

    def _clear(self, among: NDArray[np.intp], at_ms: int) -> Transitions:
        """End those of these alarms that stand, not by a reading but at a time of ours."""
        memory = self._memory
        moves = self._standing_moves(among)
        moves["step"] = CLEARED
        moves["at_ms"] = np.maximum(moves["raised_at_ms"], at_ms)
        moves["value"], moves["flag"] = np.nan, Flag.MISSING
        memory.instances["state"][among] = NORMAL
        grouped = memory.instance_grouped[moves["instance"]]
        for name in ("ended", "ended_heard"):
            memory.grouped[name][grouped[grouped >= 0]] = moves["at_ms"][grouped >= 0]
        return self._transitions(moves)

    def change(self, limits: Mapping[str, Mapping[str, float]]) -> None:
        """A delay that is under way goes on, and is held against the new number at the series' next reading."""
        self.rules = in_force(self._scenes, usable(self._scenes, limits))
        self._names = _names(self._scenes, self.rules, self._causes)
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
        return saved.save(self._memory, self._rows, self.rules, self._listening_ms, list(self._causes))

    def restore(self, data: bytes) -> None:
        """Raises CorruptError, and is as before, if the bytes are not a snapshot of as many series."""
        self._listening_ms, causes = saved.load(data, self._memory, self._rows, self.rules)
        self._causes = {cause: number for number, cause in enumerate(causes)}
        self._names = self._names._replace(words=tuple(causes))
        self._settle()

    def _settle(self) -> None:
        """Derive again what follows from rules, states, inventory and listening."""
        memory = self._memory
        wake(memory.series, slice(None))
        memory.series["floor"] = np.maximum(memory.since_ms, self._listening_ms)
        memory.devices["floor"] = np.maximum(memory.device_since_ms, self._listening_ms)
        memory.relations.sites["due"] = NEVER
        which, after_ms = memory.silences(self._rows)
        self._silences = Silences(which, memory.instance_series[which], after_ms)
        self._tables = memory.tables(self._rows, self._calendars)

    def _learn(self, site: int, t_ms: int) -> None:
        """Know what is done at the site on that day."""
        self._calendars.learn(int(site), int(t_ms))
        self._tables = self._memory.tables(self._rows, self._calendars)

    def _standing_moves(self, among: NDArray[np.intp]) -> NDArray[np.void]:
        """A RAISED move for each instance of these that is an alarm now, with its present priority."""
        instances, grouped = self._memory.instances, self._memory.instance_grouped
        which = among[instances["state"][among] >= STANDING]
        moves = np.zeros(len(which), MOVE)
        moves["instance"] = which
        moves["step"] = RAISED
        moves["at_ms"] = moves["raised_at_ms"] = instances["raised_at"][which]
        moves["value"], moves["flag"] = instances["value"][which], instances["flag"][which]
        moves["cause"] = AS_BEFORE
        at = grouped[which]
        moves["priority"] = OWN
        moves["priority"][at >= 0] = self._memory.grouped["priority"][at[at >= 0]]
        return moves

    def _transitions(self, moves: NDArray[np.void]) -> Transitions:
        if not len(moves):
            return Transitions.NONE
        rows = np.zeros(len(moves), TRANSITION)
        rows["rule"] = self._memory.numbers(moves["instance"], self._rows)
        rows["device"] = self._memory.instance_device[moves["instance"]]
        for name in ("step", "at_ms", "raised_at_ms", "value", "flag", "priority"):
            rows[name] = moves[name]
        at = self._memory.instance_grouped[moves["instance"]]
        in_group = np.flatnonzero(at >= 0)
        if len(in_group):
            rows["cause"][in_group] = self._explained(moves[in_group], at[in_group])
        return Transitions(rows, self._names)

    def _explained(self, moves: NDArray[np.void], at: NDArray[np.int32]) -> NDArray[np.int32]:
        """What each follows from, as it was when it was raised. `at` are their rows of GROUPED."""
        remembered = self._memory.grouped["cause"]
        is_raise = (moves["step"] == RAISED) & (moves["cause"] != AS_BEFORE)
        if (moves["cause"] < 0).all() and not remembered[at].any():
            return remembered[at]
        found = np.zeros(len(moves), np.int32)
        for i, (row, raised, cause) in enumerate(zip(at, is_raise, moves["cause"].tolist(), strict=True)):
            if raised:
                remembered[row] = self._causes.setdefault(self._name(cause), len(self._causes))
            found[i] = remembered[row]
        self._names = self._names._replace(words=tuple(self._causes))
        return found

    def _name(self, instance: int) -> str:
        """As `Transition.cause`; empty for none."""
        if instance < 0:
            return ""
        (number,) = self._memory.numbers(np.array([instance]), self._rows)
        return f"{self._names.rules[number][0]} {self._ids[self._memory.instance_device[instance]]}"


def _names(scenes: Iterable[Scene], rules: Mapping[str, Rule], causes: Iterable[str]) -> Names:
    """`rules` are those in force, in the order of the tables."""
    return Names(tuple(versions_of(scenes, rules).items()), tuple(causes))
