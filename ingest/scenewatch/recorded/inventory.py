"""The devices of recorded data: which site, id and type each has, by the map or by what its readings tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from scenewatch.model.errors import ConfigurationError, Mistake
from scenewatch.model.fitting import best_fit
from scenewatch.model.place import ID, UNNAMED, Device
from scenewatch.model.words import Duration, Text
from scenewatch.recorded.mapping import NamedDeviceEntry
from scenewatch.recorded.notes import Trouble

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenewatch.model.scene import Scene
    from scenewatch.recorded.mapping import Mapping
    from scenewatch.recorded.recorded import Recorded

SITE: Final = "recorded"
NOT_IN_IDS: Final = re.compile(r"[^A-Za-z0-9_-]+")
LONGEST_ID: Final = 64
SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
INTERVALS_MS: Final = (
    *(n * SECOND for n in (1, 2, 5, 10, 15, 20, 30)),
    *(n * MINUTE for n in (1, 2, 3, 5, 10, 15, 20, 30)),
    *(n * HOUR for n in (1, 2, 3, 4, 6, 8, 12, 24)),
)
"""At which devices usually report."""


class Kind(NamedTuple):
    """Devices that are alike: a device type is made of them."""

    channels: tuple[str, ...]
    every: Duration


class Called(NamedTuple):
    """What a device is called in the inventory."""

    site: str
    device: str
    title: Text


def kinds_of(recorded: Recorded, mapping: Mapping) -> list[Kind]:
    """Of each device. What is measured as its interval is told."""
    said = mapping.device.every
    kinds = []
    for name, channels, step_ms in zip(
        recorded.devices, recorded.channels_of(), recorded.intervals_ms(), strict=True
    ):
        every = usual(step_ms) if said is None else said
        if said is None:
            recorded.notes.tell("", Trouble.INTERVAL, at=[f"{name} {every / MINUTE:g} min"])
        kinds.append(Kind(channels, Duration(every)))
    return kinds


def usual(step_ms: int) -> int:
    """The interval that a measured one is nearest to."""
    if step_ms > INTERVALS_MS[-1]:
        return step_ms
    return min(INTERVALS_MS, key=lambda usual_ms: max(usual_ms, step_ms) / max(1, min(usual_ms, step_ms)))


def devices_of(recorded: Recorded, scene: Scene, mapping: Mapping, types: Sequence[str] | None) -> list[Device]:
    """In the order of the recorded devices. `types` are theirs where the scene was made of them.

    Raises ConfigurationError where the type of one is not clear, or an entry of the map names none.
    """
    mistakes = [
        Mistake(f'devices."{name}"', "there is no such device in the files")
        for name in sorted(set(mapping.devices) - set(recorded.devices))
    ]
    made: list[Device] = []
    taken: set[tuple[str, str]] = set()
    for number, (name, channels) in enumerate(zip(recorded.devices, recorded.channels_of(), strict=True)):
        entry = mapping.devices.get(name, NamedDeviceEntry())
        called = _called(name, scene.key, (entry, mapping.device.site or SITE), number)
        if (called.site, called.device) in taken:
            called = called._replace(device=f"{called.device[: LONGEST_ID - 8]}-{number + 1}")
        taken.add((called.site, called.device))
        if name not in (
            called.device,
            f"{called.site}.{called.device}",
            f"{scene.key}.{called.site}.{called.device}",
        ):
            recorded.notes.tell("", Trouble.RENAMED, at=[f"{name} → {called.device}"])
        kind = types[number] if types is not None else entry.type or mapping.device.type or _fit(scene, channels)
        if kind not in {t.key for t in scene.device_types}:
            mistakes.append(Mistake(f'devices."{name}"', _no_type(kind, scene)))
            continue
        made.append(Device(scene=scene.key, site=called.site, device=called.device, type=kind, name=called.title))
    if mistakes:
        raise ConfigurationError(mistakes)
    return made


def _called(name: str, scene: str, said: tuple[NamedDeviceEntry, str], number: int) -> Called:
    """A name such as `site.device`, or `scene.site.device`, says both; else the site is the given one."""
    entry, site = said
    parts = name.split(".")
    if len(parts) == 3 and parts[0] == scene:
        parts = parts[1:]
    if len(parts) == 2:
        site = parts[0]
    own = entry.id or parts[-1] if len(parts) <= 2 else entry.id or name
    title = entry.title or (UNNAMED if ID.match(own) else Text(name, name))
    return Called(_id(entry.site or site, SITE), _id(own, f"device-{number + 1}"), title)


def _id(text: str, otherwise: str) -> str:
    return NOT_IN_IDS.sub("-", text).strip("-")[:LONGEST_ID] or otherwise


def _fit(scene: Scene, channels: tuple[str, ...]) -> str:
    found = best_fit(scene.device_types, channels)
    return found.key if found is not None else ""


def _no_type(kind: str, scene: Scene) -> str:
    known = ", ".join(t.key for t in scene.device_types)
    said = f"{scene.key} has no device type {kind}" if kind else "its channels do not tell its device type"
    return f"{said}: say type in the map, one of {known}"
