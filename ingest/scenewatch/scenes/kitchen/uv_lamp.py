"""Ultraviolet lamps: burn in the empty room after work, warm up over minutes, fade over their life."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from scenewatch.model.compiled import allocating
from scenewatch.scenes.kitchen.chance import draw_hour, draw_one, normal, openings
from scenewatch.scenes.kitchen.day import TIMETABLE, Occasion, timetable
from scenewatch.scenes.kitchen.kernel import STEP_S, driven, rounded, spread_openings
from scenewatch.scenes.kitchen.parts import noise_keys, table
from scenewatch.scenes.kitchen.school_year import school_days_before
from scenewatch.scenes.kitchen.surroundings import STEPS_AN_HOUR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from scenewatch.scenes.kitchen.surroundings import Hour, Placed

TYPICAL: Final[Mapping[str, tuple[float, float]]] = {
    "new_uw_cm2": (103.0, 0.05),
    "fades": (0.2, 0.15),
    "warm_up_s": (90.0, 0.15),
}
"""Typical value and relative spread (±). `fades`: share of the irradiance lost at the end of a tube's life."""
OF_PLACE: Final[Mapping[str, tuple[float, float]]] = {"used_h": (0.0, 1000.0), "busy": (0.7, 1.2)}
INPUTS: Final = ("mains", "lamp", "lamp_lost", "exposed")
"""`mains`: 0 is a power cut. `lamp`: 0 off, 1 on. `lamp_lost`: share of the irradiance. `exposed`: 1 is somebody in
the room, where the lamp burns unless it is driven."""
MAINS, LAMP_ON, LAMP_LOST, EXPOSED = range(4)
IRRADIANCE, LAMP, DOOR, PRESENCE, LAMP_HOURS = range(5)

STATE: Final = np.dtype([("on_s", np.float64), ("extra_s", np.float64)])
"""On: since it was switched on. Extra: what it burned beside the timetable, less what it missed."""
TUBE_LIFE_H: Final = 1000.0
"""Then it is changed."""
COLD_SHARE: Final = 0.45
"""Of the irradiance that a cold tube lacks."""
BEST_ROOM_C: Final = 25.0
LOST_PER_K: Final = 0.005
"""In a room colder than that."""
VISITS: Final = 0.5
"""Of a busy fridge's openings."""
VISIT_S: Final = 80.0
IRRADIANCE_NOISE: Final = 0.008


class _Hour(NamedTuple):
    number: int
    room_c: NDArray[np.float64]
    on: NDArray[np.float64]
    used_h: NDArray[np.float64]
    """At the hour's begin."""
    burned_s: NDArray[np.float64]
    """By the timetable, from the hour's begin to each step's end."""
    inside: NDArray[np.float64]


class UltravioletLamps:
    """Implements `scenewatch.scenes.kitchen.physics.Equipment`."""

    inputs = INPUTS

    def __init__(self, placed: Placed, hour: Hour) -> None:
        self._placed = placed
        self._keys = placed.keys("visits")
        self._noise = noise_keys(placed)
        self._lamps = table([draw_one(TYPICAL, OF_PLACE, key) for key in placed.keys("lamp")])
        self._states = np.zeros(len(placed.ids), STATE)
        self.begin_hour(hour)

    def begin_hour(self, hour: Hour) -> None:
        site, lamps = self._placed.site, self._lamps
        late_min = hour.late_min[site]
        on = hour.during(Occasion.ULTRAVIOLET, late_min)
        per_hour = VISITS * hour.shift.fridge_openings * lamps["busy"]
        opens_s, closes_s = openings(draw_hour(self._keys, hour.number, 0), per_hour, VISIT_S)
        share = np.zeros((len(lamps), STEPS_AN_HOUR))
        spread_openings(opens_s, closes_s, share, np.zeros_like(share))
        self._hour = _Hour(
            number=hour.number,
            room_c=hour.room_c[site],
            on=on,
            used_h=lamps["used_h"] + burned_h(hour, late_min),
            burned_s=np.cumsum(on, axis=1) * STEP_S,
            inside=np.where(on > 0.0, 0.0, share),
        )

    def advance(self, slot: int, drives: NDArray[np.float64], out: NDArray[np.float64]) -> None:
        _advance(self._lamps, self._states, self._hour, slot, drives, (self._placed.first, self._noise), out)


def burned_h(hour: Hour, late_min: NDArray[np.float64]) -> NDArray[np.float64]:
    """By the timetable, up to the hour's begin, since school days are counted."""
    begin, end = TIMETABLE[Occasion.ULTRAVIOLET][0]
    days = school_days_before(hour.local.date())
    gone_min = np.zeros_like(late_min)
    if timetable(hour.local.date(), Occasion.ULTRAVIOLET):
        gone_min = np.clip(60.0 * hour.local.hour - late_min - begin, 0.0, end - begin)
    return (days * (end - begin) + gone_min) / 60.0


@allocating
def _irradiance(lamp: Any, state: Any, room_c: float, used_h: float, lost: float) -> float:
    """µW/cm² at the end of a step in which the lamp burns."""
    faded = 1.0 - lamp.fades * (used_h / TUBE_LIFE_H)
    warm = 1.0 - COLD_SHARE * math.exp(-state.on_s / lamp.warm_up_s)
    cold_room = 1.0 - LOST_PER_K * max(0.0, BEST_ROOM_C - room_c)
    given: float = lamp.new_uw_cm2 * faded * warm * cold_room * (1.0 - lost)
    return given


@allocating
def _advance(
    lamps: NDArray[np.void],
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
        for c in range(len(lamps)):
            state = states[c]
            exposed = driven(drives[EXPOSED, s, c], 0.0)
            by_itself = max(hour.on[c, h], exposed)
            on = driven(drives[LAMP_ON, s, c], by_itself) * driven(drives[MAINS, s, c], 1.0)
            state.on_s = state.on_s + STEP_S if on > 0.0 else 0.0
            state.extra_s += (on - hour.on[c, h]) * STEP_S
            by_plan_s = hour.burned_s[c, h]
            used_h = (hour.used_h[c] + (by_plan_s + state.extra_s) / 3600.0) % TUBE_LIFE_H
            given = 0.0
            if on > 0.0:
                given = _irradiance(lamps[c], state, hour.room_c[c], used_h, driven(drives[LAMP_LOST, s, c], 0.0))
            inside = 1.0 if hour.inside[c, h] > 0.0 else 0.0
            was_inside = h > 0 and hour.inside[c, h - 1] > 0.0
            at = first[c]
            out[s, at + IRRADIANCE] = rounded(given * (1.0 + IRRADIANCE_NOISE * normal(noise[c], step, 0)), 10.0)
            out[s, at + LAMP] = on
            # Who comes leaves the door open for a moment; who is inside has closed it.
            out[s, at + DOOR] = 1.0 if inside > 0.0 and not was_inside else 0.0
            out[s, at + PRESENCE] = max(inside, exposed)
            out[s, at + LAMP_HOURS] = rounded(used_h, 100.0)
