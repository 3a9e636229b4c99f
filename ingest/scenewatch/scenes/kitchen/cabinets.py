"""Fridges and freezers: typical parameters, how far single ones differ, and what an hour brings them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from scenewatch.scenes.kitchen import kernel
from scenewatch.scenes.kitchen.chance import draw_hour, draw_one, key_of, openings
from scenewatch.scenes.kitchen.surroundings import HOUR_MS, STEPS_AN_HOUR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from scenewatch.scenes.kitchen.chance import Key
    from scenewatch.scenes.kitchen.surroundings import Hour, Placed

TYPICAL: Final[Mapping[str, Mapping[str, tuple[float, float]]]] = {
    "fridge": {
        "envelope_w_k": (2.9, 0.15),
        "door_w_k": (40.0, 0.15),
        "air_j_k": (11_000.0, 0.1),
        "food_j_k": (210_000.0, 0.2),
        "food_w_k": (11.0, 0.1),
        "fan_w": (14.0, 0.1),
        "cool_w": (470.0, 0.08),
        "rated_w": (240.0, 0.12),
        "set_c": (4.0, 0.08),
        "half_band_k": (1.6, 0.1),
        "rest_s": (180.0, 0.1),
        "defrost_every_h": (8.0, 0.0),
        "defrost_base_s": (510.0, 0.1),
        "defrost_most_s": (660.0, 0.0),
        "heater_w": (0.0, 0.0),
        "sensor_lag_s": (75.0, 0.2),
        "control_lag_s": (40.0, 0.2),
    },
    "freezer": {
        "envelope_w_k": (1.8, 0.12),
        "door_w_k": (26.0, 0.15),
        "air_j_k": (13_000.0, 0.1),
        "food_j_k": (230_000.0, 0.2),
        "food_w_k": (11.0, 0.1),
        "fan_w": (14.0, 0.1),
        "cool_w": (430.0, 0.08),
        "rated_w": (420.0, 0.12),
        "set_c": (-20.0, 0.03),
        "half_band_k": (1.5, 0.1),
        "rest_s": (180.0, 0.1),
        "defrost_every_h": (8.0, 0.0),
        "defrost_base_s": (540.0, 0.1),
        "defrost_most_s": (690.0, 0.0),
        "heater_w": (270.0, 0.12),
        "sensor_lag_s": (75.0, 0.2),
        "control_lag_s": (40.0, 0.2),
    },
}
"""By device type: typical value and the relative span (±) in which single cabinets lie.

`door_w_k` is the exchange with the room while the door stands wide open, `air_j_k` holds shelves and liner
too, `food_w_k` couples food and air, `heater_w` is what defrosting lets into the cabinet.
"""
OF_PLACE: Final[Mapping[str, tuple[float, float]]] = {
    "room_offset_k": (-1.5, 1.5),
    "busy": (0.75, 1.2),
    "defrost_phase_h": (0.0, 24.0),
    "battery_v": (3.60, 3.66),
    "battery_age": (0.0, 1.0),
}
"""What depends on where a cabinet stands and who uses it: lowest and highest."""

CABINET: Final = np.dtype([(name, np.float64) for name in (*TYPICAL["fridge"], *OF_PLACE)])
BATTERY_LIFE_MS: Final = 3 * 365 * 24 * HOUR_MS
BATTERY_FALL_V: Final = 0.4


class Cabinets:
    """Implements `scenewatch.scenes.kitchen.physics.Equipment` for fridges, freezers and what else is cooled so."""

    inputs = kernel.INPUTS

    def __init__(self, placed: Placed, hour: Hour) -> None:
        self._placed = placed
        self._keys = [key_of(placed.seed, name) for name in placed.ids]
        self._cabinets = np.zeros(len(placed.ids), CABINET)
        for n, (key, device_type) in enumerate(zip(placed.keys("cabinet"), placed.types, strict=True)):
            self._cabinets[n] = draw_cabinet(device_type, key)
        self._is_fridge = np.array([t == "fridge" for t in placed.types], np.bool_)
        self.begin_hour(hour)
        self._states = _at_rest(self._cabinets, self._hour.room_c)

    def begin_hour(self, hour: Hour) -> None:
        """Draw all that chance decides in this hour: what people do, and the sensors' noise."""
        cabinets, shift = self._cabinets, hour.shift
        chance = draw_hour(self._keys, hour.number, STEPS_AN_HOUR)
        per_hour = np.where(self._is_fridge, shift.fridge_openings, shift.freezer_openings) * cabinets["busy"]
        opens_s, closes_s = openings(chance, per_hour, shift.open_s)
        share = np.zeros((len(cabinets), STEPS_AN_HOUR))
        contact = np.zeros_like(share)
        kernel.spread_openings(opens_s, closes_s, share, contact)
        self._hour = kernel.Hour(
            begin_s=hour.at_ms / 1000,
            room_c=hour.room_c[self._placed.site] + cabinets["room_offset_k"],
            goods_w=shift.goods_w,
            battery_v=battery_v(cabinets, hour.at_ms),
            share=share,
            contact=contact,
            noise=chance.noise,
        )

    def advance(self, slot: int, drives: NDArray[np.float64], out: NDArray[np.float64]) -> None:
        kernel.advance(self._cabinets, self._states, self._hour, slot, drives, self._placed.first, out)


def draw_cabinet(device_type: str, key: Key) -> NDArray[np.void]:
    cabinet = np.zeros((), CABINET)
    for name, value in draw_one(TYPICAL[device_type], OF_PLACE, key).items():
        cabinet[name] = value
    return cabinet


def battery_v(devices: NDArray[np.void], at_ms: int) -> NDArray[np.float64]:
    """A battery falls over its life and is changed then."""
    age = (devices["battery_age"] + at_ms / BATTERY_LIFE_MS) % 1.0
    volts: NDArray[np.float64] = devices["battery_v"] - BATTERY_FALL_V * age
    return volts


def _at_rest(cabinets: NDArray[np.void], room_c: NDArray[np.float64]) -> NDArray[np.void]:
    """A cabinet that has been left alone: everything at its set point."""
    states = np.zeros(len(cabinets), kernel.STATE)
    states["room_c"] = room_c
    for name in ("air_c", "food_c", "sensor_c", "control_c"):
        states[name] = cabinets["set_c"]
    return states
