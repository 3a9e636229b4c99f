"""The page of devices that publish and are in no inventory: what they sent, and a form each to adopt them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scenewatch.console.choice import FRAME_KEYS
from scenewatch.console.wording import device_name, of
from scenewatch.model.errors import TemporaryError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from scenewatch.console.answers import Answers
    from scenewatch.console.picture import Picture
    from scenewatch.console.shapes_desk import UnknownDevice
    from scenewatch.console.texts import Language
    from scenewatch.console.worker import Worker

PATH = "/unknown"
MOST = 100


@dataclass(frozen=True, slots=True)
class Stranger:
    """One unknown device and what it may be adopted as."""

    device: UnknownDevice
    types: list[tuple[str, str]]
    """Key and title, the suggested one first, then those that fit, then the others."""
    parents: list[tuple[str, str]]
    """Devices of the same site that measure nothing themselves, as gateways do."""
    parent: str
    """The site's only one, which is then the likeliest."""


class Unknown:
    """The endpoint of the page."""

    def __init__(self, answers: Answers, worker: Worker) -> None:
        self._answers = answers
        self._worker = worker

    async def page(self, request: Request) -> Response:
        choice = await self._answers.choice(request, PATH, FRAME_KEYS)
        picture = self._answers.hub.picture
        found: dict[str, Any] = {"strangers": None, "all": 0, "most": MOST}
        try:
            unknown = sorted(await self._worker.unknown_devices(), key=lambda u: -u.last_at)
            found["strangers"] = [_stranger(picture, one, choice.language) for one in unknown[:MOST]]
            found["all"] = len(unknown)
        except TemporaryError:
            found["strangers"] = None
        return self._answers.page(request, "unknown", choice, found)


def _stranger(picture: Picture, device: UnknownDevice, language: Language) -> Stranger:
    scene = picture.scenes.get(device.scene)
    kinds = list(scene.device_types) if scene else []
    kinds.sort(key=lambda kind: (kind.key != device.suggested_type, kind.key not in device.types))
    neighbours = picture.devices_of(f"{device.scene}.{device.site}")
    parents = [(d.device, device_name(d, language)) for d in neighbours if not picture.type_of(d).channels]
    return Stranger(
        device=device,
        types=[(kind.key, of(kind.title, language)) for kind in kinds],
        parents=parents,
        parent=parents[0][0] if len(parents) == 1 else "",
    )
