"""The worker's HTTP application: FastAPI over the worker's views; OpenAPI at /api/docs."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, StreamingResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from scenewatch.api import (
    accounts,
    alarms_found,
    commands,
    events,
    explain,
    load,
    operate,
    present,
    shapes,
    tableshapes,
    unknown,
)
from scenewatch.api.answers import WRONG_QUERY, json_answer, problem, refusals
from scenewatch.api.docs import page
from scenewatch.api.finding import SiteFilter, find_device
from scenewatch.api.metrics import exposition
from scenewatch.api.stream import Stream
from scenewatch.api.views import LetterQuery
from scenewatch.model.errors import TemporaryError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scenewatch.api.views import View

LetterFilter = Literal["dead", "taken", "all"]
OPENAPI_URL = "/api/openapi.json"
DOCS_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
FOREVER_MS = 2**62
NEVER_MS = -(2**62)
FAR_MS = 2**61
"""A span between two such times is still a number of 64 bits."""
MOST_READINGS = 1_000_000
MOST_POINTS = 10_000
NO_READINGS = WRONG_QUERY | refusals(_404="No such device or channel.", _503="The store does not answer now.")


def create_app(view: View) -> FastAPI:
    stream = Stream(view)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with stream.running():
            yield

    app = FastAPI(
        title="Scenewatch",
        description="Sites, devices, readings, alarms and the ledger of one worker. Times are epoch milliseconds.",
        openapi_url=OPENAPI_URL,
        docs_url=None,  # FastAPI's own page loads its scripts from outside
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.stream = stream
    _add_problems(app)
    _add_health(app, view)
    _add_nouns(app, view)
    alarms_found.add(app, view)
    explain.add(app, view.explains)
    _add_ledger(app, view)
    _add_readings(app, view)
    operate.add(app, view)
    commands.add(app, view)
    events.add(app, view)
    load.add(app, view)
    unknown.add(app, view)

    @app.get("/api/v1/stream", tags=["live"], response_class=StreamingResponse)
    async def live() -> StreamingResponse:
        """Events `values`, `online`, `alarms`, `commands`, `ledger`, `events`: first all, then what changes."""
        return StreamingResponse(
            stream.listen(), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    @app.get("/api/docs", include_in_schema=False)
    async def documentation() -> HTMLResponse:
        return HTMLResponse(page(app.openapi(), OPENAPI_URL), headers={"Content-Security-Policy": DOCS_POLICY})

    # FastAPI lists only the shapes of answers that it makes itself
    app.openapi()["components"]["schemas"]["Problem"] = shapes.Problem.model_json_schema()
    return app


def _add_problems(app: FastAPI) -> None:
    """Every error is an RFC 9457 problem."""

    async def refused(_: Request, error: Exception) -> Response:
        if isinstance(error, StarletteHTTPException):
            return problem(error.status_code, str(error.detail), error.headers)
        if isinstance(error, TemporaryError):
            return problem(503, str(error))
        if isinstance(error, RequestValidationError):
            lines = (f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors())
            return problem(422, "; ".join(lines))
        return problem(500, "internal error; the worker's log has it")

    for kind in (StarletteHTTPException, RequestValidationError, TemporaryError, Exception):
        app.add_exception_handler(kind, refused)


def _add_health(app: FastAPI, view: View) -> None:
    @app.get("/healthz", tags=["health"])
    def healthz() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @app.get("/readyz", tags=["health"], response_model=shapes.Ready, responses={503: {"model": shapes.Ready}})
    def readyz() -> Response:
        """200 when broker, journal and store answer, history is written and devices are live."""
        r = view.readiness()
        history = None if r.history is None else {"done": r.history[0], "of": r.history[1]}
        return json_answer({"ready": r.ready, "history": history, "reasons": r.reasons}, 200 if r.ready else 503)

    @app.get("/metrics", tags=["health"], response_class=Response)
    def metrics() -> Response:
        """Prometheus text."""
        return Response(exposition(view), media_type="text/plain; version=0.0.4; charset=utf-8")


def _add_nouns(app: FastAPI, view: View) -> None:
    @app.get("/api/v1/scenes", tags=["tables"], response_model=tableshapes.Scenes)
    def scenes() -> Response:
        """The scene tables: device types, channels, and rules with the limits in force."""
        pairs = zip(view.scenes(), view.scenes_written(), strict=True)
        return json_answer({"scenes": [present.scene_table(*pair) for pair in pairs]})

    @app.get("/api/v1/sites", tags=["live"], response_model=shapes.Sites)
    def sites() -> Response:
        """Every site and how it is."""
        return json_answer({"sites": present.sites(view)})

    @app.get("/api/v1/devices", tags=["live"], response_model=shapes.Devices, responses=WRONG_QUERY)
    def devices(site: SiteFilter = None) -> Response:
        """Devices with their values now."""
        return json_answer({"devices": present.devices(view, site)})


def _add_ledger(app: FastAPI, view: View) -> None:
    @app.get("/api/v1/ledger", tags=["ledger"], response_model=shapes.Ledger)
    def ledger() -> Response:
        """Received = stored + duplicate + dead + pending, in messages."""
        return json_answer(present.ledger(view.ledger()))

    @app.get("/api/v1/ledger/sites", tags=["ledger"], response_model=shapes.SiteAccounts)
    def ledger_by_site() -> Response:
        """The ledger site by site."""
        return json_answer(accounts.by_site(view))

    @app.get("/api/v1/ledger/devices", tags=["ledger"], response_model=shapes.DeviceAccounts, responses=WRONG_QUERY)
    def ledger_by_device(site: SiteFilter = None) -> Response:
        """The ledger device by device, with the numbers each one skipped."""
        return json_answer(accounts.by_device(view, site))

    @app.get("/api/v1/dead-letters", tags=["ledger"], response_model=shapes.DeadLetters, responses=WRONG_QUERY)
    def dead_letters(
        limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
        before: Annotated[int | None, Query(ge=0, le=FOREVER_MS, description="position, for the next page")] = None,
        reason: Annotated[str | None, Query(description="any part of the reason")] = None,
        topic: Annotated[str | None, Query(description="a filter as in MQTT, with + and #")] = None,
        site: SiteFilter = None,
        state: LetterFilter = "dead",
    ) -> Response:
        """Messages that could not be taken, newest first; `taken` are those that were at last."""
        query = LetterQuery(limit=limit, before=before, reason=reason, topic=topic, site=site, state=state)
        return json_answer({"dead_letters": [present.dead_letter(d) for d in view.dead_letters(query)]})

    @app.get(
        "/api/v1/dead-letters/reasons",
        tags=["ledger"],
        response_model=shapes.DeadLetterReasons,
        responses=WRONG_QUERY,
    )
    def dead_letter_reasons(limit: Annotated[int, Query(ge=1, le=1000)] = 50) -> Response:
        """How many there are for each kind of reason."""
        found = view.dead_letter_reasons(limit)
        return json_answer({"reasons": [{"reason": reason, "count": count} for reason, count in found]})


def _add_readings(app: FastAPI, view: View) -> None:
    @app.get("/api/v1/readings", tags=["readings"], response_model=shapes.ReadingsPage, responses=NO_READINGS)
    def readings(
        device: Annotated[str, Query(description="`scene.site.device`, or the device alone where that is unique")],
        channel: str,
        from_ms: Annotated[
            int, Query(alias="from", description="first time, inclusive", ge=NEVER_MS, le=FOREVER_MS)
        ] = NEVER_MS,
        to_ms: Annotated[
            int, Query(alias="to", description="last time, exclusive", ge=NEVER_MS, le=FOREVER_MS)
        ] = FOREVER_MS,
        limit: Annotated[int, Query(ge=1, le=MOST_READINGS)] = 10_000,
    ) -> Response:
        """The earliest `limit` readings of one series in [from, to)."""
        at = _find_series(view, device, channel)
        page = view.readings(view.registry.series_name(at), from_ms, to_ms, limit)
        columns = zip(page.t_ms.tolist(), page.value.tolist(), page.flag.tolist(), page.test.tolist(), strict=True)
        rows = [
            {"t": t, "value": value, "flag": present.FLAGS[flag], "test": present.TESTS[test]}
            for t, value, flag, test in columns
        ]
        return json_answer(_about_series(view, at) | {"readings": rows, "truncated": page.truncated})

    @app.get("/api/v1/chart", tags=["readings"], response_model=shapes.Chart, responses=NO_READINGS)
    def chart(
        series: Annotated[str, Query(description="`scene.site.device.channel`")],
        from_ms: Annotated[int, Query(alias="from", description="first time, inclusive", ge=-FAR_MS, le=FAR_MS)],
        to_ms: Annotated[int, Query(alias="to", description="last time, exclusive", ge=-FAR_MS, le=FAR_MS)],
        points: Annotated[int, Query(description="windows at most", ge=1, le=MOST_POINTS)] = 800,
    ) -> Response:
        """A span of any length as few windows. No peak is hidden: low and high are of all readings."""
        if to_ms <= from_ms:
            raise HTTPException(422, "query.to: must be later than from")
        device, _, channel = series.rpartition(".")
        at = _find_series(view, device, channel)
        found = view.chart(view.registry.series_name(at), from_ms, to_ms, points)
        rows = {"width_ms": found.width_ms, "windows": present.windows(found.windows)}
        return json_answer(_about_series(view, at) | rows | {"truncated": found.windows.truncated})


def _find_series(view: View, device: str, channel: str) -> int:
    number, registry = find_device(view, device), view.registry
    at = next((s for s in registry.series_of(number) if registry.channel_of(s).key == channel), None)
    if at is None:
        known = ", ".join(c.key for c in registry.type_of(number).channels) or "none"
        raise HTTPException(404, f"{device} has no channel {channel!r}; it has: {known}")
    return at


def _about_series(view: View, series: int) -> dict[str, Any]:
    registry = view.registry
    channel = registry.channel_of(series)
    return {"device": registry.ids[registry.series_device[series]], "channel": channel.key, "unit": channel.unit}
