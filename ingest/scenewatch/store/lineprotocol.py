"""Readings as InfluxDB's line protocol: a line for what one device measured at one time.

    cold_room,scene=kitchen,site=north,device=room1 temp=4.5,temp_flag=1i,temp_test=0i 1700000000000

A measurement for each device type; times in milliseconds.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from scenewatch.model.errors import RefusedError
from scenewatch.store.linekernel import BESIDE_NAMES, Readings, Texts, write_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MEASUREMENT_ESCAPES = str.maketrans({",": r"\,", " ": r"\ "})
KEY_ESCAPES = str.maketrans({",": r"\,", " ": r"\ ", "=": r"\="})
NONE = -1
"""In place of a number."""


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
        return cls(measurement, *parts)

    @property
    def place(self) -> str:
        return f"{self.scene}.{self.site}.{self.device}"

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
    """The texts of known series, by a number of its own for each, from 0.

    There may be half a million: names are kept once a device, all else of a series is numbers.
    """

    def __init__(self) -> None:
        self.device_of = np.empty(0, np.int32)
        """Series with one number here share their lines."""
        self.field_of = np.empty(0, np.int32)
        """Series with one number here have one measurement and channel."""
        self._places: dict[str, int] = {}
        self._place_names: list[str] = []
        """`scene.site.device`, by number."""
        self._measurements: dict[str, array[int]] = {}
        """Of each, by place: the number of the device of this type there."""
        self._place_of_device = array("i")
        self._latest = array("i")
        """A device's latest series; `_before` is, of each series, the one of the same device before it."""
        self._before = array("i")
        self._fields: dict[tuple[str, str], int] = {}
        self._channels: dict[str, int] = {}
        self._channel_of_field = np.empty(0, np.int64)
        self._heads = Texts.of([])
        self._channel_texts = Texts.of([])
        self._longest = 0
        """Bytes that one reading takes at most."""

    def __len__(self) -> int:
        return len(self._before)

    def place(self, name: str) -> int:
        """The number of `scene.site.device`; one that is new gets the next."""
        number = self._places.setdefault(name, len(self._place_names))
        if number == len(self._place_names):
            self._place_names.append(name)
        return number

    def numbers(self, key: SeriesKey) -> dict[str, int]:
        """By measurement: the numbers of all known series of this name, whichever measurement `key` has."""
        place, found = self._places.get(key.place, NONE), dict[str, int]()
        for measurement, devices in self._measurements.items():
            field = self._fields.get((measurement, key.channel))
            is_there = field is not None and 0 <= place < len(devices) and devices[place] != NONE
            at = self._latest[devices[place]] if is_there else NONE
            while at != NONE and self.field_of[at] != field:
                at = self._before[at]
            if at != NONE:
                found[measurement] = at
        return found

    def key(self, number: int) -> SeriesKey:
        measurement, channel = tuple(self._fields)[self.field_of[number]]
        place = self._place_names[self._place_of_device[self.device_of[number]]]
        return SeriesKey.of(measurement, f"{place}.{channel}")

    def add(self, keys: Sequence[SeriesKey]) -> None:
        """Series that are not known yet. All or, raising RefusedError, none."""
        for key in keys:
            key.check()
        heads: list[str] = []
        devices, fields = [], []
        for key in keys:
            devices.append(self._device(key, heads))
            fields.append(self._fields.setdefault((key.measurement, key.channel), len(self._fields)))
            self._before.append(self._latest[devices[-1]])
            self._latest[devices[-1]] = len(self._before) - 1
        self.device_of = np.append(self.device_of, np.array(devices, np.int32))
        self.field_of = np.append(self.field_of, np.array(fields, np.int32))
        channels = [self._channels.setdefault(channel, len(self._channels)) for _, channel in self._fields]
        self._channel_of_field = np.array(channels, np.int64)
        self._heads = self._heads.with_more(heads)
        self._channel_texts = Texts.of([channel.translate(KEY_ESCAPES) for channel in self._channels])
        self._longest = self._heads.longest() + 3 * self._channel_texts.longest() + BESIDE_NAMES

    def _device(self, key: SeriesKey, heads: list[str]) -> int:
        """Its number; one that is new adds its text to `heads`."""
        place = self.place(key.place)
        devices = self._measurements.setdefault(key.measurement, array("i"))
        devices.extend([NONE] * (place + 1 - len(devices)))
        if devices[place] == NONE:
            devices[place] = len(self._latest)
            self._latest.append(NONE)
            self._place_of_device.append(place)
            heads.append(key.head())
        return devices[place]

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
            self._channel_of_field[self.field_of[series]],
            np.ascontiguousarray(t_ms),
            np.frombuffer(msgspec.json.encode(value.tolist()), np.uint8),
            np.ascontiguousarray(flag),
            np.ascontiguousarray(test),
        )
        out = np.empty(len(series) * self._longest, np.uint8)
        return out[: write_lines(readings, self._heads, self._channel_texts, out)].tobytes()
