"""The alarm book: puts transitions on record, remembers the newest for listeners, and tells the outside."""

from __future__ import annotations

import math
import threading
from collections import deque
from typing import TYPE_CHECKING

from scenewatch.api.views import AlarmView
from scenewatch.model.alarm import AlarmState, Step
from scenewatch.model.flags import Flag

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scenewatch.model.alarm import Transition
    from scenewatch.model.ports import Notifier
    from scenewatch.model.registry import Registry
    from scenewatch.model.scene import Rule
    from scenewatch.store.relational import Alarms

CHANGES_KEPT = 10_000
"""For listeners that look a few times a second; one that is further behind asks for all anew."""


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
        views = [self.view(t) for t in transitions]
        self._alarms.record(views)
        with self._lock:
            self._changes.extend(views)
            self._count += len(views)
        if self._notifier is not None:
            self._notifier.publish(transitions)

    def open(self, notifier: Notifier) -> None:
        """From now on the outside is told too. Called between two transitions."""
        self._notifier = notifier

    def close_strangers(self, standing: Iterable[Transition], now_ms: int) -> None:
        """Alarms on record as standing that the engine does not know, as after a lost state, are ended."""
        known = {(v.rule, v.device, v.raised_at) for v in map(self.view, standing)}
        strangers = [
            AlarmView(
                rule=a.rule,
                device=a.device,
                state=AlarmState.RETURNED_UNACKNOWLEDGED,
                priority=a.priority,
                raised_at=a.raised_at,
                cleared_at=max(now_ms, a.raised_at),
                value=a.value,
                flag=a.flag,
            )
            for a in self._alarms.alarms("standing", CHANGES_KEPT)
            if (a.rule, a.device, a.raised_at) not in known
        ]
        if strangers:
            self._alarms.record(strangers)

    def changes(self, after: int) -> tuple[int, Sequence[AlarmView]]:
        with self._lock:
            new = min(self._count - after, len(self._changes))
            return self._count, list(self._changes)[len(self._changes) - new :] if new > 0 else []

    def alarms(self, state: str, limit: int) -> Sequence[AlarmView]:
        return self._alarms.alarms(state, limit)

    def view(self, transition: Transition) -> AlarmView:
        raised = transition.step is Step.RAISED
        return AlarmView(
            rule=transition.rule,
            device=self._registry.devices[transition.device].id,
            state=AlarmState.UNACKNOWLEDGED if raised else AlarmState.RETURNED_UNACKNOWLEDGED,
            priority=self._rules[transition.rule].priority,
            raised_at=transition.raised_at_ms,
            cleared_at=None if raised else transition.at_ms,
            value=None if math.isnan(transition.value) else transition.value,
            flag=Flag(transition.flag).name.lower(),
        )


