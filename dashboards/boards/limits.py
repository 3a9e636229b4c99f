"""The limits of a channel's rules as Grafana's thresholds: which colour a value has, and where lines are drawn."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from boards.palette import OF_PRIORITY, SOON
from scenewatch.model.conditions import compared, limits, passes
from scenewatch.model.rule import Above, Below, Flagged, Outside, Priority

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boards.panels import Json
    from scenewatch.model.rule import Comparison, Rule
    from scenewatch.model.scene import Channel, DeviceType, Scene

_URGENCY = (Priority.LOW, Priority.MEDIUM, Priority.HIGH)
_CALM, _NEAR = -2, -1
"""Below every place in `_URGENCY`: within no deadband, and within one."""


class Limited(NamedTuple):
    """A comparison that a rule makes of a channel, by itself or as one of several."""

    rule: Rule
    is_: Comparison


def rules_on(scene: Scene, device_type: DeviceType, channel: Channel) -> list[Rule]:
    place = f"{device_type.key}.{channel.key}"
    compares = {one.rule.key for one in drawn_on(scene, device_type, channel)}
    return [rule for rule in scene.rules if place in rule.on or rule.key in compares]


def drawn_on(scene: Scene, device_type: DeviceType, channel: Channel) -> list[Limited]:
    """Every limit that a chart of this channel shows."""
    return [
        Limited(rule, comparison)
        for rule in scene.rules
        for watched, comparison in compared(rule, device_type)
        if watched.key == channel.key and limits(comparison)
    ]


def limits_on(scene: Scene, device_type: DeviceType, channel: Channel) -> list[Limited]:
    """Those that are an alarm by themselves: to be near one of several that belong together says nothing."""
    return [one for one in drawn_on(scene, device_type, channel) if one.is_ == one.rule.when]


def steps(found: Sequence[Limited], *, normal: str) -> list[Json]:
    """Grafana's ascending steps: the colour of the most urgent rule a value breaks, amber within a deadband.

    Each limit is a step of its own, also where the colour stays: a line is drawn at each.
    """
    edges = {edge for one in found for edge in limits(one.is_)}
    cuts = sorted({cut for one in found for cut in _cuts(one.is_)})
    middles = [(low + high) / 2 for low, high in pairwise(cuts)]
    inside = [cuts[0] - 1, *middles, cuts[-1] + 1] if cuts else [0.0]
    steps: list[Json] = []
    for begins, value in zip((None, *cuts), inside, strict=True):
        color = _color(max((_urgency(one, value) for one in found), default=_CALM), normal)
        if not steps or steps[-1]["color"] != color or begins in edges:
            steps.append({"value": begins, "color": color})
    return steps


def _cuts(comparison: Comparison) -> tuple[float, ...]:
    match comparison:
        case Above(limit, deadband):
            return (limit - deadband, limit)
        case Below(limit, deadband):
            return (limit, limit + deadband)
        case Outside(low, high, deadband):
            return (low, low + deadband, high - deadband, high)
        case Flagged():
            return ()


def _urgency(one: Limited, value: float) -> int:
    if passes(one.is_, value):
        return _URGENCY.index(one.rule.priority)
    return _NEAR if passes(_without_deadband(one.is_), value) else _CALM


def _without_deadband(comparison: Comparison) -> Comparison:
    """Where it would still hold if it held already."""
    match comparison:
        case Above(limit, deadband):
            return Above(limit - deadband)
        case Below(limit, deadband):
            return Below(limit + deadband)
        case Outside(low, high, deadband):
            return Outside(low + deadband, high - deadband)
        case Flagged():
            return comparison


def _color(urgency: int, normal: str) -> str:
    if urgency == _CALM:
        return normal
    return SOON if urgency == _NEAR else OF_PRIORITY[_URGENCY[urgency]]
