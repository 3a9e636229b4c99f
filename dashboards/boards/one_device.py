"""Panels of one device's readings, whatever its type is: limits drawn, no one-sample peak hidden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from boards import palette
from boards.influxql import (
    READINGS,
    any_of,
    average,
    highest,
    lately,
    lowest,
    name,
    select,
    target,
)
from boards.limits import limited, rules_on, steps
from boards.panels import by_ref, color, tiles, timeline, trend
from boards.readings import is_state, judged, judgement_of, over_time, silence, telling, why, words_of_states
from boards.units import in_unit, unit_id
from boards.words import both, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from boards.panels import Json
    from scenewatch.model.scene import Channel, DeviceType, Rule, Scene

MAX, MIN, MEAN = say("max", "最高"), say("min", "最低"), say("mean", "均值")


@dataclass(frozen=True)
class Alike:
    """A channel that device types of a scene have just so, with the same rules: one panel serves them all."""

    channel: Channel
    rules: tuple[Rule, ...]
    types: tuple[DeviceType, ...]

    @property
    def measurement(self) -> str:
        return any_of(t.key for t in self.types)


def alike(scene: Scene) -> list[Alike]:
    """All channels of a scene, in the order of its tables."""
    found: dict[tuple[Channel, tuple[Rule, ...]], list[DeviceType]] = {}
    for device_type in scene.device_types:
        for channel in device_type.channels:
            rules = tuple(rules_on(scene, device_type, channel))
            found.setdefault((channel, rules), []).append(device_type)
    return [Alike(channel, rules, tuple(types)) for (channel, rules), types in found.items()]


def device_trend(title: str, one: Alike, where: str) -> Json:
    """Mean as a line within the band of lowest and highest."""
    key = one.channel.key
    targets = [
        over_time("max", highest(key), one.measurement, where, alias=MAX),
        over_time("min", lowest(key), one.measurement, where, alias=MIN),
        over_time("mean", average(key), one.measurement, where, alias=MEAN),
    ]
    edge = {"color": color(palette.ACCENT), "custom__lineWidth": 1}
    overrides = [
        by_ref("max", **edge, custom__fillBelowTo=MIN, custom__fillOpacity=18),
        by_ref("min", **edge),
        by_ref("mean", color=color(palette.ACCENT), custom__lineWidth=2),
    ]
    return trend(
        title,
        targets,
        unit=unit_id(one.channel.unit),
        steps=steps(limited(one.rules), normal=palette.UNDRAWN),
        overrides=overrides,
        description=why(one.rules),
    )


def device_states(some: Sequence[Alike], where: str) -> Json:
    """States of a device in words."""
    targets = []
    overrides = []
    for n, one in enumerate(some):
        ref = f"{one.channel.key}.{n}"
        what = telling(one.channel, one.rules)
        targets.append(over_time(ref, what, one.measurement, where, alias=both(one.channel.title)))
        overrides.append(by_ref(ref, mappings=words_of_states(one.channel)))
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
    return {**in_unit(unit_id(channel.unit)), "thresholds": {"mode": "absolute", "steps": colors}}


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
        judged(f"{channel.key}.{n}", channel, any_of(types[kind]), where, alias=both(channel.title))
        for n, (kind, channel) in enumerate(channels.items())
    ]
    return judgement_of(targets)
