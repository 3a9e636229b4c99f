"""The columns of exported files, and of what was found the rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from scenewatch.model.flags import Flag, Test

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenewatch.model.ports import Readings


class Kind(StrEnum):
    """What a column holds, as Parquet's writer names it. Times are UTC, in text with a Z behind."""

    TEXT = "VARCHAR"
    WHOLE = "BIGINT"
    NUMBER = "DOUBLE"
    TIME = "TIMESTAMP"


Columns = dict[str, Kind]
Cell = str | int | float | None
Row = tuple[Cell, ...]

READINGS: Final[Columns] = {
    "site": Kind.TEXT,
    "device": Kind.TEXT,
    "channel": Kind.TEXT,
    "unit": Kind.TEXT,
    "time": Kind.TIME,
    "t_ms": Kind.WHOLE,
    "value": Kind.NUMBER,
    "flag": Kind.TEXT,
    "test": Kind.TEXT,
}
ALARMS: Final[Columns] = {
    "site": Kind.TEXT,
    "device": Kind.TEXT,
    "rule": Kind.TEXT,
    "priority": Kind.TEXT,
    "state": Kind.TEXT,
    "raised": Kind.TIME,
    "raised_ms": Kind.WHOLE,
    "cleared": Kind.TIME,
    "cleared_ms": Kind.WHOLE,
    "value": Kind.NUMBER,
    "flag": Kind.TEXT,
    "acknowledged_by": Kind.TEXT,
    "acknowledged": Kind.TIME,
    "acknowledged_ms": Kind.WHOLE,
    "version": Kind.TEXT,
    "hidden": Kind.TEXT,
    "cause": Kind.TEXT,
}
EVENTS: Final[Columns] = {
    "site": Kind.TEXT,
    "device": Kind.TEXT,
    "kind": Kind.TEXT,
    "level": Kind.TEXT,
    "time": Kind.TIME,
    "t_ms": Kind.WHOLE,
    "received": Kind.TIME,
    "received_ms": Kind.WHOLE,
    "text": Kind.TEXT,
    "lat": Kind.NUMBER,
    "lon": Kind.NUMBER,
    "media": Kind.TEXT,
    "data": Kind.TEXT,
    "position": Kind.WHOLE,
}
FLAGS: Final = {int(flag): flag.name.lower() for flag in Flag}
TESTS: Final = {int(test): test.name.lower() for test in Test}


@dataclass(frozen=True, slots=True)
class Series:
    """One channel of one device. `device` is its id."""

    device: str
    channel: str
    unit: str

    @property
    def name(self) -> str:
        return f"{self.device}.{self.channel}"


def reading_rows(series: Series, found: Readings) -> Iterator[Row]:
    head = (site_of(series.device), series.device, series.channel, series.unit)
    times: Sequence[str] = np.datetime_as_string(
        found.t_ms.astype("datetime64[ms]"), unit="ms", timezone="UTC"
    ).tolist()
    columns = (found.t_ms.tolist(), found.value.tolist(), found.flag.tolist(), found.test.tolist())
    for time, t_ms, value, flag, test in zip(times, *columns, strict=True):
        yield (*head, time, t_ms, value, FLAGS[flag], TESTS[test])


def site_of(device: str) -> str:
    return device.rpartition(".")[0]


def iso(ms: int | None) -> str | None:
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
