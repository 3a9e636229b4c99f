"""The cabinets' thermal state machine: two heat capacities, a thermostat, a defrost timer, two sensors.

Air and food exchange heat with each other; air also with the room, through the walls and through the door.
Air follows its balance exactly within a step (it is quick), food by its slope (it is slow).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from scenewatch.model.compiled import allocating

if TYPE_CHECKING:
    from numpy.typing import NDArray

Record = Any
"""One row of a structured array, which the compiler knows by field."""

AIR_TEMP, DOOR, POWER, DEFROST, BATTERY = range(5)
"""Columns of the result, in the order of the tables' channels."""
CHANNELS: Final = 5
INPUTS: Final = ("mains", "door", "compressor", "cooling_lost", "refrigerant_lost", "defrost")
"""What can be driven. `mains`: 0 is a power cut. `door`: how far open, 0 to 1. `compressor`: 0 cannot run, 1 cannot
stop. `cooling_lost`, `refrigerant_lost`: shares. `defrost`: 0 never begins, 1 never ends."""
MAINS, DOOR_OPEN, COMPRESSOR, COOLING_LOST, REFRIGERANT_LOST, DEFROST_STUCK = range(6)

STEP_S: Final = 30.0
ROOM_LAG_S: Final = 1500.0
TEMPERATURE_NOISE_C: Final = 0.07
POWER_NOISE: Final = 0.012
BATTERY_NOISE_V: Final = 0.002
STILL_AIR: Final = 0.45
"""How much of the exchange with the food is left while a freezer's fan stands still in defrost."""
DEFROST_ENDS_C: Final = 4.0
"""Air as warm as this has no ice beside it: the heater goes off before its time."""
HEATER_CUTS_OUT_C: Final = 40.0
"""Of the thermal cut-out in series with the heater: a defrost without end makes no oven of a freezer."""
PULL_UP: Final = 0.4
"""How much more than its rating a compressor takes just after its start, fading within PULL_UP_S."""
PULL_UP_S: Final = 70.0
ICE_FREE_H: Final = 12.0
"""A cabinet that defrosts when it should never has ice that matters."""
ICE_AN_HOUR: Final = 0.012
"""Share of the cooling power that ice takes with each hour beyond that."""
MOST_ICE: Final = 0.7
WORN_POWER: Final = 0.35
"""How much more a compressor takes that has lost all its cooling power to wear."""
EMPTY_POWER: Final = 0.45
"""How much less one takes that pumps no refrigerant."""
ICED_POWER: Final = 0.2

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
        ("iced_s", np.float64),
    ]
)
"""Running: 0 or 1, since `changed_s` seconds. Defrost: seconds left. Frost: seconds of door since the last one.
Iced: seconds since the last one."""


@allocating
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


@allocating
def rounded(value: float, per_unit: float) -> float:
    return math.floor(value * per_unit + 0.5) / per_unit


@allocating
def driven(value: float, free: float) -> float:
    return free if math.isnan(value) else value


@allocating
def doorway(drive: float, share: float, contact: float) -> tuple[float, float]:
    """How far a door is open, and what its contact says; `drive` is NaN where nobody holds it."""
    if math.isnan(drive):
        return share, contact
    return drive, 1.0 if drive > 0.0 else 0.0


@allocating
def lagging(value: float, behind: float, lag_s: float) -> float:
    """`value` one step later, which follows `behind` with this lag."""
    return value + (behind - value) * (1.0 - math.exp(-STEP_S / lag_s))


@allocating
def _defrost_timer(cabinet: Record, state: Record, due: bool, stuck: float) -> None:  # noqa: FBT001 - a kernel
    """`stuck` is NaN in a timer that works."""
    if due and stuck != 0.0:
        state.defrost_s = min(cabinet.defrost_base_s + state.frost_s, cabinet.defrost_most_s)
        state.frost_s = 0.0
    else:
        state.defrost_s = max(0.0, state.defrost_s - STEP_S)
    molten = cabinet.heater_w > 0.0 and state.air_c >= DEFROST_ENDS_C
    if molten or stuck == 0.0:
        state.defrost_s = 0.0
    if stuck == 1.0:
        state.defrost_s = max(state.defrost_s, STEP_S)
    state.iced_s = 0.0 if molten or state.defrost_s > 0.0 else state.iced_s + STEP_S


@allocating
def _thermostat(cabinet: Record, state: Record, compressor: float, mains: float) -> None:
    """The compressor for the coming step."""
    state.changed_s += STEP_S
    running = state.running
    if state.defrost_s > 0.0 or state.control_c <= cabinet.set_c - cabinet.half_band_k:
        running = 0.0
    elif state.control_c >= cabinet.set_c + cabinet.half_band_k and state.changed_s >= cabinet.rest_s:
        running = 1.0
    running = driven(compressor, running)
    if mains == 0.0:
        running = 0.0
    if running != state.running:
        state.running = running
        state.changed_s = 0.0


@allocating
def _ice(state: Record) -> float:
    ice: float = min(MOST_ICE, max(0.0, state.iced_s / 3600.0 - ICE_FREE_H) * ICE_AN_HOUR)
    return ice


@allocating
def _exchange(cabinet: Record, state: Record, share: float, goods_w: float, lost: float, mains: float) -> None:
    """Heat for one step. `lost` is the share of the cooling power that a fault takes."""
    outside_w_k = cabinet.envelope_w_k + share * cabinet.door_w_k
    food_w_k = cabinet.food_w_k
    into_air_w = cabinet.fan_w * mains
    if state.defrost_s > 0.0 and cabinet.heater_w > 0.0:
        into_air_w = cabinet.heater_w * mains if state.air_c < HEATER_CUTS_OUT_C else 0.0
        food_w_k *= STILL_AIR
    # A cold evaporator takes less, and so does a condenser in a hot room.
    lift = (state.air_c - cabinet.set_c) * 0.02 - (state.room_c - 25.0) * 0.008
    left = (1.0 - lost) * (1.0 - _ice(state))
    into_air_w -= state.running * cabinet.cool_w * min(1.5, max(0.5, 1.0 + lift)) * left
    total_w_k = outside_w_k + food_w_k
    balance_c = (outside_w_k * state.room_c + food_w_k * state.food_c + into_air_w) / total_w_k
    kept = math.exp(-total_w_k * STEP_S / cabinet.air_j_k)
    before_c = state.air_c
    state.air_c = balance_c + (before_c - balance_c) * kept
    into_food_w = food_w_k * (0.5 * (before_c + state.air_c) - state.food_c) + goods_w
    state.food_c += into_food_w * STEP_S / cabinet.food_j_k
    state.sensor_c = lagging(state.sensor_c, state.air_c, cabinet.sensor_lag_s)
    state.control_c = lagging(state.control_c, state.air_c, cabinet.control_lag_s)


@allocating
def _power_w(cabinet: Record, state: Record, noise: float, worn: float, empty: float) -> float:
    if state.running <= 0.0:
        return 0.0
    load = 1.0 + 0.006 * (state.room_c - 25.0) + 0.008 * (state.air_c - cabinet.set_c)
    start = 1.0 + PULL_UP * math.exp(-state.changed_s / PULL_UP_S)
    amiss = (1.0 + WORN_POWER * worn) * (1.0 - EMPTY_POWER * empty) * (1.0 - ICED_POWER * _ice(state))
    power_w: float = cabinet.rated_w * state.running * load * start * (1.0 + POWER_NOISE * noise) * amiss
    return max(0.0, power_w)


class Hour(NamedTuple):
    """What an hour brings, a row a cabinet; what has steps has those of the whole hour."""

    begin_s: float
    room_c: NDArray[np.float64]
    goods_w: float
    battery_v: NDArray[np.float64]
    share: NDArray[np.float64]
    contact: NDArray[np.float64]
    noise: NDArray[np.float64]


@allocating
def advance(
    cabinets: NDArray[np.void],
    states: NDArray[np.void],
    hour: Hour,
    slot: int,
    drives: NDArray[np.float64],
    first: NDArray[np.intp],
    out: NDArray[np.float64],
) -> None:
    """One block of steps within the hour, from its step `slot` on.

    `drives` is (INPUTS, steps of the block, cabinets), NaN where an input is free. `out` is (steps of the block,
    columns); a cabinet's channels begin at its `first`.
    """
    for s in range(out.shape[0]):
        h = slot + s
        begin_s = hour.begin_s + h * STEP_S
        for c in range(len(cabinets)):
            cabinet = cabinets[c]
            state = states[c]
            mains = driven(drives[MAINS, s, c], 1.0)
            worn = driven(drives[COOLING_LOST, s, c], 0.0)
            empty = driven(drives[REFRIGERANT_LOST, s, c], 0.0)
            opened, sensed = doorway(drives[DOOR_OPEN, s, c], hour.share[c, h], hour.contact[c, h])
            state.room_c = lagging(state.room_c, hour.room_c[c], ROOM_LAG_S)
            state.frost_s += opened * STEP_S
            since_due = (begin_s + cabinet.defrost_phase_h * 3600.0) % (cabinet.defrost_every_h * 3600.0)
            due = since_due < STEP_S and mains != 0.0
            _defrost_timer(cabinet, state, due, drives[DEFROST_STUCK, s, c])
            _thermostat(cabinet, state, drives[COMPRESSOR, s, c], mains)
            _exchange(cabinet, state, opened, hour.goods_w, 1.0 - (1.0 - worn) * (1.0 - empty), mains)
            at = first[c]
            out[s, at + AIR_TEMP] = rounded(state.sensor_c + TEMPERATURE_NOISE_C * hour.noise[c, h, 0], 10.0)
            out[s, at + DOOR] = sensed
            out[s, at + POWER] = rounded(_power_w(cabinet, state, hour.noise[c, h, 1], worn, empty), 1.0)
            out[s, at + DEFROST] = 1.0 if state.defrost_s > 0.0 and mains != 0.0 else 0.0
            out[s, at + BATTERY] = rounded(hour.battery_v[c] + BATTERY_NOISE_V * hour.noise[c, h, 2], 1000.0)
