"""Alarm words, after ISA-18.2 / IEC 62682."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenewatch.model.scene import Priority


class AlarmState(StrEnum):
    """An alarm's state towards the operator."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED_UNACKNOWLEDGED = "returned_unacknowledged"
    SHELVED = "shelved"
    SUPPRESSED = "suppressed"


STANDING = (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED)
"""States in which the condition holds and the alarm is shown and published."""


class Step(StrEnum):
    """What an alarm just did."""

    RAISED = "raised"
    CLEARED = "cleared"
    REPRIORITISED = "reprioritised"
    """It got more or less urgent and is the same alarm."""
    RETURNED = "returned"
    """The condition of a latching alarm is over; it stands until an operator resets it."""
    HIDDEN = "hidden"
    """It stands, and an operator or a plan keeps it from being shown."""
    SHOWN = "shown"
    """It stands still, and what hid it is over."""
    ACKNOWLEDGED = "acknowledged"
    AGAIN = "again"
    """It still stands long after it was acknowledged, and wants to be seen again."""


class Hidden(StrEnum):
    """What keeps an alarm that stands from being shown."""

    NOT = ""
    SHELVED = "shelved"
    OUT_OF_SERVICE = "out_of_service"
    MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True)
class Transition:
    """One step of one alarm, whose identity is (rule, device, raised_at): deriving it again changes nothing."""

    rule: str
    """`<scene>.<rule>`"""
    device: int
    """Device number in the registry."""
    step: Step
    at_ms: int
    """Data time at which the delay was complete, or the deadline of missing data."""
    raised_at_ms: int
    """For all but RAISED: when this same alarm was raised."""
    value: float
    """The reading that completed the delay; NaN for no data."""
    flag: int
    """Its quality flag; MISSING for no data."""
    priority: Priority | None = None
    """From now on. None: the rule's own."""
    version: str = ""
    """Which version of the rule made the step; see `model.ruleversion`."""
    hidden: Hidden = Hidden.NOT
    """From now on."""
    by: str = ""
    """The operator, where one did it."""
    cause: str = ""
    """`<scene>.<rule>` and device id of the alarm that it follows from, with a blank between; empty without one."""
