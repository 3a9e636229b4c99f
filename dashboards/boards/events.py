"""What devices told: as a list, and as marks on the trends of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from boards import marks, palette
from boards.influxql import ALARMS, IN_RANGE, name, select, table_target
from boards.links import of_row, to_console, to_device, to_site
from boards.panels import Column, table
from boards.words import DEVICE, SCENE, SITE, TYPE, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from boards.panels import Json
    from scenewatch.model.scene import Scene

EVENTS: Final = say("Events", "事件")
HAPPENED: Final = say("Happened", "发生时间")


def tell(scenes: Iterable[Scene]) -> bool:
    """Whether any of their devices tells of anything."""
    return any(device_type.events for scene in scenes for device_type in scene.device_types)


def events_table(where: str) -> Json:
    """What was told in the dashboard's range."""
    place = (of_row("scene"), of_row("site"), of_row("device"))
    places = [
        Column(name="scene", title=SCENE),
        Column(name="site", title=SITE, links=[to_site(*place[:2])]),
        Column(name="device", title=DEVICE, links=[to_device(of_row("type"), *place), to_console(*place)]),
        Column(name="type", title=TYPE),
    ]
    return _events_table(places, where)


def device_events_table(where: str) -> Json:
    """The same of the one device that the whole dashboard is about."""
    return _events_table([], where)


def _events_table(places: Sequence[Column], where: str) -> Json:
    columns = [
        Column(name="Time", title=HAPPENED, unit="dateTimeAsIso", width=170),
        Column(name="level", title=say("Level", "级别"), mappings=palette.severities(), width=110),
        Column(name="title_zh", title="事件"),
        Column(name="title_en", title="Event"),
        Column(name="text", title=say("Text", "内容")),
        *places,
        Column(name="media", title=say("Picture", "图片")),
    ]
    what = ", ".join(name(column.name) for column in columns if column.name != "Time")
    query = select(what, '"event"', where, IN_RANGE, more="ORDER BY time DESC LIMIT 200")
    title = say("Events, the newest first", "事件（最新在前）")
    return table(title, [table_target("A", query, source=ALARMS)], columns, sort=HAPPENED)


def annotation(where: str) -> Json:
    """A mark for each, whatever its level: the alarms beside them have the colours."""
    query = select('"told_en", "told_zh", "kind", "device"', '"event"', where, IN_RANGE)
    return marks.annotation(EVENTS, palette.ACCENT, query, words="told", tags="kind,device")
