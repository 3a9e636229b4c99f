"""One device: what does it measure, how near to its limits, and can it be trusted?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boards import figures, readings
from boards.frame import Board, device_variable, level_variable, scene_variable, site_variable
from boards.influxql import THIS_DEVICE, any_of
from boards.layout import Section
from boards.links import DEVICE, console_menu
from boards.words import both, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenewatch.model.scene import DeviceType, Scene


def board(scenes: Sequence[Scene]) -> Board:
    measuring = [(scene, t) for scene in scenes for t in scene.device_types if t.channels]
    trust = Section()
    trust.add(readings.device_judgement([t for _, t in measuring], THIS_DEVICE), width=12, height=7)
    trust.add(figures.alarms_table(THIS_DEVICE), width=12, height=7)
    return Board(
        uid=DEVICE,
        title=say("Device", "设备"),
        question=say(
            "What does this device measure, how near to its limits, and can it be trusted?",
            "该设备测得什么？离限值多远？数据可信吗？",
        ),
        sections=[trust, *(_of_type(scene, t) for scene, t in measuring)],
        variables=[
            scene_variable(many=False),
            site_variable(many=False),
            device_variable(any_of(t.key for _, t in measuring)),
            level_variable(),
        ],
        alarms_where=THIS_DEVICE,
        more_links=[
            console_menu("?device=${scene}.${site}.${device}", say("Device in the console", "在值守台打开设备"))
        ],
        refresh="30s",
    )


def _of_type(scene: Scene, device_type: DeviceType) -> Section:
    """Rows of types that the chosen device is not of stay without data."""
    section = Section(title=f"{both(scene.title)}: {both(device_type.title)}")
    section.add(readings.last_values(scene, device_type, THIS_DEVICE), width=24, height=4)
    numbers = readings.numbers(device_type)
    for channel in numbers:
        width = 24 if channel is numbers[0] else 12
        section.add(readings.device_trend(scene, device_type, channel, THIS_DEVICE), width=width, height=8)
    if readings.states(device_type):
        section.add(readings.device_states(device_type, THIS_DEVICE), width=24, height=5)
    return section
