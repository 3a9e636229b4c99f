"""Puts the console together: pages, live connection, static files, and the worker's own addresses."""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import asynccontextmanager
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from scenewatch.console.alarm_page import AlarmPage
from scenewatch.console.alarmlist import AlarmList
from scenewatch.console.answers import Answers
from scenewatch.console.commands import CommandPage
from scenewatch.console.deeds import Deeds
from scenewatch.console.device_page import DevicePage
from scenewatch.console.holding import HoldPage
from scenewatch.console.hub import Hub
from scenewatch.console.live import Live
from scenewatch.console.loadpage import LoadPage
from scenewatch.console.overview import Overview
from scenewatch.console.pages import Pages
from scenewatch.console.proxy import Proxy, problem
from scenewatch.console.records import Records
from scenewatch.console.rulebook import RuleBook
from scenewatch.console.security import SecurityHeaders
from scenewatch.console.shelf import echarts
from scenewatch.console.signing import Signing
from scenewatch.console.site_page import SitePage
from scenewatch.console.unknown import Unknown
from scenewatch.console.worker import Worker
from scenewatch.model.clock import SystemClock

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncGenerator

    from starlette.requests import Request
    from starlette.types import Scope

    from scenewatch.model.ports import Clock

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
STATIC = HERE / "static"
ZIPPED = [Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)]
PASSED = {"/api/{path:path}": ("POST", "DELETE"), "/healthz": (), "/readyz": (), "/metrics": ()}
"""The worker's own addresses, and what else than a look is passed on."""


class KeptFiles(StaticFiles):
    """Files under an address that changes with their content, so a browser may keep them for ever."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


def create_app(worker_url: str, *, clock: Clock | None = None, grafana_url: str = "") -> Starlette:
    """The console of the worker at `worker_url`, which need not be there yet. With `grafana_url` it links there.

    Raises ConfigurationError when the chart library is not installed.
    """
    worker = Worker(worker_url)
    version = _digest(STATIC)
    hub = Hub(worker, clock or SystemClock(), version)
    shelf = echarts()
    assets = f"/static/{version}"
    scripts = [f"{assets}/{path.name}" for path in sorted(STATIC.glob("*.js"))]
    preloads = (*scripts, *shelf.preloads)
    pages = Pages(hub, assets=assets, preloads=preloads, chart_module=shelf.module, grafana=grafana_url)
    overview, answers = Overview(hub, pages), Answers(hub, pages)
    proxy = Proxy(worker_url)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None, None]:
        following = asyncio.create_task(hub.run())
        following.add_done_callback(_stop_if_failed)
        try:
            yield
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            await worker.close()
            await proxy.close()

    return Starlette(
        routes=[
            Route("/", overview.page, middleware=ZIPPED),
            Route("/rows", overview.rows, middleware=ZIPPED),
            Route("/site", SitePage(hub, worker, pages).page, middleware=ZIPPED),
            Route("/device", DevicePage(hub, worker, pages).page, middleware=ZIPPED),
            Route("/alarm", AlarmPage(hub, worker, pages).page, middleware=ZIPPED),
            *_desk(answers, worker),
            Route("/notice", _notice),
            WebSocketRoute("/live", Live(hub).endpoint),
            Mount(assets, KeptFiles(directory=STATIC), middleware=ZIPPED),
            Mount(shelf.address, KeptFiles(directory=shelf.folder), middleware=ZIPPED),
            *(Route(path, proxy.endpoint, methods=["GET", *methods]) for path, methods in PASSED.items()),
        ],
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={HTTPException: _refuse},
        lifespan=lifespan,
    )


def _desk(answers: Answers, worker: Worker) -> list[Route]:
    """The working pages, and the forms on them."""
    records, signing, deeds = Records(answers, worker), Signing(answers, worker), Deeds(answers, worker)
    pages = {
        "/alarms": AlarmList(answers, worker).page,
        "/unknown": Unknown(answers, worker).page,
        "/rules": RuleBook(answers, worker).page,
        "/commands": CommandPage(answers, worker).page,
        "/load": LoadPage(answers, worker).page,
        "/hold": HoldPage(answers).page,
        "/sign-in": signing.page,
        "/ledger": records.ledger,
        "/dead-letters": records.dead_letters,
    }
    forms = {
        "/alarms/acknowledge": deeds.acknowledge,
        "/alarms/reset": deeds.reset,
        "/hold": deeds.hold,
        "/hold/end": deeds.end_hold,
        "/unknown/adopt": deeds.adopt,
        "/commands": deeds.command,
        "/sign-in": signing.sign_in,
        "/sign-out": signing.sign_out,
    }
    return [
        *(Route(path, page, methods=["GET"], middleware=ZIPPED) for path, page in pages.items()),
        *(Route(path, take, methods=["POST"]) for path, take in forms.items()),
    ]


def _stop_if_failed(following: asyncio.Task[None]) -> None:
    """Pages that nobody keeps up to date are worse than none: end, and be started again."""
    if not following.cancelled() and (error := following.exception()):
        log.critical("the console no longer follows its worker and ends", exc_info=error)
        signal.raise_signal(signal.SIGTERM)


def _digest(folder: Path) -> str:
    """Changes when any file of the folder does."""
    digest = blake2b(digest_size=6)
    for path in sorted(folder.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


async def _notice(_: Request) -> Response:
    return FileResponse(HERE / "NOTICE", media_type="text/plain; charset=utf-8")


async def _refuse(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = error.detail if isinstance(error, HTTPException) else "Something went wrong."
    response = problem(status, detail)
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response
