"""The alarm book: puts transitions on record, remembers the newest for listeners, and tells the outside."""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from scenewatch.api.views import AlarmView
from scenewatch.model.alarm import STANDING, AlarmState, Step
from scenewatch.model.flags import Flag
from scenewatch.store.alarms import AlarmRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scenewatch.model.alarm import Transition
    from scenewatch.model.ports import Notifier
    from scenewatch.model.registry import Registry
    from scenewatch.model.scene import Rule
    from scenewatch.store.alarmfilter import WhichAlarms
    from scenewatch.store.alarms import Alarms

CHANGES_KEPT = 10_000
"""For listeners that look a few times a second; one that is further behind asks for all anew."""
MOST_STANDING = 1_000_000


class Book:
    """`tell` comes from the pipeline's thread; `changes` and `alarms` from any."""

    def __init__(self, alarms: Alarms, registry: Registry, rules: Mapping[str, Rule]) -> None:
        self._alarms = alarms
        self._registry = registry
        self._rules = rules
        self._notifier: Notifier | None = None
        self._lock = threading.Lock()
        self._count = 0
        self._changes: deque[AlarmView] = deque(maxlen=CHANGES_KEPT)

    def tell(self, transitions: list[Transition]) -> None:
        """On record first, then to all who listen. Raises TemporaryError before anything is told."""
        if not transitions:
            return
        rows = [self._row(t) for t in transitions]
        self._alarms.record(rows)
        with self._lock:
            self._changes.extend(map(_view, rows))
            self._count += len(rows)
        if self._notifier is not None:
            self._notifier.publish(transitions)

    def open(self, notifier: Notifier) -> None:
        """From now on the outside is told too. Called between two transitions."""
        self._notifier = notifier

    def close_strangers(self, standing: Iterable[Transition], now_ms: int) -> None:
        """Alarms on record as standing that the engine does not know, as after a lost state, are ended."""
        known = {(row.rule, row.device, row.raised_at_ms) for row in map(self._row, standing)}
        on_record = self._alarms.alarms(STANDING, limit=MOST_STANDING)
        self._alarms.record(
            [
                replace(row, state=AlarmState.RETURNED_UNACKNOWLEDGED, cleared_at_ms=max(now_ms, row.raised_at_ms))
                for row in on_record
                if (row.rule, row.device, row.raised_at_ms) not in known
            ]
        )

    def changes(self, after: int) -> tuple[int, Sequence[AlarmView]]:
        """What was told since the count was `after`, and the count now."""
        with self._lock:
            new = min(self._count - after, len(self._changes))
            return self._count, list(self._changes)[len(self._changes) - new :] if new > 0 else []

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
    )
