"""The devices of recorded data: which site, id and type each has, by the map or by what its readings tell."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from scenewatch.model.errors import ConfigurationError, Mistake
from scenewatch.model.place import ID, UNNAMED, Device
from scenewatch.model.words import Duration, Text
from scenewatch.recorded.mapping import NamedDeviceEntry
from scenewatch.recorded.notes import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


def devices_of(
    recorded: Recorded, scene: Scene, mapping: Mapping, known: Iterable[Device] = (), types: Sequence[str] = ()
) -> list[Device]:
    """In the order of the recorded devices. `known` are those of an inventory; `types` each one's, if clear.

    Raises ConfigurationError where the type of one is not clear, or an entry of the map names none.
    """
    mistakes = [
        Mistake(f'devices."{name}"', "there is no such device in the files")
        for name in sorted(set(mapping.devices) - set(recorded.devices))
    ]
    inventory = _by_name(known)
    made: list[Device] = []
    taken: set[tuple[str, str]] = set()
    for number, (name, channels) in enumerate(zip(recorded.devices, recorded.channels_of(), strict=True)):
        if (device := inventory.get(name)) is not None:
            made.append(device)
            continue
        entry = mapping.devices.get(name, NamedDeviceEntry())
        called = _called(name, scene.key, (entry, mapping.device.site or SITE), number)
        if (called.site, called.device) in taken:
            called = called._replace(device=f"{called.device[: LONGEST_ID - 8]}-{number + 1}")
        taken.add((called.site, called.device))
        if called.device != name.rpartition(".")[2] and not entry.id:
            recorded.notes.tell("", Trouble.RENAMED, at=[f"{name} → {called.device}"])
        kind = types[number] if types else entry.type or mapping.device.type or _fit(scene, channels)
        if kind not in {t.key for t in scene.device_types}:
            mistakes.append(Mistake(f'devices."{name}"', _no_type(kind, scene)))
            continue
        made.append(Device(scene=scene.key, site=called.site, device=called.device, type=kind, name=called.title))
    if mistakes:
        raise ConfigurationError(mistakes)
    return made


def _by_name(known: Iterable[Device]) -> dict[str, Device]:
    """By all that a file may call them; a device's own id where only one has it."""
    known = list(known)
    own = Counter(device.device for device in known)
    found = {device.device: device for device in known if own[device.device] == 1}
    found |= {f"{device.site}.{device.device}": device for device in known}
    return found | {device.id: device for device in known}


def _called(name: str, scene: str, said: tuple[NamedDeviceEntry, str], number: int) -> Called:
    """A name such as `site.device`, or `scene.site.device`, says both; else the site is the given one."""
    entry, site = said
    parts = name.removeprefix(f"{scene}.").split(".")
    if len(parts) == len(("site", "device")):
        site, own = parts
    else:
        own = name
    own = entry.id or own
    title = entry.title or (UNNAMED if ID.match(own) else Text(name, name))
    return Called(_id(entry.site or site, SITE), _id(own, f"device-{number + 1}"), title)


def _id(text: str, otherwise: str) -> str:
    return NOT_IN_IDS.sub("-", text).strip("-")[:LONGEST_ID] or otherwise


def _fit(scene: Scene, channels: tuple[str, ...]) -> str:
    """The only type that measures just these, or all of these; empty where there is no such one."""
    own = {t.key: {c.key for c in t.measured} for t in scene.device_types}
    just = [key for key, measured in own.items() if measured == set(channels)]
    all_of_these = [key for key, measured in own.items() if measured >= set(channels)]
    return next((found[0] for found in (just, all_of_these) if len(found) == 1), "")


def _no_type(kind: str, scene: Scene) -> str:
    known = ", ".join(t.key for t in scene.device_types)
    said = f"{scene.key} has no device type {kind}" if kind else "its channels do not tell its device type"
    return f"{said}: give an inventory, or say type in the map, one of {known}"
