"""One site: what is wrong here, and since when?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boards import events, figures, many_devices, readings
from boards.frame import Board, level_variable, scene_variable, site_variable
from boards.influxql import THIS_SITE
from boards.layout import Section
from boards.limits import rules_on
from boards.links import SITE, console_menu
from boards.words import both, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenewatch.model.scene import Channel, DeviceType, Scene


def board(scenes: Sequence[Scene]) -> Board:
    measuring = [(scene, t) for scene in scenes for t in scene.device_types if t.channels]
    now = Section()
    now.add(figures.summary(THIS_SITE), width=24, height=4)
    now.add(figures.standing_table(THIS_SITE), width=24, height=6)
    now.add(many_devices.judgement([t for _, t in measuring], THIS_SITE), width=24, height=8)
    history = Section(title=say("Alarms", "报警"), folded=True)
    history.add(figures.alarms_table(THIS_SITE), width=24, height=9)
    told = Section(title=events.EVENTS, folded=True)
    if events.tell(scenes):
        told.add(events.events_table(THIS_SITE), width=24, height=9)
    return Board(
        uid=SITE,
        title=say("Site", "站点"),
        question=say("What is wrong at this site, and since when?", "本站点哪里有问题？从何时开始？"),
        sections=[
            now,
            *(_watched(scene, t) for scene, t in measuring),
            *(_others(scene, t) for scene, t in measuring),
            told,
            history,
        ],
        variables=[scene_variable(many=False), site_variable(many=False), level_variable()],
        alarms_where=THIS_SITE,
        events_where=THIS_SITE if events.tell(scenes) else "",
        more_links=[console_menu("?site=${scene}.${site}", say("Site in the console", "在值守台打开站点"))],
        since="now-24h",
    )


def _watched(scene: Scene, device_type: DeviceType) -> Section:
    """The devices now, and the channels that rules watch."""
    section = Section(title=f"{both(scene.title)}: {both(device_type.title)}")
    section.add(many_devices.devices_table(scene, device_type, THIS_SITE), width=24, height=7)
    _add_channels(section, scene, device_type, [c for c in device_type.channels if rules_on(scene, device_type, c)])
    return section


def _others(scene: Scene, device_type: DeviceType) -> Section:
    """The channels that no rule watches."""
    title = f"{both(scene.title)}: {both(device_type.title)}, {say('other channels', '其他通道')}"
    section = Section(title=title, folded=True)
    unwatched = [c for c in device_type.channels if not rules_on(scene, device_type, c)]
    _add_channels(section, scene, device_type, unwatched)
    return section


def _add_channels(section: Section, scene: Scene, device_type: DeviceType, channels: Sequence[Channel]) -> None:
    for channel in channels:
        if readings.is_state(channel):
            section.add(many_devices.devices_states(scene, device_type, channel, THIS_SITE), width=12, height=8)
        else:
            section.add(many_devices.devices_trend(scene, device_type, channel, THIS_SITE), width=12, height=8)
