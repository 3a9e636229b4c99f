"""What readings of the past would have raised: the stages from quality to alarms without broker, disk or clock.

A rehearsal feeds it simulated readings, a backtest recorded ones.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from scenewatch.alarms.overrides import in_force, mistakes
from scenewatch.judging import Judging
from scenewatch.model.alarm import Step
from scenewatch.model.errors import ConfigurationError
from scenewatch.model.flags import Flag
from scenewatch.model.registry import Registry
from scenewatch.model.rule import Happened
from scenewatch.model.ruleversion import versions_of
from scenewatch.rehearsal.labels import RaisedAlarm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from scenewatch.model.alarm import Transition
    from scenewatch.model.batch import Batch
    from scenewatch.model.event import Event
    from scenewatch.model.place import Device
    from scenewatch.model.scene import Scene


@dataclass(frozen=True, slots=True)
class Found:
    """What came of all that was taken."""

    alarms: list[RaisedAlarm]
    """In the order in which they were raised."""
    readings: int
    """Derived ones too."""
    flags: dict[str, int]
    """Readings by flag."""


class Study:
    """Takes the past piece by piece, in the order in which it was received. One thread.

    What it finds is the same for any split into pieces; memory does not grow with the readings. The past has an
    obliging operator: a latching alarm is reset as soon as its condition is over.
    """

    def __init__(
        self,
        scenes: Iterable[Scene],
        devices: Iterable[Device],
        limits: Mapping[str, Mapping[str, float]] | None = None,
        *,
        from_ms: int,
    ) -> None:
        """Silence counts from `from_ms`. Raises ConfigurationError with all that is wrong in `limits`."""
        scenes = tuple(scenes)
        if found := mistakes(scenes, limits or {}):
            raise ConfigurationError(found)
        self.registry = Registry(scenes)
        self.registry.apply(devices, at_ms=from_ms)
        self.listeners: list[Callable[[Batch], None]] = []
        """Called with each checked batch, derived readings included. They must not change it."""
        self.rules = in_force(scenes, limits or {})
        """By `<scene>.<rule>`, with the numbers in force."""
        self._versions = versions_of(scenes, self.rules)
        self._judging = Judging(map(_unlatched, scenes), limits)
        self._judging.grow(self.registry)
        self._judging.alarms.listening(from_ms)
        self._alarms: list[RaisedAlarm] = []
        self._standing: dict[tuple[str, int], int] = {}
        """Place in `_alarms` of what stands, by rule and device."""
        self._readings = 0
        self._flags: Counter[int] = Counter()
        self._watched = {r.when.event for s in scenes for r in s.rules if isinstance(r.when, Happened)}

    def take(self, batch: Batch, events: Sequence[Event] = ()) -> None:
        """An unchecked batch, and the events received among its readings or up to the next batch."""
        # No rule looks at the others, and each splits the batch.
        watched = [_placed(batch, e) for e in events if e.kind in self._watched]
        newest_ms = max([int(batch.received_ms.max(initial=0)), *(e.received_ms for e in events)])
        checked = self._judging.check(batch)
        self._readings += len(checked)
        self._flags.update(dict(enumerate(np.bincount(checked.flag).tolist())))
        self._note(self._judging.judge(checked, watched, checked.first))
        self._note(self._judging.alarms.tick(newest_ms))
        for listener in self.listeners:
            listener(checked)

    def finish(self, to_ms: int) -> Found:
        """What was found, once silence up to `to_ms` is noticed too. What stands then has not cleared."""
        self._note(self._judging.alarms.tick(to_ms))
        flags = {Flag(flag).name.lower(): count for flag, count in sorted(self._flags.items()) if count}
        in_time = sorted(self._alarms, key=lambda alarm: (alarm.raised_at_ms, alarm.rule, alarm.device))
        return Found(in_time, self._readings, flags)

    def _note(self, transitions: Iterable[Transition]) -> None:
        for t in transitions:
            if t.step is Step.RAISED:
                self._standing[t.rule, t.device] = len(self._alarms)
                self._alarms.append(self._raised(t))
            elif t.step is Step.CLEARED:
                place = self._standing.pop((t.rule, t.device))
                self._alarms[place] = replace(self._alarms[place], cleared_at_ms=t.at_ms)

    def _raised(self, t: Transition) -> RaisedAlarm:
        priority = t.priority or self.rules[t.rule].priority
        return RaisedAlarm(
            rule=t.rule.partition(".")[2],
            device=self.registry.ids[t.device],
            priority=priority.value,
            raised_at_ms=t.raised_at_ms,
            cleared_at_ms=None,
            version=self._versions[t.rule],
            cause=t.cause,
            value=t.value,
            hidden=t.hidden,
        )


def _unlatched(scene: Scene) -> Scene:
    """Latching and reset at once is not to latch at all."""
    return replace(scene, rules=tuple(replace(rule, latching=False) for rule in scene.rules))


def _placed(batch: Batch, event: Event) -> Event:
    """Before the first message that was received after it."""
    received_ms = np.maximum.accumulate(batch.received_ms)
    row = int(np.searchsorted(received_ms, event.received_ms, side="right"))
    message = int(batch.message[row]) if row < len(batch) else int(batch.message.max(initial=-1)) + 1
    return replace(event, position=batch.first + message)
