"""The page of rules: each in words, with the limits in force, where they come from, and how often it raised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from scenewatch.console.choice import FRAME_KEYS
from scenewatch.console.linewords import source_words
from scenewatch.console.picture import OF_PRIORITY, State
from scenewatch.console.wording import clauses, of, span_text
from scenewatch.model.errors import TemporaryError
from scenewatch.model.words import hours

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from scenewatch.console.answers import Answers
    from scenewatch.console.shapes import Channel, DeviceType, Rule, Scene
    from scenewatch.console.texts import Language
    from scenewatch.console.worker import Worker

PATH = "/rules"
DAY, WEEK = hours(24), hours(7 * 24)
Counts: TypeAlias = tuple[dict[str, int], dict[str, int]] | None
"""How often each rule raised, in a day and in a week; None while the worker is away, whose tables stay known."""


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule in words. `day` and `week` are None while the worker is away."""

    name: str
    title: str
    state: State
    on: list[str]
    condition: str
    more: list[str]
    """What holds it back, and what becomes of an alarm that stands."""
    in_table: str
    """What the table says, where operators have set another limit."""
    release: str
    source: str
    proof: str
    advice: str
    day: int | None
    week: int | None
    version: str


@dataclass(frozen=True, slots=True)
class Group:
    """The rules whose first channel is of one device type."""

    id: str
    title: str
    scene: str
    rules: list[RuleLine]


class RuleBook:
    """The endpoint of the page."""

    def __init__(self, answers: Answers, worker: Worker) -> None:
        self._answers = answers
        self._worker = worker

    async def page(self, request: Request) -> Response:
        choice = await self._answers.choice(request, PATH, FRAME_KEYS)
        hub = self._answers.hub
        now_ms = hub.now_ms()
        try:
            counts = await self._worker.raised(now_ms - DAY), await self._worker.raised(now_ms - WEEK)
        except TemporaryError:
            counts = None
        scenes = hub.picture.scenes.values()
        groups = [group for scene in scenes for group in groups_of(scene, counts, choice.language)]
        found: dict[str, Any] = {"groups": groups, "scenes": len(scenes)}
        return self._answers.page(request, "rules", choice, found)


def groups_of(scene: Scene, counts: Counts, language: Language) -> list[Group]:
    """By device type, in the order of the table; a type that no rule begins with has no group."""
    groups = []
    for kind in scene.device_types:
        rules = [rule for rule in scene.rules if _first_type(rule) == kind.key]
        if rules:
            title, scene_title = of(kind.title, language), of(scene.title, language)
            lines = [_line(scene, rule, counts, language) for rule in rules]
            groups.append(Group(f"{scene.key}.{kind.key}", title, scene_title, lines))
    return groups


def _first_type(rule: Rule) -> str:
    return rule.on[0].partition(".")[0] if rule.on else ""


def _line(scene: Scene, rule: Rule, counts: Counts, language: Language) -> RuleLine:
    name = f"{scene.key}.{rule.key}"
    watched = [_watched(scene, on) for on in rule.on]
    fault = next((f.title for f in scene.faults if f.key == rule.proof), None)
    condition, *more = clauses(rule.text, language)
    return RuleLine(
        name=name,
        title=of(rule.title, language),
        state=OF_PRIORITY[rule.priority],
        on=[_watched_words(kind, one, language) for kind, one in watched if kind],
        condition=condition,
        more=more,
        in_table=of(rule.table_text, language) if rule.table_text else "",
        release=span_text(rule.off_delay_s, language) if rule.off_delay_s else "",
        source=source_words(rule, language),
        proof=of(fault, language) if fault else rule.proof,
        advice=of(rule.advice, language),
        day=counts[0].get(name, 0) if counts else None,
        week=counts[1].get(name, 0) if counts else None,
        version=rule.version,
    )


def _watched(scene: Scene, on: str) -> tuple[DeviceType | None, Channel | None]:
    """Device type and channel of `<type>.<channel>`; of an event's rule the type alone."""
    type_key, _, channel_key = on.partition(".")
    kind = next((k for k in scene.device_types if k.key == type_key), None)
    return kind, next((c for c in kind.channels if c.key == channel_key), None) if kind else None


def _watched_words(kind: DeviceType, channel: Channel | None, language: Language) -> str:
    title = of(kind.title, language)
    return f"{title} · {of(channel.title, language)}" if channel else title
