"""Alarms, events and figures on an InfluxDB: each in the bucket of the level whose time it is kept for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.model.level import Level
from scenewatch.model.point import Point
from scenewatch.store import influxql
from scenewatch.store.influxanswers import PointsRefusedError, RequestTooLargeError
from scenewatch.store.lineprotocol import KEY_ESCAPES, MEASUREMENT_ESCAPES
from scenewatch.store.points import in_order, tell_refused, writable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scenewatch.store.influxserver import InfluxServer

POINTS_A_REQUEST = 5_000
TEXT_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"'})
VALUES = {"integer": int, "float": float, "string": str}
"""How a field of each type is read; there are no others of ours."""


class InfluxPoints:
    """`ports.Points`. From any thread. `server` is that of the readings."""

    def __init__(self, server: InfluxServer) -> None:
        self._servers = {level: server.beside(level.suffix) for level in Level}

    def record(self, points: Sequence[Point]) -> None:
        kept, reasons = writable(points)
        for keep in sorted({point.keep for point in kept}):
            mine = [point for point in kept if point.keep is keep]
            for first in range(0, len(mine), POINTS_A_REQUEST):
                reasons += _send(self._servers[keep], mine[first : first + POINTS_A_REQUEST])
        tell_refused(reasons, len(points))

    def recorded(self, measurement: str, keep: Level, from_ms: int, to_ms: int, limit: int) -> list[Point]:
        first_ms, last_ms = max(from_ms, influxql.FIRST_MS), min(to_ms - 1, influxql.LAST_MS)
        if limit < 1 or first_ms > last_ms:
            return []
        server = self._servers[keep]
        [tags] = server.exact(influxql.tag_keys(measurement))
        [fields] = server.exact(influxql.field_keys(measurement))
        shape = _Shape(
            measurement,
            [key for one in tags for (key,) in one.rows],
            {key: kind for one in fields for key, kind in one.rows if kind in VALUES},
        )
        if not shape.fields:
            return []
        [found] = server.exact(shape.question(first_ms, last_ms, limit))
        points = [shape.point(row, keep) for one in found for row in one.rows]
        if len(points) == limit:  # of those at the last time the limit took any
            end_ms = points[-1].t_ms
            [found] = server.exact(shape.question(end_ms, end_ms))
            points = [point for point in points if point.t_ms < end_ms]
            points += [shape.point(row, keep) for one in found for row in one.rows]
        return sorted(points, key=in_order)[:limit]


class _Shape:
    """A measurement's tags and fields, as the server tells them, to ask for points and to read the answer."""

    def __init__(self, measurement: str, tags: list[str], fields: Mapping[str, str]) -> None:
        self._measurement = measurement
        self._tags = tags
        self.fields = fields

    def question(self, first_ms: int, last_ms: int, limit: int | None = None) -> str:
        return influxql.points(self._measurement, self._tags, self.fields, (first_ms, last_ms), limit)

    def point(self, row: list[str | None], keep: Level) -> Point:
        t_ms, tags, fields = row[0], row[1 : len(self._tags) + 1], row[len(self._tags) + 1 :]
        told = zip(self.fields.items(), fields, strict=True)
        return Point(
            measurement=self._measurement,
            tags={key: text for key, text in zip(self._tags, tags, strict=True) if text},
            t_ms=int(t_ms or 0),
            fields={key: VALUES[kind](text) for (key, kind), text in told if text is not None},
            keep=keep,
        )


def _send(server: InfluxServer, points: list[Point]) -> Iterator[str]:
    """Write these; gives the reason of each that is refused. Raises TemporaryError.

    Some servers keep nothing of a refused request, so halves are written until only bad ones are left.
    """
    try:
        server.write("".join(map(line, points)).encode())
    except (PointsRefusedError, RequestTooLargeError) as error:
        all_refused = isinstance(error, PointsRefusedError) and error.dropped == len(points)
        if all_refused or len(points) == 1:
            yield from [str(error)] * len(points)
            return
        half = len(points) // 2
        yield from _send(server, points[:half])
        yield from _send(server, points[half:])


def line(point: Point) -> str:
    """Of a writable point; tags in order, as the server likes them best."""
    tags = "".join(
        f",{key.translate(KEY_ESCAPES)}={text.translate(KEY_ESCAPES)}" for key, text in sorted(point.tags.items())
    )
    fields = ",".join(f"{key.translate(KEY_ESCAPES)}={_value(value)}" for key, value in point.fields.items())
    return f"{point.measurement.translate(MEASUREMENT_ESCAPES)}{tags} {fields} {point.t_ms}\n"


def _value(value: float | str) -> str:
    if isinstance(value, str):
        return f'"{value.translate(TEXT_ESCAPES)}"'
    return f"{value}i" if isinstance(value, int) else repr(value)
