"""Operators change a rule's numbers, never its structure: what they gave is checked here and put in its place."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from scenewatch.model.errors import Mistake
from scenewatch.model.scene import Above, NoData
from scenewatch.model.words import seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scenewatch.model.scene import Channel, DeviceType, Rule, Scene

DELAYS = ("on_delay_s", "off_delay_s")


def mistakes(scenes: Iterable[Scene], overrides: Mapping[str, Mapping[str, object]]) -> list[Mistake]:
    """Everything wrong with them, not the first.

    `overrides` has each rule's numbers by `<scene>.<rule>`, limits in the channel's unit, times in seconds. A
    mistake's place is `limits."<scene>.<rule>".<number>`.
    """
    scenes = tuple(scenes)
    rules = {f"{scene.key}.{rule.key}": (scene, rule) for scene in scenes for rule in scene.rules}
    found: list[Mistake] = []
    for key, numbers in overrides.items():
        section = f'limits."{key}"'
        if key not in rules:
            known = ", ".join(sorted(rules)) or "none, as no scene is in use"
            found.append(Mistake(section, f"there is no such rule; the rules are: {known}"))
            continue
        scene, rule = rules[key]
        unreadable = dict(_unreadable(rule, numbers))
        readable = {name: number for name, number in numbers.items() if name not in unreadable}
        out_of_reach = _out_of_reach(scene, overridden(rule, readable), readable)
        found.extend(Mistake(f"{section}.{name}", what) for name, what in (*unreadable.items(), *out_of_reach))
    return found


def in_force(scenes: Iterable[Scene], overrides: Mapping[str, Mapping[str, object]]) -> dict[str, Rule]:
    """Every rule by `<scene>.<rule>`, with these numbers, which have no mistakes."""
    rules = ((f"{scene.key}.{rule.key}", rule) for scene in scenes for rule in scene.rules)
    return {key: overridden(rule, overrides.get(key, {})) for key, rule in rules}


def usable(
    scenes: Iterable[Scene], overrides: Mapping[str, Mapping[str, object]]
) -> dict[str, Mapping[str, object]]:
    """Those of rules that are there and can take them, as a journal may be older than the tables."""
    scenes = tuple(scenes)
    return {key: numbers for key, numbers in overrides.items() if not mistakes(scenes, {key: numbers})}


def overridden(rule: Rule, numbers: Mapping[str, object]) -> Rule:
    """The rule with these numbers, which have no mistakes."""
    given = {name: float(number) for name, number in numbers.items() if isinstance(number, int | float)}
    when = rule.when
    if isinstance(when, NoData):
        when = NoData(seconds(given["after_s"])) if "after_s" in given else when
    else:
        when = type(when)(given.get("limit", when.limit), given.get("deadband", when.deadband))
    return replace(
        rule,
        when=when,
        on_delay=seconds(given["on_delay_s"]) if "on_delay_s" in given else rule.on_delay,
        off_delay=seconds(given["off_delay_s"]) if "off_delay_s" in given else rule.off_delay,
    )


def channels(scene: Scene, rule: Rule) -> Iterator[tuple[DeviceType, Channel]]:
    """What the rule watches."""
    return ((t, c) for t in scene.device_types for c in t.channels if f"{t.key}.{c.key}" in rule.on)


def _unreadable(rule: Rule, numbers: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    names = ("after_s", *DELAYS) if isinstance(rule.when, NoData) else ("limit", "deadband", *DELAYS)
    for name, number in numbers.items():
        if name not in names:
            yield name, f"this rule has no such number; it has: {', '.join(names)}"
        elif isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
            yield name, f"must be a number, not {number!r}"
        elif name != "limit" and number < 0:
            yield name, f"must not be negative, as {number} is"


def _out_of_reach(scene: Scene, rule: Rule, given: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Numbers with which the alarm could never come, or never go, on one of its channels."""
    when = rule.when
    for device_type, channel in channels(scene, rule):
        name = f"{device_type.key}.{channel.key}"
        if isinstance(when, NoData):
            if when.after <= device_type.every:
                every_s = device_type.every / 1000
                yield "after_s", f"must be more than the {every_s:g} s between two readings of {name}"
            continue
        possible, unit = channel.possible, channel.unit
        release = when.limit - when.deadband if isinstance(when, Above) else when.limit + when.deadband
        span = f"{possible.low:g} to {possible.high:g} {unit}".rstrip()
        if not possible.low <= when.limit <= possible.high:
            yield "limit", f"{when.limit:g} is outside what {name} can measure: {span}"
        elif not possible.low <= release <= possible.high:
            wrong = "deadband" if "deadband" in given else "limit"
            yield wrong, f"the alarm would return at {release:g}, outside what {name} can measure: {span}"
