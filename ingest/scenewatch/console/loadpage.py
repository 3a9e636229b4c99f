"""The page of alarm load: its figures beside what is acceptable, over a day, a week or a month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from scenewatch.console.choice import FRAME_KEYS
from scenewatch.console.wording import NOTHING, device_name, number, of
from scenewatch.model.errors import TemporaryError
from scenewatch.model.load import judged
from scenewatch.model.words import days

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from scenewatch.console.answers import Answers
    from scenewatch.console.picture import Picture
    from scenewatch.console.texts import Language
    from scenewatch.console.worker import Worker
    from scenewatch.model.load import Frequent, Load, Restless

PATH: Final = "/load"
LOAD_SPANS: Final[Mapping[str, int]] = {"1d": days(1), "7d": days(7), "30d": days(30)}
USUAL: Final = "7d"
WIDTH, HEIGHT, LEFT, FLOOR, TOP = 960, 170, 40, 148, 12
"""Of the chart, in its own pixels."""
TICKS: Final = 7


@dataclass(frozen=True, slots=True)
class FigureLine:
    """One figure beside its bound; `verdict` names its sign and word."""

    key: str
    value: str
    at_most: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Bar:
    """Alarms of one step, in the chart's pixels."""

    x: float
    y: float
    width: float
    height: float
    at_ms: int
    count: int


@dataclass(frozen=True, slots=True)
class WhoLine:
    """A rule at a device; `device_id` is empty for one that is no longer there."""

    rule: str
    title: str
    device: str
    device_id: str
    count: int
    share: str


class LoadPage:
    """The endpoint of the page."""

    def __init__(self, answers: Answers, worker: Worker) -> None:
        self._answers = answers
        self._worker = worker

    async def page(self, request: Request) -> Response:
        choice = await self._answers.choice(request, PATH, FRAME_KEYS | {"over", "site"})
        hub = self._answers.hub
        over = choice.asked.get("over", "")
        over = over if over in LOAD_SPANS else USUAL
        to_ms = hub.now_ms()
        query = {"from": str(to_ms - LOAD_SPANS[over]), "to": str(to_ms)}
        if choice.site:
            query["site"] = choice.site
        found: dict[str, Any] = {
            "load": None,
            "over": over,
            "overs": LOAD_SPANS,
            "chart": (WIDTH, HEIGHT, LEFT, FLOOR),
        }
        try:
            load = await self._worker.alarm_load(query)
        except TemporaryError:
            return self._answers.page(request, "load", choice, found)
        picture, language = hub.picture, choice.language
        found |= {
            "load": load,
            "figures": list(figure_lines(load)),
            "bars": list(bars(load)),
            "ticks": [(x(load, at_ms), at_ms) for at_ms in ticks(load)],
            "frequent": [_who(one, picture, language, share_text(one.share)) for one in load.most_frequent],
            "chattering": [_who(one, picture, language, "") for one in load.chattering],
        }
        return self._answers.page(request, "load", choice, found)


def figure_lines(load: Load) -> Iterator[FigureLine]:
    for one in judged(load):
        is_share = "share" in one.key or one.key.startswith("priority")
        text = share_text if is_share else _count_text
        value = NOTHING if one.value is None else text(one.value)
        verdict = "unjudged" if one.met is None else "met" if one.met else "not_met"
        yield FigureLine(one.key, value, text(one.at_most), verdict)


def share_text(share: float) -> str:
    """In per cent; never rounded down to nothing."""
    return f"{number(100 * share, 1)} %" if share == 0 or share >= 0.0005 else "<0.1 %"


def _count_text(count: float) -> str:
    return number(count, 0 if count == int(count) else 2)


def x(load: Load, at_ms: int) -> float:
    return round(LEFT + (at_ms - load.from_ms) / (load.to_ms - load.from_ms) * (WIDTH - LEFT), 1)


def bars(load: Load) -> Iterator[Bar]:
    """Those that are not empty."""
    most = max(load.steps, default=0)
    for n, count in enumerate(load.steps):
        if count:
            at_ms = load.from_ms + n * load.step_ms
            begin, end = x(load, at_ms), x(load, min(at_ms + load.step_ms, load.to_ms))
            height = round((FLOOR - TOP) * count / most, 1)
            yield Bar(begin, round(FLOOR - height, 1), round(max(1.0, end - begin - 0.5), 1), height, at_ms, count)


def ticks(load: Load) -> list[int]:
    """Times at even distances, the first and last a little within."""
    step_ms = (load.to_ms - load.from_ms) // TICKS
    return [load.from_ms + step_ms // 2 + n * step_ms for n in range(TICKS)]


def _who(one: Frequent | Restless, picture: Picture, language: Language, share: str) -> WhoLine:
    rule, device = picture.rule(one.rule), picture.devices.get(one.device)
    return WhoLine(
        rule=one.rule,
        title=of(rule.title, language) if rule else one.rule,
        device=device_name(device, language) if device else one.device,
        device_id=one.device if device else "",
        count=one.count,
        share=share,
    )
