"""Renders the page, whole for the first look and in parts for what changes later: the same templates for both."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, JSONResponse, Response

from scenewatch.console.choice import SPANS, THEMES, Choice, choose
from scenewatch.console.proxy import problem
from scenewatch.console.texts import SIGNS, Language, translate
from scenewatch.console.views import Views
from scenewatch.console.wording import NOTHING, of, span_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from scenewatch.console.hub import Hub
    from scenewatch.console.shapes import Device

PARTS = ("alarms", "places", "detail", "about")
"""What scripts may ask for again; the template of each is `_<name>.html`."""
PLACES = (
    ("/", "overview", ""),
    ("/alarms", "alarms", "unacknowledged"),
    ("/unknown", "unknown", "unknown"),
    ("/rules", "rules", ""),
    ("/ledger", "ledger", ""),
    ("/dead-letters", "letters", ""),
)
"""The pages there are, what they are called in the catalogue, and the sum that stands beside the name."""
RECENT = 30
FRESH = {"cache-control": "no-store"}


class Pages:
    """The endpoints that answer with HTML. `assets` is the address of the static files."""

    def __init__(
        self, hub: Hub, *, assets: str, preloads: Sequence[str], chart_module: str, grafana: str = ""
    ) -> None:
        self._hub = hub
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(iso=iso, count="{:,}".format)
        self._templates.globals.update(
            assets=assets,
            in_grafana=partial(in_grafana, grafana),
            preloads=preloads,
            chart_module=chart_module,
            signs=SIGNS,
            themes=THEMES,
            spans=tuple(SPANS),
            languages=tuple(Language),
            nothing=NOTHING,
            recent_most=RECENT,
            places=PLACES,
        )

    async def page(self, request: Request) -> Response:
        await self._hub.first_look()
        return HTMLResponse(self.render("page", choose(request, self._hub.picture)), headers=FRESH)

    async def parts(self, request: Request) -> Response:
        """The wanted parts as `{"edition", "parts": {name: HTML}}`."""
        wanted = request.query_params.getlist("want")
        if not wanted or not set(wanted) <= set(PARTS):
            return problem(400, f"want must be some of {', '.join(PARTS)}")
        await self._hub.first_look()
        choice = choose(request, self._hub.picture)
        parts = {name: self.render(f"_{name}", choice) for name in wanted}
        return JSONResponse({"edition": self._hub.edition, "parts": parts}, headers=FRESH)

    def render(self, template: str, choice: Choice, **more: Any) -> str:
        return self._templates.get_template(f"{template}.html").render(self._context(choice), **more)

    def _context(self, choice: Choice) -> dict[str, Any]:
        picture = self._hub.picture
        return {
            "choice": choice,
            "picture": picture,
            "edition": self._hub.edition,
            "now_ms": self._hub.now_ms(),
            "totals": picture.totals(),
            "views": Views(picture, choice),
            "t": partial(translate, language=choice.language),
            "of": partial(of, language=choice.language),
            "span": partial(span_text, language=choice.language),
        }


def in_grafana(url: str, device: Device) -> str:
    """Where Grafana at `url` shows a device; empty without a Grafana, or for one that measures nothing."""
    if not (url and device.channels):
        return ""
    chosen = {"var-site": device.site, "var-device": device.device}
    return f"{url}/d/sw-device-{device.scene}-{device.type}?{urlencode(chosen)}"


def iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")
