"""The JSON of `GET /api/v1/scenes`: the scenes' tables with the operators' numbers in force."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class Bilingual(BaseModel):
    """One text, English and Chinese."""

    en: str
    zh: str


class Bounds(BaseModel):
    """A closed interval."""

    low: float
    high: float


class StateWord(BaseModel):
    """The word of one number of a state channel."""

    value: float
    text: Bilingual


class ChannelTable(BaseModel):
    """A channel of a device type."""

    key: str
    title: Bilingual
    unit: str
    quantity: str
    states: list[StateWord]
    possible: Bounds
    expected: Bounds | None
    every_ms: int | None
    """How often a derived channel is told; null for one that is measured, with its device."""


class Named(BaseModel):
    """A table entry that has a key and a title."""

    key: str
    title: Bilingual


class CommandTable(BaseModel):
    """What a device can be told, and the state channel that shows that it was done."""

    key: str
    title: Bilingual
    channel: str
    to: float
    expires_after_s: float


class DeviceTypeTable(BaseModel):
    """A device type: what it measures, tells of, and can be told."""

    key: str
    title: Bilingual
    every_ms: int
    channels: list[ChannelTable]
    events: list[Named]
    commands: list[CommandTable]


class SourceText(BaseModel):
    """Where a limit comes from, and how well that was read."""

    document: Bilingual
    mark: str


ComparisonKind = Literal["above", "below", "outside", "flagged"]


class Numbers(BaseModel):
    """What a comparison compares with, in the channel's unit; null what its kind has not."""

    limit: float | None
    low: float | None
    high: float | None
    deadband: float | None
    test: str | None


class TermTable(Numbers):
    """One comparison of a combination, on a channel of the same device."""

    channel: str
    kind: ComparisonKind


class CauseTable(BaseModel):
    """An alarm of another rule that explains this one, at the device, its gateway or its site."""

    kind: Literal["caused_by"]
    channel: None
    occasion: None
    rule: str
    at: Literal["device", "parent", "site"]
    after_s: float


class SuppressionTable(BaseModel):
    """What holds an alarm back: a state of the device, an occasion of the calendar, or another alarm."""

    kind: Literal["while", "during", "caused_by"]
    channel: str | None
    occasion: str | None
    rule: str | None
    at: Literal["device", "parent", "site"] | None
    after_s: float


class PriorityStepTable(Numbers):
    """Another priority of an alarm that stands, while a further comparison holds or once it has stood so long."""

    to: str
    kind: Literal["above", "below", "outside"] | None
    lasting_s: float


class LimitLine(BaseModel):
    """A limit across the chart of a channel."""

    channel: str
    at: float
    priority: str


class RuleTable(Numbers):
    """A rule with the operator's numbers in force; `text` is all of it in words."""

    key: str
    version: str
    """Eight hex digits of all that it is, titles and advice left out."""
    title: Bilingual
    on: list[str]
    kind: Literal["deviation", "rate", "time_to_breach", "at_least", "then", "no_data", "happened"] | ComparisonKind
    comparison: ComparisonKind | None
    """Of a single channel: how its value is compared with the numbers, also where the kind is what it tells."""
    event: str | None
    after_s: float | None
    quiet_s: float | None
    count: int | None
    within_s: float | None
    terms: list[TermTable]
    suppressed_by: list[SuppressionTable]
    text: Bilingual
    table_text: Bilingual | None
    """That of the table, where operators have set other numbers."""
    lines: list[LimitLine]
    on_delay_s: float
    off_delay_s: float
    priority: str
    """When it is raised."""
    priority_steps: list[PriorityStepTable]
    latching: bool
    again_after_s: float | None
    follows: list[CauseTable]
    """Alarms beneath which its alarms are shown."""
    source: SourceText
    advice: Bilingual
    proof: str


class SceneTable(BaseModel):
    """One scene's tables."""

    key: str
    title: Bilingual
    site_title: Bilingual
    zone: str
    device_types: list[DeviceTypeTable]
    rules: list[RuleTable]
    rules_version: str
    """Of all its rules together, with the numbers in force; next that of the tables without operators' numbers."""
    written_version: str
    occasions: list[Named]
    faults: list[Named]


class Scenes(BaseModel):
    """`GET /scenes`"""

    scenes: list[SceneTable]
