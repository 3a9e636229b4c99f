"""The data's quality: which readings can be trusted, and which devices are in need of care?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boards import figures, health, palette
from boards.frame import Board, scene_variable, site_variable
from boards.influxql import (
    ANY_SITE,
    BY_TIME,
    FIGURES,
    IN_RANGE,
    READINGS,
    lately,
    name,
    select,
    table_target,
    target,
)
from boards.layout import Section
from boards.links import QUALITY, of_row, to_console, to_device
from boards.many_devices import MOST_ROWS
from boards.panels import Column, by_ref, color, table, trend
from boards.units import unit_id
from boards.words import DEVICE, SCENE, SITE, both, say
from scenewatch.model.flags import Flag, Test
from scenewatch.model.quantity import Quantity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from boards.panels import Json
    from scenewatch.model.scene import Channel, DeviceType, Scene

BATTERY = "battery"
"""Channels of a voltage or a share whose keys begin so are of batteries."""
BATTERY_SPAN = "1d"
TESTS: Mapping[Test, str] = {
    Test.CLOCK: say("clock", "时钟"),
    Test.POSSIBLE: say("impossible", "不可能"),
    Test.EXPECTED: say("unexpected", "超出预期"),
    Test.FASTEST: say("too fast", "变化过快"),
    Test.STUCK: say("stuck", "卡滞"),
    Test.GAP: say("after a gap", "中断之后"),
}


def board(scenes: Sequence[Scene]) -> Board:
    measuring = [(scene, t) for scene in scenes for t in scene.device_types if t.channels]
    now = Section()
    now.add(_flags(), width=12, height=8)
    now.add(_lost(), width=12, height=8)
    now.add(figures.sites_over_time(ANY_SITE), width=12, height=8)
    now.add(figures.sites_table(ANY_SITE), width=12, height=8)
    devices = Section(title=say("Devices with doubtful readings", "读数可疑的设备"))
    for _, device_type in measuring:
        devices.add(_doubtful(device_type), width=12, height=8)
    batteries = Section(title=say("Batteries, the lowest first", "电池（最低在前）"))
    for _, device_type in measuring:
        for channel in filter(is_battery, device_type.channels):
            batteries.add(_lowest(device_type, channel), width=12, height=8)
    return Board(
        uid=QUALITY,
        title=say("Data quality", "数据质量"),
        question=say(
            "Which readings can be trusted, and which devices are in need of care?",
            "哪些读数可信？哪些设备需要维护？",
        ),
        sections=[now, devices, batteries],
        variables=[scene_variable(many=True), site_variable(many=True)],
        alarms_where=ANY_SITE,
        since="now-24h",
    )


def is_battery(channel: Channel) -> bool:
    return channel.key.startswith(BATTERY) and channel.quantity in (Quantity.VOLTAGE, Quantity.RATIO)


def _flags() -> Json:
    """How many readings each test flags, of the whole city."""
    fields = [(f"flag_{test.name.lower()}", TESTS[test]) for test in TESTS]
    return health.rates(
        say("Flagged readings, by test", "被标记读数（按检验）"),
        fields,
        unit="cps",
        description=say("Of all scenes and sites.", "全部场景与站点。"),
    )


def _lost() -> Json:
    """Numbers that were skipped, and messages that could not be used."""
    parts = (
        ("missing", say("lost", "丢失"), palette.SILENT),
        ("duplicate", say("sent twice", "重复"), palette.QUIET),
        ("dead", say("dead letters", "死信"), palette.NOW),
    )
    targets = []
    for field, alias, _ in parts:
        inner = select(
            f'non_negative_difference(max({name(field)})) AS "n"',
            '"site"',
            ANY_SITE,
            IN_RANGE,
            by=(BY_TIME, "scene", "site"),
        )
        query = select('sum("n")', f"({inner})", IN_RANGE, by=(BY_TIME,), fill="null")
        targets.append(target(field, query, source=FIGURES, alias=alias))
    overrides = [by_ref(field, color=color(shade)) for field, _, shade in parts]
    return trend(
        say("Messages lost, sent twice, unusable", "丢失、重复与无法使用的消息"),
        targets,
        unit="short",
        overrides=overrides,
    )


def _doubtful(device_type: DeviceType) -> Json:
    """Minutes in which a channel had a suspect or failed reading."""
    channels = device_type.measured
    # 1 for a minute whose worst flag is suspect or failed, 0 for a better one
    marks = ", ".join(f"floor({name(f'{c.key}_flag')} / {Flag.SUSPECT:d}) AS {name(c.key)}" for c in channels)
    sums = ", ".join(f"sum({name(c.key)}) AS {name(c.key)}" for c in channels)
    marked = select(marks, name(device_type.key), ANY_SITE, IN_RANGE)
    query = select(sums, f"({marked})", by=("scene", "site", "device"))
    columns = [*_places(device_type), *(Column(name=c.key, title=both(c.title), unit="m") for c in channels)]
    return table(
        both(device_type.title),
        [table_target("A", query, source=FIGURES)],
        columns,
        sort=both(channels[0].title),
        description=say(
            "Minutes in which at least one reading was suspect or failed.", "至少有一个读数可疑或无效的分钟数。"
        ),
    )


def _lowest(device_type: DeviceType, channel: Channel) -> Json:
    newest = select(
        f'last({name(channel.key)}) AS "now"',
        name(device_type.key),
        ANY_SITE,
        lately(BATTERY_SPAN),
        by=("scene", "site", "device"),
    )
    query = select(f'bottom("now", "scene", "site", "device", {MOST_ROWS}) AS "value"', f"({newest})")
    column = Column(name="value", title=both(channel.title), unit=unit_id(channel.unit), steps=_low(channel))
    panel = table(
        f"{both(device_type.title)}: {both(channel.title)}",
        [table_target("A", query, source=READINGS)],
        [*_places(device_type), column],
    )
    panel["options"]["sortBy"] = [{"displayName": column.title, "desc": False}]
    return panel


def _low(channel: Channel) -> list[Json]:
    if channel.expected is None:
        return []
    return [{"value": None, "color": palette.SOON}, {"value": channel.expected.low, "color": palette.NORMAL}]


def _places(device_type: DeviceType) -> list[Column]:
    place = (of_row("scene"), of_row("site"), of_row("device"))
    return [
        Column(name="scene", title=SCENE),
        Column(name="site", title=SITE),
        Column(name="device", title=DEVICE, links=[to_device(device_type.key, *place), to_console(*place)]),
    ]
