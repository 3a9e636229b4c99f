"""The address of events: what devices told, as JSON for the API and its stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import FastAPI, Query, Response
from pydantic import BaseModel

from scenewatch.api.answers import WRONG_QUERY, json_answer, refusals
from scenewatch.api.finding import SiteFilter, find_device, find_sites
from scenewatch.api.views import EventQuery
from scenewatch.model.scene import Severity  # noqa: TC001 - FastAPI reads the annotations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scenewatch.api.views import EventView, View

FAR_MS: Final = 2**62
MOST_EVENTS: Final = 10_000
KNOWN_DEVICE: Final = WRONG_QUERY | refusals(_404="No such device.")


class Event(BaseModel):
    """What a device told when it happened. `at` is by its own clock, or the receive time where that is wrong.

    `text`, `media` and `data` are the device's own: `text` is one line or empty, `media` an http or https address
    or empty.
    """

    position: int
    device: str
    kind: str
    level: Severity
    text: str
    at: int
    received_at: int
    lat: float | None
    lon: float | None
    media: str
    data: dict[str, Any]


class Events(BaseModel):
    """`GET /events`, newest first."""

    events: list[Event]


def shown(events: Iterable[EventView]) -> dict[str, Any]:
    """As `Events` describes it."""
    return {
        "events": [
            {
                "position": e.position,
                "device": e.device,
                "kind": e.kind,
                "level": e.level,
                "text": e.text,
                "at": e.at,
                "received_at": e.received_at,
                "lat": e.lat,
                "lon": e.lon,
                "media": e.media,
                "data": e.data,
            }
            for e in events
        ]
    }


def add(app: FastAPI, view: View) -> None:
    @app.get("/api/v1/events", tags=["live"], response_model=Events, responses=KNOWN_DEVICE)
    def events(
        site: SiteFilter = None,
        device: Annotated[
            str | None, Query(description="`scene.site.device`, or the device alone where that is unique")
        ] = None,
        kind: str | None = None,
        level: Severity | None = None,
        from_ms: Annotated[
            int | None, Query(alias="from", description="first time, inclusive", ge=-FAR_MS, le=FAR_MS)
        ] = None,
        to_ms: Annotated[
            int | None, Query(alias="to", description="last time, exclusive", ge=-FAR_MS, le=FAR_MS)
        ] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_EVENTS)] = 200,
    ) -> Response:
        """What devices told, newest first. Older ones: `to` the time of the last."""
        query = EventQuery(
            limit=limit,
            sites=None if site is None else find_sites(view, site),
            device=None if device is None else view.registry.ids[find_device(view, device)],
            kind=kind,
            level=level,
            from_ms=from_ms,
            to_ms=to_ms,
        )
        return json_answer(shown(view.events(query)))
