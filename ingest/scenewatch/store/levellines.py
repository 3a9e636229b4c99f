"""Windows as InfluxDB's line protocol: a line for what one device measured in one window, made by columns.

cold_room,scene=kitchen,site=north,device=room1 temp_min=4.1,temp_max=4.9,temp_mean=4.5,temp_count=6i,… 1700…
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from scenewatch.store.levelql import COUNT, GOOD, HIGH, LOW, MEAN
from scenewatch.store.linekernel import FLAG
from scenewatch.store.lineprotocol import KEY_ESCAPES, SeriesKey

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Columns:
    """One channel's windows, a row each; `low` is NaN where there is none, `mean` where none is good."""

    low: Numbers
    high: Numbers
    mean: Numbers
    count: Numbers
    good: Numbers
    flag: Numbers


@dataclass(frozen=True, slots=True)
class Windows:
    """Those of many devices of one measurement."""

    measurement: str
    places: Sequence[Mapping[str, str]]
    """The tags of each device."""
    place: NDArray[np.intp]
    """Of each row."""
    t_ms: NDArray[np.int64]
    channels: Mapping[str, Columns]

    def number(self) -> int:
        """A window each of a series."""
        return sum(int((~np.isnan(c.low)).sum()) for c in self.channels.values())


def lines(windows: Windows) -> Iterator[str]:
    """Rows that have the same fields are put together by one pattern."""
    heads = np.array([_head(windows.measurement, tags) for tags in windows.places], object)[windows.place]
    has_any = {key: ~np.isnan(c.low) for key, c in windows.channels.items()}
    has_mean = {key: ~np.isnan(c.mean) & has_any[key] for key, c in windows.channels.items()}
    shape = np.stack([*has_any.values(), *has_mean.values()], axis=1)
    for fields, rows in _alike(shape):
        n = len(has_any)
        pattern, columns = [], [heads[rows].tolist()]
        for key, is_there, is_good in zip(has_any, fields[:n], fields[n:], strict=True):
            if is_there:
                pattern.append(_pattern(key, has_mean=is_good))
                columns += _texts(windows.channels[key], rows, has_mean=is_good)
        if pattern:
            columns.append(windows.t_ms[rows].tolist())
            yield from map(f"%s{','.join(pattern)} %d\n".__mod__, zip(*columns, strict=True))


def _alike(shape: NDArray[np.bool_]) -> Iterator[tuple[list[bool], NDArray[np.intp]]]:
    """Each different row, with where it is."""
    if (shape == shape[:1]).all():
        yield from ((row.tolist(), np.arange(len(shape))) for row in shape[:1])
        return
    different, which = np.unique(shape, axis=0, return_inverse=True)
    for n, row in enumerate(different):
        yield row.tolist(), np.flatnonzero(which.reshape(-1) == n)


def _head(measurement: str, tags: Mapping[str, str]) -> str:
    return SeriesKey(measurement, tags["scene"], tags["site"], tags["device"], "").head()


def _pattern(key: str, *, has_mean: bool) -> str:
    name = key.translate(KEY_ESCAPES).replace("%", "%%")
    mean = f"{name}{MEAN}=%s," if has_mean else ""
    return f"{name}{LOW}=%s,{name}{HIGH}=%s,{mean}{name}{COUNT}=%di,{name}{GOOD}=%di,{name}{FLAG}=%di"


def _texts(of: Columns, rows: NDArray[np.intp], *, has_mean: bool) -> list[list[Any]]:
    floats = (of.low, of.high, of.mean) if has_mean else (of.low, of.high)
    texts: list[list[Any]] = [msgspec.json.encode(c[rows].tolist()).decode()[1:-1].split(",") for c in floats]
    return texts + [c[rows].astype(np.int64).tolist() for c in (of.count, of.good, of.flag)]
