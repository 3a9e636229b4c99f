"""Panels of a channel's readings at any level: limits drawn, no one-sample peak hidden, silence left blank."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from boards import palette
from boards.influxql import (
    BY_TIME,
    CHOSEN,
    FIGURES,
    IN_RANGE,
    READINGS,
    any_of,
    average,
    highest,
    lately,
    lowest,
    name,
    number,
    of_scene,
    select,
    table_target,
    target,
    worst_flag,
)
from boards.limits import limited, rules_on, steps
from boards.links import KEEP_LEVEL, of_row, to_console, to_device, to_site
from boards.panels import MERGE, Column, by_ref, color, table, tiles, timeline, trend
from boards.units import unit_id
from boards.words import DEVICE, SITE, both, say
from scenewatch.model.quantity import Quantity
from scenewatch.model.scene import Above, Below

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from boards.panels import Json
    from scenewatch.model.scene import Channel, DeviceType, Rule, Scene

MAX, MIN, MEAN = say("max", "最高"), say("min", "最低"), say("mean", "均值")
MOST_ROWS: Final = 20


def is_state(channel: Channel) -> bool:
    return channel.quantity is Quantity.STATE


def numbers(device_type: DeviceType) -> list[Channel]:
    return [c for c in device_type.channels if not is_state(c)]


def states(device_type: DeviceType) -> list[Channel]:
    return [c for c in device_type.channels if is_state(c)]


def why(rules: Sequence[Rule]) -> str:
    """The documents that a panel's limits come from."""
    return "\n".join(f"{both(rule.title)}: {both(rule.source.document)}" for rule in rules)


def silence(device_type: DeviceType) -> str:
    """A reading that is older is not now: the device is silent."""
    return f"{device_type.gap}ms"


# --- one device --------------------------------------------------------------------------------------------


def device_trend(scene: Scene, device_type: DeviceType, channel: Channel, where: str) -> Json:
    """Mean as a line within the band of lowest and highest."""
    rules = rules_on(scene, device_type, channel)
    targets = [
        _over_time("max", highest(channel.key), device_type, where, alias=MAX),
        _over_time("min", lowest(channel.key), device_type, where, alias=MIN),
        _over_time("mean", average(channel.key), device_type, where, alias=MEAN),
    ]
    edge = {"color": color(palette.ACCENT), "custom__lineWidth": 1}
    overrides = [
        by_ref("max", **edge, custom__fillBelowTo=MIN, custom__fillOpacity=18),
        by_ref("min", **edge),
        by_ref("mean", color=color(palette.ACCENT), custom__lineWidth=2),
    ]
    return trend(
        both(channel.title),
        targets,
        unit=unit_id(channel.unit),
        steps=steps(limited(rules), normal=palette.UNDRAWN),
        overrides=overrides,
        description=why(rules),
    )


def device_states(device_type: DeviceType, where: str) -> Json:
    """All states of a device in words; a whole interval has the highest state it had."""
    channels = states(device_type)
    targets = [_over_time(c.key, highest(c.key), device_type, where, alias=both(c.title)) for c in channels]
    overrides = [by_ref(c.key, mappings=words_of_states(c)) for c in channels]
    return timeline(say("States", "状态"), targets, overrides=overrides)


def last_values(scene: Scene, device_type: DeviceType, where: str) -> Json:
    """The newest reading of each channel."""
    targets = [
        target(
            c.key,
            select(f"last({name(c.key)})", name(device_type.key), where, lately(silence(device_type))),
            source=READINGS,
            alias=both(c.title),
        )
        for c in device_type.channels
    ]
    overrides = [
        by_ref(c.key, **_looks(c, steps(limited(rules_on(scene, device_type, c)), normal=palette.NORMAL)))
        for c in device_type.channels
    ]
    return tiles(both(device_type.title), targets, overrides=overrides)


def _looks(channel: Channel, colors: list[Json]) -> Json:
    if is_state(channel):
        return {"mappings": words_of_states(channel)}
    return {"unit": unit_id(channel.unit), "thresholds": {"mode": "absolute", "steps": colors}}


def words_of_states(channel: Channel) -> list[Json]:
    """The lowest number is how things rest."""
    rest = min((value for value, _ in channel.states), default=0)
    return palette.words_of_numbers(
        (value, both(word), palette.QUIET if value == rest else palette.ACCENT) for value, word in channel.states
    )


# --- many devices ------------------------------------------------------------------------------------------


def devices_trend(scene: Scene, device_type: DeviceType, channel: Channel, where: str) -> Json:
    """Highest and lowest of each device, in the device's colour."""
    rules = rules_on(scene, device_type, channel)
    targets = [
        _over_time("max", highest(channel.key), device_type, where, alias="$tag_device", by=("device",)),
        _over_time("min", lowest(channel.key), device_type, where, alias="$tag_device", by=("device",)),
    ]
    hidden = {"legend": True, "tooltip": True, "viz": False}
    return trend(
        titled(device_type, channel),
        targets,
        unit=unit_id(channel.unit),
        steps=steps(limited(rules), normal=palette.UNDRAWN),
        overrides=[by_ref("min", custom__hideFrom=hidden)],
        description="\n".join(filter(None, (say("Highest and lowest.", "最高与最低。"), why(rules)))),
    )


def devices_states(device_type: DeviceType, channel: Channel, where: str) -> Json:
    targets = [
        _over_time(channel.key, highest(channel.key), device_type, where, alias="$tag_device", by=("device",))
    ]
    return timeline(titled(device_type, channel), targets, mappings=words_of_states(channel))


def devices_table(scene: Scene, device_type: DeviceType, where: str) -> Json:
    """The newest reading of each device: what it measured at one time stands in one point."""
    first, *others = (name(c.key) for c in device_type.channels)
    what = ", ".join([f"last({first}) AS {first}", *others])
    query = select(what, name(device_type.key), where, IN_RANGE, by=("device",))
    place = ("${scene}", "${site}", of_row("device"))
    columns = [
        Column(name="device", title=DEVICE, links=[to_device(*place, more=KEEP_LEVEL), to_console(*place)]),
        Column(name="Time", title=say("Last heard", "最后上报"), unit="dateTimeFromNow"),
        *(_column(scene, device_type, channel) for channel in device_type.channels),
    ]
    return table(both(device_type.title), [table_target("A", query, source=READINGS)], columns)


def _column(scene: Scene, device_type: DeviceType, channel: Channel) -> Column:
    if is_state(channel):
        return Column(name=channel.key, title=both(channel.title), mappings=words_of_states(channel))
    return Column(
        name=channel.key,
        title=both(channel.title),
        unit=unit_id(channel.unit),
        steps=steps(limited(rules_on(scene, device_type, channel)), normal=palette.NORMAL),
    )


def judgement(device_types: Iterable[DeviceType], where: str) -> Json:
    """The first channel of each device: its worst flag, a row a device."""
    firsts = {(t.key, t.channels[0].key): t.channels[0] for t in device_types}
    targets = [
        _judged(f"{key}.{channel.key}", channel, name(key), where, alias="$tag_device", by=("device",))
        for (key, _), channel in firsts.items()
    ]
    return _judgement(targets)


def device_judgement(device_types: Iterable[DeviceType], where: str) -> Json:
    """Each channel's worst flag, whatever type the device is of."""
    types: dict[tuple[str, str], list[str]] = {}
    channels: dict[tuple[str, str], Channel] = {}
    for device_type in device_types:
        for channel in device_type.channels:
            kind = (channel.key, both(channel.title))
            types.setdefault(kind, []).append(device_type.key)
            channels[kind] = channel
    targets = [
        _judged(f"{channel.key}.{n}", channel, any_of(types[kind]), where, alias=both(channel.title))
        for n, (kind, channel) in enumerate(channels.items())
    ]
    return _judgement(targets)


def _judged(
    ref: str, channel: Channel, measurement: str, where: str, *, alias: str, by: tuple[str, ...] = ()
) -> Json:
    query = select(worst_flag(channel.key), measurement, where, IN_RANGE, by=(BY_TIME, *by), fill="0")
    return target(ref, query, alias=alias)


def _judgement(targets: list[Json]) -> Json:
    return timeline(
        say("Quality and silence", "数据质量与中断"),
        targets,
        mappings=palette.flags(),
        description=say(
            "The worst flag of each interval; the last interval may still be without readings.",
            "各时段最差的质量标志；最后一个时段可能尚无读数。",
        ),
    )


# --- a whole scene -----------------------------------------------------------------------------------------


def extremes(scene: Scene, device_type: DeviceType, channel: Channel) -> Json:
    """Highest, mean and lowest of all devices of a type."""
    panel = device_trend(scene, device_type, channel, of_scene(scene))
    return {**panel, "title": titled(device_type, channel)}


def furthest(scene: Scene, device_type: DeviceType, channel: Channel, rules: Sequence[Rule]) -> Json:
    """The devices nearest to a limit now, or furthest beyond it."""
    pick = "top" if any(isinstance(rule.when, Above) for rule in rules) else "bottom"
    newest = select(
        f'last({name(channel.key)}) AS "now"',
        name(device_type.key),
        of_scene(scene),
        lately(silence(device_type)),
        by=("site", "device"),
    )
    query = select(f'{pick}("now", "site", "device", {MOST_ROWS}) AS "value"', f"({newest})")
    columns = [*_places(scene), replace(_column(scene, device_type, channel), name="value")]
    title = f"{titled(device_type, channel)}, {say('the furthest', '最接近限值')}"
    panel = table(title, [table_target("A", query, source=READINGS)], columns)
    panel["options"]["sortBy"] = [{"displayName": both(channel.title), "desc": pick == "top"}]
    return panel


def minutes_beyond(scene: Scene, device_type: DeviceType, channel: Channel, rules: Sequence[Rule]) -> Json:
    """How long each device was beyond each limit: whole minutes in which it was, at least once."""
    targets = [_minutes(scene, device_type, channel, rule) for rule in rules]
    columns = [*_places(scene), *(Column(name=rule.key, title=both(rule.title), unit="m") for rule in rules)]
    return table(
        f"{titled(device_type, channel)}, {say('minutes out of limits', '超限分钟数')}",
        targets,
        columns,
        sort=both(rules[0].title),
        before=[MERGE] if len(targets) > 1 else [],
        description=say(
            "Minutes in which at least one reading was beyond the limit.", "至少有一个读数超限的分钟数。"
        ),
    )


def _minutes(scene: Scene, device_type: DeviceType, channel: Channel, rule: Rule) -> Json:
    field, sign, limit = _beyond(channel, rule)
    query = select(
        f"count({name(field)}) AS {name(rule.key)}",
        name(device_type.key),
        of_scene(scene),
        f"{name(field)} {sign} {number(limit)}",
        IN_RANGE,
        by=("site", "device"),
    )
    return table_target(rule.key, query, source=FIGURES)


def _places(scene: Scene) -> list[Column]:
    place = (scene.key, of_row("site"), of_row("device"))
    return [
        Column(name="site", title=SITE, links=[to_site(*place[:2], more=KEEP_LEVEL)]),
        Column(name="device", title=DEVICE, links=[to_device(*place, more=KEEP_LEVEL), to_console(*place)]),
    ]


def titled(device_type: DeviceType, channel: Channel) -> str:
    return f"{both(device_type.title)}: {both(channel.title)}"


def _beyond(channel: Channel, rule: Rule) -> tuple[str, str, float]:
    match rule.when:
        case Above(limit, _):
            return f"{channel.key}_max", ">", limit
        case Below(limit, _):
            return f"{channel.key}_min", "<", limit
        case _:
            raise ValueError(f"{rule.key} has no limit")


def _over_time(
    ref: str, what: str, device_type: DeviceType, where: str, *, alias: str, by: tuple[str, ...] = ()
) -> Json:
    """An interval without a reading is null, not left out: so silence is seen as a gap."""
    query = select(what, name(device_type.key), where, IN_RANGE, by=(BY_TIME, *by), fill="null")
    return target(ref, query, source=CHOSEN, alias=alias)
