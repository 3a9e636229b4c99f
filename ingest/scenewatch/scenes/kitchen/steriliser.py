"""Dish sterilisers: a cycle after each big meal heats the chamber, holds it hot, and cools it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from scenewatch.model.compiled import allocating
from scenewatch.scenes.kitchen.chance import draw_one, normal
from scenewatch.scenes.kitchen.day import Occasion
from scenewatch.scenes.kitchen.kernel import STEP_S, driven, lagging, rounded
from scenewatch.scenes.kitchen.parts import noise_keys, table
from scenewatch.scenes.kitchen.surroundings import STEPS_AN_HOUR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from scenewatch.scenes.kitchen.surroundings import Hour, Placed

TYPICAL: Final[Mapping[str, tuple[float, float]]] = {
    "chamber_j_k": (52_000.0, 0.1),
    "loss_w_k": (11.0, 0.15),
    "vent_w_k": (55.0, 0.15),
    "heater_w": (5500.0, 0.08),
    "set_c": (126.0, 0.008),
    "half_band_k": (2.0, 0.1),
    "hold_s": (930.0, 0.05),
    "sensor_lag_s": (40.0, 0.2),
}
"""Typical value and relative spread (±). `chamber_j_k` holds the dishes too; `vent_w_k` is the cooling fan's."""
OF_PLACE: Final[Mapping[str, tuple[float, float]]] = {"late_min": (0.0, 10.0)}
"""`late_min`: how long after its hour somebody starts it."""
INPUTS: Final = ("mains", "hold_lost", "set_lost")
"""`mains`: 0 is a power cut, which ends a cycle. `hold_lost`: share of the holding time. `set_lost`: kelvin."""
MAINS, HOLD_LOST, SET_LOST = range(3)
CHAMBER_TEMP, CYCLE, POWER = range(3)
IDLE, HEATING, HOLDING, COOLING = (float(n) for n in range(4))
"""Numbers of the channel's states."""

STATE: Final = np.dtype(
    [(name, np.float64) for name in ("chamber_c", "sensor_c", "cycle", "held_s", "on", "asked")]
)
"""Held: seconds of this cycle's holding time. On: the heater. Asked: whether it was its hour a step ago."""
OPENED_C: Final = 50.0
"""Dishes as cool as this are taken out: the end of a cycle."""
TEMPERATURE_NOISE_C: Final = 0.2
POWER_NOISE: Final = 0.01


class _Hour(NamedTuple):
    number: int
    room_c: NDArray[np.float64]
    asked: NDArray[np.float64]


class Sterilisers:
    """Implements `scenewatch.scenes.kitchen.physics.Equipment`."""

    inputs = INPUTS

    def __init__(self, placed: Placed, hour: Hour) -> None:
        self._placed = placed
        self._noise = noise_keys(placed)
        self._machines = table([draw_one(TYPICAL, OF_PLACE, key) for key in placed.keys("machine")])
        self.begin_hour(hour)
        self._states = np.zeros(len(placed.ids), STATE)
        self._states["chamber_c"] = self._states["sensor_c"] = self._hour.room_c

    def begin_hour(self, hour: Hour) -> None:
        site = self._placed.site
        self._hour = _Hour(
            number=hour.number,
            room_c=hour.room_c[site],
            asked=hour.during(Occasion.STERILISING, hour.late_min[site] + self._machines["late_min"]),
        )

    def advance(self, slot: int, drives: NDArray[np.float64], out: NDArray[np.float64]) -> None:
        _advance(self._machines, self._states, self._hour, slot, drives, (self._placed.first, self._noise), out)


@allocating
def _controller(machine: Any, state: Any, asked: float, hold_s: float, set_c: float) -> None:
    """Which part of the cycle the coming step belongs to, and whether it is heated."""
    if asked > state.asked and state.cycle == IDLE:
        state.cycle = HEATING
    state.asked = asked
    if state.cycle == HEATING and state.sensor_c >= set_c - machine.half_band_k:
        state.cycle, state.held_s = HOLDING, 0.0
    elif state.cycle == HOLDING:
        state.held_s += STEP_S
        if state.held_s >= hold_s:
            state.cycle = COOLING
    elif state.cycle == COOLING and state.sensor_c <= OPENED_C:
        state.cycle = IDLE
    if state.cycle in (IDLE, COOLING) or state.sensor_c >= set_c + machine.half_band_k:
        state.on = 0.0
    elif state.sensor_c <= set_c:
        state.on = 1.0


@allocating
def _exchange(machine: Any, state: Any, room_c: float) -> None:
    outside_w_k = machine.loss_w_k
    if state.cycle == COOLING:
        outside_w_k += machine.vent_w_k
    balance_c = room_c + state.on * machine.heater_w / outside_w_k
    kept = math.exp(-outside_w_k * STEP_S / machine.chamber_j_k)
    state.chamber_c = balance_c + (state.chamber_c - balance_c) * kept
    state.sensor_c = lagging(state.sensor_c, state.chamber_c, machine.sensor_lag_s)


@allocating
def _advance(
    machines: NDArray[np.void],
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
        for c in range(len(machines)):
            machine = machines[c]
            state = states[c]
            hold_s = machine.hold_s * (1.0 - driven(drives[HOLD_LOST, s, c], 0.0))
            _controller(
                machine, state, hour.asked[c, h], hold_s, machine.set_c - driven(drives[SET_LOST, s, c], 0.0)
            )
            if drives[MAINS, s, c] == 0.0:
                state.cycle, state.on = IDLE, 0.0
            _exchange(machine, state, hour.room_c[c])
            power_w = state.on * machine.heater_w
            at = first[c]
            chamber_c = state.sensor_c + TEMPERATURE_NOISE_C * normal(noise[c], step, 0)
            out[s, at + CHAMBER_TEMP] = rounded(chamber_c, 10.0)
            out[s, at + CYCLE] = state.cycle
            out[s, at + POWER] = rounded(power_w * (1.0 + POWER_NOISE * normal(noise[c], step, 1)), 1.0)
