"""One site: its devices by kind with their values, its alarms, and what has happened today."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from scenewatch.console.choice import SITE_KEYS, choose
from scenewatch.console.holding import held_at
from scenewatch.console.overview import why_of
from scenewatch.console.views import Views
from scenewatch.model.errors import TemporaryError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from scenewatch.console.hub import Hub
    from scenewatch.console.pages import Pages
    from scenewatch.console.shapes import DeviceEvent
    from scenewatch.console.worker import Worker

EVENTS_SHOWN = 50


class SitePage:
    """The endpoint of the page and of its changing part."""

    def __init__(self, hub: Hub, worker: Worker, pages: Pages) -> None:
        self._hub = hub
        self._worker = worker
        self._pages = pages

    async def page(self, request: Request) -> Response:
        await self._hub.first_look()
        picture = self._hub.picture
        choice = choose(request, picture, path="/site", keys=SITE_KEYS)
        site = picture.sites.get(choice.site)
        asked = choice.asked.get("site", "")
        if site is None:
            status = 404 if picture.known else 200
            return self._pages.answer(request, "site", choice, scope=asked, status=status, site=None)
        scene = picture.scenes[site.scene]
        events = await self._events_since(site.id, midnight_ms(self._hub.now_ms(), zone_of(scene.zone)))
        places = {site.id, *(device.id for device in picture.devices_of(site.id))}
        return self._pages.answer(
            request,
            "site",
            choice,
            scope=site.id,
            site=site,
            zone=scene.zone,
            events=events,
            held=await held_at(self._worker, picture, choice, places, self._hub.now_ms()),
            why=why_of(picture, choice, Views(picture, choice), site.id),
        )

    async def _events_since(self, site: str, from_ms: int) -> tuple[DeviceEvent, ...] | None:
        """None when the worker cannot say."""
        query = {"site": site, "from": str(from_ms), "limit": str(EVENTS_SHOWN)}
        try:
            return await self._worker.events(query)
        except TemporaryError:
            return None


def zone_of(name: str) -> tzinfo:
    """UTC where a zone is not given, or not known on this machine."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def midnight_ms(now_ms: int, zone: tzinfo) -> int:
    """When the day began in a zone."""
    now = datetime.fromtimestamp(now_ms / 1000, zone)
    return int(now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)
