"""Renders pages, whole for the first look and in parts for what changes later: the same templates for both."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from scenewatch.console.choice import SPANS, THEMES, Choice
from scenewatch.console.texts import SIGNS, Language, translate
from scenewatch.console.views import Views
from scenewatch.console.wording import NOTHING, of, span_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from scenewatch.console.hub import Hub, Scope
    from scenewatch.console.shapes import Device

PLACES = (
    ("/", "overview", ""),
    ("/alarms", "alarms", "unacknowledged"),
    ("/unknown", "unknown", "unknown"),
    ("/rules", "rules", ""),
    ("/load", "load", ""),
    ("/ledger", "ledger", ""),
    ("/dead-letters", "letters", ""),
)
"""The pages there are, what they are called in the catalogue, and the sum that stands beside the name."""
FRESH = {"cache-control": "no-store"}
EDITION = "scenewatch-edition"
PART = "part"
"""In the address: the page's own part alone, for its script to put in place."""


class Pages:
    """What pages have in common. `assets` is the address of the static files."""

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
            spans=SPANS,
            languages=tuple(Language),
            nothing=NOTHING,
            places=PLACES,
        )

    def answer(
        self, request: Request, name: str, choice: Choice, *, scope: Scope = "", status: int = 200, **more: Any
    ) -> Response:
        """The page `name`, or its part `_name` where the address asks for that alone, with the edition it is of."""
        edition = self._hub.edition_of(scope)
        template = f"_{name}" if PART in request.query_params else name
        html = self.render(template, choice, edition=edition, build=self._hub.build, scope=scope, **more)
        return HTMLResponse(html, status, {**FRESH, EDITION: edition})

    def render(self, template: str, choice: Choice, **more: Any) -> str:
        return self._templates.get_template(f"{template}.html").render({**self._context(choice), **more})

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
