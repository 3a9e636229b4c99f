"""Morning checks: who comes to work shows hands and forehead to a terminal, on each school day."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from scenewatch.model.event import Happening
from scenewatch.scenes.kitchen.chance import generator, key_of
from scenewatch.scenes.kitchen.day import AHEAD_MS, DAY_MS, MINUTE_MS, Occasion, spans

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenewatch.model.place import Device
    from scenewatch.scenes.kitchen.chance import Key

FEWEST, MOST = 5, 9
"""People who work in a kitchen."""
EARLY_MIN, LATE_MIN = 12.0, 20.0
"""Around the begin of work in which they come."""
USUAL_C: Final = 36.3
SPREAD_C: Final = 0.2
FIT_C: Final = 37.2
"""Whoever is warmer is sent home, which is a fault's to do."""


class MorningChecks:
    """The terminals of all sites."""

    def __init__(self, devices: Sequence[Device], *, seed: int) -> None:
        self._gates = [
            (n, d.site_id, key_of(seed, f"{d.id}/checks")) for n, d in enumerate(devices) if d.type == "staff_gate"
        ]
        self._day = -1
        self._today: list[Happening] = []

    def told(self, from_ms: int, to_ms: int) -> Iterator[Happening]:
        """In (from_ms, to_ms]."""
        for day in range((from_ms + AHEAD_MS) // DAY_MS, (to_ms + AHEAD_MS) // DAY_MS + 1):
            if day != self._day:
                self._day = day
                self._today = sorted(self._of_day(day), key=_time)
            first = bisect_right(self._today, from_ms, key=_time)
            yield from self._today[first : bisect_right(self._today, to_ms, key=_time)]

    def _of_day(self, day: int) -> Iterator[Happening]:
        midnight_ms = day * DAY_MS - AHEAD_MS
        for n, site, key in self._gates:
            for begin_ms, _ in spans(site, midnight_ms, midnight_ms + DAY_MS, Occasion.STAFF)[:1]:
                yield from _arrivals(n, key, day, begin_ms)


def _arrivals(device: int, key: Key, day: int, begin_ms: int) -> Iterator[Happening]:
    staff = FEWEST + key[0] % (MOST - FEWEST + 1)
    chance = generator(key, day)
    for person in range(1, staff + 1):
        minute = chance.uniform(-EARLY_MIN, LATE_MIN)
        warm_c = round(min(chance.normal(USUAL_C, SPREAD_C), FIT_C), 1)
        yield Happening(
            device=device,
            t_ms=begin_ms + round(minute * MINUTE_MS),
            kind="morning_check",
            text=f"{person}/{staff}, {warm_c:g} °C",
            data={"person": person, "of": staff, "forehead_c": warm_c},
        )


def _time(happening: Happening) -> int:
    return happening.t_ms
