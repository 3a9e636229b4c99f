"""The address where an alarm explains itself: why it was raised, by what rule and limit, and what to do first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Protocol

from fastapi import FastAPI, HTTPException, Query, Response

from scenewatch.api.answers import WRONG_QUERY, json_answer, refusals
from scenewatch.api.explainshapes import Explanation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scenewatch.api.views import AlarmView, EventView
    from scenewatch.model.words import Text

    Json = Mapping[str, Any]

FAR_MS: Final = 2**62
UNKNOWN_ALARM: Final = WRONG_QUERY | refusals(_404="No such alarm.", _503="The store does not answer now.")
WRITTEN: Final = r"^[^\x00]*$"
"""No database takes more as a text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueView:
    """What one channel read when the alarm was raised; nulls where nothing is on record."""

    channel: str
    title: Text
    unit: str
    at: int | None
    value: float | None
    said: Text | None
    """A state's word."""
    flag: str
    test: str
    role: str
    """`watched` by the rule, or a `source` from which such a channel is derived."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QualityView:
    """How the readings of what was watched were judged in [from_ms, to_ms]; shares are null without readings."""

    from_ms: int
    to_ms: int
    readings: int
    expected: int
    good_share: float | None
    suspect_share: float | None
    fail_share: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CauseView:
    """A fault that the rule is there to find."""

    fault: str
    title: Text
    minimum_s: float
    proof: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class StepView:
    """One step in the alarm's course."""

    step: str
    at: int
    by: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowView:
    """The chart that shows it, and the limits across it."""

    device: str
    channel: str
    from_ms: int
    to_ms: int
    lines: Sequence[Json]


@dataclass(frozen=True, kw_only=True, slots=True)
class Explained:
    """Everything known about one alarm."""

    alarm: AlarmView
    rule: Json | None
    """As it raised the alarm, where that is known; else as it is now; None if it is nowhere any more."""
    as_raised: bool
    """`rule` is surely the version that raised it."""
    now: Json | None
    """As it is now, where it is another version by now."""
    values: Sequence[ValueView]
    quality: QualityView | None
    events: Sequence[EventView]
    """What the device told then, where the rule is about events."""
    causes: Sequence[CauseView]
    raised_priority: str
    course: Sequence[StepView]
    cause: AlarmView | None
    follows: Sequence[AlarmView]
    similar: Sequence[AlarmView]
    similar_count: int
    chart: WindowView | None


class Explains(Protocol):
    """The part of the worker that knows. Any thread."""

    def explain(self, rule: str, device: str, raised_at_ms: int) -> Explained | None:
        """None: there is no such alarm. Raises TemporaryError."""
        ...


def add(app: FastAPI, explains: Explains) -> None:
    @app.get("/api/v1/alarms/explanation", tags=["live"], response_model=Explanation, responses=UNKNOWN_ALARM)
    def explanation(
        rule: Annotated[str, Query(description="`scene.rule`", pattern=WRITTEN)],
        device: Annotated[str, Query(description="`scene.site.device`", pattern=WRITTEN)],
        raised_at: Annotated[int, Query(description="epoch milliseconds", ge=-FAR_MS, le=FAR_MS)],
    ) -> Response:
        """Why an alarm was raised: its rule, limit and source, the values then, usual causes, what to do first."""
        found = explains.explain(rule, device, raised_at)
        if found is None:
            raise HTTPException(404, f"no alarm {rule} of {device} was raised at {raised_at}")
        return json_answer(shown(found))


def shown(found: Explained) -> dict[str, Any]:
    """As `Explanation` describes it."""
    rule, chart, quality = found.rule, found.chart, found.quality
    return {
        "alarm": found.alarm,
        "rule": rule,
        "as_raised": found.as_raised,
        "now": found.now,
        "limit": None if rule is None else rule["limit"],
        "source": None if rule is None else rule["source"],
        "advice": None if rule is None else rule["advice"],
        "values": found.values,
        "quality": None if quality is None else _spanned(quality),
        "events": found.events,
        "causes": found.causes,
        "raised_priority": found.raised_priority,
        "course": found.course,
        "cause": found.cause,
        "follows": found.follows,
        "similar": found.similar,
        "similar_count": found.similar_count,
        "chart": None if chart is None else _spanned(chart),
    }


def _spanned(view: QualityView | WindowView) -> dict[str, Any]:
    """With the names that the other addresses have for a span."""
    names = {"from_ms": "from", "to_ms": "to"}
    return {names.get(name, name): getattr(view, name) for name in view.__slots__}
