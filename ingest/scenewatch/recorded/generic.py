"""Makes a scene of a map: device types of what was recorded, channels and rules of the map's entries."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from scenewatch.model.conditions import terms
from scenewatch.model.errors import ConfigurationError, Mistake
from scenewatch.model.scene import DeviceType, Scene
from scenewatch.model.words import Text
from scenewatch.recorded.genericchannels import derived, measured, needs
from scenewatch.recorded.genericrules import rule_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scenewatch.model.rule import Rule
    from scenewatch.model.scene import Channel
    from scenewatch.recorded.inventory import Kind
    from scenewatch.recorded.mapping import Mapping

KEY: Final = "generic"
TITLE: Final = Text("Recorded data", "历史数据")
SITE_TITLE: Final = Text("Site", "站点")


def scene_of(mapping: Mapping, kinds: Sequence[Kind], map_name: str) -> tuple[Scene, list[str]]:
    """The scene, and of each kind the key of its device type. Raises ConfigurationError with all mistakes."""
    mistakes: list[Mistake] = []
    channels: dict[str, Channel] = {}
    for entry in sorted(mapping.channel, key=lambda e: e.derived is not None):
        try:
            channels[entry.key] = measured(entry) if entry.derived is None else derived(entry, channels)
        except ValueError as error:
            mistakes.append(Mistake(f"{map_name}: channel.{entry.key}", str(error)))
    rules: list[Rule] = []
    slowest = max(kind.every for kind in kinds)
    for wanted in mapping.rule:
        try:
            rules.append(rule_of(wanted, channels, map_name, slowest))
        except ValueError as error:
            mistakes.append(Mistake(f"{map_name}: rule.{wanted.key}", str(error)))
    if not mapping.rule:
        mistakes.append(Mistake(map_name, "needs at least one [[rule]] for data of no scene"))
    different = list(dict.fromkeys(kinds))
    types = [_device_type(number, kind, channels.values()) for number, kind in enumerate(different)]
    everywhere = [_everywhere(rule, types) for rule in rules]
    mistakes += [
        Mistake(f"{map_name}: rule.{rule.key}", f"no device has readings of all that it looks at: {rule.on[0]}")
        for rule, found in zip(rules, everywhere, strict=True)
        if not found.on
    ]
    if mistakes:
        raise ConfigurationError(mistakes)
    scene = Scene(
        key=KEY,
        title=TITLE,
        site_title=SITE_TITLE,
        device_types=tuple(types),
        rules=tuple(everywhere),
        faults=(),
        simulator="",
        mishap="",
    )
    return scene, [types[different.index(kind)].key for kind in kinds]


def _device_type(number: int, kind: Kind, channels: Iterable[Channel]) -> DeviceType:
    """With the measured channels that such devices have, and the derived ones that can be made of them."""
    own: list[Channel] = []
    there: set[str] = set()
    for channel in sorted(channels, key=lambda c: c.derived is not None):
        if channel.key in kind.channels if channel.derived is None else needs(channel.derived) <= there:
            own.append(channel)
            there.add(channel.key)
    key = "device" if number == 0 else f"device_{number + 1}"
    title = Text(f"Device, kind {number + 1}", f"设备（第 {number + 1} 类）")
    return DeviceType(key=key, title=title, every=kind.every, channels=tuple(own))


def _everywhere(rule: Rule, types: Sequence[DeviceType]) -> Rule:
    """On its channel of every type that has all channels of its condition."""
    wanted = {*rule.on, *(term.channel for term in terms(rule.when))}
    having = [t for t in types if wanted <= {c.key for c in t.channels}]
    return replace(rule, on=tuple(f"{t.key}.{rule.on[0]}" for t in having))
