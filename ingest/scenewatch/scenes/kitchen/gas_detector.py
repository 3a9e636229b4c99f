"""Gas detectors with the valve and the fan they are wired to: what leaks in, and what is blown out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from scenewatch.model.compiled import allocating
from scenewatch.scenes.kitchen.chance import draw_one, normal, uniform
from scenewatch.scenes.kitchen.day import Occasion
from scenewatch.scenes.kitchen.kernel import STEP_S, driven, lagging, rounded
from scenewatch.scenes.kitchen.parts import noise_keys, table
from scenewatch.scenes.kitchen.surroundings import STEPS_AN_HOUR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from scenewatch.scenes.kitchen.surroundings import Hour, Placed

TYPICAL: Final[Mapping[str, tuple[float, float]]] = {
    "still_s": (900.0, 0.2),
    "fan_s": (300.0, 0.2),
    "sensor_lag_s": (25.0, 0.2),
}
"""Typical value and relative spread (±). In how many seconds the room's air is changed without and with the fan."""
OF_PLACE: Final[Mapping[str, tuple[float, float]]] = {"zero": (0.2, 1.2)}
"""`zero`: what the sensor shows in clean air, % LEL."""
INPUTS: Final = ("mains", "gas_leak", "valve", "fan")
"""`mains`: 0 is a power cut. `gas_leak`: % LEL a minute that come into the room while the valve is open. `valve`: 0
shut, 1 open. `fan`: 0 off, 1 running."""
MAINS, GAS_LEAK, VALVE_OPEN, FAN_ON = range(4)
GAS, VALVE, FAN, SUPPLY = range(4)

STATE: Final = np.dtype([("gas", np.float64), ("sensor", np.float64)])
"""% LEL, above clean air."""
LIGHTINGS: Final = 0.03
"""Share of the steps of cooking in which a hob is lit with some gas unburnt."""
PUFF: Final = 2.5
"""% LEL that a lighting leaves at most in the room's air."""
NOISE: Final = 0.15
FULL: Final = 100.0


class _Hour(NamedTuple):
    number: int
    cooking: NDArray[np.float64]


class GasDetectors:
    """Implements `scenewatch.scenes.kitchen.physics.Equipment`."""

    inputs = INPUTS

    def __init__(self, placed: Placed, hour: Hour) -> None:
        self._placed = placed
        self._noise = noise_keys(placed)
        self._detectors = table([draw_one(TYPICAL, OF_PLACE, key) for key in placed.keys("detector")])
        self._states = np.zeros(len(placed.ids), STATE)
        self.begin_hour(hour)

    def begin_hour(self, hour: Hour) -> None:
        late_min = hour.late_min[self._placed.site]
        self._hour = _Hour(number=hour.number, cooking=hour.during(Occasion.COOKING, late_min))

    def advance(self, slot: int, drives: NDArray[np.float64], out: NDArray[np.float64]) -> None:
        _advance(self._detectors, self._states, self._hour, slot, drives, (self._placed.first, self._noise), out)


@allocating
def _mix(detector: Any, state: Any, leak: float, fan: float) -> None:
    """Gas in the room's air over one step."""
    changed_s = detector.fan_s if fan > 0.0 else detector.still_s
    balance = leak / 60.0 * changed_s
    state.gas = balance + (state.gas - balance) * math.exp(-STEP_S / changed_s)
    state.sensor = lagging(state.sensor, state.gas, detector.sensor_lag_s)


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
            detector = detectors[c]
            state = states[c]
            mains = driven(drives[MAINS, s, c], 1.0)
            valve = driven(drives[VALVE_OPEN, s, c], 1.0)
            fan = driven(drives[FAN_ON, s, c], hour.cooking[c, h]) * mains
            if hour.cooking[c, h] * valve > 0.0 and uniform(noise[c], step, 1) < LIGHTINGS:
                state.gas += PUFF * uniform(noise[c], step, 2)
            _mix(detector, state, driven(drives[GAS_LEAK, s, c], 0.0) * valve, fan)
            shown = detector.zero + state.sensor + NOISE * normal(noise[c], step, 0)
            at = first[c]
            out[s, at + GAS] = rounded(min(FULL, max(0.0, shown)), 10.0)
            out[s, at + VALVE] = valve
            out[s, at + FAN] = fan
            out[s, at + SUPPLY] = mains
