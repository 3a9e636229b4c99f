"""Which device type has such channels: for a device that is not in the inventory, or not as what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from scenewatch.model.scene import DeviceType


def best_fit(types: Iterable[DeviceType], channels: Collection[str]) -> DeviceType | None:
    """The one that has most of them and least else; None where that is none, or not one alone."""
    said = set(channels)
    by_fit: dict[float, list[DeviceType]] = {}
    for device_type in types:
        keys = {channel.key for channel in device_type.channels}
        if keys & said:
            by_fit.setdefault(len(keys & said) / len(keys | said), []).append(device_type)
    best = by_fit[max(by_fit)] if by_fit else []
    return best[0] if len(best) == 1 else None
