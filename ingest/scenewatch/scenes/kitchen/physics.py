"""The kitchen's simulator: cabinets that warm, cool, defrost and are opened, as arrays over all devices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from scenewatch.scenes.kitchen import kernel
from scenewatch.scenes.kitchen.cabinets import CABINET, draw_cabinet
from scenewatch.scenes.kitchen.chance import HOUR_S, draw_hour, generator, key_of, openings
from scenewatch.scenes.kitchen.day import local_time, shift_at
from scenewatch.scenes.kitchen.tables import EVERY, KITCHEN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from scenewatch.model.place import Device

HOUR_MS: Final = HOUR_S * 1000
STEPS_AN_HOUR: Final = HOUR_MS // EVERY
SETTLE_MS: Final = 6 * HOUR_MS
"""Every run begins on a six-hour mark at least this long before its start, so near starts share all values."""
BATTERY_LIFE_MS: Final = 3 * 365 * 24 * HOUR_MS
BATTERY_FALL_V: Final = 0.4
INPUTS: Final = ("door", "compressor")
"""`door`: how far open, 0 to 1. `compressor`: 0 cannot run, 1 cannot stop."""


class Kitchen:
    """Implements `scenewatch.model.ports.Simulator`. Devices without channels are passed over."""

    def __init__(self, devices: Sequence[Device], *, seed: int, start_ms: int) -> None:
        types = {t.key: t for t in KITCHEN.device_types}
        self._of_device = np.array([n for n, d in enumerate(devices) if types[d.type].channels], np.intp)
        cabinets = [devices[n] for n in self._of_device]
        self._keys = [key_of(seed, d.id) for d in cabinets]
        self._site_keys = {d.site_id: key_of(seed, d.site_id) for d in cabinets}
        self._sites = [d.site_id for d in cabinets]
        self._cabinets = np.zeros(len(cabinets), CABINET)
        for n, device in enumerate(cabinets):
            self._cabinets[n] = draw_cabinet(device.type, generator(key_of(seed, f"{device.id}/cabinet"), 0))
        self._is_fridge = np.array([d.type == "fridge" for d in cabinets], np.bool_)
        self._free = np.full((STEPS_AN_HOUR, len(cabinets)), np.nan)
        self._at_ms = start_ms // SETTLE_MS * SETTLE_MS - SETTLE_MS
        self._begin_hour(self._at_ms // HOUR_MS)
        self._states = _at_rest(self._cabinets, self._room_c)
        self.run(start_ms, {})

    def step(self, at_ms: int, drives: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        values = self.run(at_ms, {name: driven[None, :] for name, driven in drives.items()})
        if len(values) != 1:
            raise ValueError(f"{at_ms} is {len(values)} steps on, not one")
        return values.ravel()

    def run(self, to_ms: int, drives: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        steps = (to_ms - self._at_ms) // EVERY
        if steps < 0:
            raise ValueError(f"cannot go back from {self._at_ms} to {to_ms}")
        if strange := drives.keys() - set(INPUTS):
            raise ValueError(f"no such input: {', '.join(sorted(strange))}; there are {', '.join(INPUTS)}")
        of_cabinets = {name: np.ascontiguousarray(driven[:, self._of_device]) for name, driven in drives.items()}
        out = np.empty((steps, len(self._cabinets), kernel.CHANNELS))
        done = 0
        while done < steps:
            slot = self._at_ms % HOUR_MS // EVERY
            block = slice(done, min(steps, done + STEPS_AN_HOUR - slot))
            self._advance(slot, {name: driven[block] for name, driven in of_cabinets.items()}, out[block])
            self._at_ms += (block.stop - block.start) * EVERY
            done = block.stop
        return out.reshape(steps, len(self._cabinets) * kernel.CHANNELS)

    def _advance(self, slot: int, drives: Mapping[str, NDArray[np.float64]], out: NDArray[np.float64]) -> None:
        """One block within an hour, from its `slot`th step on."""
        hour = self._at_ms // HOUR_MS
        if hour != self._hour:
            self._begin_hour(hour)
        free = self._free[: len(out)]
        kernel.advance(
            self._cabinets,
            self._states,
            hour * float(HOUR_S),
            slot,
            self._room_c,
            self._goods_w,
            self._battery_v,
            self._share,
            self._contact,
            self._noise,
            drives.get("door", free),
            drives.get("compressor", free),
            out,
        )

    def _begin_hour(self, hour: int) -> None:
        """Draw all that chance decides in this hour: what people do, the room, and the sensors' noise."""
        at_ms = hour * HOUR_MS
        local = local_time(at_ms)
        shift = shift_at(local)
        chance = draw_hour(self._keys, hour, STEPS_AN_HOUR)
        per_hour = np.where(self._is_fridge, shift.fridge_openings, shift.freezer_openings) * self._cabinets["busy"]
        opens_s, closes_s = openings(chance, per_hour, shift.open_s)
        self._hour = hour
        self._noise = chance.noise
        self._share = np.zeros((len(self._keys), STEPS_AN_HOUR))
        self._contact = np.zeros_like(self._share)
        kernel.spread_openings(opens_s, closes_s, self._share, self._contact)
        of_site = {site: float(generator(key, hour).normal(0.0, 0.5)) for site, key in self._site_keys.items()}
        room_c = room_without_chance(local) + shift.cooking_k
        self._room_c = room_c + np.array([of_site[s] for s in self._sites]) + self._cabinets["room_offset_k"]
        self._goods_w = shift.goods_w
        age = (self._cabinets["battery_age"] + at_ms / BATTERY_LIFE_MS) % 1.0
        self._battery_v = self._cabinets["battery_v"] - BATTERY_FALL_V * age


def room_without_chance(local: datetime) -> float:
    """°C in a kitchen nobody works in: warmest in late July and in mid-afternoon."""
    season = math.cos(2 * math.pi * (local.timetuple().tm_yday - 205) / 365.25)
    daytime = math.cos(2 * math.pi * (local.hour + local.minute / 60 - 15) / 24)
    return 23.0 + 3.8 * season + 1.5 * daytime


def _at_rest(cabinets: NDArray[np.void], room_c: NDArray[np.float64]) -> NDArray[np.void]:
    """A cabinet that has been left alone: everything at its set point."""
    states = np.zeros(len(cabinets), kernel.STATE)
    states["room_c"] = room_c
    for name in ("air_c", "food_c", "sensor_c", "control_c"):
        states[name] = cabinets["set_c"]
    return states
