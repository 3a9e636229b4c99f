"""Summaries in an InfluxDB: the server aggregates, what it answers is written into the buckets of the levels."""

from __future__ import annotations

import logging
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from scenewatch.model.flags import Flag
from scenewatch.model.level import Level, Summaries
from scenewatch.store import influxql, levelql
from scenewatch.store.fold import chosen, folded
from scenewatch.store.influxanswers import BEYOND, PointsRefusedError, RequestTooLargeError
from scenewatch.store.levellines import Columns, Windows, lines
from scenewatch.store.linekernel import FLAG
from scenewatch.store.lineprotocol import SeriesKey

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from scenewatch.store.influxanswers import Table
    from scenewatch.store.influxserver import InfluxServer

log = logging.getLogger(__name__)

WINDOWS_AT_ONCE = 60
SITES_AT_ONCE = 1_000
"""In one question about one window, and fewer about more: with 20 devices each an answer takes some 10 MB."""
DEVICES_AT_ONCE = 100
LINES_AT_ONCE = 5_000
TAGS = ("scene", "site", "device")


class InfluxLevels:
    """The part of `InfluxStore` that is `ports.Levels`. What a bucket's own retention takes is not kept here."""

    def __init__(self, server: InfluxServer) -> None:
        self._server = server
        self._at = {level: server.beside(level.suffix) for level in Level}
        self._refused: set[str] = set()
        """Measurements of which this was told."""

    def summarise(self, level: Level, from_ms: int, to_ms: int, *, devices: Sequence[str] | None = None) -> int:
        at_once = min(WINDOWS_AT_ONCE, max(1, (to_ms - from_ms) // level.span_ms))
        made = 0
        for measurement, channels in self._channels(level.below).items():
            for whose in self._whose(level.below, measurement, devices, SITES_AT_ONCE // at_once):
                for begin in range(from_ms, to_ms, at_once * level.span_ms):
                    end = min(begin + at_once * level.span_ms, to_ms)
                    condition = f"{levelql.span(begin, end)} AND ({whose})"
                    windows = self._windows(level, measurement, channels, condition, begin)
                    if windows is not None:
                        self._write(level, measurement, list(lines(windows)))
                        made += windows.number()
        return made

    def summaries(self, series: str, level: Level, from_ms: int, to_ms: int, limit: int) -> Summaries:
        rows: list[list[Any]] = []
        if series.count(".") == 3 and from_ms <= influxql.LAST_MS and to_ms > max(from_ms, influxql.FIRST_MS):
            question = levelql.earliest_windows(SeriesKey.of("", series), from_ms, to_ms - 1, limit + 1)
            [found] = self._at[level].tables(question)
            # A device whose type changed is in several measurements.
            rows = sorted((row for one in found for row in one.values if _is_window(row)), key=itemgetter(0))
        cells = _cells(rows, 7)
        t_ms, count, good = (cells[:, n].astype(np.int64) for n in (0, 4, 5))
        low, high, mean, flag = (cells[:, n] for n in (1, 2, 3, 6))
        all_of_it = Summaries(t_ms, low, high, mean, count, good, flag.astype(np.uint8), truncated=False)
        windows = folded(all_of_it, t_ms)
        return chosen(windows, slice(limit), truncated=len(windows.t_ms) > limit)

    def oldest_ms(self) -> int | None:
        [found] = self._server.tables(levelql.OLDEST)
        return min((int(one.values[0][0]) for one in found if isinstance(one.values[0][0], float)), default=None)

    def forget(self, _: Mapping[Level, int]) -> int:
        return 0

    def _channels(self, level: Level) -> dict[str, list[str]]:
        """By measurement."""
        [found] = self._at[level].tables(levelql.FIELDS)
        ends = (FLAG,) if level is Level.READING else (levelql.HIGH, levelql.COUNT, levelql.GOOD, FLAG)
        value = "" if level is Level.READING else levelql.LOW
        known = {}
        for one in found:
            fields = {str(row[0]) for row in one.values}
            floats = {str(row[0]) for row in one.values if row[1] == "float" and str(row[0]).endswith(value)}
            keys = sorted(name.removesuffix(value) for name in floats)
            channels = [key for key in keys if all(f"{key}{end}" in fields for end in ends)]
            if channels:
                known[one.name] = channels
        return known

    def _whose(self, level: Level, measurement: str, devices: Sequence[str] | None, most: int) -> Iterator[str]:
        """Conditions that are all devices together, or those that are meant."""
        if devices is None:
            [found] = self._at[level].tables(levelql.sites(measurement))
            sites = [str(row[1]) for one in found for row in one.values]
            yield from (levelql.of_sites(sites[n : n + most]) for n in range(0, len(sites), most))
        else:
            ids = sorted({device for device in devices if device.count(".") == 2})
            some = (ids[n : n + DEVICES_AT_ONCE] for n in range(0, len(ids), DEVICES_AT_ONCE))
            yield from (levelql.of_devices(few) for few in some)

    def _windows(
        self, level: Level, measurement: str, channels: list[str], condition: str, from_ms: int
    ) -> Windows | None:
        """None where there is nothing."""
        below = level.below

        def ask(columns: str, source: str, condition: str) -> list[Table]:
            question = levelql.windows(columns, source, condition, level, from_ms)
            [found] = self._at[below].tables(question)
            return [one for one in found if all(one.tags.get(tag) for tag in TAGS)]

        source = influxql.identifier(measurement)
        if below is Level.READING:
            found = _Answer(ask(levelql.of_readings(channels), source, condition), 5 * len(channels))
            columns = {key: _of_readings(found.of(n, 5)) for n, key in enumerate(channels)}
            for key, column in columns.items():
                if (column.flag >= Flag.FAIL).any():
                    good = ask(levelql.good_readings(key), source, f"{condition} AND {levelql.is_good(key)}")
                    columns[key] = found.with_good(column, good)
        else:
            source = levelql.weighed(measurement, channels, condition)
            found = _Answer(ask(levelql.of_summaries(channels), source, condition), 6 * len(channels))
            columns = {key: _of_summaries(found.of(n, 6)) for n, key in enumerate(channels)}
        if not len(found.t_ms):
            return None
        return Windows(measurement, found.places, found.place, found.t_ms, columns)

    def _write(self, level: Level, measurement: str, told: list[str]) -> None:
        for n in range(0, len(told), LINES_AT_ONCE):
            self._write_some(level, measurement, told[n : n + LINES_AT_ONCE])

    def _write_some(self, level: Level, measurement: str, told: list[str]) -> None:
        """What is too old for the bucket is not missed; what it refuses for else is told, and the rest is kept."""
        try:
            self._at[level].write("".join(told).encode())
        except (PointsRefusedError, RequestTooLargeError) as error:
            if BEYOND in str(error):
                return
            if len(told) > 1:
                half = len(told) // 2
                for part in (told[:half], told[half:]):
                    self._write_some(level, measurement, part)
            elif measurement not in self._refused:
                self._refused.add(measurement)
                log.warning("%s: summaries of %s are refused and missing there: %s", level.name, measurement, error)


class _Answer:
    """The series of an answer as columns."""

    def __init__(self, tables: Sequence[Table], width: int) -> None:
        self._cells = _cells([row for one in tables for row in one.values], 1 + width)
        self._first = np.cumsum([0, *(len(one.values) for one in tables)])
        self.places = [one.tags for one in tables]
        self.place = np.repeat(np.arange(len(tables)), np.diff(self._first))
        self.t_ms = self._cells[:, 0].astype(np.int64)

    def of(self, number: int, width: int) -> list[NDArray[np.float64]]:
        """The columns of a channel."""
        first = 1 + number * width
        return [self._cells[:, n] for n in range(first, first + width)]

    def with_good(self, of: Columns, tables: Sequence[Table]) -> Columns:
        """The same where mean and number of the good are as this answer says; nothing is good that is not in it."""
        mean, good = np.full(len(self.t_ms), np.nan), np.where(np.isnan(of.low), np.nan, 0.0)
        place_of = {tuple(tags[tag] for tag in TAGS): n for n, tags in enumerate(self.places)}
        for one in tables:
            place = place_of[tuple(one.tags[tag] for tag in TAGS)]
            cells = _cells(one.values, 3)
            first, end = self._first[place : place + 2]
            rows = first + np.searchsorted(self.t_ms[first:end], cells[:, 0])
            mean[rows], good[rows] = cells[:, 1], cells[:, 2]
        return Columns(of.low, of.high, mean, of.count, good, of.flag)


def _of_readings(columns: list[NDArray[np.float64]]) -> Columns:
    """As if all were good."""
    low, high, mean, count, flag = columns
    return Columns(low, high, mean, count, count, flag)


def _of_summaries(columns: list[NDArray[np.float64]]) -> Columns:
    low, high, total, count, good, flag = columns
    mean = np.divide(total, good, out=np.full(len(good), np.nan), where=good > 0)
    return Columns(low, high, mean, count, good, flag)


def _is_window(row: list[Any]) -> bool:
    """All numbers, but that the mean may be missing: the others are when nobody or somebody else wrote them."""
    return all(isinstance(one, float) for n, one in enumerate(row) if n != 3)


def _cells(rows: list[list[Any]], width: int) -> NDArray[np.float64]:
    """NaN where there is none."""
    return np.array(rows, np.float64).reshape(-1, width)
