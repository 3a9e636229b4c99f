"""Alarm words, after ISA-18.2 / IEC 62682."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
    """For CLEARED: when this same alarm was raised."""
    value: float
    """The reading that completed the delay; NaN for no data."""
    flag: int
    """Its quality flag; MISSING for no data."""
