"""Which device type has such channels: for a device that is not in the inventory, or not as what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from scenewatch.model.scene import DeviceType


def by_fit(types: Iterable[DeviceType], channels: Collection[str]) -> list[DeviceType]:
    """Those first that have most of them and least else; alike ones stay in their order."""
    return sorted(types, key=lambda device_type: -_fit(device_type, channels))


def best_fit(types: Iterable[DeviceType], channels: Collection[str]) -> DeviceType | None:
    """None where no type has any of them, or not one alone fits best."""
    first, second = [*by_fit(types, channels), None, None][:2]
    if first is None or not _fit(first, channels):
        return None
    return None if second is not None and _fit(second, channels) == _fit(first, channels) else first


def _fit(device_type: DeviceType, channels: Collection[str]) -> float:
    """1 where they are the same, 0 where no channel is common."""
    keys, said = {channel.key for channel in device_type.measured}, set(channels)
    return len(keys & said) / max(1, len(keys | said))
