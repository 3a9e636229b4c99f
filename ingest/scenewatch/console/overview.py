"""The overview: every site with one state and the reason for it, the most urgent first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, RedirectResponse, Response

from scenewatch.console.choice import DEVICE_KEYS, OVERVIEW_KEYS, SITE_KEYS, choose
from scenewatch.console.pages import FRESH
from scenewatch.console.picture import URGENCY, State
from scenewatch.console.texts import translate
from scenewatch.console.views import Views

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request

    from scenewatch.console.choice import Choice
    from scenewatch.console.hub import Hub
    from scenewatch.console.pages import Pages
    from scenewatch.console.picture import Picture
    from scenewatch.console.shapes import Alarm, Site

ALARMED = (State.HIGH, State.MEDIUM, State.LOW)
DENSE_FROM = 150
"""From so many sites on, each is a line instead of a tile."""
LATEST_MS = 10**14
ALL_SITES = "all"
"""What the address of the former single page said for no site in particular."""


@dataclass(frozen=True, slots=True)
class SiteRow:
    """One site, its state and why."""

    id: str
    title: str
    scene: str
    state: State
    devices: int
    why: str
    alarm: Alarm | None
    """The one that is `why`."""
    more: str
    since_ms: int | None
    order: str
    """Sorts rows as text: the most urgent first, then the newest."""
    shown: bool
    """Whether it fits what the reader looks for."""


class Overview:
    """Endpoints of the page, and of the rows that have changed since an edition of it."""

    def __init__(self, hub: Hub, pages: Pages) -> None:
        self._hub = hub
        self._pages = pages

    async def page(self, request: Request) -> Response:
        if moved := _moved(request):
            return RedirectResponse(moved, 307)
        await self._hub.first_look()
        choice = choose(request, self._hub.picture, keys=OVERVIEW_KEYS)
        rows = site_rows(self._hub.picture, choice, self._hub.picture.sites)
        return self._pages.answer(
            request,
            "overview",
            choice,
            states=tuple(State),
            rows=rows,
            dense_from=DENSE_FROM,
            shown=sum(row.shown for row in rows),
        )

    async def rows(self, request: Request) -> Response:
        """`{"edition", "whole", "html"}`: the rows changed since `?since=`, or all of them."""
        await self._hub.first_look()
        picture = self._hub.picture
        changed = self._hub.changed_since(request.query_params.get("since", ""))
        choice = choose(request, picture, keys=OVERVIEW_KEYS)
        rows = site_rows(picture, choice, picture.sites if changed is None else changed & picture.sites.keys())
        html = self._pages.render("_rows", choice, rows=rows)
        answer = {"edition": self._hub.edition, "whole": changed is None, "html": html}
        return JSONResponse(answer, headers=FRESH)


def _moved(request: Request) -> str:
    """Where the former single page's addresses lead; empty for the overview's own."""
    asked = {k: v for k, v in request.query_params.items() if v}
    site, device = asked.get("site", ALL_SITES), asked.get("device")
    if device:
        return str(request.url.replace(path="/device", query="").include_query_params(**_only(asked, DEVICE_KEYS)))
    if site != ALL_SITES:
        return str(request.url.replace(path="/site", query="").include_query_params(**_only(asked, SITE_KEYS)))
    return ""


def _only(asked: dict[str, str], keys: frozenset[str]) -> dict[str, str]:
    return {k: v for k, v in asked.items() if k in keys}


def site_rows(picture: Picture, choice: Choice, sites: Iterable[str]) -> list[SiteRow]:
    """In the order in which they are to be read."""
    views = Views(picture, choice)
    rows = (_row(picture, choice, views, picture.sites[site]) for site in sites)
    return sorted(rows, key=lambda row: row.order)


def _row(picture: Picture, choice: Choice, views: Views, site: Site) -> SiteRow:
    state, title = picture.site_states[site.id], views.site_title(site)
    why, more, since_ms = why_of(picture, choice, views, site.id)
    scene = views.scene_title(site)
    wanted, words = choice.asked.get("state", ""), choice.asked.get("q", "").casefold()
    return SiteRow(
        id=site.id,
        title=title,
        scene=scene,
        state=state,
        devices=len(picture.devices_of(site.id)),
        why=why,
        alarm=picture.standing_alarms(site.id)[0] if state in ALARMED else None,
        more=more,
        since_ms=since_ms,
        order=f"{URGENCY[state]} {LATEST_MS - (since_ms or 0):015} {title}",
        shown=wanted in ("", state) and words in f"{title} {scene} {why}".casefold(),
    )


def why_of(picture: Picture, choice: Choice, views: Views, site: str) -> tuple[str, str, int | None]:
    """Why a site is in its state, what else there is, and since when; nothing is said of a normal one."""
    state = picture.site_states[site]
    if state in ALARMED:
        alarms = picture.standing_alarms(site)
        worst = views.alarm(alarms[0])
        more = translate("why.more", choice.language, n=len(alarms) - 1) if len(alarms) > 1 else ""
        return f"{worst.title} · {worst.device}", more, worst.alarm.raised_at
    if picture.is_silent(site):
        return translate("why.silent", choice.language), "", picture.newest_of(site)
    if state is State.PARTLY:
        devices = picture.devices_of(site)
        offline = sum(picture.device_states[d.id] is State.OFFLINE for d in devices)
        return translate("why.partly", choice.language, n=offline, all=len(devices)), "", None
    if state is State.NORMAL:
        return "", "", None
    return translate(f"why.{state}", choice.language), "", None
