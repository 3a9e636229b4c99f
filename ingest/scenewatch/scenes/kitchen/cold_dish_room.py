"""The room where cold dishes are made: an air conditioner against walls, people and the door to the kitchen."""

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
    "envelope_w_k": (85.0, 0.12),
    "door_w_k": (650.0, 0.15),
    "air_j_k": (140_000.0, 0.1),
    "cool_w": (2600.0, 0.06),
    "rated_w": (1050.0, 0.1),
    "set_c": (22.2, 0.015),
    "half_band_k": (0.7, 0.1),
    "rest_s": (180.0, 0.1),
    "people_w": (330.0, 0.2),
    "sensor_lag_s": (90.0, 0.2),
}
"""Typical value and relative spread (±). `air_j_k` holds benches and wall surfaces too."""
OF_PLACE: Final[Mapping[str, tuple[float, float]]] = {"room_offset_k": (-1.0, 1.0), "busy": (0.8, 1.2)}
INPUTS: Final = ("mains", "door", "compressor")
"""`mains`: 0 is a power cut. `door`: how far open. `compressor`: 0 cannot run, 1 cannot stop."""
MAINS, DOOR_OPEN, COMPRESSOR = range(3)
AIR_TEMP, HUMIDITY, DOOR, POWER = range(4)

STATE: Final = np.dtype(
    [(name, np.float64) for name in ("kitchen_c", "air_c", "sensor_c", "damp", "running", "changed_s")]
)
"""Damp: relative humidity, %. Running: 0 or 1, since `changed_s` seconds."""
OPENINGS: Final = 0.8
"""Of a busy fridge's."""
OPEN_S: Final = 12.0
DELIVERY_OPENINGS: Final = 12.0
"""An hour; crates hold the door open for longer than people do."""
DELIVERY_OPEN_S: Final = 28.0
KITCHEN_LAG_S: Final = 1500.0
DAMP_LAG_S: Final = 900.0
DRIED: Final = 14.0
"""Points of humidity that a running air conditioner takes in the end."""
TEMPERATURE_NOISE_C: Final = 0.06
DAMP_NOISE: Final = 0.35
POWER_NOISE: Final = 0.015


class _Hour(NamedTuple):
    number: int
    kitchen_c: NDArray[np.float64]
    humidity: NDArray[np.float64]
    work: NDArray[np.float64]
    share: NDArray[np.float64]
    contact: NDArray[np.float64]


class ColdDishRooms:
    """Implements `scenewatch.scenes.kitchen.physics.Equipment`."""

    inputs = INPUTS

    def __init__(self, placed: Placed, hour: Hour) -> None:
        self._placed = placed
        self._keys = placed.keys("door")
        self._noise = noise_keys(placed)
        self._rooms = table([draw_one(TYPICAL, OF_PLACE, key) for key in placed.keys("room")])
        self.begin_hour(hour)
        self._states = np.zeros(len(placed.ids), STATE)
        self._states["kitchen_c"] = self._hour.kitchen_c
        self._states["air_c"] = self._states["sensor_c"] = self._rooms["set_c"]
        self._states["damp"] = self._hour.humidity

    def begin_hour(self, hour: Hour) -> None:
        site, rooms = self._placed.site, self._rooms
        late_min = hour.late_min[site]
        delivery = hour.during(Occasion.DELIVERY, late_min)
        per_hour = OPENINGS * hour.shift.fridge_openings * rooms["busy"]
        open_s = OPEN_S
        if delivery.any():
            per_hour, open_s = DELIVERY_OPENINGS * rooms["busy"], DELIVERY_OPEN_S
        opens_s, closes_s = openings(draw_hour(self._keys, hour.number, 0), per_hour, open_s)
        share = np.zeros((len(rooms), STEPS_AN_HOUR))
        contact = np.zeros_like(share)
        spread_openings(opens_s, closes_s, share, contact)
        self._hour = _Hour(
            number=hour.number,
            kitchen_c=hour.room_c[site] + rooms["room_offset_k"],
            humidity=hour.humidity[site],
            work=hour.during(Occasion.COOKING, late_min),
            share=share,
            contact=contact,
        )

    def advance(self, slot: int, drives: NDArray[np.float64], out: NDArray[np.float64]) -> None:
        _advance(self._rooms, self._states, self._hour, slot, drives, (self._placed.first, self._noise), out)


@allocating
def _air_conditioner(room: Any, state: Any, compressor: float, mains: float) -> None:
    state.changed_s += STEP_S
    running = state.running
    if state.sensor_c <= room.set_c - room.half_band_k:
        running = 0.0
    elif state.sensor_c >= room.set_c + room.half_band_k and state.changed_s >= room.rest_s:
        running = 1.0
    running = driven(compressor, running)
    if mains == 0.0:
        running = 0.0
    if running != state.running:
        state.running = running
        state.changed_s = 0.0


@allocating
def _exchange(room: Any, state: Any, opened: float, work: float, humidity: float) -> None:
    """Heat and damp for one step."""
    outside_w_k = room.envelope_w_k + opened * room.door_w_k
    into_w = work * room.people_w - state.running * room.cool_w
    balance_c = state.kitchen_c + into_w / outside_w_k
    state.air_c = balance_c + (state.air_c - balance_c) * math.exp(-outside_w_k * STEP_S / room.air_j_k)
    state.sensor_c = lagging(state.sensor_c, state.air_c, room.sensor_lag_s)
    tends_to = min(99.0, humidity - DRIED * state.running)
    mixing = 1.0 + 4.0 * opened
    state.damp += (tends_to - state.damp) * (1.0 - math.exp(-mixing * STEP_S / DAMP_LAG_S))


@allocating
def _advance(
    rooms: NDArray[np.void],
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
        for c in range(len(rooms)):
            room = rooms[c]
            state = states[c]
            opened, sensed = doorway(drives[DOOR_OPEN, s, c], hour.share[c, h], hour.contact[c, h])
            state.kitchen_c = lagging(state.kitchen_c, hour.kitchen_c[c], KITCHEN_LAG_S)
            _air_conditioner(room, state, drives[COMPRESSOR, s, c], driven(drives[MAINS, s, c], 1.0))
            _exchange(room, state, opened, hour.work[c, h], hour.humidity[c])
            power_w = room.rated_w * state.running * (1.0 + 0.008 * (state.kitchen_c - 28.0))
            at = first[c]
            out[s, at + AIR_TEMP] = rounded(state.sensor_c + TEMPERATURE_NOISE_C * normal(noise[c], step, 0), 10.0)
            damp = state.damp + DAMP_NOISE * normal(noise[c], step, 1)
            out[s, at + HUMIDITY] = rounded(min(100.0, max(0.0, damp)), 10.0)
            out[s, at + DOOR] = sensed
            out[s, at + POWER] = rounded(power_w * (1.0 + POWER_NOISE * normal(noise[c], step, 2)), 1.0)
