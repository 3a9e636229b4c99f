"""Panels of the readings of many devices: side by side at a site, and the extremes of a whole scene."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from boards import palette
from boards.influxql import (
    FIGURES,
    IN_RANGE,
    READINGS,
    highest,
    lately,
    lowest,
    name,
    number,
    of_scene,
    select,
    table_target,
)
from boards.limits import drawn_on, rules_on, steps
from boards.links import KEEP_LEVEL, of_row, to_console, to_device, to_site
from boards.one_device import device_trend
from boards.panels import MERGE, Column, by_ref, table, timeline, trend
from boards.readings import (
    column,
    judged,
    judgement_of,
    over_time,
    silence,
    steady,
    telling,
    titled,
    why,
    words_of_states,
)
from boards.units import unit_id
from boards.words import DEVICE, SITE, both, say
from scenewatch.model.rule import Above, Below, Flagged, Outside

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from boards.limits import Limited
    from boards.panels import Json
    from scenewatch.model.rule import Comparison
    from scenewatch.model.scene import Channel, DeviceType, Scene

MOST_ROWS: Final = 20


def devices_trend(scene: Scene, device_type: DeviceType, channel: Channel, where: str) -> Json:
    """Highest and lowest of each device, in the device's colour."""
    rules = rules_on(scene, device_type, channel)
    what = name(device_type.key)
    targets = [
        over_time("max", highest(channel.key), what, where, alias="$tag_device", by=("device",)),
        over_time("min", lowest(channel.key), what, where, alias="$tag_device", by=("device",)),
    ]
    hidden = {"legend": True, "tooltip": True, "viz": False}
    panel = trend(
        titled(device_type, channel),
        targets,
        unit=unit_id(channel.unit),
        steps=steps(drawn_on(scene, device_type, channel), normal=palette.UNDRAWN),
        overrides=[by_ref("min", custom__hideFrom=hidden)],
        description="\n".join(filter(None, (say("Highest and lowest.", "最高与最低。"), why(rules)))),
    )
    return steady(panel, device_type, channel)


def devices_states(scene: Scene, device_type: DeviceType, channel: Channel, where: str) -> Json:
    what = telling(channel, drawn_on(scene, device_type, channel))
    targets = [over_time(channel.key, what, name(device_type.key), where, alias="$tag_device", by=("device",))]
    return timeline(titled(device_type, channel), targets, mappings=words_of_states(channel))


def devices_table(scene: Scene, device_type: DeviceType, where: str) -> Json:
    """The newest reading of each device: what it measured at one time stands in one point."""
    first, *others = (name(c.key) for c in device_type.measured)
    what = ", ".join([f"last({first}) AS {first}", *others])
    query = select(what, name(device_type.key), where, IN_RANGE, by=("device",))
    place = (scene.key, "${site}", of_row("device"))
    columns = [
        _device(device_type, place),
        Column(name="Time", title=say("Last heard", "最后上报"), unit="dateTimeFromNow"),
        *(column(scene, device_type, channel) for channel in device_type.measured),
    ]
    return table(both(device_type.title), [table_target("A", query, source=READINGS)], columns)


def judgement(device_types: Iterable[DeviceType], where: str) -> Json:
    """The first channel of each device: its worst flag, a row a device."""
    firsts = {(t.key, t.channels[0].key): t.channels[0] for t in device_types}
    targets = [
        judged(f"{key}.{channel.key}", channel, name(key), where, alias="$tag_device", by=("device",))
        for (key, _), channel in firsts.items()
    ]
    return judgement_of(targets)


def extremes(scene: Scene, device_type: DeviceType, channel: Channel) -> Json:
    """Highest, mean and lowest of all devices of a type."""
    return device_trend(titled(device_type, channel), scene, device_type, channel, of_scene(scene))


def furthest(scene: Scene, device_type: DeviceType, channel: Channel, found: Sequence[Limited]) -> Json:
    """The devices nearest to a limit now, or furthest beyond it."""
    pick = "top" if any(isinstance(one.is_, Above) for one in found) else "bottom"
    newest = select(
        f'last({name(channel.key)}) AS "now"',
        name(device_type.key),
        of_scene(scene),
        lately(silence(device_type, channel)),
        by=("site", "device"),
    )
    query = select(f'{pick}("now", "site", "device", {MOST_ROWS}) AS "value"', f"({newest})")
    columns = [*_places(scene, device_type), replace(column(scene, device_type, channel), name="value")]
    title = f"{titled(device_type, channel)}, {say('the furthest', '最接近限值')}"
    panel = table(title, [table_target("A", query, source=READINGS)], columns)
    panel["options"]["sortBy"] = [{"displayName": both(channel.title), "desc": pick == "top"}]
    return panel


def minutes_beyond(scene: Scene, device_type: DeviceType, channel: Channel, found: Sequence[Limited]) -> Json:
    """How long each device was beyond each limit: whole minutes in which it was, at least once."""
    targets = [_minutes(scene, device_type, channel, one) for one in found]
    columns = [
        *_places(scene, device_type),
        *(Column(name=one.rule.key, title=both(one.rule.title), unit="m") for one in found),
    ]
    return table(
        f"{titled(device_type, channel)}, {say('minutes out of limits', '超限分钟数')}",
        targets,
        columns,
        sort=both(found[0].rule.title),
        before=[MERGE] if len(targets) > 1 else [],
        description=say(
            "Minutes in which at least one reading was beyond the limit.", "至少有一个读数超限的分钟数。"
        ),
    )


def _minutes(scene: Scene, device_type: DeviceType, channel: Channel, one: Limited) -> Json:
    field, beyond = _beyond(channel, one.is_)
    query = select(
        f"count({name(field)}) AS {name(one.rule.key)}",
        name(device_type.key),
        of_scene(scene),
        beyond,
        IN_RANGE,
        by=("site", "device"),
    )
    return table_target(one.rule.key, query, source=FIGURES)


def _places(scene: Scene, device_type: DeviceType) -> list[Column]:
    place = (scene.key, of_row("site"), of_row("device"))
    return [
        Column(name="site", title=SITE, links=[to_site(*place[:2], more=KEEP_LEVEL)]),
        _device(device_type, place),
    ]


def _device(device_type: DeviceType, place: tuple[str, str, str]) -> Column:
    links = [to_device(device_type.key, *place, more=KEEP_LEVEL), to_console(*place)]
    return Column(name="device", title=DEVICE, links=links)


def _beyond(channel: Channel, comparison: Comparison) -> tuple[str, str]:
    """The field to count, and which minutes of it."""
    low, high = f"{channel.key}_min", f"{channel.key}_max"
    match comparison:
        case Above(limit):
            return high, f"{name(high)} > {number(limit)}"
        case Below(limit):
            return low, f"{name(low)} < {number(limit)}"
        case Outside(below, above):
            return high, f"({name(low)} < {number(below)} OR {name(high)} > {number(above)})"
        case Flagged():
            raise ValueError(f"{channel.key} has no limit")
