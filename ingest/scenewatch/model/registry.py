"""Devices and series numbered once and for ever, so that batches can speak in numbers.

Numbers are handed out in the order the inventory arrives in the journal and are never used again, so every
run over the same journal numbers alike. Outside this process a series is known by its name only.
"""

from __future__ import annotations

from array import array
from itertools import accumulate
from sys import intern
from typing import TYPE_CHECKING

import msgspec

from scenewatch.model.devices import Devices

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scenewatch.model.pieces import Piece
    from scenewatch.model.place import Device
    from scenewatch.model.scene import Channel, DeviceType, Scene

ARRAY_OF_3 = b"\x93"


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
        self.devices = Devices()
        self.ids: list[str] = []
        """Each device's id, without unpacking the device; next each one's gateway's, empty without one."""
        self.gateway_ids: list[str] = []
        self.active: list[bool] = []
        self.first_series = array("i")
        self.since_ms = array("q")
        """When each device came into the inventory: silence counts from here."""
        self.series_device = array("i")
        self.series_kind = array("i")
        """Each series' place in `kinds`."""
        self._types = tuple(self.types.values())
        self._type_number = {key: number for number, key in enumerate(self.types)}
        self._type = array("i")
        """Each device's place in `_types`."""
        self._number: dict[str, int] = {}
        self._first_kind = tuple(accumulate((len(t.channels) for t in self._types), initial=0))

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def series_count(self) -> int:
        return len(self.series_device)

    def type_of(self, device: int) -> DeviceType:
        return self._types[self._type[device]]

    def channel_of(self, series: int) -> Channel:
        device = self.series_device[series]
        return self.type_of(device).channels[series - self.first_series[device]]

    def series_of(self, device: int) -> range:
        first = self.first_series[device]
        return range(first, first + len(self.type_of(device).channels))

    def series_name(self, series: int) -> str:
        """`scene.site.device.channel`: the identity of a series everywhere outside."""
        return f"{self.ids[self.series_device[series]]}.{self.channel_of(series).key}"

    def number(self, device_id: str) -> int | None:
        """The device's number now; None if the inventory does not have it (or no longer)."""
        n = self._number.get(device_id)
        return n if n is not None and self.active[n] else None

    def children(self, gateway: int) -> Iterator[int]:
        gateway_id = self.ids[gateway]
        return (n for n, parent in enumerate(self.gateway_ids) if parent == gateway_id and self.active[n])

    def holds(self, devices: Devices) -> bool:
        """Whether the inventory is exactly these."""
        active = {row for row, is_in in zip(self.devices.packed, self.active, strict=True) if is_in}
        return active == set(devices.packed)

    def apply(self, devices: Iterable[Device], *, at_ms: int) -> range:
        """Make the inventory exactly `devices`; returns the numbers of the new ones.

        A device whose type changed gets a new number and new series. Types must exist (the inventory checks).
        """
        packed = devices if isinstance(devices, Devices) else Devices(devices)
        first_new = len(self)
        wanted = {d.id for d in packed}
        for n, device_id in enumerate(self.ids):
            self.active[n] = self.active[n] and device_id in wanted
        for d, row in zip(packed, packed.packed, strict=True):
            known = self._number.get(d.id)
            if known is not None and self._type[known] == self._type_number[d.scene, d.type]:
                self.devices.packed[known] = row
                self.gateway_ids[known] = _gateway_id(d)
                if not self.active[known]:
                    self.active[known] = True
                    self.since_ms[known] = at_ms
                continue
            if known is not None:
                self.active[known] = False
            self._append(d, row, at_ms)
        return range(first_new, len(self))

    def _append(self, device: Device, row: bytes, at_ms: int) -> None:
        """Active comes last but one and the name last: who looks meanwhile does not see half a device."""
        number = len(self)
        device_type = self._type_number[device.scene, device.type]
        first_kind, behind = self._first_kind[device_type : device_type + 2]
        self.devices.packed.append(row)
        self._type.append(device_type)
        self.since_ms.append(at_ms)
        self.gateway_ids.append(_gateway_id(device))
        self.first_series.append(len(self.series_device))
        self.series_kind.extend(range(first_kind, behind))
        self.series_device.extend([number] * (behind - first_kind))
        device_id = device.id
        self.ids.append(device_id)
        self.active.append(True)
        self._number[device_id] = number

    def snapshot(self) -> Iterator[Piece]:
        """An array of three; put together by hand, because the devices are long."""
        yield ARRAY_OF_3
        yield from self.devices.pieces()
        yield msgspec.msgpack.encode(self.active)
        yield msgspec.msgpack.encode(self.since_ms.tolist())

    def restore(self, data: bytes) -> None:
        """Take the numbering of `snapshot`. Must be called on an empty registry of the same tables."""
        rows, active, since = msgspec.msgpack.decode(data, type=tuple[msgspec.Raw, list[bool], list[int]])
        devices = Devices.from_bytes(rows)
        for d, row, at_ms in zip(devices, devices.packed, since, strict=True):
            self._append(d, row, at_ms)
        self.active = active


def _gateway_id(device: Device) -> str:
    """One text for all its devices: they are many."""
    return intern(f"{device.site_id}.{device.parent}") if device.parent else ""
