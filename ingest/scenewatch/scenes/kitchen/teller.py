"""What a kitchen's devices tell of by themselves: cycles and burns that are over, alarms, checks, restarts.

What the physics decides is read from the channels, as the device's own electronics would; the rest comes from the
timetable and chance. Devices of one kind are looked at together, step by step, and only while something goes on.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from scenewatch.model.event import Happening
from scenewatch.model.scene import Severity
from scenewatch.scenes.kitchen.kernel import STEP_S
from scenewatch.scenes.kitchen.morning import MorningChecks
from scenewatch.scenes.kitchen.restarts import Restarts
from scenewatch.scenes.kitchen.steriliser import CHAMBER_TEMP, COOLING, CYCLE, HOLDING, IDLE
from scenewatch.scenes.kitchen.tables import KITCHEN
from scenewatch.scenes.kitchen.uv_lamp import IRRADIANCE, LAMP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from scenewatch.model.place import Device

GAS: Final = 0
ALARM_LEL: Final = 25.0
CALM_LEL: Final = 20.0
"""A detector that has sounded does so again only after the gas was below this."""


class Watch(Protocol):
    """Looks at the channels of all devices of one kind."""

    def told(self, t_ms: NDArray[np.int64], values: NDArray[np.float64]) -> Iterable[Happening]: ...


class Cycles:
    """Sterilisers: what the cycle came to, when the dishes are taken out."""

    def __init__(self, devices: NDArray[np.intp], first: NDArray[np.intp]) -> None:
        self._devices, self._first = devices, first
        self._cycle: NDArray[np.float64] | None = None
        self._hottest_c = np.zeros(len(devices))
        self._held_s = np.zeros(len(devices))

    def told(self, t_ms: NDArray[np.int64], values: NDArray[np.float64]) -> Iterator[Happening]:
        cycles, chamber_c = values[:, self._first + CYCLE], values[:, self._first + CHAMBER_TEMP]
        was = cycles[0] if self._cycle is None else self._cycle
        self._cycle = cycles[-1]
        if not was.any() and not cycles.any():
            return
        for step, now in enumerate(cycles):
            begun = (was == IDLE) & (now != IDLE)
            self._hottest_c[begun] = self._held_s[begun] = 0.0
            np.maximum(self._hottest_c, chamber_c[step], out=self._hottest_c, where=now == HOLDING)
            self._held_s[now == HOLDING] += STEP_S
            for n in np.flatnonzero((was != IDLE) & (now == IDLE)).tolist():
                yield self._over(n, int(t_ms[step, self._devices[n]]), done=bool(was[n] == COOLING))
            was = now

    def _over(self, n: int, t_ms: int, *, done: bool) -> Happening:
        hottest_c, held_min = round(float(self._hottest_c[n]), 1), float(self._held_s[n]) / 60
        return Happening(
            device=int(self._devices[n]),
            t_ms=t_ms,
            kind="cycle_done" if done else "cycle_broken",
            level=Severity.INFO if done else Severity.WARNING,
            text=f"{hottest_c:g} °C, {held_min:g} min",
            data={"hottest_c": hottest_c, "held_min": held_min},
        )


class Burns:
    """Ultraviolet lamps: for how long one has burned, and how strongly."""

    def __init__(self, devices: NDArray[np.intp], first: NDArray[np.intp]) -> None:
        self._devices, self._first = devices, first
        self._on: NDArray[np.float64] | None = None
        self._burned_s = np.zeros(len(devices))
        self._given = np.zeros(len(devices))
        """Sum of the irradiance over the steps of this burn."""

    def told(self, t_ms: NDArray[np.int64], values: NDArray[np.float64]) -> Iterator[Happening]:
        lamps, irradiance = values[:, self._first + LAMP], values[:, self._first + IRRADIANCE]
        was = lamps[0] if self._on is None else self._on
        self._on = lamps[-1]
        if not was.any() and not lamps.any():
            return
        for step, now in enumerate(lamps):
            for n in np.flatnonzero((was > 0) & (now == 0)).tolist():
                yield self._over(n, int(t_ms[step, self._devices[n]]))
            self._burned_s = np.where(now > 0, self._burned_s + STEP_S, 0.0)
            self._given = np.where(now > 0, self._given + irradiance[step], 0.0)
            was = now

    def _over(self, n: int, t_ms: int) -> Happening:
        burned_s = float(self._burned_s[n])
        burned_min = burned_s / 60
        mean = round(float(self._given[n]) / max(1.0, burned_s / STEP_S), 1)
        return Happening(
            device=int(self._devices[n]),
            t_ms=t_ms,
            kind="burn_done",
            text=f"{burned_min:g} min, {mean:g} µW/cm²",
            data={"burned_min": burned_min, "mean_uw_cm2": mean},
        )


class GasAlarms:
    """Gas detectors have a sounder of their own, whoever else hears of it."""

    def __init__(self, devices: NDArray[np.intp], first: NDArray[np.intp]) -> None:
        self._devices, self._first = devices, first
        self._sounding = np.zeros(len(devices), np.bool_)

    def told(self, t_ms: NDArray[np.int64], values: NDArray[np.float64]) -> Iterator[Happening]:
        gas = values[:, self._first + GAS]
        if not self._sounding.any() and gas.max(initial=0.0) < ALARM_LEL:
            return
        for step, now in enumerate(gas):
            for n in np.flatnonzero((now >= ALARM_LEL) & ~self._sounding).tolist():
                yield Happening(
                    device=int(self._devices[n]),
                    t_ms=int(t_ms[step, self._devices[n]]),
                    kind="alarm",
                    level=Severity.ALARM,
                    text=f"{now[n]:g} % LEL",
                    data={"gas_lel": float(now[n])},
                )
            self._sounding = (now >= ALARM_LEL) | (self._sounding & (now >= CALM_LEL))


WATCHES: Final[Mapping[str, Callable[[NDArray[np.intp], NDArray[np.intp]], Watch]]] = {
    "steriliser": Cycles,
    "uv_lamp": Burns,
    "gas_detector": GasAlarms,
}


class KitchenTeller:
    """Implements `scenewatch.model.ports.Teller`."""

    def __init__(self, devices: Sequence[Device], *, seed: int) -> None:
        channels = {t.key: len(t.measured) for t in KITCHEN.device_types}
        first = np.cumsum([0, *(channels[d.type] for d in devices)])
        self._watches: list[Watch] = []
        for device_type, watch in WATCHES.items():
            which = np.array([n for n, d in enumerate(devices) if d.type == device_type], np.intp)
            if len(which):
                self._watches.append(watch(which, first[which]))
        self._checks = MorningChecks(devices, seed=seed)
        self._restarts = Restarts(devices, seed=seed)

    def told(
        self, span_ms: tuple[int, int], t_ms: NDArray[np.int64], values: NDArray[np.float64]
    ) -> list[Happening]:
        seen = (watch.told(t_ms, values) for watch in self._watches)
        return [*chain.from_iterable(seen), *self._checks.told(*span_ms), *self._restarts.told(*span_ms)]
