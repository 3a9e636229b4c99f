"""Panels of the readings of one device: limits drawn, no one-sample peak hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boards import palette
from boards.influxql import (
    READINGS,
    average,
    highest,
    lately,
    lowest,
    name,
    select,
    target,
)
from boards.limits import drawn_on, limits_on, rules_on, steps
from boards.panels import by_ref, color, tiles, timeline, trend
from boards.readings import (
    is_state,
    judged,
    judgement_of,
    over_time,
    silence,
    steady,
    telling,
    why,
    words_of_states,
)
from boards.units import in_unit, unit_id
from boards.words import both, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boards.panels import Json
    from scenewatch.model.scene import Channel, DeviceType, Scene

MAX, MIN, MEAN = say("max", "最高"), say("min", "最低"), say("mean", "均值")


def device_trend(title: str, scene: Scene, device_type: DeviceType, channel: Channel, where: str) -> Json:
    """Mean as a line within the band of lowest and highest."""
    measurement = name(device_type.key)
    targets = [
        over_time("max", highest(channel.key), measurement, where, alias=MAX),
        over_time("min", lowest(channel.key), measurement, where, alias=MIN),
        over_time("mean", average(channel.key), measurement, where, alias=MEAN),
    ]
    edge = {"color": color(palette.ACCENT), "custom__lineWidth": 1}
    overrides = [
        by_ref("max", **edge, custom__fillBelowTo=MIN, custom__fillOpacity=18),
        by_ref("min", **edge),
        by_ref("mean", color=color(palette.ACCENT), custom__lineWidth=2),
    ]
    rules = rules_on(scene, device_type, channel)
    panel = trend(
        title,
        targets,
        unit=unit_id(channel.unit),
        steps=steps(drawn_on(scene, device_type, channel), normal=palette.UNDRAWN),
        overrides=overrides,
        description=why(rules),
    )
    return steady(panel, device_type, channel)


def device_states(scene: Scene, device_type: DeviceType, channels: Sequence[Channel], where: str) -> Json:
    """States of a device in words."""
    targets = []
    for channel in channels:
        what = telling(channel, drawn_on(scene, device_type, channel))
        targets.append(over_time(channel.key, what, name(device_type.key), where, alias=both(channel.title)))
    overrides = [by_ref(c.key, mappings=words_of_states(c)) for c in channels]
    return timeline(say("States", "状态"), targets, overrides=overrides)


def last_values(scene: Scene, device_type: DeviceType, where: str) -> Json:
    """The newest reading of each channel."""
    targets = [
        target(
            c.key,
            select(f"last({name(c.key)})", name(device_type.key), where, lately(silence(device_type, c))),
            source=READINGS,
            alias=both(c.title),
        )
        for c in device_type.channels
    ]
    overrides = [
        by_ref(c.key, **_looks(c, steps(limits_on(scene, device_type, c), normal=palette.NORMAL)))
        for c in device_type.channels
    ]
    return tiles(say("Newest readings", "最新读数"), targets, overrides=overrides)


def _looks(channel: Channel, colors: list[Json]) -> Json:
    if is_state(channel):
        return {"mappings": words_of_states(channel)}
    return {**in_unit(unit_id(channel.unit)), "thresholds": {"mode": "absolute", "steps": colors}}


def device_judgement(device_type: DeviceType, where: str) -> Json:
    """The worst flag of each channel that is measured: what follows from them is no better."""
    measurement = name(device_type.key)
    return judgement_of(
        [judged(c.key, c, measurement, where, alias=both(c.title)) for c in device_type.measured],
    )
