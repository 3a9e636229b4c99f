"""The kitchens with eight rules on every channel, none of which is ever raised by the benchmarks' values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scenewatch.model.rule import Above, Condition, NoData, Rule
from scenewatch.model.words import hours
from scenewatch.scenes import demonstration
from scenewatch.scenes.kitchen import KITCHEN

if TYPE_CHECKING:
    from pathlib import Path

    from scenewatch.model.place import Device
    from scenewatch.model.scene import Channel, DeviceType, Scene

RULES_A_CHANNEL = 8
LIMITS = tuple(0.84 + 0.02 * n for n in range(RULES_A_CHANNEL - 1))
"""As shares of what the channel can measure, from its bottom."""


def _rules(device_type: DeviceType, channel: Channel) -> tuple[Rule, ...]:
    low, high = channel.possible.low, channel.possible.high
    conditions: tuple[Condition, ...] = tuple(Above(low + share * (high - low)) for share in LIMITS)
    return tuple(
        replace(
            KITCHEN.rule("door_ajar"),
            key=f"{device_type.key}_{channel.key}_{number}",
            on=(f"{device_type.key}.{channel.key}",),
            when=when,
            on_delay=hours(0),
        )
        for number, when in enumerate((*conditions, NoData(hours(10))))
    )


_RULES = tuple(rule for t in KITCHEN.device_types for c in t.channels for rule in _rules(t, c))

SCENE = replace(
    KITCHEN,
    key="canteen",
    rules=_RULES,
    faults=(replace(KITCHEN.fault("door_ajar"), rules=tuple(rule.key for rule in _RULES)),),
)


def devices(sites: int, scene: Scene = SCENE) -> list[Device]:
    """The fridges and freezers of so many kitchens, five each."""
    made = demonstration(KITCHEN).devices(sites)
    return [replace(d, scene=scene.key) for d in made if d.type in {"fridge", "freezer"}]


def install(folder: Path) -> None:
    """Make it a scene of any Python that has `folder` and this file's folder on its path."""
    metadata = folder / "eight_rules-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: eight-rules\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[scenewatch.scenes]\ncanteen = eight_rules:SCENE\n")
