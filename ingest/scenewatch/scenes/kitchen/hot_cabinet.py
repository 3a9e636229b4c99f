"""Hot-holding cabinets: switched on before a meal, filled with hot food, opened to serve it, left to cool."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from scenewatch.model.compiled import allocating
from scenewatch.scenes.kitchen.chance import draw_hour, draw_one, normal, openings
from scenewatch.scenes.kitchen.day import Occasion
from scenewatch.scenes.kitchen.kernel import STEP_S, doorway, driven, lagging, rounded, spread_openings
from scenewatch.scenes.kitchen.parts import noise_keys, table
from scenewatch.scenes.kitchen.surroundings import STEPS_AN_HOUR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from scenewatch.scenes.kitchen.surroundings import Hour, Placed

TYPICAL: Final[Mapping[str, tuple[float, float]]] = {
    "envelope_w_k": (9.0, 0.12),
    "door_w_k": (60.0, 0.15),
    "air_j_k": (12_000.0, 0.1),
    "food_j_k": (40_000.0, 0.2),
    "food_w_k": (14.0, 0.1),
    "heater_w": (1300.0, 0.06),
    "set_c": (78.0, 0.02),
    "half_band_k": (2.0, 0.1),
    "cooked_c": (82.0, 0.03),
    "sensor_lag_s": (60.0, 0.2),
    "probe_lag_s": (100.0, 0.2),
}
"""Typical value and relative spread (±). `cooked_c`: as warm as food is when it comes from the hob."""
OF_PLACE: Final[Mapping[str, tuple[float, float]]] = {"busy": (0.8, 1.2)}
INPUTS: Final = ("mains", "door", "heater_lost")
"""`mains`: 0 is a power cut. `door`: how far open. `heater_lost`: share of the heater's power."""
MAINS, DOOR_OPEN, HEATER_LOST = range(3)
AIR_TEMP, FOOD_TEMP, DOOR, IN_USE, POWER = range(5)

STATE: Final = np.dtype(
    [(name, np.float64) for name in ("air_c", "food_c", "sensor_c", "probe_c", "heating", "loaded")]
)
EMPTY_J_K: Final = 4_000.0
"""What the food probe hangs in when there is no food: a tray."""
SERVINGS_AN_HOUR: Final = 16.0
"""Openings while a meal is served."""
OPEN_S: Final = 12.0
TEMPERATURE_NOISE_C: Final = 0.15
POWER_NOISE: Final = 0.01


class _Hour(NamedTuple):
    number: int
    room_c: NDArray[np.float64]
    in_use: NDArray[np.float64]
    holding: NDArray[np.float64]
    share: NDArray[np.float64]
    contact: NDArray[np.float64]


class HotCabinets:
    """Implements `scenewatch.scenes.kitchen.physics.Equipment`."""

    inputs = INPUTS

    def __init__(self, placed: Placed, hour: Hour) -> None:
        self._placed = placed
        self._keys = placed.keys("door")
        self._noise = noise_keys(placed)
        self._cabinets = table([draw_one(TYPICAL, OF_PLACE, key) for key in placed.keys("cabinet")])
        self.begin_hour(hour)
        self._states = np.zeros(len(placed.ids), STATE)
        for name in ("air_c", "food_c", "sensor_c", "probe_c"):
            self._states[name] = self._hour.room_c

    def begin_hour(self, hour: Hour) -> None:
        site, cabinets = self._placed.site, self._cabinets
        late_min = hour.late_min[site]
        share = np.zeros((len(cabinets), STEPS_AN_HOUR))
        contact = np.zeros_like(share)
        holding = hour.during(Occasion.HOLDING, late_min)
        if holding.any():
            chance = draw_hour(self._keys, hour.number, 0)
            opens_s, closes_s = openings(chance, SERVINGS_AN_HOUR * cabinets["busy"], OPEN_S)
            spread_openings(opens_s, closes_s, share, contact)
        self._hour = _Hour(
            number=hour.number,
            room_c=hour.room_c[site],
            in_use=hour.during(Occasion.HOT_CABINETS, late_min),
            holding=holding,
            share=share * holding,
            contact=contact * holding,
        )

    def advance(self, slot: int, drives: NDArray[np.float64], out: NDArray[np.float64]) -> None:
        _advance(self._cabinets, self._states, self._hour, slot, drives, (self._placed.first, self._noise), out)


@allocating
def _load(cabinet: Any, state: Any, holding: float) -> None:
    if holding > state.loaded:
        state.food_c = cabinet.cooked_c
    elif holding < state.loaded:
        state.food_c = state.air_c
    state.loaded = holding


@allocating
def _thermostat(cabinet: Any, state: Any, on: float) -> None:
    if state.sensor_c <= cabinet.set_c - cabinet.half_band_k:
        state.heating = 1.0
    elif state.sensor_c >= cabinet.set_c + cabinet.half_band_k:
        state.heating = 0.0
    state.heating *= on


@allocating
def _exchange(cabinet: Any, state: Any, opened: float, room_c: float, heat_w: float) -> None:
    outside_w_k = cabinet.envelope_w_k + opened * cabinet.door_w_k
    total_w_k = outside_w_k + cabinet.food_w_k
    balance_c = (outside_w_k * room_c + cabinet.food_w_k * state.food_c + heat_w) / total_w_k
    before_c = state.air_c
    state.air_c = balance_c + (before_c - balance_c) * math.exp(-total_w_k * STEP_S / cabinet.air_j_k)
    food_j_k = cabinet.food_j_k if state.loaded > 0.0 else EMPTY_J_K
    between_c = (before_c + state.air_c) / 2.0
    state.food_c += (between_c - state.food_c) * (1.0 - math.exp(-cabinet.food_w_k * STEP_S / food_j_k))
    state.sensor_c = lagging(state.sensor_c, state.air_c, cabinet.sensor_lag_s)
    state.probe_c = lagging(state.probe_c, state.food_c, cabinet.probe_lag_s)


@allocating
def _advance(
    cabinets: NDArray[np.void],
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
        for c in range(len(cabinets)):
            cabinet = cabinets[c]
            state = states[c]
            opened, sensed = doorway(drives[DOOR_OPEN, s, c], hour.share[c, h], hour.contact[c, h])
            _load(cabinet, state, hour.holding[c, h])
            _thermostat(cabinet, state, hour.in_use[c, h] * driven(drives[MAINS, s, c], 1.0))
            heat_w = state.heating * cabinet.heater_w * (1.0 - driven(drives[HEATER_LOST, s, c], 0.0))
            _exchange(cabinet, state, opened, hour.room_c[c], heat_w)
            at = first[c]
            out[s, at + AIR_TEMP] = rounded(state.sensor_c + TEMPERATURE_NOISE_C * normal(noise[c], step, 0), 10.0)
            out[s, at + FOOD_TEMP] = rounded(state.probe_c + TEMPERATURE_NOISE_C * normal(noise[c], step, 1), 10.0)
            out[s, at + DOOR] = sensed
            out[s, at + IN_USE] = hour.in_use[c, h]
            out[s, at + POWER] = rounded(heat_w * (1.0 + POWER_NOISE * normal(noise[c], step, 2)), 1.0)
