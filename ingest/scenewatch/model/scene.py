"""Scene tables: frozen data, no code. One table feeds simulator, checks, alarms, docs and pages alike."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from scenewatch.model.words import Duration, seconds

if TYPE_CHECKING:
    from scenewatch.model.flags import Test
    from scenewatch.model.insight import Derived
    from scenewatch.model.quantity import Quantity
    from scenewatch.model.words import Text

NO_DELAY = Duration(0)
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


class Mark(StrEnum):
    """How well a source was read."""

    DOCUMENT = "document"
    WEB = "web"
    CODE = "code"
    TO_BE_CONFIRMED = "to be confirmed"
    PROPOSAL = "proposal"


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where a limit comes from."""

    document: Text
    mark: Mark


@dataclass(frozen=True, slots=True)
class Above:
    """Raised above `limit`; released at or below `limit - deadband`. In the channel's unit."""

    limit: float
    deadband: float = 0.0


@dataclass(frozen=True, slots=True)
class Below:
    """Raised below `limit`; released at or above `limit + deadband`. In the channel's unit."""

    limit: float
    deadband: float = 0.0


@dataclass(frozen=True, slots=True)
class NoData:
    """Raised when no good reading has come for `after`; dated at that deadline, whoever notices.

    On a device type without a channel: when none has come of all the devices that speak through it.
    """

    after: Duration


@dataclass(frozen=True, slots=True)
class Outside:
    """Raised below `low` or above `high`; released inside both by `deadband`. In the channel's unit."""

    low: float
    high: float
    deadband: float = 0.0


@dataclass(frozen=True, slots=True)
class Flagged:
    """Holds for a reading that this test of quality has doubted: a sensor that is stuck, or jumps."""

    test: Test


Comparison = Above | Below | Outside | Flagged
"""What a single reading decides."""


@dataclass(frozen=True, slots=True)
class Term:
    """A comparison within a combination, on another channel of the same device."""

    channel: str
    """Its key."""
    is_: Comparison


@dataclass(frozen=True, slots=True)
class AtLeast:
    """Raised while `count` of the terms hold at one time: all of them, one, or k of n."""

    count: int
    terms: tuple[Term, ...]


def all_of(*terms: Term) -> AtLeast:
    return AtLeast(len(terms), terms)


def any_of(*terms: Term) -> AtLeast:
    return AtLeast(1, terms)


@dataclass(frozen=True, kw_only=True, slots=True)
class Then:
    """Raised where `second` begins to hold within `within` of when `first` began to; released when it ends."""

    first: Term
    second: Term
    within: Duration


@dataclass(frozen=True, kw_only=True, slots=True)
class Happened:
    """Raised by an event of this kind; released when none has come for `quiet`, dated at that deadline."""

    event: str
    quiet: Duration


Condition = Comparison | AtLeast | Then | NoData | Happened


@dataclass(frozen=True, kw_only=True, slots=True)
class While:
    """As long as a comparison on a channel of the same device holds, and for `after` from then on."""

    term: Term
    after: Duration = NO_DELAY


@dataclass(frozen=True, kw_only=True, slots=True)
class During:
    """As long as the scene's calendar says that something is done at the site, and for `after` from then on."""

    occasion: str
    after: Duration = NO_DELAY


class Reach(StrEnum):
    """Where an alarm's cause is looked for."""

    DEVICE = "device"
    """The same device."""
    PARENT = "parent"
    """The gateway through which it speaks."""
    SITE = "site"
    """Any device of its site."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CausedBy:
    """As long as an alarm of another rule stands that explains this one, and for `after` from then on."""

    rule: str
    """Its key in the same scene."""
    at: Reach
    after: Duration = NO_DELAY


Suppression = While | During | CausedBy


class Priority(StrEnum):
    """ISA-18.2 priority, from the consequence and the time to respond."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, kw_only=True, slots=True)
class PriorityStep:
    """Another priority of an alarm that stands: while a further comparison holds on its channel, for `lasting`.

    Without a comparison: once the alarm has stood for `lasting`. Of several that hold the last in the table wins;
    when none holds any more the rule's own priority is back.
    """

    to: Priority
    beyond: Above | Below | Outside | None = None
    """On the rule's own channel. Its deadband holds."""
    lasting: Duration = NO_DELAY


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """When a channel's readings are an alarm, why, and the fault that proves it."""

    key: str
    title: Text
    on: tuple[str, ...]
    """`<device type>.<channel>`, one alarm a rule and device.

    Of a combination the channel that a chart shows; of an event, or of missing data of a gateway's devices, the
    device type alone.
    """
    when: Condition
    suppressed_by: tuple[Suppression, ...] = ()
    """While one of them holds the alarm is not raised and no delay runs; one that stands is not touched."""
    follows: tuple[CausedBy, ...] = ()
    """An alarm of one of these that stands explains this one: it is raised all the same, and shown beneath it."""
    on_delay: Duration = NO_DELAY
    """The condition must hold this long before the alarm is raised."""
    off_delay: Duration = NO_DELAY
    """The release must hold this long before the alarm returns to normal."""
    priority: Priority
    priority_steps: tuple[PriorityStep, ...] = ()
    latching: bool = False
    """It stands until an operator resets it, even when its condition is over."""
    again_after: Duration | None = None
    """Acknowledged and still standing after so long, it wants to be seen again; None where once is enough."""
    source: Source
    proof: str
    """Key of the fault that must raise this rule."""
    advice: Text
    """What to do first."""


@dataclass(frozen=True, slots=True)
class Drive:
    """While the fault lasts the physics' input `input` is held at `to`; without one at the fault's size."""

    input: str
    to: float | None = None


@dataclass(frozen=True, slots=True)
class Ramp:
    """The physics' input `input` goes evenly from nothing at the fault's begin to its size at its end."""

    input: str


@dataclass(frozen=True, slots=True)
class Silence:
    """While the fault lasts the device publishes nothing."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """The channel repeats what it last read before the fault; what it measures goes on."""

    channel: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """The channel's error grows evenly from nothing at the fault's begin to its size at its end."""

    channel: str
    resolution: float
    """Step in which the sensor tells its readings."""
    sign: int = 1
    """-1 where the reading falls."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spikes:
    """Single readings of the channel, `share` of all, are too high by the fault's size; which ones is chance."""

    channel: str
    share: float


@dataclass(frozen=True, slots=True)
class WrongClock:
    """The device's clock is ahead by the fault's size in minutes; it takes and sends its samples as ever."""


@dataclass(frozen=True, slots=True)
class Away:
    """Samples are kept where they were taken, and go out with their own times when the fault is over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tells:
    """While the fault lasts the device tells an event of this kind, first at its begin and then every `every`."""

    event: str
    every: Duration


PhysicsEffect = Drive | Ramp
"""The simulator's inputs: what happens in the world."""
Effect = PhysicsEffect | Silence | Frozen | Drift | Spikes | WrongClock | Away | Tells
"""All others happen between the world and the broker, where no physics sees them."""


class Scope(StrEnum):
    """Whom a fault reaches when it befalls a device."""

    DEVICE = "device"
    CHILDREN = "children"
    """The devices that speak through it, and itself."""
    SITE = "site"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """How bad a fault can be, in its effect's own measure; more is worse."""

    smallest: float
    findable: float
    """Smaller ones happen, and are not expected to be found."""
    largest: float
    unit: str

    @property
    def ordinary(self) -> float:
        """Of those that must be found, one in the middle: the size of a fault that is planned without one."""
        return (self.findable + self.largest) / 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """A labelled fault that the simulator can inject and a rehearsal can score."""

    key: str
    title: Text
    on: tuple[str, ...]
    """Device types it can befall."""
    scope: Scope = Scope.DEVICE
    effect: Effect
    sizes: Sizes | None = None
    """None for what either is or is not."""
    shows: tuple[str, ...]
    """`<device type>.<channel>` that cannot stay as they would be without the fault, if it lasts its minimum."""
    rules: tuple[str, ...]
    """Rules that rightly find it; empty as long as there is none for it."""
    minimum: Duration
    """Shorter ones are not expected to be found."""
    deadline: Duration
    """Found later counts as missed."""
    tail: Duration
    """After its end an alarm still belongs to it for this long."""


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
