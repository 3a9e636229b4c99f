"""What the reader chose, by address, cookie or the browser's wishes; there is always something to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from scenewatch.console.picture import URGENCY
from scenewatch.console.texts import Language
from scenewatch.model.words import hours

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from scenewatch.console.picture import Picture
    from scenewatch.console.shapes import Channel, Device

FRAME_KEYS = frozenset({"lang", "theme"})
KEYS = FRAME_KEYS | {"site", "device", "channel", "span"}
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
ALL = "all"
ALL_UP_TO = 120
"""With more devices than this, a page that was asked for no site shows the most urgent one alone."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Resolved against what exists now. `asked` is what the address said and links must go on saying."""

    language: Language
    theme: str
    site: str
    device: Device | None
    channel: Channel | None
    span: str
    asked: Mapping[str, str]
    path: str = "/"

    def href(self, **changes: str) -> str:
        """The address of this page with something chosen otherwise; what is empty is not said."""
        query = {k: v for k, v in {**self.asked, **changes}.items() if v}
        return f"{self.path}?{urlencode(query)}"

    def other(self, path: str, **chosen: str) -> str:
        """The address of another page, in the same language and appearance."""
        kept = {k: v for k, v in self.asked.items() if k in FRAME_KEYS}
        query = urlencode({**kept, **chosen})
        return f"{path}?{query}" if query else path

    def as_query(self) -> dict[str, str]:
        """All of it, so that a part fetched later does not change what is shown."""
        return {
            "lang": self.language,
            "theme": self.theme,
            "site": self.site if self.device else "",  # decided again once there is something to show
            "device": self.device.id if self.device else "",
            "channel": self.channel.key if self.channel else "",
            "span": self.span,
        }


def choose(request: Request, picture: Picture, *, path: str = "/", keys: frozenset[str] = KEYS) -> Choice:
    """What the address of the page at `path` says by `keys`."""
    asked = {k: v for k, v in request.query_params.items() if k in keys and v}
    device = picture.devices.get(asked.get("device", "")) or _first_device(picture, asked.get("site", ALL))
    theme = asked.get("theme") or request.cookies.get("scenewatch-theme", "")
    span = asked.get("span", "")
    return Choice(
        language=_language(request, asked.get("lang", "")),
        theme=theme if theme in THEMES else THEMES[0],
        site=_site(picture, asked.get("site", "")),
        device=device,
        channel=_channel(picture, device, asked.get("channel", "")),
        span=span if span in SPANS else next(iter(SPANS)),
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


def _site(picture: Picture, asked: str) -> str:
    if asked in picture.sites or asked == ALL:
        return asked
    if len(picture.devices) <= ALL_UP_TO:
        return ALL
    states = picture.site_states(picture.device_states())
    return min(states, key=lambda site: URGENCY[states[site]])


def _first_device(picture: Picture, site: str) -> Device | None:
    """The device with the most urgent alarm, else the first that measures something."""
    alarms = (picture.devices[a.device] for a in picture.standing_alarms() if a.device in picture.devices)
    for device in (*alarms, *picture.devices.values()):
        if site in (ALL, device.site_id) and picture.type_of(device).channels:
            return device
    return None


def _channel(picture: Picture, device: Device | None, asked: str) -> Channel | None:
    if device is None:
        return None
    channels = picture.type_of(device).channels
    return next((c for c in channels if c.key == asked), channels[0] if channels else None)
