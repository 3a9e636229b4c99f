"""Commands to a device: what it can be told, was told, and what became of it. A page, and a panel of others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scenewatch.console.choice import FRAME_KEYS
from scenewatch.console.linewords import effect
from scenewatch.console.wording import device_name, of, span_text
from scenewatch.model.errors import TemporaryError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from scenewatch.console.answers import Answers
    from scenewatch.console.picture import Picture
    from scenewatch.console.shapes import Device
    from scenewatch.console.shapes_desk import Command
    from scenewatch.console.texts import Language
    from scenewatch.console.worker import Worker

PATH = "/commands"
KEYS = FRAME_KEYS | {"device", "name"}
LAST = 20


@dataclass(frozen=True, slots=True)
class Order:
    """A command that a device can be given, in words."""

    key: str
    title: str
    effect: str
    expires: str


@dataclass(frozen=True, slots=True)
class Panel:
    """What a device can be told. `device` is its id."""

    device: str
    name: str
    orders: list[Order]


@dataclass(frozen=True, slots=True)
class Sent:
    """A command that was given."""

    command: Command
    title: str


def panel(picture: Picture, device: Device | None, language: Language) -> Panel | None:
    """None for a device that takes no commands."""
    if device is None or not picture.type_of(device).commands:
        return None
    kind = picture.type_of(device)
    orders = [
        Order(c.key, of(c.title, language), effect(kind, c, language), span_text(c.expires_after_s, language))
        for c in kind.commands
    ]
    return Panel(device.id, device_name(device, language), orders)


class CommandPage:
    """The endpoint of the page, which also confirms where there is no script: `name` in the address."""

    def __init__(self, answers: Answers, worker: Worker) -> None:
        self._answers = answers
        self._worker = worker

    async def page(self, request: Request) -> Response:
        choice = await self._answers.choice(request, PATH, KEYS)
        picture = self._answers.hub.picture
        device = picture.devices.get(choice.asked.get("device", ""))
        shown = panel(picture, device, choice.language)
        chosen = next((o for o in shown.orders if o.key == choice.asked.get("name")), None) if shown else None
        found: dict[str, Any] = {"panel": shown, "sent": None, "chosen": chosen}
        if shown and device:
            titles = {c.key: of(c.title, choice.language) for c in picture.type_of(device).commands}
            try:
                last = await self._worker.commands({"device": shown.device, "limit": str(LAST)})
                found["sent"] = [Sent(c, titles.get(c.name, c.name)) for c in last]
            except TemporaryError:
                found["sent"] = None
        return self._answers.page(request, "commands", choice, found)
