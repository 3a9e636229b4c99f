"""The devices of one type: what does one measure, how near to its limits, and can it be trusted?

One that measures nothing may have alarms all the same, and tell of what happens: those are its dashboard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boards import events, figures, one_device, readings
from boards.frame import Board, device_variables, level_variable, speaking_variables
from boards.influxql import device_of
from boards.layout import Section
from boards.links import DEVICES_TAG, console_menu, device_uid
from boards.words import both, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from boards.panels import Json
    from scenewatch.model.scene import DeviceType, Scene


def boards(scenes: Sequence[Scene]) -> Iterator[Board]:
    """One for each type of which there is anything to show."""
    for scene in scenes:
        for device_type in scene.device_types:
            if device_type.channels:
                yield _measuring(scene, device_type)
            elif device_type.events or _ruled(scene, device_type):
                yield _speaking(scene, device_type)


def _ruled(scene: Scene, device_type: DeviceType) -> bool:
    """Whether a rule is on the type itself, on which rules of events and of a gateway's silence are."""
    return any(device_type.key in rule.on for rule in scene.rules)


def _measuring(scene: Scene, device_type: DeviceType) -> Board:
    where = device_of(scene)
    now = Section()
    now.add(one_device.last_values(scene, device_type, where), width=24, height=4)
    now.add(one_device.device_judgement(device_type, where), width=12, height=7)
    now.add(figures.device_alarms_table(where), width=12, height=7)
    return Board(
        uid=device_uid(scene.key, device_type.key),
        title=_title(scene, device_type),
        question=say(
            "What does this device measure, how near to its limits, and can it be trusted?",
            "该设备测得什么？离限值多远？数据可信吗？",
        ),
        sections=[now, _history(scene, device_type, where)],
        variables=[*device_variables(scene, device_type), level_variable()],
        alarms_where=where,
        events_where=where if device_type.events else "",
        more_links=[_in_console(scene)],
        tags=(DEVICES_TAG,),
        refresh="30s",
    )


def _speaking(scene: Scene, device_type: DeviceType) -> Board:
    """Of a type without channels; a panel for what it can never have would always be empty."""
    where = device_of(scene)
    now, measurements = Section(), []
    if _ruled(scene, device_type):
        now.add(figures.device_alarms_table(where), width=24, height=9)
        measurements.append("alarm")
    if device_type.events:
        now.add(events.device_events_table(where), width=24, height=12)
        measurements.append("event")
    return Board(
        uid=device_uid(scene.key, device_type.key),
        title=_title(scene, device_type),
        question=say("What did this device tell of, and what is wrong with it?", "该设备报告了什么？有何异常？"),
        sections=[now],
        variables=speaking_variables(scene, device_type, measurements),
        more_links=[_in_console(scene)],
        tags=(DEVICES_TAG,),
        refresh="30s",
        since="now-24h",
    )


def _title(scene: Scene, device_type: DeviceType) -> str:
    kinds = (scene.title, device_type.title)
    return say(": ".join(kind.en for kind in kinds), "：".join(kind.zh for kind in kinds))


def _in_console(scene: Scene) -> Json:
    return console_menu(
        f"?device={scene.key}.${{site}}.${{device}}", say("Device in the console", "在值守台打开设备")
    )


def _history(scene: Scene, device_type: DeviceType, where: str) -> Section:
    """A trend for each number, the first one wide where they are not even, and all states in one panel."""
    section = Section(title=say("History", "历史"))
    numbers = [c for c in device_type.channels if not readings.is_state(c)]
    for n, channel in enumerate(numbers):
        width = 24 if n == 0 and len(numbers) % 2 else 12
        panel = one_device.device_trend(both(channel.title), scene, device_type, channel, where)
        section.add(panel, width=width, height=8)
    if states := [c for c in device_type.channels if readings.is_state(c)]:
        section.add(one_device.device_states(scene, device_type, states, where), width=24, height=5)
    return section
