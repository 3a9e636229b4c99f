"""The JSON of an alarm's explanation, as OpenAPI shows it. Times are epoch milliseconds."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from scenewatch.api.events import Event  # noqa: TC001 - pydantic reads the types of fields at run time
from scenewatch.api.shapes import Alarm, FlagName  # noqa: TC001 - as above
from scenewatch.api.tableshapes import Bilingual, LimitLine, RuleTable, SourceText  # noqa: TC001 - as above


class ValueThen(BaseModel):
    """What a channel read when the alarm was raised. `said` is a state's word; nulls: nothing is on record.

    `watched` are what the rule is about, each `source` is what such a channel is derived from.
    """

    channel: str
    title: Bilingual
    unit: str
    at: int | None
    value: float | None
    said: Bilingual | None
    flag: FlagName
    test: str
    role: Literal["watched", "source"]


class QualityThen(BaseModel):
    """How the watched readings were judged before it; `expected` is how many there should have been."""

    from_: int = Field(alias="from")
    to: int
    readings: int
    expected: int
    good_share: float | None
    suspect_share: float | None
    fail_share: float | None


class UsualCause(BaseModel):
    """A fault that the rule is there to find; `proof` is the one it was written for."""

    fault: str
    title: Bilingual
    minimum_s: float
    proof: bool


class CourseStep(BaseModel):
    """What became of the alarm, when, and by whom where an operator did it."""

    step: Literal["raised", "acknowledged", "again", "returned", "cleared"]
    at: int
    by: str | None


class ChartOf(BaseModel):
    """What to ask `/chart` for to see it, and the limits across it."""

    device: str
    channel: str
    from_: int = Field(alias="from")
    to: int
    lines: list[LimitLine]


class Explanation(BaseModel):
    """`GET /alarms/explanation`. `rule` is as it raised the alarm where `as_raised`, else as it is now.

    `now` is the rule as it is now where it has changed since. `similar` are earlier alarms of the same rule, those
    of this device first; `similar_count` is how many this device had in the thirty days before.
    """

    alarm: Alarm
    rule: RuleTable | None
    as_raised: bool
    now: RuleTable | None
    limit: float | None
    source: SourceText | None
    advice: Bilingual | None
    values: list[ValueThen]
    quality: QualityThen | None
    events: list[Event]
    causes: list[UsualCause]
    raised_priority: str
    course: list[CourseStep]
    cause: Alarm | None
    follows: list[Alarm]
    similar: list[Alarm]
    similar_count: int
    chart: ChartOf | None
