"""Which of a file's columns hold what: by the map, or without one by the names that such columns usually have."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from scenewatch.model.errors import ConfigurationError, Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenewatch.recorded.mapping import DeviceEntry, LongEntry, Mapping

USUAL: Final = {
    "time": ("time", "timestamp", "t", "ts", "datetime", "date_time", "t_ms", "时间", "日期时间"),
    "device": ("device", "device_id", "sensor", "sensor_id", "station", "设备", "设备编号"),
    "channel": ("channel", "parameter", "metric", "variable", "measurement", "item", "通道", "参数", "指标"),
    "value": ("value", "reading", "val", "数值", "值", "读数"),
}
"""Heads of the four columns of a long file, the likeliest first."""
EXAMPLE: Final = """\
[time]
column = "{time}"
# format = "%d.%m.%Y %H:%M"   # iso where it is left out
# zone = "Asia/Shanghai"
[device]
id = "device-1"
[[channel]]
key = "{key}"
column = "{value}"
quantity = "other"
unit = ""
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """Places of columns, from 0. A long file has `channel`, and one value with an empty key."""

    time: tuple[int, ...]
    values: tuple[tuple[int, str], ...]
    """Columns with the keys of their channels."""
    device: int | None = None
    site: int | None = None
    channel: int | None = None
    unit: int | None = None


def layout_of(file: str, head: Sequence[str], mapping: Mapping) -> Layout:
    """Raises ConfigurationError with all that is missing or double."""
    names = [name.strip() for name in head]
    found = [Mistake(file, what) for what in _head_faults(names)]
    if mapping.time is None:
        if not found and (guessed := _guess(names)) is not None:
            return guessed
        raise ConfigurationError(found or [Mistake(file, _no_map(names))])
    wanted = _Wanted(file, names)
    time = tuple(wanted.one(name, "time") for name in mapping.time.names)
    layout = (
        _wide(wanted, mapping, time) if mapping.long is None else _long(wanted, mapping.device, mapping.long, time)
    )
    if found := [*found, *wanted.missing]:
        raise ConfigurationError(found)
    return layout


class _Wanted:
    """Looks columns up and remembers those that are not there."""

    def __init__(self, file: str, names: Sequence[str]) -> None:
        self._file, self._names = file, names
        self.missing: list[Mistake] = []

    def has(self, name: str) -> bool:
        return name in self._names

    def one(self, name: str, entry: str) -> int:
        if name in self._names:
            return self._names.index(name)
        near = get_close_matches(name, self._names, 1)
        hint = f": is {near[0]!r} meant?" if near else f"; it has: {', '.join(self._names)}"
        self.missing.append(Mistake(self._file, f"has no column {name!r}, which {entry} in the map names{hint}"))
        return 0

    def maybe(self, name: str, entry: str) -> int | None:
        return self.one(name, entry) if name else None

    def none_of(self, names: Sequence[str]) -> None:
        what = f"has none of the channels' columns {', '.join(map(repr, names))}; it has: {', '.join(self._names)}"
        self.missing.append(Mistake(self._file, what))


def _wide(wanted: _Wanted, mapping: Mapping, time: tuple[int, ...]) -> Layout:
    """Of several files each has some of the channels."""
    entries = [entry for entry in mapping.measured if wanted.has(entry.name)]
    if not entries:
        wanted.none_of([entry.name for entry in mapping.measured])
    return Layout(
        time=time,
        device=wanted.maybe(mapping.device.column, "device.column"),
        site=wanted.maybe(mapping.device.site_column, "device.site_column"),
        values=tuple((wanted.one(entry.name, "channel"), entry.key) for entry in entries),
    )


def _long(wanted: _Wanted, device: DeviceEntry, long: LongEntry, time: tuple[int, ...]) -> Layout:
    return Layout(
        time=time,
        device=wanted.maybe(device.column, "device.column"),
        site=wanted.maybe(device.site_column, "device.site_column"),
        channel=wanted.one(long.channel, "long.channel"),
        values=((wanted.one(long.value, "long.value"), ""),),
        unit=wanted.maybe(long.unit, "long.unit"),
    )


def _head_faults(names: Sequence[str]) -> Iterator[str]:
    for name in dict.fromkeys(n for n in names if n and names.count(n) > 1):
        yield f"column {name!r} occurs more than once in the head: rename one"


def _guess(names: Sequence[str]) -> Layout | None:
    low = [name.lower() for name in names]
    places = {what: next((low.index(name) for name in usual if name in low), None) for what, usual in USUAL.items()}
    time, channel, value = places["time"], places["channel"], places["value"]
    if time is None or channel is None or value is None or places["device"] is None:
        return None
    site = low.index("site") if "site" in low else None
    unit = low.index("unit") if "unit" in low else None
    return Layout(
        time=(time,), device=places["device"], site=site, channel=channel, values=((value, ""),), unit=unit
    )


def _no_map(names: Sequence[str]) -> str:
    """The mend is a map to begin with."""
    time = next((n for n in names if n.lower() in USUAL["time"]), names[0] if names else "time")
    value = next((n for n in names if n != time), "value")
    key = "".join(c if c.isascii() and c.isalnum() else "_" for c in value.lower()).strip("_")
    key = key if key[:1].isalpha() else f"channel_{key}".rstrip("_")
    text = EXAMPLE.format(time=time, key=key, value=value)
    return (
        f"is no long file (time, device, channel, value): say with --map FILE what its columns are, such as\n{text}"
    )
