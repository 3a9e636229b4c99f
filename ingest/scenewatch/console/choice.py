"""What the reader chose, by address, cookie or the browser's wishes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from scenewatch.console.texts import Language
from scenewatch.model.words import hours

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from scenewatch.console.picture import Picture
    from scenewatch.console.shapes import Channel, Device

FRAME_KEYS = frozenset({"lang", "theme"})
OVERVIEW_KEYS = FRAME_KEYS | {"state", "q"}
SITE_KEYS = FRAME_KEYS | {"site"}
DEVICE_KEYS = FRAME_KEYS | {"device", "channel", "span", "from", "to"}
KEYS = OVERVIEW_KEYS | SITE_KEYS | DEVICE_KEYS
THEMES = ("auto", "light", "dark")
SPANS = {
    "1h": hours(1),
    "6h": hours(6),
    "24h": hours(24),
    "7d": hours(7 * 24),
    "30d": hours(30 * 24),
    "1y": hours(365 * 24),
    "2y": hours(2 * 365 * 24),
}
USUAL_SPAN = "6h"
SHORTEST_MS = 60_000
LATEST_MS = 2**53
"""Times beyond it are no exact numbers in a script."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Resolved against what exists now. `asked` is what the address said and links must go on saying."""

    language: Language
    theme: str
    site: str
    """The id of a site there is, or empty."""
    device: Device | None
    channel: Channel | None
    """None: all of the device."""
    span: str
    between: tuple[int, int] | None
    """A span that does not move with time, in its place."""
    asked: Mapping[str, str]
    path: str = "/"

    def href(self, **changes: str) -> str:
        """The address of this page with something chosen otherwise; what is empty is not said."""
        query = {k: v for k, v in {**self.asked, **changes}.items() if v}
        return f"{self.path}?{urlencode(query)}"

    def other(self, path: str, **chosen: str) -> str:
        """The address of another page, in the same language and appearance."""
        kept = {k: v for k, v in self.asked.items() if k in FRAME_KEYS}
        query = urlencode({**kept, **{k: v for k, v in chosen.items() if v}})
        return f"{path}?{query}" if query else path


def choose(request: Request, picture: Picture, *, path: str = "/", keys: frozenset[str] = KEYS) -> Choice:
    """What the address of the page at `path` says by `keys`."""
    asked = {k: v for k, v in request.query_params.items() if k in keys and v}
    device = picture.devices.get(asked.get("device", ""))
    theme = asked.get("theme") or request.cookies.get("scenewatch-theme", "")
    site, span = asked.get("site", ""), asked.get("span", "")
    return Choice(
        language=_language(request, asked.get("lang", "")),
        theme=theme if theme in THEMES else THEMES[0],
        site=site if site in picture.sites else "",
        device=device,
        channel=_channel(picture, device, asked.get("channel", "")),
        span=span if span in SPANS else USUAL_SPAN,
        between=_between(asked.get("from", ""), asked.get("to", "")),
        asked=asked,
        path=path,
    )


def _language(request: Request, asked: str) -> Language:
    """The first wish that is met: address, cookie, the browser's list; else English."""
    accepted = request.headers.get("accept-language", "").split(",")
    for wish in (asked, request.cookies.get("scenewatch-lang", ""), *accepted):
        tag = wish.strip()[:2].lower()
        if tag in tuple(Language):
            return Language(tag)
    return Language.EN


def _channel(picture: Picture, device: Device | None, asked: str) -> Channel | None:
    channels = picture.type_of(device).channels if device else ()
    return next((c for c in channels if c.key == asked), None)


def _between(begin: str, end: str) -> tuple[int, int] | None:
    """None unless both are times in epoch milliseconds, with room between them."""
    if not all(t.isascii() and t.isdigit() and len(t) < 17 for t in (begin, end)):
        return None
    from_ms, to_ms = int(begin), int(end)
    return (from_ms, to_ms) if from_ms + SHORTEST_MS <= to_ms < LATEST_MS else None
