"""InfluxQL's questions about levels: what makes windows, and what finds them. The server aggregates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.model.flags import Flag
from scenewatch.store.influxql import FIRST_MS, LAST_MS, identifier, text, where
from scenewatch.store.linekernel import FLAG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenewatch.model.level import Level
    from scenewatch.store.lineprotocol import SeriesKey

LOW, HIGH, MEAN, COUNT, GOOD = "_min", "_max", "_mean", "_count", "_good"
"""Behind a channel's key; the worst flag stands behind the same end as a reading's."""
SUM = "_sum"
"""Within a question alone."""

FIELDS = "SHOW FIELD KEYS"
EVERYWHERE = "site != ''"
OLDEST = "SELECT * FROM /.+/ WHERE scene != '' AND site != '' AND device != '' ORDER BY time LIMIT 1"


def sites(measurement: str) -> str:
    return f"SHOW TAG VALUES FROM {identifier(measurement)} WITH KEY = site"


def of_sites(names: Sequence[str]) -> str:
    return " OR ".join(f"site = {text(name)}" for name in names)


def of_devices(names: Sequence[str]) -> str:
    """By `scene.site.device`."""
    places = (name.split(".") for name in names)
    return " OR ".join(f"(scene = {text(a)} AND site = {text(b)} AND device = {text(c)})" for a, b, c in places)


def of_readings(channels: Sequence[str]) -> str:
    """Five columns a channel: lowest, highest, mean of all, number, worst flag."""
    return ", ".join(
        f"min({identifier(c)}), max({identifier(c)}), mean({identifier(c)}), count({identifier(c)}), "
        f"max({identifier(c + FLAG)})"
        for c in channels
    )


def good_readings(channel: str) -> str:
    return f"mean({identifier(channel)}), count({identifier(channel)})"


def is_good(channel: str) -> str:
    return f"{identifier(channel + FLAG)} != {Flag.FAIL:d}"


def of_summaries(channels: Sequence[str]) -> str:
    """Five columns a channel: lowest, highest, number, number of the good, worst flag."""
    return ", ".join(
        f"min({identifier(c + LOW)}), max({identifier(c + HIGH)}), "
        f"sum({identifier(c + COUNT)}), sum({identifier(c + GOOD)}), max({identifier(c + FLAG)})"
        for c in channels
    )


def sum_of(channel: str) -> str:
    """The sum of the good readings, of what `weighed` gives."""
    return f"sum({identifier(channel + SUM)})"


def weighed(measurement: str, channel: str, condition: str) -> str:
    """Of one channel: a server reads all columns of such a source once for each that is made of it."""
    product = f"{identifier(channel + MEAN)} * {identifier(channel + GOOD)} AS {identifier(channel + SUM)}"
    return f"(SELECT {product} FROM {identifier(measurement)} WHERE {condition})"  # noqa: S608  # quoted


def windows(columns: str, source: str, condition: str, level: Level, from_ms: int) -> str:
    """One row a device and window that has anything."""
    by = f"time({level.span_ms}ms, {from_ms % level.span_ms}ms), scene, site, device"
    return f"SELECT {columns} FROM {source} WHERE {condition} GROUP BY {by} fill(none)"  # noqa: S608  # quoted


def span(from_ms: int, to_ms: int) -> str:
    return f"time >= {max(from_ms, FIRST_MS)}ms AND time < {min(to_ms, LAST_MS)}ms"


def earliest_windows(key: SeriesKey, first_ms: int, last_ms: int, limit: int) -> str:
    """Rows of time and a window's six numbers, both ends in it."""
    columns = ", ".join(identifier(f"{key.channel}{end}") for end in (LOW, HIGH, MEAN, COUNT, GOOD, FLAG))
    condition = where(key, first_ms, last_ms)
    return f"SELECT {columns} FROM /.+/ WHERE {condition} ORDER BY time LIMIT {limit}"  # noqa: S608  # quoted
