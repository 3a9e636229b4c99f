"""What went wrong in a run and what was raised in it, as far as judging needs it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenewatch.model.alarm import Hidden

if TYPE_CHECKING:
    from scenewatch.model.words import Duration
    from scenewatch.rehearsal.draw import Drawn


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """One fault that was injected. What it allows and asks for is the fault table's."""

    kind: str
    """Key of the fault in its table."""
    device: str
    """Id of the device it befell."""
    reaches: frozenset[str]
    """Ids of all devices whose alarms may belong to it."""
    from_ms: int
    to_ms: int
    size: float | None
    effect: float | None
    """Largest deviation of a published channel from a fault-free twin, in units of that channel's noise.

    None for a fault that changes when readings are told, or whether, and none of them.
    """
    findable: bool
    rules: frozenset[str]
    """Keys of the rules that rightly find it."""
    deadline: Duration
    tail: Duration

    def allows(self, alarm: RaisedAlarm) -> bool:
        """Whether the alarm may belong to it."""
        in_time = self.from_ms <= alarm.raised_at_ms <= self.to_ms + self.tail
        return in_time and alarm.rule in self.rules and alarm.device in self.reaches

    def in_time(self, alarm: RaisedAlarm) -> bool:
        """Whether the alarm, which belongs to it, came soon enough to count as found."""
        return alarm.raised_at_ms <= min(self.from_ms + self.deadline, self.to_ms + self.tail)


def label(drawn: Drawn, effect: float | None) -> Label:
    return Label(
        kind=drawn.fault.key,
        device=drawn.device.id,
        reaches=drawn.reaches,
        from_ms=drawn.from_ms,
        to_ms=drawn.to_ms,
        size=drawn.size,
        effect=effect,
        findable=drawn.findable,
        rules=frozenset(drawn.fault.rules),
        deadline=drawn.fault.deadline,
        tail=drawn.fault.tail,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class RaisedAlarm:
    """One alarm of a run. `cleared_at_ms` is None for one that stood at the end."""

    rule: str
    """Its key within the scene."""
    device: str
    priority: str
    raised_at_ms: int
    cleared_at_ms: int | None
    version: str = ""
    """Which version of the rule raised it."""
    cause: str = ""
    """Rule and device of the alarm that it follows from; empty without one."""
    value: float = math.nan
    """The reading that completed the delay; NaN for missing data."""
    hidden: Hidden = Hidden.NOT
