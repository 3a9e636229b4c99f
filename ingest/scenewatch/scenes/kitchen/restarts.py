"""Gateways start anew once a week, at night, when their maker's updates come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scenewatch.model.event import Happening
from scenewatch.model.words import days, hours, minutes
from scenewatch.scenes.kitchen.chance import key_of
from scenewatch.scenes.kitchen.day import AHEAD_MS, DAY_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenewatch.model.place import Device

WEEK_MS: Final = days(7)
SUNDAY_AT_TWO_MS: Final = 3 * DAY_MS + hours(2) - AHEAD_MS
"""Local, of the week that 1970 begins with, a Thursday."""
SPREAD_MS: Final = minutes(90)


class Restarts:
    """The gateways of all sites."""

    def __init__(self, devices: Sequence[Device], *, seed: int) -> None:
        self._gateways = [
            (n, SUNDAY_AT_TWO_MS + key_of(seed, f"{d.id}/restart")[0] % SPREAD_MS)
            for n, d in enumerate(devices)
            if d.type == "gateway"
        ]

    def told(self, from_ms: int, to_ms: int) -> Iterator[Happening]:
        """In (from_ms, to_ms]."""
        for device, first_ms in self._gateways:
            for week in range((from_ms - first_ms) // WEEK_MS + 1, (to_ms - first_ms) // WEEK_MS + 1):
                at_ms = first_ms + week * WEEK_MS
                yield Happening(device=device, t_ms=at_ms, kind="started", data={"reason": "update"})
