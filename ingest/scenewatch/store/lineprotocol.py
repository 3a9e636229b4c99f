"""Readings as InfluxDB's line protocol: a line for what one device measured at one time.

    cold_room,scene=kitchen,site=north,device=room1 temp=4.5,temp_flag=1i,temp_test=0i 1700000000000

A measurement for each device type; times in milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from sys import intern
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from scenewatch.model.errors import RefusedError
from scenewatch.store.linekernel import BESIDE_NAMES, Readings, Texts, write_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEASUREMENT_ESCAPES = str.maketrans({",": r"\,", " ": r"\ "})
KEY_ESCAPES = str.maketrans({",": r"\,", " ": r"\ ", "=": r"\="})


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """What line protocol says of a series."""

    measurement: str
    scene: str
    site: str
    device: str
    channel: str

    @classmethod
    def of(cls, measurement: str, name: str) -> SeriesKey:
        """Of a series' name, `scene.site.device.channel`."""
        parts = name.split(".")
        if len(parts) != 4:
            raise RefusedError(f"{name!r} does not name a series: it needs scene.site.device.channel")
        return cls(measurement, *map(intern, parts))  # a device's parts are those of all its series

    def check(self) -> None:
        """Raises RefusedError for a name that no line can carry."""
        for part in (self.measurement, self.scene, self.site, self.device, self.channel):
            # Line protocol has no way to write these: a backslash at the end would escape what follows it.
            if not part or not part.isprintable() or part.endswith("\\"):
                raise RefusedError(f"{part!r} cannot be a name in line protocol")
        if "\\" in self.measurement or "\\" in self.channel:  # read back as another name, or not at all
            raise RefusedError(f"{self.measurement!r}, {self.channel!r}: no backslash in line protocol but in tags")
        if self.measurement.startswith("#"):
            raise RefusedError(f"{self.measurement!r} would be a comment in line protocol")

    def head(self) -> str:
        """The line up to its fields."""
        tags = (("scene", self.scene), ("site", self.site), ("device", self.device))
        told = "".join(f",{key}={value.translate(KEY_ESCAPES)}" for key, value in tags)
        return f"{self.measurement.translate(MEASUREMENT_ESCAPES)}{told} "


class LineTexts:
    """The texts of known series, by a number of its own for each, from 0."""

    def __init__(self) -> None:
        self.keys: list[SeriesKey] = []
        self.device_of = np.empty(0, np.int64)
        """Series with one number here share their lines."""
        self.field_of = np.empty(0, np.int64)
        """Series with one number here have one measurement and channel."""
        self._channel_of = np.empty(0, np.int64)
        self._heads = Texts.of([])
        self._channels = Texts.of([])
        self._longest = 0
        """Bytes that one reading takes at most."""
        self._number_of_device: dict[tuple[str, ...], int] = {}
        self._number_of_channel: dict[str, int] = {}
        self._number_of_field: dict[tuple[str, str], int] = {}

    def add(self, keys: list[SeriesKey]) -> None:
        """All or, raising RefusedError, none."""
        for key in keys:
            key.check()
        heads: list[str] = []
        devices = [self._device(key, heads) for key in keys]
        channels = [self._number_of_channel.setdefault(k.channel, len(self._number_of_channel)) for k in keys]
        fields = [
            self._number_of_field.setdefault((k.measurement, k.channel), len(self._number_of_field)) for k in keys
        ]
        self.keys += keys
        self._heads = self._heads.with_more(heads)
        self._channels = Texts.of([channel.translate(KEY_ESCAPES) for channel in self._number_of_channel])
        self._longest = self._heads.longest() + 3 * self._channels.longest() + BESIDE_NAMES
        self.device_of = np.append(self.device_of, devices).astype(np.int64)
        self.field_of = np.append(self.field_of, fields).astype(np.int64)
        self._channel_of = np.append(self._channel_of, channels).astype(np.int64)

    def _device(self, key: SeriesKey, heads: list[str]) -> int:
        """Its number; one that is new adds its text to `heads`."""
        place = (key.measurement, key.scene, key.site, key.device)
        known = len(self._number_of_device)
        number = self._number_of_device.setdefault(place, known)
        if number == known:
            heads.append(key.head())
        return number

    def encode(
        self,
        series: NDArray[np.int32],
        t_ms: NDArray[np.int64],
        value: NDArray[np.float64],
        flag: NDArray[np.uint8],
        test: NDArray[np.uint8],
    ) -> bytes:
        """Neighbours of one device and time become one line. No series twice at one time."""
        if len(series) == 0:
            return b""
        readings = Readings(
            self.device_of[series],
            self._channel_of[series],
            np.ascontiguousarray(t_ms),
            np.frombuffer(msgspec.json.encode(value.tolist()), np.uint8),
            np.ascontiguousarray(flag),
            np.ascontiguousarray(test),
        )
        out = np.empty(len(series) * self._longest, np.uint8)
        return out[: write_lines(readings, self._heads, self._channels, out)].tobytes()
