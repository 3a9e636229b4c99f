"""A rule's table entry: its condition and delays, what suppresses it, how urgent it is, where its limit is from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from scenewatch.model.words import Duration

if TYPE_CHECKING:
    from scenewatch.model.flags import Test
    from scenewatch.model.words import Text

NO_DELAY = Duration(0)


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
