"""The alarm book: puts transitions on record, remembers the newest for listeners, and tells the outside."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

from scenewatch.api.views import AlarmView
from scenewatch.model.alarm import STANDING, AlarmState, Step
from scenewatch.model.flags import Flag
from scenewatch.store.alarms import Move
from scenewatch.worker.changes import Changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scenewatch.model.alarm import Transition
    from scenewatch.model.ports import Notifier
    from scenewatch.model.registry import Registry
    from scenewatch.model.rule import Rule
    from scenewatch.store.alarmfilter import WhichAlarms
    from scenewatch.store.alarms import AlarmRow, Alarms

MOST_STANDING = 1_000_000
NOT_OVER = (*STANDING, AlarmState.SHELVED, AlarmState.SUPPRESSED)


class Book:
    """`tell` comes from the pipeline's thread; `acknowledge`, `changes` and `alarms` from any."""

    def __init__(self, alarms: Alarms, registry: Registry, rules: Mapping[str, Rule]) -> None:
        self._alarms = alarms
        self._registry = registry
        self._rules = rules
        self._notifier: Notifier | None = None
        self._recording = threading.Lock()
        """Held while something is put on record and told: so all hear it in the order of the record."""
        self._changes: Changes[AlarmView] = Changes()

    def tell(self, transitions: Sequence[Transition]) -> None:
        """On record first, then to all who listen. Raises TemporaryError before anything is told."""
        if not transitions:
            return
        moves = [self._move(t) for t in transitions]
        with self._recording:
            news = self._alarms.record(moves)
            self._changes.add([view_of(row) for row in news])
            if self._notifier is not None:
                self._notifier.publish(transitions)
                for row in news:
                    self._tell_acknowledged(row)

    def acknowledge(self, rule: str, device: str, raised_at_ms: int, *, by: str, at_ms: int) -> AlarmView | None:
        """On record first, then to all who listen; None if there is no such alarm. Raises TemporaryError."""
        with self._recording:
            found = self._alarms.acknowledge(rule, device, raised_at_ms, by=by, at_ms=at_ms)
            if found is None:
                return None
            row, is_news = found
            if is_news:
                self._changes.add([view_of(row)])
                self._tell_acknowledged(row)
            return view_of(row)

    def open(self, notifier: Notifier) -> None:
        """From now on the outside is told too. Called between two transitions."""
        with self._recording:
            self._notifier = notifier
            for row in self._alarms.alarms((AlarmState.ACKNOWLEDGED,), limit=MOST_STANDING):
                self._tell_acknowledged(row)

    def _tell_acknowledged(self, row: AlarmRow) -> None:
        """If it is: what the pipeline tells of an alarm does not say whether somebody has seen it before."""
        number = self._registry.number(row.device)
        if self._notifier is not None and number is not None and row.state is AlarmState.ACKNOWLEDGED:
            self._notifier.acknowledge(row.rule, number, row.raised_at_ms)

    def close_strangers(self, standing: Iterable[Transition], now_ms: int) -> None:
        """Alarms on record as standing that the engine does not know, as after a lost state, are ended."""
        known = {self._move(transition).identity for transition in standing}
        on_record = self._alarms.alarms(NOT_OVER, limit=MOST_STANDING)
        strangers = (row for row in on_record if row.cleared_at_ms is None and row.identity not in known)
        self._alarms.record([_ended(row, max(now_ms, row.raised_at_ms)) for row in strangers])

    def changes(self, after: int) -> tuple[int, Sequence[AlarmView]]:
        """What was told since the count was `after`, and the count now."""
        return self._changes.since(after)

    def alarms(self, state: str, limit: int) -> Sequence[AlarmView]:
        """Newest first. `state` is `standing`, `all`, or a state's name."""
        states = {"standing": STANDING, "all": tuple(AlarmState)}.get(state) or (AlarmState(state),)
        return [view_of(row) for row in self._alarms.alarms(states, limit=limit)]

    def alarm(self, rule: str, device: str, raised_at_ms: int) -> AlarmView | None:
        row = self._alarms.alarm(rule, device, raised_at_ms)
        return None if row is None else view_of(row)

    def find(self, which: WhichAlarms, limit: int) -> Sequence[AlarmView]:
        return [view_of(row) for row in self._alarms.search(which, limit)]

    def raised_since(self, from_ms: int) -> Mapping[str, int]:
        return self._alarms.raised_since(from_ms)

    def _move(self, transition: Transition) -> Move:
        rule = self._rules[transition.rule]
        return Move(
            rule=transition.rule,
            device=self._registry.ids[transition.device],
            raised_at_ms=transition.raised_at_ms,
            step=transition.step,
            at_ms=transition.at_ms,
            value=transition.value,
            flag=transition.flag,
            priority=transition.priority or rule.priority,
            device_type=self._registry.type_of(transition.device).key,
            version=transition.version,
            hidden=transition.hidden,
            by=transition.by,
            cause=transition.cause,
        )


def _ended(row: AlarmRow, at_ms: int) -> Move:
    return Move(
        rule=row.rule,
        device=row.device,
        raised_at_ms=row.raised_at_ms,
        step=Step.CLEARED,
        at_ms=at_ms,
        value=row.value,
        flag=row.flag,
        priority=row.priority,
    )


def view_of(row: AlarmRow) -> AlarmView:
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
        version=row.version,
        hidden=row.hidden,
        cause=row.cause or None,
        latched=row.latched,
    )
