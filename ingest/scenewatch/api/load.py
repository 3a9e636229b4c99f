"""The address of alarm load: how much alarms asked of those who read them, over any span of the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import HTTPException, Query, Response

from scenewatch.api.answers import WRONG_QUERY, json_answer
from scenewatch.api.finding import SiteFilter, find_sites
from scenewatch.api.loadshapes import AlarmLoad
from scenewatch.api.views import LoadQuery
from scenewatch.model.words import days

if TYPE_CHECKING:
    from fastapi import FastAPI

    from scenewatch.api.views import View

FAR_MS = 2**53
USUAL = days(1)
LONGEST = days(3660)


def add(app: FastAPI, view: View) -> None:
    @app.get("/api/v1/alarm-load", tags=["live"], response_model=AlarmLoad, responses=WRONG_QUERY)
    def alarm_load(
        from_ms: Annotated[
            int | None,
            Query(alias="from", description="first time; a day before `to` without", ge=-FAR_MS, le=FAR_MS),
        ] = None,
        to_ms: Annotated[
            int | None, Query(alias="to", description="last time, exclusive; now without", ge=-FAR_MS, le=FAR_MS)
        ] = None,
        site: SiteFilter = None,
        operators: Annotated[int, Query(description="who share the alarms", ge=1, le=1000)] = 1,
    ) -> Response:
        """Alarms in ten minutes, floods, what chatters, what stands, and what is most frequent."""
        end_ms = view.now_ms() if to_ms is None else to_ms
        begin_ms = end_ms - USUAL if from_ms is None else from_ms
        if end_ms <= begin_ms:
            raise HTTPException(422, "query.to: must be later than from")
        if end_ms - begin_ms > LONGEST:
            raise HTTPException(422, "query.from: must be within ten years of to")
        sites = None if site is None else find_sites(view, site)
        return json_answer(
            view.alarm_load(LoadQuery(from_ms=begin_ms, to_ms=end_ms, sites=sites, operators=operators))
        )
