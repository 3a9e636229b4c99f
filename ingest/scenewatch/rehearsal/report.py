"""What a rehearsal or a backtest found, as JSON and for its page. Shares are None without a whole."""

from __future__ import annotations

import msgspec

from scenewatch.model.load import Load  # noqa: TC001 - msgspec reads it to decode a report


class Named(msgspec.Struct, frozen=True):
    """A title in both languages."""

    en: str
    zh: str


class FaultEntry(msgspec.Struct, frozen=True, kw_only=True, rename={"from_ms": "from", "to_ms": "to"}):
    """One labelled fault, or one labelled window of recorded data."""

    key: str
    """Which of all: `<kind>.<device>.<from>`."""
    kind: str
    """Its key in the fault table."""
    device: str
    from_ms: int
    to_ms: int
    size: float | None
    effect: float | None
    findable: bool
    censored: bool
    detected: bool
    rule: str | None
    delay_s: float | None


class AlarmEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm. `fault` is its owner's place among the faults."""

    rule: str
    device: str
    priority: str
    raised_at: int
    cleared_at: int | None
    fault: int | None
    neutral: bool
    repeat: bool
    version: str = ""
    cause: str = ""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Of one kind of fault, those that count."""

    kind: str
    title: Named
    faults: int
    detected: int
    recall: float | None
    delay_median_s: float | None
    delay_p95_s: float | None
    delay_worst_s: float | None


class ScoreEntry(msgspec.Struct, frozen=True, kw_only=True):
    """As `rehearsal.score.Score`, for the report."""

    faults: int
    detected: int
    recall: float | None
    owned: int
    false: int
    neutral: int
    nuisance: int
    precision: float | None
    delay_median_s: float | None
    delay_p95_s: float | None
    delay_worst_s: float | None
    false_a_device_month: float | None
    recall_by_kind: list[Found]


class Plain(msgspec.Struct, frozen=True, kw_only=True):
    """The same limits applied plainly to the same readings, with the one delay that comes nearest our recall."""

    delay_min: float
    thermal_faults: int
    recall: float | None
    false: int
    our_recall: float | None
    our_false: int
    times_our_false: float | None
    raised_without_delay: int
    raised_a_cooling_device_day: float | None


class FlagScore(msgspec.Struct, frozen=True, kw_only=True):
    """How well one test of quality finds the readings that a fault spoilt."""

    test: str
    spoilt: int
    """Readings that the fault changed in the way the test is about."""
    flagged: int
    right: int
    recall: float | None
    precision: float | None


class RuleEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One rule and what it did."""

    key: str
    version: str
    title: Named
    text: Named
    """Its condition in words, with the numbers in force."""
    source: Named
    priority: str
    raised: int
    owned: int
    false: int


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A span in an excerpt: a fault, a window, or an alarm."""

    kind: str
    """`fault` or `alarm`."""
    title: Named
    from_ms: int
    to_ms: int | None


class Excerpt(msgspec.Struct, frozen=True, kw_only=True):
    """Readings around something worth seeing."""

    title: Named
    device: str
    channel: Named
    unit: str
    t_ms: list[int]
    value: list[float | None]
    """None where nothing was measured."""
    limits: list[float]
    marks: list[Mark]


class SeriesEntry(msgspec.Struct, frozen=True, kw_only=True, rename={"from_ms": "from", "to_ms": "to"}):
    """One device of recorded data against its labelled windows; missing data is not judged."""

    device: str
    from_ms: int
    to_ms: int
    learning_days: float
    """At its beginning, before anything is told of its departure from the usual."""
    windows: int
    found: int
    """Those within which an alarm was raised: one that stood before does not count."""
    raised_outside: int
    raised_outside_a_month: float | None
    """Of the time outside of windows and behind the learning."""
    outside_in_alarm: float | None
    """Share of that time in which an alarm stood."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one run."""

    what: str
    """`rehearsal` or `backtest`."""
    scene: str
    title: Named
    from_ms: int
    to_ms: int
    learning_until_ms: int
    """What is raised before is reported apart and not scored."""
    sites: int
    devices: int
    readings: int
    seed: int | None
    files: list[str]
    took_s: float
    faults: list[FaultEntry]
    alarms: list[AlarmEntry]
    score: ScoreEntry | None
    """None without labels."""
    chance: ScoreEntry | None
    """Of the same alarms moved in time by chance."""
    plain: Plain | None
    load: Load
    raised_while_learning: int
    quality: list[FlagScore]
    flags: dict[str, int]
    """Readings by flag."""
    rules: list[RuleEntry]
    excerpts: list[Excerpt]
    notes: list[Named]
    """What the reader must know: gaps, readings set aside, odd times."""
    zone: str = ""
    """IANA name of the time zone in which times are told to people; empty for UTC."""
    series: list[SeriesEntry] = []
    """Of a backtest with windows."""
