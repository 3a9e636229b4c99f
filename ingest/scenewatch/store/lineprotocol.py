"""Readings as InfluxDB's line protocol: a line for what one device measured at one time.

    cold_room,scene=kitchen,site=north,device=room1 temp=4.5,temp_flag=1i,temp_test=0i 1700000000000

A measurement for each device type; times in milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from sys import intern
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from scenewatch.model.errors import RefusedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLAG, TEST = "_flag", "_test"
"""Behind a channel's key: the fields beside its value."""

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

    def head(self) -> str:
        """The line up to its fields. Raises RefusedError for a name that no line can carry."""
        tags = (("scene", self.scene), ("site", self.site), ("device", self.device))
        for part in (self.measurement, self.scene, self.site, self.device, self.channel):
            _check(part)
        if "\\" in f"{self.measurement}{self.channel}":  # read back as another name, or not at all
            raise RefusedError(f"{self.measurement!r}, {self.channel!r}: no backslash in line protocol but in tags")
        if self.measurement.startswith("#"):
            raise RefusedError(f"{self.measurement!r} would be a comment in line protocol")
        told = "".join(f",{key}={value.translate(KEY_ESCAPES)}" for key, value in tags)
        return f"{self.measurement.translate(MEASUREMENT_ESCAPES)}{told} "


def _check(part: str) -> None:
    """Line protocol has no way to write these: a backslash at the end would escape what follows it."""
    if not part or not part.isprintable() or part.endswith("\\"):
        raise RefusedError(f"{part!r} cannot be a name in line protocol")


class LineTexts:
    """The texts of known series, by a number of its own for each, from 0."""

    def __init__(self) -> None:
        self.keys: list[SeriesKey] = []
        self.device_of = np.empty(0, np.int64)
        """Series with one number here share their lines."""
        self._channel_of = np.empty(0, np.int64)
        self._fields = np.empty(0, object)
        self._heads = np.empty(0, object)
        self._channels: list[str] = []
        self._number_of_head: dict[str, int] = {}
        self._number_of_channel: dict[str, int] = {}

    def add(self, keys: list[SeriesKey]) -> None:
        """All or, raising RefusedError, none."""
        heads = [key.head() for key in keys]
        devices = [self._number_of_head.setdefault(head, len(self._number_of_head)) for head in heads]
        channels = [self._number_of_channel.setdefault(k.channel, len(self._number_of_channel)) for k in keys]
        self.keys += keys
        self._channels = [channel.translate(KEY_ESCAPES) for channel in self._number_of_channel]
        self._heads = _texts(list(self._number_of_head))
        self.device_of = np.append(self.device_of, devices).astype(np.int64)
        self._channel_of = np.append(self._channel_of, channels).astype(np.int64)
        self._fields = _texts([f"{self._channels[c]}=" for c in self._channel_of.tolist()])

    def encode(
        self,
        series: NDArray[np.int32],
        t_ms: NDArray[np.int64],
        value: NDArray[np.float64],
        flag: NDArray[np.uint8],
        test: NDArray[np.uint8],
    ) -> bytes:
        """Neighbours of one device and time become one line. No series twice at one time."""
        n = len(series)
        if n == 0:
            return b""
        device = self.device_of[series]
        begins = np.concatenate(([True], (device[1:] != device[:-1]) | (t_ms[1:] != t_ms[:-1])))
        ends = np.append(begins[1:], True)
        parts = np.empty((n, 5), object)
        parts[:, 0] = ","
        parts[begins, 0] = self._heads[device[begins]]
        parts[:, 1] = self._fields[series]
        parts[:, 2] = msgspec.json.encode(value.tolist())[1:-1].decode().split(",")
        parts[:, 3] = self._judgements(series, flag, test)
        parts[:, 4] = ""
        parts[ends, 4] = [f" {t}\n" for t in t_ms[ends].tolist()]
        return "".join(parts.ravel().tolist()).encode()

    def _judgements(
        self, series: NDArray[np.int32], flag: NDArray[np.uint8], test: NDArray[np.uint8]
    ) -> NDArray[Any]:
        """The flag and test fields; there are few different ones, so each is made once."""
        code = self._channel_of[series] << 16 | flag.astype(np.int64) << 8 | test
        different, which = np.unique(code, return_inverse=True)
        return _texts([self._judgement(c) for c in different.tolist()])[which]

    def _judgement(self, code: int) -> str:
        channel = self._channels[code >> 16]
        return f",{channel}{FLAG}={code >> 8 & 255}i,{channel}{TEST}={code & 255}i"


def _texts(texts: list[str]) -> NDArray[Any]:
    return np.array(texts, object)
