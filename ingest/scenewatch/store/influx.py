"""The production store of readings: an InfluxDB, 1.8 or 2.x, behind the outbox.

Rows first, then position and account in the relational database. A crash between the two leaves rows that
the same batch, coming again, finds there.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenewatch.model.errors import ConfigurationError, Mistake
from scenewatch.model.flags import Place
from scenewatch.model.ports import Readings
from scenewatch.store import influxql
from scenewatch.store.influxseries import InfluxSeries
from scenewatch.store.influxserver import InfluxServer, PointsRefusedError
from scenewatch.store.kernel import raise_marks
from scenewatch.store.lineprotocol import SeriesKey
from scenewatch.store.position import Account, Accounts, RefusedReading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from scenewatch.model.batch import Batch
    from scenewatch.model.ledger import Counts
    from scenewatch.store.influxurl import InfluxUrl
    from scenewatch.store.relational import Database

log = logging.getLogger(__name__)

READINGS_A_REQUEST = 20_000
"""About 5,000 lines of devices with a few channels each."""

BEYOND = "beyond retention policy"


class _Rows(NamedTuple):
    ids: NDArray[np.int32]
    t_ms: NDArray[np.int64]
    value: NDArray[np.float64]
    flag: NDArray[np.uint8]
    test: NDArray[np.uint8]

    def at(self, which: Any) -> _Rows:
        return _Rows(*(column[which] for column in self))


class InfluxStore:
    """`ports.Store`. `write` and `close` from one thread; everything else from any.

    `measurements` gives the device type's key of a series number. Position and account are kept in `database`
    under the server's address, so that another server or bucket begins anew.
    """

    def __init__(
        self, url: InfluxUrl, *, token_file: Path | None, database: Database, measurements: Callable[[int], str]
    ) -> None:
        self._server = InfluxServer(url, _token(token_file))
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

    def refused(self, limit: int) -> list[RefusedReading]:
        """What the server would not take, with its reason."""
        return self._accounts.refused(limit)

    def readings(self, series: str, from_ms: int, to_ms: int, limit: int) -> Readings:
        if series.count(".") != 3 or from_ms > influxql.LAST_MS or to_ms <= max(from_ms, influxql.FIRST_MS):
            return _columns([], limit)
        key = SeriesKey.of("", series)
        [found] = self._server.query(influxql.earliest(key, from_ms, to_ms - 1, limit + 1))
        # A device whose type changed is in several measurements.
        rows = sorted((row for one in found for row in one.rows if None not in row), key=lambda row: row[0])
        return _columns(rows, limit)

    def write(self, batch: Batch, names: Callable[[int], str]) -> int:
        if batch.position <= self._account.position:
            return 0
        rows = self._new_rows(batch, names)
        kept = np.ones(len(rows.ids), np.bool_)
        refused = []
        for n, reason in self._send(rows, np.arange(len(rows.ids))):
            kept[n] = False
            refused.append(self._refused(rows, n, reason))
        newest = int(rows.t_ms[kept].max()) if kept.any() else None
        known = self._account.newest_ms
        account = Account(
            batch.position,
            self._account.counts + batch.counts,
            newest if known is None else max(known, known if newest is None else newest),
        )
        self._accounts.save(account, refused)
        self._account = account
        if refused:
            log.warning("the store refused %d readings, they are kept aside: %s", len(refused), refused[0].reason)
        return int(kept.sum())

    def close(self) -> None:
        self._server.close()

    def _new_rows(self, batch: Batch, names: Callable[[int], str]) -> _Rows:
        """What the server has no reading for, by device and time. The server itself would let the last one win."""
        wanted = batch.place != Place.DUPLICATE
        ids = self._series.ids(batch.series[wanted], names, self._measurements)
        rows = _Rows(ids, *(c[wanted] for c in (batch.t_ms, batch.value, batch.flag, batch.test)))
        fresh = np.empty(len(ids), np.bool_)
        if raise_marks(ids, rows.t_ms, self._series.marks, fresh) < len(ids):
            late = np.flatnonzero(_first_of_each_place(rows) & ~fresh)
            fresh[late] = ~self._series.taken(ids[late], rows.t_ms[late])
            rows = rows.at(fresh)
        return rows.at(np.lexsort((rows.t_ms, self._series.texts.device_of[rows.ids])))

    def _send(self, rows: _Rows, which: NDArray[np.int64]) -> Iterator[tuple[int, str]]:
        """Write these rows; gives those refused, each with the reason. Raises TemporaryError."""
        for first in range(0, len(which), READINGS_A_REQUEST):
            yield from self._bisect(rows, which[first : first + READINGS_A_REQUEST])

    def _bisect(self, rows: _Rows, which: NDArray[np.int64]) -> Iterator[tuple[int, str]]:
        """Some servers keep nothing of a refused request, so halves are written until only bad ones are left."""
        lines = self._series.texts.encode(*rows.at(which))
        try:
            self._server.write(lines)
        except PointsRefusedError as error:
            if len(which) == 1 or _all_refused(error, lines.count(b"\n"), len(which)):
                yield from ((n, str(error)) for n in which.tolist())
            else:
                yield from self._bisect(rows, which[: len(which) // 2])
                yield from self._bisect(rows, which[len(which) // 2 :])

    def _refused(self, rows: _Rows, n: int, reason: str) -> RefusedReading:
        return RefusedReading(
            series=self._series.names[rows.ids[n]],
            t_ms=int(rows.t_ms[n]),
            value=float(rows.value[n]),
            flag=int(rows.flag[n]),
            test=int(rows.test[n]),
            reason=reason,
        )


def _all_refused(error: PointsRefusedError, lines: int, readings: int) -> bool:
    """A line with one bad field is dropped whole, but a line that is too old is so with all its readings."""
    return error.dropped == lines and (lines == readings or BEYOND in str(error))


def _token(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError([Mistake("store.token_file", f"{file} cannot be read: {error}")]) from error


def _first_of_each_place(rows: _Rows) -> NDArray[np.bool_]:
    order = np.lexsort((rows.t_ms, rows.ids))
    ids, t_ms = rows.ids[order], rows.t_ms[order]
    first = np.ones(len(order), np.bool_)
    first[order[1:]] = (ids[1:] != ids[:-1]) | (t_ms[1:] != t_ms[:-1])
    return first


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
