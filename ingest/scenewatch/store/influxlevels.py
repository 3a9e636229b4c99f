"""Summaries in an InfluxDB: the server aggregates, what it answers is written into the buckets of the levels."""

from __future__ import annotations

import logging
from dataclasses import replace
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
    from scenewatch.store.levellines import Numbers

log = logging.getLogger(__name__)

ROWS_AT_ONCE = 30_000
"""Windows of devices in one answer, which then takes some 10 MB."""
DEVICES_A_SITE = 20
"""As a guess."""
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
        made = 0
        for measurement, channels in self._channels(level.below).items():
            for whose, most in self._whose(level.below, measurement, devices):
                step_ms = max(1, most) * level.span_ms
                for begin in range(from_ms, to_ms, step_ms):
                    condition = f"{levelql.span(begin, min(begin + step_ms, to_ms))} AND ({whose})"
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

    def _whose(self, level: Level, measurement: str, devices: Sequence[str] | None) -> Iterator[tuple[str, int]]:
        """Conditions that are all devices together, or those that are meant; each with the windows to ask for."""
        if devices is None:
            [found] = self._at[level].tables(levelql.sites(measurement))
            parts = [str(row[1]) for one in found for row in one.values]
            most, put, each = ROWS_AT_ONCE // DEVICES_A_SITE, levelql.of_sites, DEVICES_A_SITE
        else:
            parts = sorted({device for device in devices if device.count(".") == 2})
            most, put, each = DEVICES_AT_ONCE, levelql.of_devices, 1
        for n in range(0, len(parts), most):
            some = parts[n : n + most]
            is_all = devices is None and len(some) == len(parts)
            yield levelql.EVERYWHERE if is_all else put(some), ROWS_AT_ONCE // (each * len(some))

    def _windows(
        self, level: Level, measurement: str, channels: list[str], condition: str, from_ms: int
    ) -> Windows | None:
        """None where there is nothing."""

        def ask(*questions: tuple[str, str, str]) -> list[list[Table]]:
            """Each of columns, source and condition."""
            found = self._at[level.below].tables(*(levelql.windows(*q, level, from_ms) for q in questions))
            return [[one for one in tables if all(one.tags.get(tag) for tag in TAGS)] for tables in found]

        source = influxql.identifier(measurement)
        if level.below is Level.READING:
            [found] = ask((levelql.of_readings(channels), source, condition))
            answer = _Answer(found, 5 * len(channels))
            columns = {key: _as_if_good(answer.of(n, 5)) for n, key in enumerate(channels)}
            for key in [key for key, column in columns.items() if (column.flag >= Flag.FAIL).any()]:
                [good] = ask((levelql.good_readings(key), source, f"{condition} AND {levelql.is_good(key)}"))
                columns[key] = answer.with_good(columns[key], good)
        else:
            sums = [
                (levelql.sum_of(key), levelql.weighed(measurement, key, condition), condition) for key in channels
            ]
            found, *weighed = ask((levelql.of_summaries(channels), source, condition), *sums)
            answer = _Answer(found, 5 * len(channels))
            columns = {
                key: _with_mean(answer.of(n, 5), answer.aligned(weighed[n], 1)[:, 0])
                for n, key in enumerate(channels)
            }
        return Windows(measurement, answer.places, answer.place, answer.t_ms, columns) if found else None

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
        mean, good = self.aligned(tables, 2).T
        return replace(of, mean=mean, good=np.where(np.isnan(good) & ~np.isnan(of.low), 0.0, good))

    def aligned(self, tables: Sequence[Table], width: int) -> NDArray[np.float64]:
        """Another answer's columns in this one's rows, NaN where it has none; what came in between is left out."""
        result = np.full((len(self.t_ms), width), np.nan)
        place_of = {tuple(tags[tag] for tag in TAGS): n for n, tags in enumerate(self.places)}
        for one in tables:
            place = place_of.get(tuple(one.tags[tag] for tag in TAGS))
            if place is not None:
                first, end = self._first[place : place + 2]
                cells = _cells(one.values, 1 + width)
                _, here, there = np.intersect1d(
                    self.t_ms[first:end], cells[:, 0], assume_unique=True, return_indices=True
                )
                result[first + here] = cells[there, 1:]
        return result


def _as_if_good(columns: list[Numbers]) -> Columns:
    low, high, mean, count, flag = columns
    return Columns(low, high, mean, count, count, flag)


def _with_mean(columns: list[Numbers], total: Numbers) -> Columns:
    low, high, count, good, flag = columns
    mean = np.divide(total, good, out=np.full(len(good), np.nan), where=good > 0)
    return Columns(low, high, mean, count, good, flag)


def _is_window(row: list[Any]) -> bool:
    """All numbers, but that the mean may be missing: the others are when nobody or somebody else wrote them."""
    return all(isinstance(one, float) for n, one in enumerate(row) if n != 3)


def _cells(rows: list[list[Any]], width: int) -> NDArray[np.float64]:
    """NaN where there is none."""
    return np.array(rows, np.float64).reshape(-1, width)
