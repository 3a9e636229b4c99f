"""Devices and series numbered once and for ever, so that batches can speak in numbers.

Numbers are handed out in the order the inventory arrives in the journal and are never used again, so every
run over the same journal numbers alike. Outside this process a series is known by its name only.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec

from scenewatch.model.place import Device

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from scenewatch.model.scene import Channel, DeviceType, Scene


class Registry:
    """Append-only. One device's channels take consecutive series numbers, in the order of its type's table.

    Written by the pipeline's thread alone; other threads may read what is there (rows never change place).
    """

    def __init__(self, scenes: Iterable[Scene]) -> None:
        self.scenes: Mapping[str, Scene] = {s.key: s for s in scenes}
        self.types: Mapping[tuple[str, str], DeviceType] = {
            (s.key, t.key): t for s in self.scenes.values() for t in s.device_types
        }
        self.kinds: tuple[tuple[Scene, DeviceType, Channel], ...] = tuple(
            (s, t, c) for s in self.scenes.values() for t in s.device_types for c in t.channels
        )
        """Every channel of every table: a stage keeps one row of limits a kind, not one a series."""
        self.devices: list[Device] = []
        self.active: list[bool] = []
        self.first_series: list[int] = []
        self.since_ms: list[int] = []
        """When each device came into the inventory: silence counts from here."""
        self.series_device: list[int] = []
        self.series_kind: list[int] = []
        """Each series' place in `kinds`."""
        self._number: dict[str, int] = {}
        self._first_kind = self._count_kinds()

    def __len__(self) -> int:
        return len(self.devices)

    @property
    def series_count(self) -> int:
        return len(self.series_device)

    def type_of(self, device: int) -> DeviceType:
        d = self.devices[device]
        return self.types[d.scene, d.type]

    def channel_of(self, series: int) -> Channel:
        device = self.series_device[series]
        return self.type_of(device).channels[series - self.first_series[device]]

    def series_of(self, device: int) -> range:
        first = self.first_series[device]
        return range(first, first + len(self.type_of(device).channels))

    def series_name(self, series: int) -> str:
        """`scene.site.device.channel`: the identity of a series everywhere outside."""
        return f"{self.devices[self.series_device[series]].id}.{self.channel_of(series).key}"

    def number(self, device_id: str) -> int | None:
        """The device's number now; None if the inventory does not have it (or no longer)."""
        n = self._number.get(device_id)
        return n if n is not None and self.active[n] else None

    def children(self, gateway: int) -> Iterator[int]:
        g = self.devices[gateway]
        return (
            n
            for n, d in enumerate(self.devices)
            if self.active[n] and d.parent == g.device and d.site == g.site and d.scene == g.scene
        )

    def apply(self, devices: Sequence[Device], *, at_ms: int) -> range:
        """Make the inventory exactly `devices`; returns the numbers of the new ones.

        A device whose type changed gets a new number and new series. Types must exist (the inventory checks).
        """
        first_new = len(self.devices)
        wanted = {d.id for d in devices}
        for n, d in enumerate(self.devices):
            self.active[n] = self.active[n] and d.id in wanted
        for d in devices:
            known = self._number.get(d.id)
            if known is not None and self.devices[known].type == d.type:
                self.devices[known] = d
                if not self.active[known]:
                    self.active[known] = True
                    self.since_ms[known] = at_ms
                continue
            if known is not None:
                self.active[known] = False
            self._append(d, at_ms)
        return range(first_new, len(self.devices))

    def _count_kinds(self) -> dict[tuple[str, str], int]:
        firsts = accumulate((len(t.channels) for t in self.types.values()), initial=0)
        return dict(zip(self.types, firsts, strict=False))

    def _append(self, device: Device, at_ms: int) -> None:
        """Active comes last but one and the name last: who looks meanwhile does not see half a device."""
        number = len(self.devices)
        key = (device.scene, device.type)
        first_kind, channels = self._first_kind[key], len(self.types[key].channels)
        self.devices.append(device)
        self.since_ms.append(at_ms)
        self.first_series.append(len(self.series_device))
        self.series_kind.extend(range(first_kind, first_kind + channels))
        self.series_device.extend([number] * channels)
        self.active.append(True)
        self._number[device.id] = number

    def snapshot(self) -> bytes:
        return msgspec.msgpack.encode([self.devices, self.active, self.since_ms])

    def restore(self, data: bytes) -> None:
        """Take the numbering of `snapshot`. Must be called on an empty registry of the same tables."""
        devices, active, since = msgspec.msgpack.decode(data, type=tuple[list[Device], list[bool], list[int]])
        for d, at_ms in zip(devices, since, strict=True):
            self._append(d, at_ms)
        self.active = active
