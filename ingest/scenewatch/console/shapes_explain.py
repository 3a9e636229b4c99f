"""The worker's explanation of one alarm, checked where it comes in."""

from __future__ import annotations

import msgspec

from scenewatch.console.shapes import (  # noqa: TC001 - msgspec reads the types of fields at run time
    Alarm,
    DeviceEvent,
    LimitLine,
    Rule,
)
from scenewatch.model.rule import Priority  # noqa: TC001 - likewise
from scenewatch.model.words import Text  # noqa: TC001 - likewise


class ValueThen(msgspec.Struct, frozen=True):
    """What a channel read when the alarm was raised; `said` is a state's word."""

    channel: str
    title: Text
    unit: str
    flag: str
    test: str
    role: str
    at: int | None = None
    value: float | None = None
    said: Text | None = None


class QualityThen(msgspec.Struct, frozen=True):
    """How the readings before it were judged; shares are of 1, and none without readings."""

    from_ms: int = msgspec.field(name="from")
    to_ms: int = msgspec.field(name="to")
    readings: int = 0
    expected: int = 0
    good_share: float | None = None
    suspect_share: float | None = None
    fail_share: float | None = None


class UsualCause(msgspec.Struct, frozen=True):
    """A fault that the rule is there to find."""

    fault: str
    title: Text
    minimum_s: float
    proof: bool = False


class CourseStep(msgspec.Struct, frozen=True):
    """What became of the alarm, when, and by whom where an operator did it."""

    step: str
    at: int
    by: str | None = None


class ChartOf(msgspec.Struct, frozen=True):
    """The chart that shows it."""

    device: str
    channel: str
    from_ms: int = msgspec.field(name="from")
    to_ms: int = msgspec.field(name="to")
    lines: tuple[LimitLine, ...] = ()


class Explanation(msgspec.Struct, frozen=True):
    """`GET /api/v1/alarms/explanation`."""

    alarm: Alarm
    raised_priority: Priority
    rule: Rule | None = None
    as_raised: bool = False
    now: Rule | None = None
    values: tuple[ValueThen, ...] = ()
    quality: QualityThen | None = None
    events: tuple[DeviceEvent, ...] = ()
    causes: tuple[UsualCause, ...] = ()
    course: tuple[CourseStep, ...] = ()
    cause: Alarm | None = None
    follows: tuple[Alarm, ...] = ()
    similar: tuple[Alarm, ...] = ()
    similar_count: int = 0
    chart: ChartOf | None = None
