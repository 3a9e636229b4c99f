"""One device: what does it measure, how near to its limits, and can it be trusted?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boards import figures, one_device, readings
from boards.frame import Board, device_variable, level_variable, scene_variable, site_variable
from boards.influxql import THIS_DEVICE, any_of
from boards.layout import Section
from boards.links import DEVICE, console_menu
from boards.words import both, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from boards.one_device import Alike
    from scenewatch.model.scene import Scene


def board(scenes: Sequence[Scene]) -> Board:
    measuring = [t for scene in scenes for t in scene.device_types if t.channels]
    trust = Section()
    trust.add(one_device.device_judgement(measuring, THIS_DEVICE), width=12, height=7)
    trust.add(figures.alarms_table(THIS_DEVICE), width=12, height=7)
    return Board(
        uid=DEVICE,
        title=say("Device", "设备"),
        question=say(
            "What does this device measure, how near to its limits, and can it be trusted?",
            "该设备测得什么？离限值多远？数据可信吗？",
        ),
        sections=[trust, *(section for scene in scenes for section in _sections(scene))],
        variables=[
            scene_variable(many=False),
            site_variable(many=False),
            device_variable(any_of(t.key for t in measuring)),
            level_variable(),
        ],
        alarms_where=THIS_DEVICE,
        more_links=[
            console_menu("?device=${scene}.${site}.${device}", say("Device in the console", "在值守台打开设备"))
        ],
        refresh="30s",
    )


def _sections(scene: Scene) -> Iterator[Section]:
    """A row for each type with what it alone has, then one with what several have: a device is of one type."""
    found = one_device.alike(scene)
    for device_type in scene.device_types:
        if device_type.channels:
            section = Section(title=f"{both(scene.title)}: {both(device_type.title)}")
            section.add(one_device.last_values(scene, device_type, THIS_DEVICE), width=24, height=4)
            _add(section, [one for one in found if one.types == (device_type,)])
            yield section
    shared = Section(title=f"{both(scene.title)}: {say('several types', '多类设备')}")
    _add(shared, [one for one in found if len(one.types) > 1])
    yield shared


def _add(section: Section, some: Sequence[Alike]) -> None:
    numbers = [one for one in some if not readings.is_state(one.channel)]
    for one in numbers:
        width = 24 if len(numbers) == 1 else 12
        types = f"{both(one.types[0].title)}: " if len(one.types) == 1 else ""
        title = f"{types}{both(one.channel.title)}"
        section.add(one_device.device_trend(title, one, THIS_DEVICE), width=width, height=8)
    states = [one for one in some if readings.is_state(one.channel)]
    if states:
        section.add(one_device.device_states(states, THIS_DEVICE), width=24, height=5)
