"""Water leak detectors on the floor: wet by a leak, and for minutes when the floor is mopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from scenewatch.model.compiled import allocating
from scenewatch.scenes.kitchen.cabinets import battery_v
from scenewatch.scenes.kitchen.chance import draw_one, normal, uniform
from scenewatch.scenes.kitchen.day import Occasion
from scenewatch.scenes.kitchen.kernel import BATTERY_NOISE_V, STEP_S, driven, rounded
from scenewatch.scenes.kitchen.parts import noise_keys, table
from scenewatch.scenes.kitchen.surroundings import STEPS_AN_HOUR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from scenewatch.scenes.kitchen.surroundings import Hour, Placed

TYPICAL: Final[Mapping[str, tuple[float, float]]] = {"dries_s": (150.0, 0.4)}
"""Typical value and relative spread (±). How long it stays wet when no more water comes."""
OF_PLACE: Final[Mapping[str, tuple[float, float]]] = {"battery_v": (3.60, 3.66), "battery_age": (0.0, 1.0)}
INPUTS: Final = ("water",)
"""1 is water on the floor."""
WATER: Final = 0
WET, BATTERY = range(2)

STATE: Final = np.dtype([("wet_s", np.float64)])
"""How long it will still be wet."""
MOPPINGS: Final = 0.004
"""Share of the steps of cleaning in which the mop reaches the detector."""


class _Hour(NamedTuple):
    number: int
    cleaning: NDArray[np.float64]
    battery_v: NDArray[np.float64]


class LeakDetectors:
    """Implements `scenewatch.scenes.kitchen.physics.Equipment`."""

    inputs = INPUTS

    def __init__(self, placed: Placed, hour: Hour) -> None:
        self._placed = placed
        self._noise = noise_keys(placed)
        self._detectors = table([draw_one(TYPICAL, OF_PLACE, key) for key in placed.keys("detector")])
        self._states = np.zeros(len(placed.ids), STATE)
        self.begin_hour(hour)

    def begin_hour(self, hour: Hour) -> None:
        self._hour = _Hour(
            number=hour.number,
            cleaning=hour.during(Occasion.CLEANING, hour.late_min[self._placed.site]),
            battery_v=battery_v(self._detectors, hour.at_ms),
        )

    def advance(self, slot: int, drives: NDArray[np.float64], out: NDArray[np.float64]) -> None:
        _advance(self._detectors, self._states, self._hour, slot, drives, (self._placed.first, self._noise), out)


@allocating
def _advance(
    detectors: NDArray[np.void],
    states: NDArray[np.void],
    hour: _Hour,
    slot: int,
    drives: NDArray[np.float64],
    place: tuple[NDArray[np.intp], NDArray[np.uint64]],
    out: NDArray[np.float64],
) -> None:
    first, noise = place
    for s in range(out.shape[0]):
        h = slot + s
        step = hour.number * STEPS_AN_HOUR + h
        for c in range(len(detectors)):
            state = states[c]
            mopped = hour.cleaning[c, h] > 0.0 and uniform(noise[c], step, 1) < MOPPINGS
            state.wet_s = max(0.0, state.wet_s - STEP_S)
            if mopped or driven(drives[WATER, s, c], 0.0) > 0.0:
                state.wet_s = detectors[c].dries_s
            at = first[c]
            out[s, at + WET] = 1.0 if state.wet_s > 0.0 else 0.0
            volts = hour.battery_v[c] + BATTERY_NOISE_V * normal(noise[c], step, 0)
            out[s, at + BATTERY] = rounded(volts, 1000.0)
