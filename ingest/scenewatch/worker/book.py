"""The alarm book: puts transitions on record, remembers the newest for listeners, and tells the outside."""

from __future__ import annotations

import math
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from scenewatch.api.views import AlarmView
from scenewatch.model.alarm import STANDING, AlarmState, Step
from scenewatch.model.flags import Flag
from scenewatch.store.alarms import AlarmRow
from scenewatch.worker.changes import Changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scenewatch.model.alarm import Transition
    from scenewatch.model.ports import Notifier
    from scenewatch.model.registry import Registry
    from scenewatch.model.scene import Rule
    from scenewatch.store.alarmfilter import WhichAlarms
    from scenewatch.store.alarms import Alarms

MOST_STANDING = 1_000_000
ACKNOWLEDGED = (AlarmState.ACKNOWLEDGED,)


class Book:
    """`tell` comes from the pipeline's thread; `acknowledge`, `changes` and `alarms` from any."""

    def __init__(self, alarms: Alarms, registry: Registry, rules: Mapping[str, Rule]) -> None:
        self._alarms = alarms
        self._registry = registry
        self._rules = rules
        self._notifier: Notifier | None = None
        self._recording = threading.Lock()
        """Held while something is put on record and told: so all hear it in the order of the record."""
        self._acknowledged = {_key(row): row for row in alarms.alarms(ACKNOWLEDGED, limit=MOST_STANDING)}
        """Those that stand: what the engine tells of them does not know what an operator did."""
        self._changes: Changes[AlarmView] = Changes()

    def tell(self, transitions: Sequence[Transition]) -> None:
        """On record first, then to all who listen. Raises TemporaryError before anything is told."""
        if not transitions:
            return
        rows = [self._row(t) for t in transitions]
        with self._recording:
            self._alarms.record(rows)
            self._changes.add([_view(self._as_operators_left_it(row)) for row in rows])
            if self._notifier is not None:
                self._notifier.publish(transitions)

    def acknowledge(self, rule: str, device: str, raised_at_ms: int, *, by: str, at_ms: int) -> AlarmView | None:
        """On record first, then to all who listen; None if there is no such alarm. Raises TemporaryError."""
        with self._recording:
            found = self._alarms.acknowledge(rule, device, raised_at_ms, by=by, at_ms=at_ms)
            if found is None:
                return None
            row, is_news = found
            if is_news:
                self._changes.add([_view(row)])
                if row.state is AlarmState.ACKNOWLEDGED:
                    self._acknowledged[_key(row)] = row
                    self._tell_acknowledged(row)
            return _view(row)

    def open(self, notifier: Notifier) -> None:
        """From now on the outside is told too. Called between two transitions."""
        with self._recording:
            self._notifier = notifier
            for row in self._acknowledged.values():
                self._tell_acknowledged(row)

    def _tell_acknowledged(self, row: AlarmRow) -> None:
        number = self._registry.number(row.device)
        if self._notifier is not None and number is not None:
            self._notifier.acknowledge(row.rule, number, row.raised_at_ms)

    def _as_operators_left_it(self, row: AlarmRow) -> AlarmRow:
        known = self._acknowledged.get(_key(row))
        if known is None:
            return row
        if row.cleared_at_ms is None:
            return known
        del self._acknowledged[_key(row)]
        return replace(
            row,
            state=AlarmState.NORMAL,
            acknowledged_by=known.acknowledged_by,
            acknowledged_at_ms=known.acknowledged_at_ms,
        )

    def close_strangers(self, standing: Iterable[Transition], now_ms: int) -> None:
        """Alarms on record as standing that the engine does not know, as after a lost state, are ended."""
        known = {_key(row) for row in map(self._row, standing)}
        on_record = self._alarms.alarms(STANDING, limit=MOST_STANDING)
        self._alarms.record(
            [
                replace(row, state=AlarmState.RETURNED_UNACKNOWLEDGED, cleared_at_ms=max(now_ms, row.raised_at_ms))
                for row in on_record
                if _key(row) not in known
            ]
        )

    def changes(self, after: int) -> tuple[int, Sequence[AlarmView]]:
        """What was told since the count was `after`, and the count now."""
        return self._changes.since(after)

    def alarms(self, state: str, limit: int) -> Sequence[AlarmView]:
        """Newest first. `state` is `standing`, `all`, or a state's name."""
        states = {"standing": STANDING, "all": tuple(AlarmState)}.get(state) or (AlarmState(state),)
        return [_view(row) for row in self._alarms.alarms(states, limit=limit)]

    def find(self, which: WhichAlarms, limit: int) -> Sequence[AlarmView]:
        return [_view(row) for row in self._alarms.search(which, limit)]

    def raised_since(self, from_ms: int) -> Mapping[str, int]:
        return self._alarms.raised_since(from_ms)

    def _row(self, transition: Transition) -> AlarmRow:
        raised = transition.step is Step.RAISED
        return AlarmRow(
            rule=transition.rule,
            device=self._registry.ids[transition.device],
            raised_at_ms=transition.raised_at_ms,
            cleared_at_ms=None if raised else transition.at_ms,
            state=AlarmState.UNACKNOWLEDGED if raised else AlarmState.RETURNED_UNACKNOWLEDGED,
            value=transition.value,
            flag=transition.flag,
            priority=self._rules[transition.rule].priority,
            device_type=self._registry.type_of(transition.device).key,
        )


def _key(row: AlarmRow) -> tuple[str, str, int]:
    return row.rule, row.device, row.raised_at_ms


def _view(row: AlarmRow) -> AlarmView:
    return AlarmView(
        rule=row.rule,
        device=row.device,
        state=row.state,
        priority=row.priority,
        raised_at=row.raised_at_ms,
        cleared_at=row.cleared_at_ms,
        value=None if math.isnan(row.value) else row.value,
        flag=Flag(row.flag).name.lower(),
        acknowledged_by=row.acknowledged_by,
        acknowledged_at=row.acknowledged_at_ms,
    )
