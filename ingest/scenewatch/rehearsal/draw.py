"""Draws what is to go wrong in a rehearsal: which faults befall whom, when, for how long and how badly.

A device has one fault at a time, and a rest behind each: what is raised then belongs to one fault alone. Some are
drawn too small or too short to be found, as in life.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scenewatch.model.fault import Scope
from scenewatch.model.words import Duration, days, hours

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scenewatch.model.fault import Fault
    from scenewatch.model.place import Device
    from scenewatch.model.scene import Scene

SMALL_SHARE: Final = 0.25
"""Of all faults, those that nobody need find."""
LONGEST: Final = 2.0
"""Findable faults last one to so many times their minimum."""
SHORTEST: Final = 0.3
"""Small ones last from this share of the minimum on."""
REST: Final = hours(12)
MONTH: Final = days(30)


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """One fault that is to be injected."""

    fault: Fault
    device: Device
    from_ms: int
    to_ms: int
    size: float | None
    findable: bool
    reaches: frozenset[str]
    """Ids of the devices it can show at."""

    @property
    def key(self) -> str:
        return f"{self.fault.key}.{self.device.id}.{self.from_ms}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """How much is to go wrong. `a_month` is how many faults of each kind befall a site in 30 days, more or less."""

    a_month: float
    from_ms: int
    to_ms: int
    only: frozenset[str] = frozenset()
    """Keys of the faults that may befall; empty for all of the scene's."""


def draw(scene: Scene, devices: Sequence[Device], wish: Wish, *, seed: int) -> list[Drawn]:
    """In the order of their beginning. The same seed gives the same faults."""
    chance = random.Random(seed)
    faults = [f for f in scene.faults if not wish.only or f.key in wish.only]
    sites: dict[str, list[Device]] = defaultdict(list)
    for device in devices:
        sites[device.site_id].append(device)
    wanted = [
        (chance.randrange(wish.from_ms, wish.to_ms), fault, chance.choice(befallen))
        for of_site in sites.values()
        for fault in faults
        if (befallen := [d for d in of_site if d.type in fault.on])
        for _ in range(_count(chance, wish.a_month * (wish.to_ms - wish.from_ms) / MONTH))
    ]
    chance.shuffle(wanted)  # so that where two meet, no kind always wins,
    wanted.sort(
        key=lambda one: list(Scope).index(one[1].scope), reverse=True
    )  # but what needs most room comes first
    # An alarm that still stands cannot be raised by the next fault.
    lasting = {f.key: max((scene.rule(key).off_delay for key in f.rules), default=0) for f in faults}
    taken: dict[str, list[tuple[int, int]]] = defaultdict(list)
    found = []
    for from_ms, fault, device in wanted:
        one = _drawn(chance, sites[device.site_id], fault, device, from_ms)
        rested = (one.from_ms - REST, one.to_ms + one.fault.tail + lasting[fault.key] + REST)
        if one.to_ms > wish.to_ms or any(_meets(rested, span) for d in one.reaches for span in taken[d]):
            continue
        for reached in one.reaches:
            taken[reached].append(rested)
        found.append(one)
    return sorted(found, key=_order)


def _count(chance: random.Random, mean: float) -> int:
    """A Poisson number, by the times between."""
    count, left = 0, mean
    while (left := left - chance.expovariate(1.0)) > 0:
        count += 1
    return count


def _drawn(chance: random.Random, site: Iterable[Device], fault: Fault, device: Device, from_ms: int) -> Drawn:
    small = chance.random() < SMALL_SHARE
    by_size = fault.sizes is not None and fault.sizes.smallest < fault.sizes.findable and chance.random() < 0.5
    length, size = _length(chance, fault, small=small and not by_size), None
    if fault.sizes is not None:
        low, high = fault.sizes.findable, fault.sizes.largest
        if small and by_size:
            low, high = fault.sizes.smallest, fault.sizes.findable * 0.999
        size = chance.uniform(low, high)
    return Drawn(
        fault=fault,
        device=device,
        from_ms=from_ms,
        to_ms=from_ms + length,
        size=size,
        findable=not small and bool(fault.rules),
        reaches=frozenset(reached(site, fault, device)),
    )


def _length(chance: random.Random, fault: Fault, *, small: bool) -> Duration:
    share = chance.uniform(SHORTEST, 0.999) if small else chance.uniform(1.0, LONGEST)
    return Duration(max(1, round(fault.minimum * share)))


def reached(devices: Iterable[Device], fault: Fault, device: Device) -> list[str]:
    """Ids of all whose alarms may belong to it: the device, those that speak through it, or its whole site."""
    match fault.scope:
        case Scope.DEVICE:
            return [device.id]
        case Scope.CHILDREN:
            children = (d for d in devices if (d.site_id, d.parent) == (device.site_id, device.device))
            return [device.id, *(d.id for d in children)]
        case Scope.SITE:
            return [d.id for d in devices if d.site_id == device.site_id]


def planned(
    devices: Sequence[Device], befalls: Iterable[tuple[Fault, Device, int, int, float | None]]
) -> list[Drawn]:
    """Faults that somebody chose, as drawn ones: each with its begin, end and size, or None for an ordinary one."""
    return sorted(
        (
            Drawn(
                fault=fault,
                device=device,
                from_ms=from_ms,
                to_ms=to_ms,
                size=size if size is not None or fault.sizes is None else fault.sizes.ordinary,
                findable=_findable(fault, to_ms - from_ms, size),
                reaches=frozenset(reached(devices, fault, device)),
            )
            for fault, device, from_ms, to_ms, size in befalls
        ),
        key=_order,
    )


def _findable(fault: Fault, length_ms: int, size: float | None) -> bool:
    large = fault.sizes is None or size is None or size >= fault.sizes.findable
    return bool(fault.rules) and large and length_ms >= fault.minimum


def _order(one: Drawn) -> tuple[int, str, str]:
    return one.from_ms, one.device.id, one.fault.key


def _meets(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]
