"""One scene: which of its sites need help, and how near are the others to their limits?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boards import events, figures, many_devices, readings
from boards.frame import Board, fixed, level_variable
from boards.influxql import of_scene
from boards.layout import Section
from boards.limits import drawn_on, limits_on
from boards.links import SCENES_TAG, scene_uid
from boards.words import both, say

if TYPE_CHECKING:
    from scenewatch.model.scene import DeviceType, Scene


def board(scene: Scene) -> Board:
    where = of_scene(scene)
    now = Section()
    now.add(figures.summary(where), width=24, height=4)
    now.add(figures.sites_table(where), width=10, height=9)
    now.add(figures.standing_table(where), width=14, height=9)
    now.add(figures.states_over_time(where), width=24, height=8)
    told = Section(title=events.EVENTS, folded=True)
    if events.tell([scene]):
        told.add(events.events_table(where), width=24, height=9)
    return Board(
        uid=scene_uid(scene),
        title=both(scene.title),
        question=say(
            "Which sites need help, and how near are the others to their limits?",
            "哪些站点需要处理？其余站点离限值还有多远？",
        ),
        sections=[now, *(_of_type(scene, t) for t in scene.device_types), told],
        variables=[level_variable(), fixed("scene", scene.key)],
        alarms_where=where,
        tags=(SCENES_TAG,),
        since="now-24h",
    )


def _of_type(scene: Scene, device_type: DeviceType) -> Section:
    """What has limits; all else is seen on the pages of sites and devices."""
    section = Section(title=both(device_type.title))
    for channel in device_type.channels:
        found, numbers = limits_on(scene, device_type, channel), not readings.is_state(channel)
        if not found:
            if numbers and drawn_on(scene, device_type, channel):
                section.add(many_devices.extremes(scene, device_type, channel), width=24, height=8)
            continue
        if not numbers:
            section.add(many_devices.minutes_beyond(scene, device_type, channel, found), width=24, height=7)
            continue
        # Of a derived channel few minutes have a reading: counting them says little.
        counted = channel.derived is None
        section.add(many_devices.extremes(scene, device_type, channel), width=10 if counted else 16, height=8)
        section.add(many_devices.furthest(scene, device_type, channel, found), width=7 if counted else 8, height=8)
        if counted:
            section.add(many_devices.minutes_beyond(scene, device_type, channel, found), width=7, height=8)
    return section
