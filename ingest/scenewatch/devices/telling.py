"""What devices tell of once: by themselves, and because of the plan's faults, which also silence and delay it."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import TYPE_CHECKING, NamedTuple

from scenewatch.model.event import Happening
from scenewatch.model.fault import Away, Silence, Tells, WrongClock
from scenewatch.model.scene import Severity
from scenewatch.model.words import minutes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from scenewatch.devices.faults import Laid
    from scenewatch.model.place import Device
    from scenewatch.model.ports import Teller
    from scenewatch.model.scene import Scene


class Telling(NamedTuple):
    """An event on its way to the broker."""

    t_ms: int
    device: int
    happening: Happening
    stamped_ms: int
    """The time by the device's own clock."""
    sent_ms: int
    """When it can leave: at once, or when its gateway is back."""


class Tellings:
    """All events of a fleet, block by block in the order of time."""

    def __init__(self, scene: Scene, devices: Sequence[Device], laid: Sequence[Laid], *, seed: int) -> None:
        self._teller: Teller | None = resolve_name(scene.teller)(devices, seed=seed) if scene.teller else None
        self._tells = [fault for fault in laid if isinstance(fault.effect, Tells)]
        self._amiss = [fault for fault in laid if isinstance(fault.effect, Silence | WrongClock | Away)]

    def of(
        self, span_ms: tuple[int, int], t_ms: NDArray[np.int64], values: NDArray[np.float64]
    ) -> Sequence[Telling]:
        """What was told in the steps within (from, to]; see `ports.Teller`."""
        happened = [*self._teller.told(span_ms, t_ms, values)] if self._teller is not None else []
        for fault in self._tells:
            happened += _told_by(fault, *span_ms)
        if not happened:
            return ()
        told = (self._on_its_way(happening) for happening in happened)
        return sorted((one for one in told if one is not None), key=lambda one: one.t_ms)

    def _on_its_way(self, happening: Happening) -> Telling | None:
        """None: nobody will ever hear of it."""
        stamped_ms = sent_ms = happening.t_ms
        for fault in self._amiss:
            if happening.device not in fault.devices or not fault.from_ms <= happening.t_ms < fault.to_ms:
                continue
            match fault.effect:
                case Silence():
                    return None
                case WrongClock():
                    stamped_ms = happening.t_ms + minutes(fault.size)
                case _:
                    sent_ms = max(sent_ms, fault.to_ms)
        return Telling(happening.t_ms, happening.device, happening, stamped_ms, sent_ms)


def _told_by(fault: Laid, from_ms: int, to_ms: int) -> Iterator[Happening]:
    effect = fault.effect
    if not isinstance(effect, Tells):
        raise TypeError(f"{effect} tells of nothing")
    first = max(0, -(-(from_ms + 1 - fault.from_ms) // effect.every))
    for t_ms in range(fault.from_ms + first * effect.every, min(to_ms + 1, fault.to_ms), effect.every):
        for device in fault.devices:
            yield Happening(device=device, t_ms=t_ms, kind=effect.event, level=Severity.WARNING)
