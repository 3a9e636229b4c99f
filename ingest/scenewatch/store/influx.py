"""The production store of readings: an InfluxDB, 1.8 or 2.x, behind the outbox.

Rows first, then position and account in the relational database. A crash between the two leaves rows that
the same batch, coming again, finds there.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenewatch.model.flags import Place
from scenewatch.model.ports import Readings, keep_nothing_apart
from scenewatch.store import influxql
from scenewatch.store.influxanswers import BEYOND, NoAnswerError, PointsRefusedError, RequestTooLargeError
from scenewatch.store.influxlevels import InfluxLevels
from scenewatch.store.influxpoints import InfluxPoints
from scenewatch.store.influxseries import UNWRITABLE, InfluxSeries
from scenewatch.store.influxserver import InfluxServer
from scenewatch.store.kernel import raise_marks
from scenewatch.store.lineprotocol import SeriesKey
from scenewatch.store.position import Account, Accounts
from scenewatch.store.requestsize import RequestSize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from scenewatch.model.batch import Batch
    from scenewatch.model.ledger import Counts
    from scenewatch.model.level import Level
    from scenewatch.model.point import Point
    from scenewatch.model.ports import KeepApart
    from scenewatch.store.influxurl import InfluxUrl
    from scenewatch.store.relational import Database

log = logging.getLogger(__name__)

CONFLICT = "field type conflict"
MOST_REASONS_TOLD = 20


class _Rows(NamedTuple):
    """`row` is each reading's place in its batch."""

    row: NDArray[np.int64]
    ids: NDArray[np.int32]
    t_ms: NDArray[np.int64]
    value: NDArray[np.float64]
    flag: NDArray[np.uint8]
    test: NDArray[np.uint8]

    def at(self, which: Any) -> _Rows:
        return _Rows(*(column[which] for column in self))


class InfluxStore(InfluxLevels):
    """`ports.Store`, `ports.Points` and, by its base, `ports.Levels`.

    `write` and `close` from one thread; everything else from any.

    `measurements` gives the device type's key of a series number. Position and account are kept in `database`
    under the server's address, so that another server or bucket begins anew.
    """

    def __init__(
        self,
        url: InfluxUrl,
        *,
        database: Database,
        measurements: Callable[[int], str],
        token_file: Path | None = None,
        ca_file: Path | None = None,
    ) -> None:
        super().__init__(InfluxServer(url, token_file=token_file, ca_file=ca_file))
        self._points = InfluxPoints(self._server)
        self._size = RequestSize()
        self._reasons_told: set[str] = set()
        self._series = InfluxSeries(self._server)
        self._measurements = measurements
        self._accounts = Accounts(database, str(url))
        self._account = self._accounts.load()

    def position(self) -> int:
        return self._account.position

    def counts(self) -> Counts:
        return self._account.counts

    def newest_ms(self) -> int | None:
        return self._account.newest_ms

    def readings(self, series: str, from_ms: int, to_ms: int, limit: int) -> Readings:
        if series.count(".") != 3 or from_ms > influxql.LAST_MS or to_ms <= max(from_ms, influxql.FIRST_MS):
            return _columns([], limit)
        key = SeriesKey.of("", series)
        [found] = self._server.query(influxql.earliest(key, from_ms, to_ms - 1, limit + 1))
        # A device whose type changed is in several measurements.
        rows = sorted((row for one in found for row in one.rows if _is_ours(row)), key=lambda row: row[0])
        return _columns(rows, limit)

    def write(self, batch: Batch, names: Callable[[int], str], keep_apart: KeepApart = keep_nothing_apart) -> int:
        if batch.position <= self._account.position:
            return 0
        ids = self._series.ids(batch.series, names, self._measurements)
        wanted = batch.place != Place.DUPLICATE
        unwritable = np.flatnonzero(wanted & (ids == UNWRITABLE)).tolist()
        refused = {row: self._series.unwritable[int(batch.series[row])] for row in unwritable}
        rows = self._new_rows(batch, ids, wanted & (ids != UNWRITABLE))
        kept = np.ones(len(rows.ids), np.bool_)
        for n, reason in self._send(rows):
            kept[n] = False
            refused[int(rows.row[n])] = reason
        counts = self._account.counts + batch.counts
        if refused:
            counts += keep_apart(batch, refused)
        newest = int(rows.t_ms[kept].max()) if kept.any() else None
        known = self._account.newest_ms
        newest = known if newest is None else newest if known is None else max(known, newest)
        account = Account(batch.position, counts, newest)
        self._accounts.save(account)
        self._account = account
        self._tell(refused.values())
        return int(kept.sum())

    def record(self, points: Sequence[Point]) -> None:
        self._points.record(points)

    def recorded(self, measurement: str, keep: Level, from_ms: int, to_ms: int, limit: int) -> list[Point]:
        return self._points.recorded(measurement, keep, from_ms, to_ms, limit)

    def close(self) -> None:
        self._server.close()

    def _new_rows(self, batch: Batch, ids: NDArray[np.int32], wanted: NDArray[np.bool_]) -> _Rows:
        """What the server has no reading for, by device and time. The server itself would let the last one win."""
        row = np.flatnonzero(wanted)
        rows = _Rows(row, ids[row], batch.t_ms[row], batch.value[row], batch.flag[row], batch.test[row])
        fresh = np.empty(len(row), np.bool_)
        if raise_marks(rows.ids, rows.t_ms, self._series.marks, fresh) < len(row):
            late = np.flatnonzero(_first_of_each_place(rows) & ~fresh)
            fresh[late] = ~self._series.taken(rows.ids[late], rows.t_ms[late])
            rows = rows.at(fresh)
        return rows.at(np.lexsort((rows.t_ms, self._series.texts.device_of[rows.ids])))

    def _send(self, rows: _Rows) -> Iterator[tuple[int, str]]:
        """Write these rows; gives those refused, each with the reason. Raises TemporaryError."""
        first = 0
        while first < len(rows.ids):
            which = np.arange(first, min(first + self._size.readings, len(rows.ids)))
            yield from self._send_some(rows, which)
            first += len(which)

    def _send_some(self, rows: _Rows, which: NDArray[np.int64]) -> Iterator[tuple[int, str]]:
        """Some servers keep nothing of a refused request, so parts are written until only bad ones are left."""
        lines = self._series.texts.encode(*rows.at(which)[1:])
        try:
            self._server.write(lines)
        except RequestTooLargeError as error:
            self._size.was_too_large(len(which))
            parts, reason = _halves(which), str(error)
        except PointsRefusedError as error:
            all_refused = _all_refused(error, lines.count(b"\n"), len(which))
            parts, reason = [which] if all_refused else self._parts(rows, which, error), str(error)
        except NoAnswerError:
            self._size.got_no_answer()
            raise
        else:
            self._size.was_taken()
            return
        if len(parts) == 1:
            yield from ((n, reason) for n in which.tolist())
            return
        for part in parts:
            yield from self._send_some(rows, part)

    def _parts(self, rows: _Rows, which: NDArray[np.int64], error: PointsRefusedError) -> list[NDArray[np.int64]]:
        """A field whose type the server knows otherwise is bad in all its lines: by fields they are soon apart."""
        if CONFLICT in str(error):
            field = self._series.texts.field_of[rows.ids[which]]
            if (field != field[0]).any():
                return [which[field == one] for one in np.unique(field)]
        return _halves(which)

    def _tell(self, reasons: Iterable[str]) -> None:
        """Each reason once: the dead letters tell of each message. Numbers in it are mostly another each time."""
        for reason in sorted(set(reasons)):
            kind = re.sub(r"\d+", "#", reason)
            if kind not in self._reasons_told and len(self._reasons_told) < MOST_REASONS_TOLD:
                self._reasons_told.add(kind)
                log.warning("the store refused readings, they become dead letters: %s", reason)


def _halves(which: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """One part where it cannot be halved."""
    return [part for part in np.array_split(which, 2) if len(part) > 0]


def _all_refused(error: PointsRefusedError, lines: int, readings: int) -> bool:
    """A line with one bad field is dropped whole, but a line that is too old is so with all its readings."""
    return error.dropped == lines and (lines == readings or BEYOND in str(error))


def _first_of_each_place(rows: _Rows) -> NDArray[np.bool_]:
    order = np.lexsort((rows.t_ms, rows.ids))
    ids, t_ms = rows.ids[order], rows.t_ms[order]
    first = np.ones(len(order), np.bool_)
    first[order[1:]] = (ids[1:] != ids[:-1]) | (t_ms[1:] != t_ms[:-1])
    return first


def _is_ours(row: list[Any]) -> bool:
    """All numbers: nothing is missing, and nobody else wrote a field of another type under the name."""
    return all(isinstance(one, float) for one in row)


def _columns(rows: list[list[Any]], limit: int) -> Readings:
    """Of rows of time, value, flag and test."""
    t_ms, value, flag, test = zip(*rows[:limit], strict=True) if rows[:limit] else ((),) * 4
    return Readings(
        np.array(t_ms, np.int64),
        np.array(value, np.float64),
        np.array(flag, np.uint8),
        np.array(test, np.uint8),
        truncated=len(rows) > limit,
    )
