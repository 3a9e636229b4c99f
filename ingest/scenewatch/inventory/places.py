"""Coordinates that may have been exchanged although both are possible: found by where the other devices are."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scenewatch.model.place import Device

NEAR_DEGREES = 5.0
FAR_DEGREES = 10.0
FEWEST = 3
"""Devices with a place; of fewer none is the odd one."""


def swapped(entries: Iterable[tuple[int, Device]]) -> Iterator[tuple[int, str]]:
    """Entries far from where most are that would be near with latitude and longitude exchanged.

    Only a second look is asked for: a device may really be there.
    """
    placed = [(number, d.lat, d.lon) for number, d in entries if d.lat is not None and d.lon is not None]
    if len(placed) < FEWEST:
        return
    mid_lat, mid_lon = median(lat for _, lat, _ in placed), median(lon for _, _, lon in placed)
    for number, lat, lon in placed:
        is_far = max(abs(lat - mid_lat), abs(lon - mid_lon)) > FAR_DEGREES
        if is_far and max(abs(lon - mid_lat), abs(lat - mid_lon)) < NEAR_DEGREES:
            yield (
                number,
                f"lat {lat:g} and lon {lon:g} may be swapped: most devices are near {mid_lat:g}, {mid_lon:g}",
            )
