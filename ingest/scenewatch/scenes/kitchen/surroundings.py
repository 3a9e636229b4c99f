"""What all devices of a site share in an hour: the room they stand in, who works there, and what is being done."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from scenewatch.scenes.kitchen.chance import HOUR_S, generator, key_of
from scenewatch.scenes.kitchen.day import local_time, minutes_late, shift_at, timetable
from scenewatch.scenes.kitchen.device_types import EVERY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from scenewatch.scenes.kitchen.chance import Key
    from scenewatch.scenes.kitchen.day import Occasion, Shift

HOUR_MS: Final = HOUR_S * 1000
STEPS_AN_HOUR: Final = HOUR_MS // EVERY
STEPS_A_MINUTE: Final = 60_000 // EVERY
ROOM_SPREAD_K: Final = 0.5
STEAM_PER_K: Final = 1.8
"""Points of humidity that come with each kelvin which cooking lifts the room by."""


@dataclass(frozen=True, slots=True)
class Placed:
    """The devices of one kind in a simulation, a row each."""

    seed: int
    ids: tuple[str, ...]
    types: tuple[str, ...]
    site: NDArray[np.intp]
    """Row of each one's site in `Hour`."""
    first: NDArray[np.intp]
    """Column of its first channel among the values of all devices."""

    def keys(self, what: str) -> list[Key]:
        """Of the random numbers that `what` of each device draws."""
        return [key_of(self.seed, f"{name}/{what}") for name in self.ids]


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour at all sites; arrays have a row a site."""

    number: int
    """Since 1970."""
    local: datetime
    """Its begin."""
    shift: Shift
    room_c: NDArray[np.float64]
    """Where the kitchen's temperature tends to."""
    humidity: NDArray[np.float64]
    """Of the kitchen's air, %."""
    late_min: NDArray[np.float64]

    @property
    def at_ms(self) -> int:
        return self.number * HOUR_MS

    def during(self, occasion: Occasion, late_min: NDArray[np.float64]) -> NDArray[np.float64]:
        """(rows, steps of the hour): 1 in steps that begin within it, a row each for how late it is kept."""
        going_on = np.zeros((len(late_min), STEPS_AN_HOUR))
        first_min = 60.0 * self.local.hour
        for begin, end in timetable(self.local.date(), occasion):
            if end + late_min.max(initial=0.0) > first_min and begin < first_min + 60.0:
                minute = first_min + np.arange(STEPS_AN_HOUR) / STEPS_A_MINUTE - late_min[:, None]
                going_on[(begin <= minute) & (minute < end)] = 1.0
        return going_on


class Surroundings:
    """All sites of a simulation."""

    def __init__(self, sites: Sequence[str], *, seed: int) -> None:
        self._keys = [key_of(seed, site) for site in sites]
        self._late_min = np.array([minutes_late(site) for site in sites], np.float64)

    def hour(self, number: int) -> Hour:
        local = local_time(number * HOUR_MS)
        shift = shift_at(local)
        of_site = np.array([generator(key, number).normal(0.0, ROOM_SPREAD_K) for key in self._keys])
        room_c = room_without_chance(local) + shift.cooking_k + of_site
        humidity = humidity_without_chance(local) + STEAM_PER_K * shift.cooking_k + 4.0 * of_site
        return Hour(number, local, shift, room_c, humidity, self._late_min)


def room_without_chance(local: datetime) -> float:
    """°C in a kitchen nobody works in: warmest in late July and in mid-afternoon."""
    season = math.cos(2 * math.pi * (local.timetuple().tm_yday - 205) / 365.25)
    daytime = math.cos(2 * math.pi * (local.hour + local.minute / 60 - 15) / 24)
    return 23.0 + 3.8 * season + 1.5 * daytime


def humidity_without_chance(local: datetime) -> float:
    """% in a kitchen nobody works in: dampest in the plum rains of June, and at night."""
    season = math.cos(2 * math.pi * (local.timetuple().tm_yday - 170) / 365.25)
    daytime = math.cos(2 * math.pi * (local.hour + local.minute / 60 - 4) / 24)
    return 64.0 + 8.0 * season + 4.0 * daytime
