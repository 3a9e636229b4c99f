"""One file's cells as arrays: times in UTC or local, numbers, devices and channels by their place in lists.

Whole columns are read and converted; what cannot be converted is marked, never taken for something else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from scenewatch.recorded.expressions import (
    Time,
    format_seen,
    number,
    quoted_text,
    text_of,
    time,
    typed_time,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenewatch.recorded.cells import Cells
    from scenewatch.recorded.layout import Layout
    from scenewatch.recorded.mapping import Mapping

LOOKED_AT: Final = 1000
"""Rows by which a format of times is seen."""
NO_TIME: Final = -(2**62)


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one file in its order."""

    row: NDArray[np.int64]
    t_ms: NDArray[np.int64]
    """Local where not `in_utc`; NO_TIME where there is none."""
    in_utc: NDArray[np.bool_]
    device: NDArray[np.int32]
    """Places in `devices`; -1 without one."""
    devices: list[str]
    channel: NDArray[np.int32] | None
    """Of a long file places in `channels`; -1 without one."""
    channels: list[str]
    """Of a long file as it calls them, else the keys of the columns."""
    values: list[NDArray[np.float64]]
    """A column each; NaN where nothing was measured, or nothing that is a number."""
    spoilt: list[NDArray[np.bool_]]
    """Where there is something that is no number."""
    head_again: NDArray[np.bool_]
    units: list[tuple[str, str]]
    """Channel and unit, as a long file tells them."""


def table_of(cells: Cells, layout: Layout, mapping: Mapping) -> Table:
    """Raises ConfigurationError where nothing tells how times are written."""
    cells.load([*layout.time, *(at for at, _ in layout.values), *_given(layout)])
    when = _time(cells, layout, mapping)
    device, channel = _device(layout), None if layout.channel is None else text_of([f"c{layout.channel}"])
    devices, device_number = cells.number("devices", device) if device else ([""], "1")
    channels, channel_number = (
        cells.number("channels", channel) if channel else ([key for _, key in layout.values], "0")
    )
    head = " AND ".join(f"trim(CAST(c{at} AS VARCHAR)) = {quoted_text(cells.head[at])}" for at in layout.time)
    wanted = {
        "row": "row",
        "t_ms": f"COALESCE({when.t_ms}, {NO_TIME})",
        "in_utc": when.in_utc,
        "device": device_number,
        "channel": channel_number,
        "head_again": f"COALESCE({head}, false)",
    }
    for n, (at, _) in enumerate(layout.values):
        found = number(f"c{at}", cells.types[f"c{at}"], mapping.file)
        wanted |= {f"v{n}": f"COALESCE({found.value}, 'NaN'::DOUBLE)", f"s{n}": f"COALESCE({found.spoilt}, false)"}
    arrays = cells.select(wanted)
    units = _units(cells, layout)
    cells.forget()
    return Table(
        row=arrays["row"].astype(np.int64),
        t_ms=arrays["t_ms"].astype(np.int64),
        in_utc=arrays["in_utc"].astype(np.bool_),
        device=arrays["device"].astype(np.int32) - np.int32(1),
        devices=devices,
        channel=arrays["channel"].astype(np.int32) - np.int32(1) if channel else None,
        channels=channels,
        values=[arrays[f"v{n}"].astype(np.float64) for n in range(len(layout.values))],
        spoilt=[arrays[f"s{n}"].astype(np.bool_) for n in range(len(layout.values))],
        head_again=arrays["head_again"].astype(np.bool_),
        units=units,
    )


def _time(cells: Cells, layout: Layout, mapping: Mapping) -> Time:
    columns = [f"c{at}" for at in layout.time]
    typed = typed_time(columns[0], cells.types[columns[0]]) if len(columns) == 1 else None
    if typed is not None:
        return typed
    text = text_of(columns)
    form = mapping.time.format if mapping.time is not None else ""
    if not form:
        texts = [str(row[0]) for row in cells.rows(text, f"WHERE {text} <> '' LIMIT {LOOKED_AT}")]
        seen = format_seen(texts) if texts else "iso"
        if seen is None:
            what = f"times such as {texts[0]!r} leave a doubt: say format under [time] in the map"
            raise cells.mistake(f"{what}, such as '%d.%m.%Y %H:%M'")
        form = seen
    return time(text, form)


def _device(layout: Layout) -> str:
    """With its site in front where that is a column; empty where the file is one device."""
    if layout.device is None:
        return ""
    own = text_of([f"c{layout.device}"])
    if layout.site is None:
        return own
    site = text_of([f"c{layout.site}"])
    return f"CASE WHEN starts_with({own}, {site} || '.') THEN {own} ELSE {site} || '.' || {own} END"


def _units(cells: Cells, layout: Layout) -> list[tuple[str, str]]:
    if layout.unit is None or layout.channel is None:
        return []
    channel, unit = text_of([f"c{layout.channel}"]), text_of([f"c{layout.unit}"])
    rows = cells.rows(f"DISTINCT {channel}, {unit}", f"WHERE {channel} <> '' AND {unit} <> '' ORDER BY ALL")
    return [(str(name), str(said)) for name, said in rows]


def _given(layout: Layout) -> list[int]:
    return [at for at in (layout.device, layout.site, layout.channel, layout.unit) if at is not None]
