"""A fault's table entry: whom it befalls, what it does there, and when it is expected to be found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenewatch.model.words import Duration, Text


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
    """`<device type>.<channel>` that do not stay as they would be without the fault, if it lasts its minimum and
    begins in an hour in which it is not so anyway (a lamp that burns by night)."""
    rules: tuple[str, ...]
    """Rules that rightly find it; empty as long as there is none for it."""
    minimum: Duration
    """Shorter ones are not expected to be found."""
    deadline: Duration
    """Found later counts as missed."""
    tail: Duration
    """After its end an alarm still belongs to it for this long."""
