"""The alarm engine's state between batches: grows with the inventory, watches for silence, saves and restores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from scenewatch.alarms.kernel import (
    CLEARED,
    FOREVER,
    INSTANCE,
    MISSING,
    MOVE,
    NEVER,
    NORMAL,
    RAISED,
    SERIES,
    STANDING,
    Columns,
    Tables,
    step,
)
from scenewatch.alarms.overrides import in_force, mistakes, usable
from scenewatch.alarms.silence import Silences, wake
from scenewatch.alarms.tables import lay_out
from scenewatch.model.alarm import Step, Transition
from scenewatch.model.errors import ConfigurationError, CorruptError
from scenewatch.model.pieces import array_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from scenewatch.alarms.tables import Kinds
    from scenewatch.model.batch import Batch
    from scenewatch.model.event import Event
    from scenewatch.model.pieces import Piece
    from scenewatch.model.registry import Registry
    from scenewatch.model.scene import Rule, Scene

VERSION = 1
MOVES_AT_A_TIME = 4096
STEPS = {RAISED: Step.RAISED, CLEARED: Step.CLEARED}


class _Saved(msgspec.Struct, array_like=True):
    """What a snapshot is read as: columns of the series, and by rule the series and rows of what is not normal."""

    version: int
    series: int
    good_t: memoryview
    heard: memoryview
    listening_ms: int
    instances: dict[str, tuple[bytes, bytes]]


class Engine:
    """Implements `ports.AlarmEngine`. Everything in the pipeline's thread.

    Missing data is *noticed* by the later of the device's clock and ours, but *dated* by the device's: a
    device that is behind, or hands in a backlog, is not silent. It is noticed at the latest by the series'
    next reading, so that ticks may come early, late or not at all: the transitions are the same. Only, a tick
    must not be ahead of the receive time of readings that are still to come.
    """

    def __init__(
        self, scenes: Iterable[Scene], overrides: Mapping[str, Mapping[str, object]] | None = None
    ) -> None:
        self._scenes, numbers = tuple(scenes), overrides or {}
        if found := mistakes(self._scenes, numbers):
            raise ConfigurationError(found)
        self.rules: Mapping[str, Rule] = in_force(self._scenes, numbers)
        """By `<scene>.<rule>`, with the operators' numbers. Replaced whole: other threads see one moment."""
        self._keys = list(self.rules)
        self._kinds: Kinds = ()
        self._tables = lay_out((), self.rules)
        self._series = np.empty(0, SERIES)
        self._series_device = np.empty(0, np.int32)
        self._since_ms = np.empty(0, np.int64)
        self._instances = np.empty(0, INSTANCE)
        self._instance_series = np.empty(0, np.int32)
        self._instance_row = np.empty(0, np.int32)
        """Which row of the tables' rules each instance is of."""
        self._silences = self._find_silences()
        self._listening_ms = NEVER
        self._moves = np.empty(0, MOVE)

    def grow(self, registry: Registry) -> None:
        """Take up new series, and which devices are active since when."""
        self._kinds = registry.kinds
        self._tables = lay_out(self._kinds, self.rules)
        kind = np.array(registry.series_kind, np.int32)
        self._append(kind)
        self._series_device = np.array(registry.series_device, np.int32)
        active = np.array(registry.active, np.bool_)[self._series_device]
        since_ms = np.array(registry.since_ms, np.int64)[self._series_device]
        without_rules = len(registry.kinds)
        self._series["kind"] = np.where(active, kind, without_rules)
        self._since_ms = np.where(active, since_ms, FOREVER)
        self._silences = self._find_silences()
        self._settle()

    def step(self, batch: Batch) -> list[Transition]:
        columns = Columns(*(getattr(batch, name) for name in Columns._fields))
        tables = Tables(self._series, self._tables.kinds, self._tables.rules, self._instances)
        transitions: list[Transition] = []
        done = 0
        while done < len(batch):
            done, written = step(done, columns, tables, self._moves)
            moves = self._moves[:written]
            cleared_at = moves["at_ms"][moves["step"] == CLEARED]
            if len(cleared_at):
                self._silences.cleared(int(cleared_at.min()))
            transitions += self._transitions(moves)
        return transitions

    def happened(self, events: Sequence[Event]) -> list[Transition]:  # noqa: ARG002 - no rule is on events yet
        """Nothing is raised by them."""
        return []

    def overdue(self, now_ms: int) -> bool:
        return self._silences.any_due(now_ms, self._series, self._instances)

    def tick(self, now_ms: int) -> list[Transition]:
        return self._transitions(self._silences.raise_due(now_ms, self._series, self._instances))

    def listening(self, since_ms: int) -> None:
        self._listening_ms = max(self._listening_ms, since_ms)
        self._settle()

    def retire(self, registry: Registry, at_ms: int) -> list[Transition]:
        """Clear what stands of devices that are no longer in the inventory. Before or after `grow`."""
        active = np.array(registry.active, np.bool_)[self._series_device]
        gone = np.flatnonzero(~active[self._instance_series] & (self._instances["state"] != NORMAL))
        moves = self._standing_moves(gone)
        moves["step"] = CLEARED
        moves["at_ms"] = np.maximum(moves["raised_at_ms"], at_ms)
        moves["value"], moves["flag"] = np.nan, MISSING
        self._instances["state"][gone] = NORMAL
        self._settle()
        return self._transitions(moves)

    def change(self, limits: Mapping[str, Mapping[str, float]]) -> None:
        """A delay that is under way goes on, and is held against the new number at the series' next reading."""
        self.rules = in_force(self._scenes, usable(self._scenes, limits))
        self._tables = lay_out(self._kinds, self.rules)
        self._silences = self._find_silences()
        self._settle()

    def standing(self) -> list[Transition]:
        """Every alarm that stands, as it was raised, the oldest first."""
        moves = self._standing_moves(np.arange(len(self._instances)))
        return self._transitions(moves[np.argsort(moves["at_ms"], kind="stable")])

    def snapshot(self) -> Iterator[Piece]:
        """Instances go by rule and series, so that rules may come and go between snapshot and restore."""
        busy = np.flatnonzero(self._instances["state"] != NORMAL)
        number = self._tables.number[self._instance_row[busy]]
        by_rule = {
            self._keys[n]: (self._instance_series[mine].tobytes(), self._instances[mine].tobytes())
            for n, mine in ((n, busy[number == n]) for n in np.unique(number))
        }
        good_t, heard = self._series["good_t"], self._series["heard"]
        return array_of(VERSION, len(self._series), good_t, heard, self._listening_ms, by_rule)

    def restore(self, data: bytes) -> None:
        """Raises CorruptError, and is as before, if the bytes are not a snapshot of as many series."""
        try:
            saved = msgspec.msgpack.decode(data, type=_Saved)
            made_for, here = (saved.version, saved.series), (VERSION, len(self._series))
            if made_for != here:
                raise CorruptError(f"alarm snapshot of (version, series) {made_for}, not {here}")
            good_t, heard = (
                np.frombuffer(column, np.int64, count=here[1]) for column in (saved.good_t, saved.heard)
            )
            instances = self._restored(saved.instances)
        except (msgspec.MsgspecError, ValueError, IndexError) as error:
            raise CorruptError(f"not an alarm snapshot: {error}") from error
        self._series["good_t"], self._series["heard"] = good_t, heard
        self._listening_ms, self._instances = saved.listening_ms, instances
        self._settle()

    def _append(self, kind: NDArray[np.int32]) -> None:
        """Rows for the series that are new, each with one instance a rule of its kind."""
        known, before = len(self._series), len(self._instances)
        begin, end = (self._tables.kinds[name][kind[known:]] for name in ("rule_from", "rule_to"))
        rules = end - begin
        behind = np.cumsum(rules)
        total = int(rules.sum())

        series = np.zeros(len(rules), SERIES)
        series["good_t"] = series["heard"] = NEVER
        series["first"] = before + behind - rules
        rows = np.repeat((begin - (behind - rules)).astype(np.int32), rules) + np.arange(total, dtype=np.int32)
        of_series = np.repeat(np.arange(known, len(kind), dtype=np.int32), rules)

        self._series = np.concatenate([self._series, series])
        self._instances = np.concatenate([self._instances, np.zeros(total, INSTANCE)])
        self._instance_series = np.concatenate([self._instance_series, of_series])
        self._instance_row = np.concatenate([self._instance_row, rows])
        most = int((self._tables.kinds["rule_to"] - self._tables.kinds["rule_from"]).max())
        self._moves = np.zeros(max(MOVES_AT_A_TIME, 2 * most), MOVE)

    def _find_silences(self) -> Silences:
        rules = self._tables.rules[self._instance_row]
        which = np.flatnonzero(rules["sign"] == 0.0)
        return Silences(which, self._instance_series[which], rules["on_ms"][which])

    def _settle(self) -> None:
        """Derive again what follows from states, inventory and listening."""
        wake(self._series, slice(None))
        self._series["floor"] = np.maximum(self._since_ms, self._listening_ms)
        self._silences.look_again()

    def _restored(self, by_rule: Mapping[str, tuple[bytes, bytes]]) -> NDArray[np.void]:
        """Instances as saved; those of rules that are gone are left out, new ones are normal."""
        instances = np.zeros(len(self._instances), INSTANCE)
        number = self._tables.number[self._instance_row]
        for key, (series, rows) in by_rule.items():
            mine = np.flatnonzero(number == self._keys.index(key)) if key in self._keys else np.empty(0, np.intp)
            _, here, there = np.intersect1d(
                self._instance_series[mine], np.frombuffer(series, np.int32), return_indices=True
            )
            instances[mine[here]] = np.frombuffer(rows, INSTANCE)[there]
        return instances

    def _standing_moves(self, among: NDArray[np.intp]) -> NDArray[np.void]:
        """A RAISED move for each instance of these that is an alarm now."""
        which = among[self._instances["state"][among] >= STANDING]
        moves = np.zeros(len(which), MOVE)
        moves["instance"] = which
        moves["step"] = RAISED
        moves["at_ms"] = moves["raised_at_ms"] = self._instances["raised_at"][which]
        moves["value"], moves["flag"] = self._instances["value"][which], self._instances["flag"][which]
        return moves

    def _transitions(self, moves: NDArray[np.void]) -> list[Transition]:
        if not len(moves):
            return []
        numbers = self._tables.number[self._instance_row[moves["instance"]]].tolist()
        devices = self._series_device[self._instance_series[moves["instance"]]].tolist()
        return [
            Transition(self._keys[number], device, STEPS[step], at_ms, raised_at_ms, value, flag)
            for number, device, (_, step, at_ms, raised_at_ms, value, flag) in zip(
                numbers, devices, moves.tolist(), strict=True
            )
        ]
