"""What operators keep from being shown: the form that asks for it, and the list of what there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scenewatch.console.choice import FRAME_KEYS
from scenewatch.console.wording import device_name, of, span_text
from scenewatch.model.errors import TemporaryError
from scenewatch.model.words import days, hours, minutes

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from scenewatch.console.answers import Answers
    from scenewatch.console.choice import Choice
    from scenewatch.console.picture import Picture
    from scenewatch.console.shapes_desk import Hold
    from scenewatch.console.texts import Language
    from scenewatch.console.worker import Worker

PATH = "/hold"
KEYS = FRAME_KEYS | {"deed", "rule", "target"}
SHELVE, TAKE_OUT, MAINTAIN = "shelve", "take_out", "maintain"
DEEDS = (SHELVE, TAKE_OUT, MAINTAIN)
SPANS_MS = (minutes(30), hours(1), hours(4), hours(8), days(1), days(3), days(7))
USUAL_MS = hours(1)
BEGINS_MS = (0, hours(1), hours(4), hours(8), days(1))


@dataclass(frozen=True, slots=True)
class Wish:
    """What the form asks for, in words. `spans` and `begins` are milliseconds with their words."""

    deed: str
    rule: str
    target: str
    title: str
    where: str
    spans: Sequence[tuple[int, str]]
    begins: Sequence[tuple[int, str]]
    usual_ms: int = USUAL_MS


@dataclass(frozen=True, slots=True)
class Held:
    """One hold in words."""

    hold: Hold
    what: str
    where: str
    planned: bool


def form_of(
    choice: Choice, deed: str, *, rule: str = "", target: str = "", title: str = "", where: str = ""
) -> Wish:
    language = choice.language
    spans = [] if deed == TAKE_OUT else [(ms, span_text(ms / 1000, language)) for ms in SPANS_MS]
    begins = [(ms, span_text(ms / 1000, language)) for ms in BEGINS_MS] if deed == MAINTAIN else []
    return Wish(deed, rule, target, title, where, spans, begins)


class HoldPage:
    """The endpoint of the form where there is no script for a dialog."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    async def page(self, request: Request) -> Response:
        choice = await self._answers.choice(request, PATH, KEYS)
        picture, asked = self._answers.hub.picture, choice.asked
        deed, key, target = (asked.get(name, "") for name in ("deed", "rule", "target"))
        rule, where = picture.rule(key), place_of(picture, target, choice.language)
        found: dict[str, Any] = {"wish": None}
        if deed in DEEDS and where and (rule is not None or deed == MAINTAIN):
            title = of(rule.title, choice.language) if rule else ""
            found["wish"] = form_of(choice, deed, rule=key, target=target, title=title, where=where)
        return self._answers.whole("hold", choice, found)


def place_of(picture: Picture, target: str, language: Language) -> str:
    """The name of a device or a site; empty if there is none of that id."""
    device, site = picture.devices.get(target), picture.sites.get(target)
    if device is not None:
        return device_name(device, language)
    scene = picture.scenes.get(site.scene) if site else None
    return f"{of(scene.site_title, language)} {site.site}" if site and scene else ""


def held(picture: Picture, holds: Iterable[Hold], language: Language, now_ms: int) -> list[Held]:
    found = []
    for hold in holds:
        rule = picture.rule(hold.rule or "")
        title = of(rule.title, language) if rule else hold.rule or ""
        where = place_of(picture, hold.target, language) or hold.target
        found.append(Held(hold, title, where, planned=hold.begins > now_ms))
    return found


async def held_at(
    worker: Worker, picture: Picture, choice: Choice, places: Container[str], now_ms: int
) -> list[Held]:
    """What is held back at any of these sites and devices; none of it when the worker cannot say."""
    try:
        holds = await worker.holds()
    except TemporaryError:
        return []
    return held(picture, [hold for hold in holds if hold.target in places], choice.language, now_ms)
