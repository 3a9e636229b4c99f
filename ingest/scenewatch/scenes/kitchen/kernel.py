"""The cabinets' thermal state machine: two heat capacities, a thermostat, a defrost timer, two sensors.

Air and food exchange heat with each other; air also with the room, through the walls and through the door.
Air follows its balance exactly within a step (it is quick), food by its slope (it is slow).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

Record = Any
"""One row of a structured array, which the compiler knows by field."""

AIR_TEMP, DOOR, POWER, DEFROST, BATTERY = range(5)
"""Columns of the result, in the order of the tables' channels."""
CHANNELS: Final = 5

STEP_S: Final = 30.0
ROOM_LAG_S: Final = 1500.0
TEMPERATURE_NOISE_C: Final = 0.07
POWER_NOISE: Final = 0.012
BATTERY_NOISE_V: Final = 0.002
STILL_AIR: Final = 0.45
"""How much of the exchange with the food is left while a freezer's fan stands still in defrost."""
DEFROST_ENDS_C: Final = 4.0
"""Air as warm as this has no ice beside it: the heater goes off before its time."""
PULL_UP: Final = 0.4
"""How much more than its rating a compressor takes just after its start, fading within PULL_UP_S."""
PULL_UP_S: Final = 70.0

STATE: Final = np.dtype(
    [
        ("room_c", np.float64),
        ("air_c", np.float64),
        ("food_c", np.float64),
        ("sensor_c", np.float64),
        ("control_c", np.float64),
        ("running", np.float64),
        ("changed_s", np.float64),
        ("defrost_s", np.float64),
        ("frost_s", np.float64),
    ]
)
"""Running: 0 or 1, since `changed_s` seconds. Defrost: seconds left. Frost: seconds of door since the last one."""


@njit(cache=True)
def spread_openings(
    opens_s: NDArray[np.float64],
    closes_s: NDArray[np.float64],
    share: NDArray[np.float64],
    contact: NDArray[np.float64],
) -> None:
    """From openings of one hour to the open share of each step and the contact at its end: (cabinets, steps)."""
    cabinets, steps = share.shape
    for c in range(cabinets):
        for k in range(opens_s.shape[1]):
            if closes_s[c, k] >= steps * STEP_S:
                break
            first = int(opens_s[c, k] // STEP_S)
            last = int(closes_s[c, k] // STEP_S)
            for s in range(first, last + 1):
                begin = max(opens_s[c, k], s * STEP_S)
                end = min(closes_s[c, k], (s + 1) * STEP_S)
                share[c, s] += (end - begin) / STEP_S
                if s < last:
                    contact[c, s] = 1.0


@njit(cache=True)
def _rounded(value: float, per_unit: float) -> float:
    return math.floor(value * per_unit + 0.5) / per_unit


@njit(cache=True)
def _thermostat(cabinet: Record, state: Record, compressor: float, due: bool) -> None:  # noqa: FBT001 - a kernel
    """Compressor and defrost timer for the coming step."""
    if due:
        state.defrost_s = min(cabinet.defrost_base_s + state.frost_s, cabinet.defrost_most_s)
        state.frost_s = 0.0
    else:
        state.defrost_s = max(0.0, state.defrost_s - STEP_S)
    if cabinet.heater_w > 0.0 and state.air_c >= DEFROST_ENDS_C:
        state.defrost_s = 0.0
    state.changed_s += STEP_S
    running = state.running
    if state.defrost_s > 0.0 or state.control_c <= cabinet.set_c - cabinet.half_band_k:
        running = 0.0
    elif state.control_c >= cabinet.set_c + cabinet.half_band_k and state.changed_s >= cabinet.rest_s:
        running = 1.0
    if not math.isnan(compressor):
        running = compressor
    if running != state.running:
        state.running = running
        state.changed_s = 0.0


@njit(cache=True)
def _exchange(cabinet: Record, state: Record, share: float, goods_w: float) -> None:
    """Heat for one step."""
    outside_w_k = cabinet.envelope_w_k + share * cabinet.door_w_k
    food_w_k = cabinet.food_w_k
    into_air_w = cabinet.fan_w
    if state.defrost_s > 0.0 and cabinet.heater_w > 0.0:
        into_air_w = cabinet.heater_w
        food_w_k *= STILL_AIR
    # A cold evaporator takes less, and so does a condenser in a hot room.
    lift = (state.air_c - cabinet.set_c) * 0.02 - (state.room_c - 25.0) * 0.008
    into_air_w -= state.running * cabinet.cool_w * min(1.5, max(0.5, 1.0 + lift))
    total_w_k = outside_w_k + food_w_k
    balance_c = (outside_w_k * state.room_c + food_w_k * state.food_c + into_air_w) / total_w_k
    kept = math.exp(-total_w_k * STEP_S / cabinet.air_j_k)
    before_c = state.air_c
    state.air_c = balance_c + (before_c - balance_c) * kept
    into_food_w = food_w_k * (0.5 * (before_c + state.air_c) - state.food_c) + goods_w
    state.food_c += into_food_w * STEP_S / cabinet.food_j_k
    state.sensor_c += (state.air_c - state.sensor_c) * (1.0 - math.exp(-STEP_S / cabinet.sensor_lag_s))
    state.control_c += (state.air_c - state.control_c) * (1.0 - math.exp(-STEP_S / cabinet.control_lag_s))


@njit(cache=True)
def _power_w(cabinet: Record, state: Record, noise: float) -> float:
    if state.running <= 0.0:
        return 0.0
    load = 1.0 + 0.006 * (state.room_c - 25.0) + 0.008 * (state.air_c - cabinet.set_c)
    start = 1.0 + PULL_UP * math.exp(-state.changed_s / PULL_UP_S)
    power_w: float = cabinet.rated_w * state.running * load * start * (1.0 + POWER_NOISE * noise)
    return max(0.0, power_w)


@njit(cache=True)
def advance(  # noqa: PLR0913, PLR0917 - one call a block, arrays only
    cabinets: NDArray[np.void],
    states: NDArray[np.void],
    hour_s: float,
    slot: int,
    room_c: NDArray[np.float64],
    goods_w: float,
    battery_v: NDArray[np.float64],
    share: NDArray[np.float64],
    contact: NDArray[np.float64],
    noise: NDArray[np.float64],
    door: NDArray[np.float64],
    compressor: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """One block of steps within the hour that began at `hour_s`, from its step `slot` on.

    `share`, `contact` and `noise` are (cabinets, steps of the hour), the drives `door` and `compressor` and the
    result `out` are (steps of the block, cabinets); NaN drives nothing.
    """
    for s in range(out.shape[0]):
        h = slot + s
        begin_s = hour_s + h * STEP_S
        for c in range(len(cabinets)):
            cabinet = cabinets[c]
            state = states[c]
            opened, sensed = share[c, h], contact[c, h]
            if not math.isnan(door[s, c]):
                opened = door[s, c]
                sensed = 1.0 if opened > 0.0 else 0.0
            state.room_c += (room_c[c] - state.room_c) * (1.0 - math.exp(-STEP_S / ROOM_LAG_S))
            state.frost_s += opened * STEP_S
            since_due = (begin_s + cabinet.defrost_phase_h * 3600.0) % (cabinet.defrost_every_h * 3600.0)
            _thermostat(cabinet, state, compressor[s, c], since_due < STEP_S)
            _exchange(cabinet, state, opened, goods_w)
            out[s, c, AIR_TEMP] = _rounded(state.sensor_c + TEMPERATURE_NOISE_C * noise[c, h, 0], 10.0)
            out[s, c, DOOR] = sensed
            out[s, c, POWER] = _rounded(_power_w(cabinet, state, noise[c, h, 1]), 1.0)
            out[s, c, DEFROST] = 1.0 if state.defrost_s > 0.0 else 0.0
            out[s, c, BATTERY] = _rounded(battery_v[c] + BATTERY_NOISE_V * noise[c, h, 2], 1000.0)
