"""What an API's question for alarms means in the alarms' table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.model.alarm import STANDING, AlarmState
from scenewatch.model.rule import Priority
from scenewatch.store.alarmfilter import Mark, WhichAlarms, Words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scenewatch.api.alarms_found import AlarmQuery
    from scenewatch.model.registry import Registry
    from scenewatch.model.scene import Scene
    from scenewatch.model.words import Text

GROUPS = {
    "all": tuple(AlarmState),
    "standing": STANDING,
    "past": (AlarmState.NORMAL, AlarmState.RETURNED_UNACKNOWLEDGED),
}
MOST_NAMED = 1000
"""Devices that a search may mean by their names; more would be no search."""


def which_alarms(query: AlarmQuery, scenes: Iterable[Scene], registry: Registry) -> WhichAlarms:
    before = query.before
    return WhichAlarms(
        states=GROUPS.get(query.state) or (AlarmState(query.state),),
        priority=Priority(query.priority) if query.priority else None,
        site=query.site,
        device=query.device,
        rule=query.rule,
        words=_words(query.search, scenes, registry) if query.search else None,
        before=Mark(before.raised_at, before.rule, before.device) if before else None,
    )


def _words(text: str, scenes: Iterable[Scene], registry: Registry) -> Words:
    wanted = text.casefold()
    named = (d.id for d in registry.devices if _says(d.name, wanted))
    return Words(
        text=text,
        rules=[
            f"{scene.key}.{rule.key}"
            for scene in scenes
            for rule in scene.rules
            if wanted in f"{scene.key}.{rule.key}" or _says(rule.title, wanted)
        ],
        devices=[device for device, _ in zip(named, range(MOST_NAMED), strict=False)],
    )


def _says(text: Text, wanted: str) -> bool:
    return wanted in text.en.casefold() or wanted in text.zh.casefold()
