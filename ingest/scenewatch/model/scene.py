"""Scene tables: frozen data, no code. One table feeds simulator, checks, alarms, docs and pages alike."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from scenewatch.model.words import Duration, seconds

if TYPE_CHECKING:
    from scenewatch.model.fault import Fault
    from scenewatch.model.insight import Derived
    from scenewatch.model.quantity import Quantity
    from scenewatch.model.rule import Rule, Term
    from scenewatch.model.words import Text

HALF_A_MINUTE = seconds(30)


@dataclass(frozen=True, slots=True)
class Span:
    """A closed interval in the channel's unit."""

    low: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Channel:
    """One thing a device measures. Limits are in `unit`; a limit that is None is not checked."""

    key: str
    title: Text
    quantity: Quantity
    unit: str
    possible: Span
    """Outside: the sensor cannot have measured it (fail)."""
    expected: Span | None = None
    """Outside: rare, worth a second look (suspect)."""
    fastest_per_minute: float | None = None
    """A quicker change between neighbouring readings is suspect."""
    stuck_after: Duration | None = None
    """A value that does not move at all for this long is suspect; None where standing still is normal."""
    states: tuple[tuple[float, Text], ...] = ()
    """For STATE channels: the words of each number."""
    derived: Derived | None = None
    """None for what the device measures; else how it follows from the device's other channels."""


class Severity(StrEnum):
    """How grave an event is, in its device's own judgement."""

    INFO = "info"
    WARNING = "warning"
    ALARM = "alarm"


@dataclass(frozen=True, kw_only=True, slots=True)
class EventKind:
    """Something that a device tells of when it happens."""

    key: str
    title: Text


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """What a device can be told to do, and how it shows that it did."""

    key: str
    title: Text
    channel: str
    """Key of the state channel that shows it."""
    to: float
    """What that channel then says."""
    input: str
    """The simulator's input that a simulated device moves."""
    holds: bool = True
    """The input is held at `to` from then on; otherwise it is let go, and the device does as it did by itself."""
    refused_when: Term | None = None
    """A device that is in this state says no."""
    expires_after: Duration = HALF_A_MINUTE


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceType:
    """A kind of device: what it measures and how often. A type without channels only has a status, or events."""

    key: str
    title: Text
    every: Duration
    """Reporting interval."""
    channels: tuple[Channel, ...] = ()
    """Those that are derived come last."""
    events: tuple[EventKind, ...] = ()
    commands: tuple[Command, ...] = ()

    @property
    def measured(self) -> tuple[Channel, ...]:
        """What the device itself reports."""
        return tuple(c for c in self.channels if c.derived is None)

    @property
    def gap(self) -> Duration:
        """A step longer than this is a silence: nothing is known of the time between."""
        return Duration(3 * self.every)

    def gap_of(self, channel: Channel) -> Duration:
        """The same of one channel: derived ones are told less often."""
        return self.gap if channel.derived is None else Duration(3 * channel.derived.every)


@dataclass(frozen=True, kw_only=True, slots=True)
class Occasion:
    """Something that is done at a site at its hours."""

    key: str
    title: Text


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """One city scene: its device types, rules and faults, and where its simulator is."""

    key: str
    title: Text
    site_title: Text
    """What one site is called, such as a kitchen."""
    device_types: tuple[DeviceType, ...]
    rules: tuple[Rule, ...]
    faults: tuple[Fault, ...]
    simulator: str
    """`module:class` of its `scenewatch.model.ports.Simulator`; imported only where devices are simulated.

    Empty for recorded data alone: such a scene has no faults, and its rules no proof.
    """
    mishap: str
    """Key of the fault that a demonstration shows first."""
    teller: str = ""
    """`module:class` of its `scenewatch.model.ports.Teller`; empty where devices tell nothing by themselves."""
    demonstration: str = ""
    """`module:class` of its `scenewatch.model.ports.Demonstration`; empty for a scene that has none."""
    calendar: str = ""
    """`module:function` of its `scenewatch.model.ports.Calendar`; empty for a scene whose days are all alike."""
    occasions: tuple[Occasion, ...] = ()
    """What the calendar knows."""
    zone: str = ""
    """IANA name of the time zone in which its sites live, such as Asia/Shanghai; empty where they differ."""
    busy_ms: tuple[int, int] | None = None
    """Epoch times between which each device is used within any three days: where a fault shows that needs it."""

    def device_type(self, key: str) -> DeviceType:
        return next(t for t in self.device_types if t.key == key)

    def rule(self, key: str) -> Rule:
        return next(r for r in self.rules if r.key == key)

    def fault(self, key: str) -> Fault:
        return next(f for f in self.faults if f.key == key)
