"""One device: its values now, all its channels over any span, its alarms, rules and events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scenewatch.console.choice import DEVICE_KEYS, SPANS, choose
from scenewatch.console.holding import held_at
from scenewatch.console.views import Views
from scenewatch.console.wording import of
from scenewatch.model.errors import TemporaryError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from scenewatch.console.choice import Choice
    from scenewatch.console.hub import Hub
    from scenewatch.console.pages import Pages
    from scenewatch.console.picture import Picture
    from scenewatch.console.shapes import Channel, Device, DeviceEvent
    from scenewatch.console.worker import Worker

EVENTS_SHOWN = 20
ALARMS_SHOWN = 20
ALONE_PX, NUMBER_PX, STATE_PX = 300, 118, 44
TITLE_PX, EVENTS_PX, AXIS_PX = 32, 26, 26
"""Heights of a chart's pieces: a channel alone, one of several, a state; the title above each, and the ends."""


class DevicePage:
    """The endpoint of the page and of its changing part."""

    def __init__(self, hub: Hub, worker: Worker, pages: Pages) -> None:
        self._hub = hub
        self._worker = worker
        self._pages = pages

    async def page(self, request: Request) -> Response:
        await self._hub.first_look()
        picture = self._hub.picture
        choice = choose(request, picture, path="/device", keys=DEVICE_KEYS)
        device = choice.device
        if device is None:
            scope = choice.asked.get("device", "").rpartition(".")[0]
            status = 404 if picture.known else 200
            return self._pages.answer(request, "device", choice, scope=scope, status=status, device=None)
        return self._pages.answer(
            request,
            "device",
            choice,
            scope=device.site_id,
            device=device,
            zone=picture.scenes[device.scene].zone,
            gateway=_gateway(picture, device),
            events=await self._events(device),
            held=await held_at(self._worker, picture, choice, {device.id, device.site_id}, self._hub.now_ms()),
            alarms=Views(picture, choice).alarms_of(device, ALARMS_SHOWN),
            chart=chart(picture, choice, device),
        )

    async def _events(self, device: Device) -> tuple[DeviceEvent, ...] | None:
        """None when the worker cannot say."""
        try:
            return await self._worker.events({"device": device.id, "limit": str(EVENTS_SHOWN)})
        except TemporaryError:
            return None


def _gateway(picture: Picture, device: Device) -> Device | None:
    return picture.devices.get(f"{device.site_id}.{device.parent}") if device.parent else None


def chart(picture: Picture, choice: Choice, device: Device) -> dict[str, Any] | None:
    """What the chart's script must know: channels one above the other, with their places. None without any."""
    kind, views = picture.type_of(device), Views(picture, choice)
    channels = [choice.channel] if choice.channel else list(kind.channels)
    if not channels:
        return None
    plots, bottom = stacked(views, channels, lambda channel: _lines(picture, choice, device, channel))
    return {
        "device": device.id,
        "every": kind.every_ms,
        "span": SPANS[choice.span],
        "between": choice.between,
        "height": bottom,
        "channels": plots,
        "rules": {name: [o.partition(".")[2] for o in rule.on] for name, rule in picture.rules_of(device)},
        "titles": {name: of(rule.title, choice.language) for name, rule in picture.rules_of(device)},
        "kinds": {k.key: of(k.title, choice.language) for k in kind.events},
    }


def stacked(
    views: Views, channels: Sequence[Channel], lines_of: Callable[[Channel], list[dict[str, Any]]]
) -> tuple[list[dict[str, Any]], int]:
    """A plot for each channel, one above the other with their places and limits, and the height of all."""
    plots, top = [], EVENTS_PX
    for channel in channels:
        height = STATE_PX if channel.states else ALONE_PX if len(channels) == 1 else NUMBER_PX
        place = {"top": top + TITLE_PX, "height": height}
        plots.append({**views.about_channel(channel), **place, "lines": lines_of(channel)})
        top += TITLE_PX + height
    return plots, top + AXIS_PX


def _lines(picture: Picture, choice: Choice, device: Device, channel: Channel) -> list[dict[str, Any]]:
    """Limits of the rules on a channel; a state's limit between two numbers is no line to look at."""
    if channel.states:
        return []
    return [
        {"at": line.at, "priority": rule.priority, "text": of(rule.title, choice.language)}
        for _, rule in picture.rules_of(device)
        for line in rule.lines
        if line.channel == channel.key
    ]
