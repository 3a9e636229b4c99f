"""The devices of one type: what does one measure, how near to its limits, and can it be trusted?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boards import figures, one_device, readings
from boards.frame import Board, device_variables, level_variable
from boards.influxql import device_of
from boards.layout import Section
from boards.links import DEVICES_TAG, console_menu, device_uid
from boards.words import both, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenewatch.model.scene import DeviceType, Scene


def boards(scenes: Sequence[Scene]) -> Iterator[Board]:
    """One for each type that measures something."""
    for scene in scenes:
        for device_type in scene.device_types:
            if device_type.channels:
                yield _board(scene, device_type)


def _board(scene: Scene, device_type: DeviceType) -> Board:
    where = device_of(scene)
    now = Section()
    now.add(one_device.last_values(scene, device_type, where), width=24, height=4)
    now.add(one_device.device_judgement(device_type, where), width=12, height=7)
    now.add(figures.device_alarms_table(where), width=12, height=7)
    kinds = (scene.title, device_type.title)
    return Board(
        uid=device_uid(scene.key, device_type.key),
        title=say(": ".join(kind.en for kind in kinds), "：".join(kind.zh for kind in kinds)),
        question=say(
            "What does this device measure, how near to its limits, and can it be trusted?",
            "该设备测得什么？离限值多远？数据可信吗？",
        ),
        sections=[now, _history(scene, device_type, where)],
        variables=[*device_variables(scene, device_type), level_variable()],
        alarms_where=where,
        events_where=where if device_type.events else "",
        more_links=[
            console_menu(
                f"?device={scene.key}.${{site}}.${{device}}", say("Device in the console", "在值守台打开设备")
            )
        ],
        tags=(DEVICES_TAG,),
        refresh="30s",
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
