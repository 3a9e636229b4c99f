"""What a rule's condition is made of, for all who check, tell or draw it: its kind, its comparisons, its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from scenewatch.model.insight import Departure, Slope, TimeTo
from scenewatch.model.rule import Above, AtLeast, Below, Flagged, Happened, NoData, Outside, Then

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scenewatch.model.insight import Derived
    from scenewatch.model.rule import Comparison, Condition, Priority, Rule, Term
    from scenewatch.model.scene import Channel, DeviceType, Scene
    from scenewatch.model.words import Duration

KINDS: Final[Mapping[type[Condition], str]] = {
    Above: "above",
    Below: "below",
    Outside: "outside",
    Flagged: "flagged",
    AtLeast: "at_least",
    Then: "then",
    NoData: "no_data",
    Happened: "happened",
}
"""The kinds by the names that the outside knows."""
KINDS_OF_DERIVED: Final[Mapping[type[Derived], str]] = {
    Departure: "deviation",
    Slope: "rate",
    TimeTo: "time_to_breach",
}
"""Comparisons that are called by what their channel tells."""


class Compared(NamedTuple):
    """A comparison on one channel."""

    channel: Channel
    is_: Comparison


class Line(NamedTuple):
    """A limit as a chart draws it, across the values of one channel."""

    channel: str
    at: float
    priority: Priority


def terms(condition: Condition) -> tuple[Term, ...]:
    """Of a combination; in the order of time where that matters."""
    match condition:
        case AtLeast(_, found):
            return found
        case Then(first=first, second=second):
            return (first, second)
        case _:
            return ()


def limits(comparison: Comparison) -> tuple[float, ...]:
    """The numbers that a value must not pass."""
    match comparison:
        case Above(limit) | Below(limit):
            return (limit,)
        case Outside(low, high):
            return (low, high)
        case Flagged():
            return ()


def passes(comparison: Comparison, value: float) -> bool:
    """Whether a value alone, without delay and deadband, is beyond the limits."""
    match comparison:
        case Above(limit):
            return value > limit
        case Below(limit):
            return value < limit
        case Outside(low, high):
            return value < low or value > high
        case Flagged():
            return False


def watched_types(scene: Scene, rule: Rule) -> list[DeviceType]:
    """In the rule's order; what is no device type is left out."""
    types = {t.key: t for t in scene.device_types}
    named = dict.fromkeys(on.partition(".")[0] for on in rule.on)
    return [types[key] for key in named if key in types]


def kind_of(scene: Scene, rule: Rule) -> str:
    """By the first of its channels that there is."""
    if isinstance(rule.when, Above | Below | Outside):
        for device_type in watched_types(scene, rule):
            for channel, _ in compared(rule, device_type):
                return KINDS_OF_DERIVED.get(type(channel.derived), KINDS[type(rule.when)])  # type: ignore[arg-type] # nothing derived is no kind
    return KINDS[type(rule.when)]


def compared(rule: Rule, device_type: DeviceType) -> list[Compared]:
    """Every comparison that the rule makes of a device of this type; of one that it does not watch none."""
    channels = {c.key: c for c in device_type.channels}
    when = rule.when
    if isinstance(when, Above | Below | Outside | Flagged):
        return [Compared(c, when) for c in channels.values() if f"{device_type.key}.{c.key}" in rule.on]
    if not any(on.partition(".")[0] == device_type.key for on in rule.on):
        return []
    return [Compared(channels[t.channel], t.is_) for t in terms(when) if t.channel in channels]


def told_every(scene: Scene, device_type: DeviceType, rule: Rule) -> tuple[Duration, str]:
    """How long what a rule about missing data waits for is silent of itself, and what that is."""
    for channel in device_type.channels:
        name = f"{device_type.key}.{channel.key}"
        if name in rule.on:
            return device_type.every if channel.derived is None else channel.derived.every, name
    speaking = (t for t in scene.device_types if t.channels)
    slowest = max(speaking, key=lambda t: t.every, default=device_type)
    return slowest.every, slowest.key


def lines(scene: Scene, rule: Rule) -> list[Line]:
    """Every limit in the charts of numbers, each once. A state has words, no height."""
    return list(dict.fromkeys(_lines(scene, rule)))


def _lines(scene: Scene, rule: Rule) -> Iterator[Line]:
    for device_type in watched_types(scene, rule):
        for channel, comparison in compared(rule, device_type):
            if not channel.states:
                yield from (Line(channel.key, at, rule.priority) for at in limits(comparison))
            if not channel.states and f"{device_type.key}.{channel.key}" in rule.on:
                yield from _step_lines(rule, channel)


def _step_lines(rule: Rule, channel: Channel) -> Iterator[Line]:
    for step in rule.priority_steps:
        if step.beyond is not None:
            yield from (Line(channel.key, at, step.to) for at in limits(step.beyond))
