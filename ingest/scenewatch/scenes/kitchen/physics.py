"""The kitchen's simulator: puts the kinds of equipment together, which share their sites' rooms and hours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import numpy as np

from scenewatch.scenes.kitchen.cabinets import TYPICAL, Cabinets
from scenewatch.scenes.kitchen.cold_dish_room import ColdDishRooms
from scenewatch.scenes.kitchen.device_types import EVERY
from scenewatch.scenes.kitchen.gas_detector import GasDetectors
from scenewatch.scenes.kitchen.hot_cabinet import HotCabinets
from scenewatch.scenes.kitchen.steriliser import Sterilisers
from scenewatch.scenes.kitchen.surroundings import HOUR_MS, STEPS_AN_HOUR, Placed, Surroundings
from scenewatch.scenes.kitchen.tables import KITCHEN
from scenewatch.scenes.kitchen.uv_lamp import UltravioletLamps
from scenewatch.scenes.kitchen.water_leak import LeakDetectors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from scenewatch.model.place import Device
    from scenewatch.scenes.kitchen.surroundings import Hour

SETTLE_MS: Final = 6 * HOUR_MS
"""Every run begins on a six-hour mark at least this long before its start, so near starts share all values."""


class Equipment(Protocol):
    """All devices of one kind. Made as `Equipment(placed, hour)`, at rest in that hour."""

    @property
    def inputs(self) -> tuple[str, ...]: ...

    def begin_hour(self, hour: Hour) -> None:
        """Called before the first step of each hour."""
        ...

    def advance(self, slot: int, drives: NDArray[np.float64], out: NDArray[np.float64]) -> None:
        """One block of steps within the hour, from its `slot`th on.

        `drives` is (inputs, steps, devices), NaN where an input is free; `out` is (steps, columns of all devices).
        """
        ...


class Kind(NamedTuple):
    """One row of the table below."""

    make: Callable[[Placed, Hour], Equipment]
    inputs: tuple[str, ...]
    types: tuple[str, ...]
    """Device types that are simulated so."""


KINDS: Final = (
    Kind(Cabinets, Cabinets.inputs, tuple(TYPICAL)),
    Kind(ColdDishRooms, ColdDishRooms.inputs, ("cold_dish_room",)),
    Kind(HotCabinets, HotCabinets.inputs, ("hot_cabinet",)),
    Kind(UltravioletLamps, UltravioletLamps.inputs, ("uv_lamp",)),
    Kind(Sterilisers, Sterilisers.inputs, ("steriliser",)),
    Kind(GasDetectors, GasDetectors.inputs, ("gas_detector",)),
    Kind(LeakDetectors, LeakDetectors.inputs, ("water_leak",)),
)
INPUTS: Final = tuple(dict.fromkeys(name for kind in KINDS for name in kind.inputs))


class Kitchen:
    """Implements `scenewatch.model.ports.Simulator`. Devices without channels are passed over."""

    def __init__(self, devices: Sequence[Device], *, seed: int, start_ms: int) -> None:
        channels = {t.key: len(t.measured) for t in KITCHEN.device_types}
        first = np.cumsum([0, *(channels[d.type] for d in devices)])
        self._columns = int(first[-1])
        sites = list(dict.fromkeys(d.site_id for d in devices))
        self._surroundings = Surroundings(sites, seed=seed)
        self._at_ms = start_ms // SETTLE_MS * SETTLE_MS - SETTLE_MS
        self._hour = self._surroundings.hour(self._at_ms // HOUR_MS)
        self._groups: list[tuple[Equipment, NDArray[np.intp], NDArray[np.float64]]] = []
        for kind in KINDS:
            which = np.array([n for n, d in enumerate(devices) if d.type in kind.types], np.intp)
            if len(which):
                placed = Placed(
                    seed=seed,
                    ids=tuple(devices[n].id for n in which),
                    types=tuple(devices[n].type for n in which),
                    site=np.array([sites.index(devices[n].site_id) for n in which], np.intp),
                    first=first[which],
                )
                free = np.full((len(kind.inputs), STEPS_AN_HOUR, len(which)), np.nan)
                self._groups.append((kind.make(placed, self._hour), which, free))
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
        out = np.empty((steps, self._columns))
        done = 0
        while done < steps:
            slot = self._at_ms % HOUR_MS // EVERY
            block = slice(done, min(steps, done + STEPS_AN_HOUR - slot))
            self._advance(slot, {name: driven[block] for name, driven in drives.items()}, out[block])
            self._at_ms += (block.stop - block.start) * EVERY
            done = block.stop
        return out

    def _advance(self, slot: int, drives: Mapping[str, NDArray[np.float64]], out: NDArray[np.float64]) -> None:
        """One block within an hour, from its `slot`th step on."""
        number = self._at_ms // HOUR_MS
        if number != self._hour.number:
            self._hour = self._surroundings.hour(number)
            for equipment, _, _ in self._groups:
                equipment.begin_hour(self._hour)
        for equipment, which, free in self._groups:
            equipment.advance(slot, _of_group(equipment.inputs, drives, which, free[:, : len(out)]), out)


def _of_group(
    inputs: tuple[str, ...],
    drives: Mapping[str, NDArray[np.float64]],
    which: NDArray[np.intp],
    free: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Its part of what is driven; `free` itself if that is nothing."""
    if drives.keys().isdisjoint(inputs):
        return free
    driven = free.copy()
    for number, name in enumerate(inputs):
        if name in drives:
            driven[number] = drives[name][:, which]
    return driven
