"""The limits of a channel's rules as Grafana's thresholds: which colour a value has, and where lines are drawn."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from boards.palette import OF_PRIORITY, SOON
from scenewatch.model.scene import Above, Below, NoData, Priority

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boards.panels import Json
    from scenewatch.model.scene import Channel, DeviceType, Rule, Scene

_URGENCY = (Priority.LOW, Priority.MEDIUM, Priority.HIGH)
_CALM, _NEAR = -2, -1
"""Below every place in `_URGENCY`: within no deadband, and within one."""


def rules_on(scene: Scene, device_type: DeviceType, channel: Channel) -> list[Rule]:
    place = f"{device_type.key}.{channel.key}"
    return [rule for rule in scene.rules if place in rule.on]


def limited(rules: Sequence[Rule]) -> list[Rule]:
    """Those with a limit to the value."""
    return [rule for rule in rules if not isinstance(rule.when, NoData)]


def steps(rules: Sequence[Rule], *, normal: str) -> list[Json]:
    """Grafana's ascending steps: the colour of the most urgent rule a value breaks, amber within a deadband.

    Each limit is a step of its own, also where the colour stays: a line is drawn at each.
    """
    edges = {rule.when.limit for rule in rules if not isinstance(rule.when, NoData)}
    cuts = sorted({cut for rule in rules for cut in _cuts(rule)})
    middles = [(low + high) / 2 for low, high in pairwise(cuts)]
    inside = [cuts[0] - 1, *middles, cuts[-1] + 1] if cuts else [0.0]
    found: list[Json] = []
    for begins, value in zip((None, *cuts), inside, strict=True):
        color = _color(max((_urgency(rule, value) for rule in rules), default=_CALM), normal)
        if not found or found[-1]["color"] != color or begins in edges:
            found.append({"value": begins, "color": color})
    return found


def _cuts(rule: Rule) -> tuple[float, ...]:
    match rule.when:
        case Above(limit, deadband):
            return (limit - deadband, limit)
        case Below(limit, deadband):
            return (limit, limit + deadband)
        case NoData():
            return ()


def _urgency(rule: Rule, value: float) -> int:
    match rule.when:
        case Above(limit, deadband):
            beyond, near = value > limit, value > limit - deadband
        case Below(limit, deadband):
            beyond, near = value < limit, value < limit + deadband
        case NoData():
            beyond = near = False
    if beyond:
        return _URGENCY.index(rule.priority)
    return _NEAR if near else _CALM


def _color(urgency: int, normal: str) -> str:
    if urgency == _CALM:
        return normal
    return SOON if urgency == _NEAR else OF_PRIORITY[_URGENCY[urgency]]
