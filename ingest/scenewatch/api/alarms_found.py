"""Alarms as the API finds them: by state, priority, place, rule and words, page by page; and how often by rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import HTTPException, Query, Response

from scenewatch.api import present, shapes
from scenewatch.api.answers import WRONG_QUERY, json_answer

if TYPE_CHECKING:
    from fastapi import FastAPI

    from scenewatch.api.views import AlarmView, View

AlarmFilter = Literal[
    "standing",
    "past",
    "all",
    "unacknowledged",
    "acknowledged",
    "returned_unacknowledged",
    "normal",
    "shelved",
    "suppressed",
]
PriorityFilter = Literal["high", "medium", "low"]
LONGEST_SEARCH = 200
WRITTEN = r"^[^\x00]*$"
"""No database takes more as a text."""
FOREVER_MS = 2**62


@dataclass(frozen=True, slots=True)
class Place:
    """An alarm's place in the list: its identity."""

    raised_at: int
    rule: str
    device: str

    @classmethod
    def read(cls, text: str) -> Place:
        """Raises ValueError."""
        raised_at, rule, device = text.split("~")
        return cls(int(raised_at), rule, device)

    def __str__(self) -> str:
        return f"{self.raised_at}~{self.rule}~{self.device}"


@dataclass(frozen=True, kw_only=True, slots=True)
class AlarmQuery:
    """Which alarms are wanted; all that is given must fit."""

    limit: int
    state: str = "all"
    priority: str | None = None
    site: str | None = None
    """`scene.site`"""
    device: str | None = None
    rule: str | None = None
    """`scene.rule`"""
    search: str | None = None
    """Any part of a rule's title or of a device's name or id, in any language."""
    before: Place | None = None


def add(app: FastAPI, view: View) -> None:
    @app.get("/api/v1/alarms", tags=["live"], response_model=shapes.Alarms, responses=WRONG_QUERY)
    def alarms(  # noqa: PLR0913 - each is a parameter of the address
        *,
        state: AlarmFilter = "all",
        limit: Annotated[int, Query(ge=1, le=100_000)] = 1000,
        priority: PriorityFilter | None = None,
        site: Annotated[str | None, Query(description="`scene.site`", pattern=WRITTEN)] = None,
        device: Annotated[str | None, Query(description="`scene.site.device`", pattern=WRITTEN)] = None,
        rule: Annotated[str | None, Query(description="`scene.rule`", pattern=WRITTEN)] = None,
        search: Annotated[
            str | None,
            Query(description="part of a title, name or id", max_length=LONGEST_SEARCH, pattern=WRITTEN),
        ] = None,
        before: Annotated[str | None, Query(description="`next` of the page before")] = None,
    ) -> Response:
        """Alarms, newest first; `standing` are those whose condition holds, `past` all others."""
        query = AlarmQuery(
            limit=limit + 1,
            state=state,
            priority=priority,
            site=site,
            device=device,
            rule=rule,
            search=search,
            before=_place(before) if before else None,
        )
        found = view.find_alarms(query)
        rows = [present.alarm(a) for a in found[:limit]]
        return json_answer({"alarms": rows, "next": _next(found[limit - 1]) if len(found) > limit else None})

    @app.get("/api/v1/alarms/raised", tags=["live"], response_model=shapes.RaisedByRule, responses=WRONG_QUERY)
    def raised(
        from_ms: Annotated[int, Query(alias="from", description="first time", ge=-FOREVER_MS, le=FOREVER_MS)],
    ) -> Response:
        """How often each rule raised an alarm since then."""
        counts = sorted(view.alarms_raised(from_ms).items())
        return json_answer({"rules": [{"rule": rule, "count": count} for rule, count in counts]})


def _place(text: str) -> Place:
    try:
        place = Place.read(text)
    except ValueError as error:
        raise HTTPException(422, "query.before: must be `next` of a page before") from error
    if abs(place.raised_at) > FOREVER_MS:
        raise HTTPException(422, "query.before: no such time")
    return place


def _next(last: AlarmView) -> str:
    return str(Place(last.raised_at, last.rule, last.device))
