"""InfluxQL's questions, quoted right. All measurements are asked: a device whose type changed has several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.store.linekernel import FLAG, TEST

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scenewatch.store.lineprotocol import SeriesKey

FIRST_MS, LAST_MS = -9_223_372_036_854, 9_223_372_036_854
"""What InfluxDB can hold: 64 bits of nanoseconds."""

ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "'": "\\'", "\n": "\\n"})


def newest_of_each(scene: str, channel: str) -> str:
    """The newest time of each device that has the channel."""
    field = identifier(channel)
    return f"SELECT last({field}) FROM /.+/ WHERE scene = {text(scene)} GROUP BY scene, site, device"  # noqa: S608  # quoted above


def times(key: SeriesKey, first_ms: int, last_ms: int) -> str:
    """Which times of a span, both ends in it, are taken."""
    return f"SELECT {identifier(key.channel)} FROM /.+/ WHERE {where(key, first_ms, last_ms)}"  # noqa: S608  # quoted


def earliest(key: SeriesKey, first_ms: int, last_ms: int, limit: int) -> str:
    """Rows of time, value, flag and test, both ends in it."""
    columns = ", ".join(identifier(f"{key.channel}{end}") for end in ("", FLAG, TEST))
    condition = where(key, first_ms, last_ms)
    return f"SELECT {columns} FROM /.+/ WHERE {condition} ORDER BY time LIMIT {limit}"  # noqa: S608  # quoted


def tag_keys(measurement: str) -> str:
    return f"SHOW TAG KEYS FROM {identifier(measurement)}"


def field_keys(measurement: str) -> str:
    """Rows of key and type."""
    return f"SHOW FIELD KEYS FROM {identifier(measurement)}"


def points(
    measurement: str, tags: Iterable[str], fields: Iterable[str], span_ms: tuple[int, int], limit: int | None
) -> str:
    """Rows of time, tags and fields, both ends of the span in it; all of them without a limit."""
    columns = [f"{identifier(key)}::tag" for key in tags] + [f"{identifier(key)}::field" for key in fields]
    span = f"time >= {span_ms[0]}ms AND time <= {span_ms[1]}ms"
    most = "" if limit is None else f" LIMIT {limit}"
    return f"SELECT {', '.join(columns)} FROM {identifier(measurement)} WHERE {span} ORDER BY time{most}"  # noqa: S608  # quoted


def where(key: SeriesKey, first_ms: int, last_ms: int) -> str:
    place = f"scene = {text(key.scene)} AND site = {text(key.site)} AND device = {text(key.device)}"
    return f"{place} AND time >= {max(first_ms, FIRST_MS)}ms AND time <= {min(last_ms, LAST_MS)}ms"


def identifier(name: str) -> str:
    return f'"{name.translate(ESCAPES)}"'


def text(text: str) -> str:
    return f"'{text.translate(ESCAPES)}'"
