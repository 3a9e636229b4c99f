"""Alarms, events and figures in the DuckDB file beside the readings: a row a point, its tags and fields as JSON."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from scenewatch.model.point import Point
from scenewatch.store.points import in_order, tell_refused, writable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scenewatch.model.level import Level
    from scenewatch.store.duckfile import DuckFile

    Fields = Mapping[str, float | int | str]

GIVEN = "(select unnest(?) as keep, unnest(?) as measurement, unnest(?) as tags, unnest(?)::bigint as t)"
SAME = f"(keep, measurement, tags, t) in (select keep, measurement, tags, t from {GIVEN})"  # noqa: S608  # no text from outside


class _Place(NamedTuple):
    """What a row is known by; `tags` as JSON with its keys in order."""

    keep: int
    measurement: str
    tags: str
    t_ms: int


class DuckPoints:
    """`ports.Points`. From any thread; one writes at a time.

    Few points are written again, and those are found by their time: so the table needs no key.
    """

    def __init__(self, file: DuckFile) -> None:
        self._file = file
        self._lock = threading.Lock()

    def record(self, points: Sequence[Point]) -> None:
        kept, reasons = writable(points)
        if kept:
            with self._lock:
                self._put(_by_place(kept))
        tell_refused(reasons, len(points))

    def recorded(self, measurement: str, keep: Level, from_ms: int, to_ms: int, limit: int) -> list[Point]:
        what = "select t, tags, fields from point where keep = ? and measurement = ?"
        with self._file.reading() as con:
            rows = con.execute(
                f"{what} and t >= ? and t < ? order by t limit ?", [keep, measurement, from_ms, to_ms, limit]
            ).fetchall()
            if rows and len(rows) == limit:  # of those at the last time the limit took any
                last_ms = rows[-1][0]
                at_last = con.execute(f"{what} and t = ?", [keep, measurement, last_ms]).fetchall()
                rows = [row for row in rows if row[0] < last_ms] + at_last
        points = [
            Point(
                measurement=measurement,
                tags=msgspec.json.decode(tags),
                t_ms=t_ms,
                fields=msgspec.json.decode(fields),
                keep=keep,
            )
            for t_ms, tags, fields in rows
        ]
        return sorted(points, key=in_order)[:limit]

    def forget(self, before_ms: Mapping[Level, int]) -> int:
        """Delete what is before each level's time; returns the rows. Raises TemporaryError."""
        deleted = 0
        with self._lock, self._file.changing() as con:
            for keep, t_ms in before_ms.items():
                row = con.execute("delete from point where keep = ? and t < ?", [keep, t_ms]).fetchone()
                deleted += row[0] if row else 0
        return deleted

    def _put(self, rows: dict[_Place, Fields]) -> None:
        """One transaction. It ends with the cursor, if not by its commit."""
        places = [list(column) for column in zip(*rows, strict=True)]
        span = [min(places[3]), max(places[3])]
        with self._file.changing() as con:
            con.begin()
            found = con.execute(
                f"select keep, measurement, tags, t, fields from point semi join {GIVEN} "  # noqa: S608  # as above
                "using (keep, measurement, tags, t) where t between ? and ?",
                [*places, *span],
            ).fetchall()
            for *place, fields in found:
                rows[_Place(*place)] = msgspec.json.decode(fields) | rows[_Place(*place)]
            if found:
                con.execute(f"delete from point where t between ? and ? and {SAME}", [*span, *places])  # noqa: S608  # as above
            fields = [_json(fields) for fields in rows.values()]
            con.execute(
                "insert into point select unnest(?), unnest(?), unnest(?), unnest(?), unnest(?)", [*places, fields]
            )
            con.commit()


def _by_place(points: Iterable[Point]) -> dict[_Place, Fields]:
    """Of two at one place, the later one's fields replace those of the same names."""
    rows: dict[_Place, Fields] = {}
    for point in points:
        place = _Place(point.keep, point.measurement, _json(dict(sorted(point.tags.items()))), point.t_ms)
        rows[place] = {**rows.get(place, {}), **point.fields}
    return rows


def _json(value: Mapping[str, float | int | str]) -> str:
    return msgspec.json.encode(value).decode()
