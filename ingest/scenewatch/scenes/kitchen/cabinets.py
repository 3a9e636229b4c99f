"""What cabinets are made of: typical parameters, and how far single ones differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

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


def draw_cabinet(device_type: str, chance: np.random.Generator) -> NDArray[np.void]:
    """One cabinet of its own; the same number of draws for every type."""
    cabinet = np.zeros((), CABINET)
    for name, (typical, spread) in TYPICAL[device_type].items():
        cabinet[name] = typical * (1.0 + spread * chance.uniform(-1.0, 1.0))
    for name, (low, high) in OF_PLACE.items():
        cabinet[name] = chance.uniform(low, high)
    return cabinet
