"""Labelled faults on a time table, and what those of the physics drive, as arrays over the fleet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from scenewatch.model.errors import ConfigurationError, Mistake
from scenewatch.model.fault import PhysicsEffect, Ramp, Scope
from scenewatch.model.rule import NoData
from scenewatch.model.words import Duration, minutes, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from scenewatch.model.fault import Effect, Fault
    from scenewatch.model.place import Device
    from scenewatch.model.rule import Rule
    from scenewatch.model.scene import Scene

MISHAP_DUE: Final = seconds(70)
MISHAP_STAYS: Final = minutes(3)


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """One fault of one device; samples with from_ms <= t < to_ms show it."""

    fault: str
    device: str
    """`scene.site.device`."""
    from_ms: int
    to_ms: int
    size: float | None = None
    """In the table's measure; None for an ordinary one."""


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """All that is to go wrong. Of two faults on one input the later in the list wins."""

    faults: tuple[PlannedFault, ...] = ()

    def of(self, devices: Iterable[Device]) -> FaultPlan:
        """The part that befalls these devices."""
        ids = {d.id for d in devices}
        return FaultPlan(tuple(f for f in self.faults if f.device in ids))


@dataclass(frozen=True, slots=True)
class Laid:
    """A planned fault laid onto a fleet."""

    effect: Effect
    size: float
    from_ms: int
    to_ms: int
    devices: tuple[int, ...]
    """Whom it reaches, by their number in the fleet."""

    def within(self, t_ms: NDArray[np.int64]) -> bool:
        """Whether it is there at all at any of these sample times, (steps, devices)."""
        return bool(self.from_ms <= t_ms[-1].max() and t_ms[0].min() < self.to_ms)

    def during(self, t_ms: NDArray[np.int64]) -> NDArray[np.bool_]:
        return (self.from_ms <= t_ms) & (t_ms < self.to_ms)

    def grown(self, t_ms: NDArray[np.int64]) -> NDArray[np.float64]:
        """The share of the fault's span that has passed."""
        return (t_ms - self.from_ms) / (self.to_ms - self.from_ms)


def lay(scene: Scene, devices: Sequence[Device], plan: FaultPlan) -> list[Laid]:
    """Raises ConfigurationError with all that is wrong in the plan."""
    numbers = {d.id: n for n, d in enumerate(devices)}
    mistakes = [m for f in plan.faults for m in _mistakes(scene, devices, numbers, f)]
    if mistakes:
        raise ConfigurationError(mistakes)
    laid = []
    for planned in plan.faults:
        fault = scene.fault(planned.fault)
        size = planned.size
        if size is None:
            size = fault.sizes.ordinary if fault.sizes is not None else 1.0
        reached = _reached(devices, numbers[planned.device], fault.scope)
        laid.append(Laid(fault.effect, size, planned.from_ms, planned.to_ms, reached))
    return laid


def _reached(devices: Sequence[Device], struck: int, scope: Scope) -> tuple[int, ...]:
    """A device speaks through its parent, which is of its site."""
    head = devices[struck]
    if scope is Scope.SITE:
        return tuple(n for n, d in enumerate(devices) if d.site_id == head.site_id)
    if scope is Scope.CHILDREN:
        return tuple(
            n for n, d in enumerate(devices) if n == struck or (d.site_id, d.parent) == (head.site_id, head.device)
        )
    return (struck,)


def drives(laid: Sequence[Laid], t_ms: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """For sample times (steps, devices): each driven input, NaN where it is free."""
    driven: dict[str, NDArray[np.float64]] = {}
    for fault in laid:
        effect = fault.effect
        if not isinstance(effect, PhysicsEffect) or not fault.within(t_ms):
            continue
        for device in fault.devices:
            now = fault.during(t_ms[:, device])
            if now.any():
                values = driven.setdefault(effect.input, np.full(t_ms.shape, np.nan))
                values[now, device] = _driven_to(fault, effect, t_ms[now, device])
    return driven


def _driven_to(fault: Laid, effect: PhysicsEffect, t_ms: NDArray[np.int64]) -> NDArray[np.float64] | float:
    if isinstance(effect, Ramp):
        return fault.size * fault.grown(t_ms)
    return fault.size if effect.to is None else effect.to


def _mistakes(
    scene: Scene, devices: Sequence[Device], numbers: dict[str, int], planned: PlannedFault
) -> Iterator[Mistake]:
    place = f"fault plan: {planned.fault} on {planned.device}"
    fault = next((f for f in scene.faults if f.key == planned.fault), None)
    number = numbers.get(planned.device)
    if fault is None:
        yield Mistake(place, f"scene {scene.key} has no such fault")
    if number is None:
        yield Mistake(place, "no such device in the fleet")
    elif fault is not None and devices[number].type not in fault.on:
        yield Mistake(place, f"befalls {', '.join(fault.on)}, not a {devices[number].type}")
    if planned.size is not None and fault is not None:
        yield from _size_mistakes(place, planned.size, fault)
    if planned.to_ms <= planned.from_ms:
        yield Mistake(place, "must end after it begins")


def _size_mistakes(place: str, size: float, fault: Fault) -> Iterator[Mistake]:
    sizes = fault.sizes
    if sizes is None:
        yield Mistake(place, "is of one size only: leave the size out")
    elif not sizes.smallest <= size <= sizes.largest:
        yield Mistake(place, f"its size must be {sizes.smallest:g} to {sizes.largest:g} {sizes.unit}, not {size:g}")


def mishap(scene: Scene, devices: Sequence[Device], live_ms: int, *, not_before_ms: int) -> FaultPlan:
    """The demonstration's fault on the first device it can befall: its alarm is due soon after `live_ms`.

    It begins early enough for that, though not before `not_before_ms`, and ends by itself a while after the alarm.
    """
    fault = scene.fault(scene.mishap)
    device = next((d for d in devices if d.type in fault.on), None)
    if device is None:
        return FaultPlan()
    rule = scene.rule(fault.rules[0])
    delay = _delay(rule) + scene.device_type(device.type).every
    from_ms = max(live_ms + MISHAP_DUE - delay, not_before_ms)
    return FaultPlan((PlannedFault(fault.key, device.id, from_ms, from_ms + delay + MISHAP_STAYS),))


def mishaps(scene: Scene, devices: Sequence[Device], from_ms: int, to_ms: int, every_ms: int) -> FaultPlan:
    """The demonstration's fault again and again, on one device after the other; each raises its alarm and ends."""
    fault = scene.fault(scene.mishap)
    befallen = [d for d in devices if d.type in fault.on]
    rule = scene.rule(fault.rules[0])
    starts_ms = range(from_ms + every_ms, to_ms, every_ms) if befallen else ()
    planned = []
    for number, start_ms in enumerate(starts_ms):
        device = befallen[number % len(befallen)]
        lasts = _delay(rule) + scene.device_type(device.type).every + MISHAP_STAYS
        planned.append(PlannedFault(fault.key, device.id, start_ms, start_ms + lasts))
    return FaultPlan(tuple(planned))


def _delay(rule: Rule) -> Duration:
    return rule.when.after if isinstance(rule.when, NoData) else rule.on_delay
