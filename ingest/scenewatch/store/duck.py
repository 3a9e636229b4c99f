"""The embedded store of readings: one DuckDB file behind the outbox.

Rows, position and account are one transaction, so after a crash the file says itself where to go on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from scenewatch.model.flags import Place
from scenewatch.model.ledger import Counts
from scenewatch.model.ports import Readings, keep_nothing_apart
from scenewatch.store.duckfile import VERSION, DuckFile, cannot_write
from scenewatch.store.ducklevels import DuckLevels
from scenewatch.store.duckpoints import DuckPoints
from scenewatch.store.kernel import raise_marks
from scenewatch.store.series import SeriesIds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from scenewatch.model.batch import Batch
    from scenewatch.model.level import Level
    from scenewatch.model.point import Point
    from scenewatch.model.ports import KeepApart

Columns = dict[str, "NDArray[Any]"]

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class _State:
    """Replaced whole, so that other threads never see a position with another's account."""

    position: int
    counts: Counts


class DuckStore(DuckLevels):
    """`ports.Store`, `ports.Points` and, by its base, `ports.Levels`.

    `write`, `sort_closed_days` and `close` from one thread; everything else from any.

    One DuckDB thread a statement by default: more cost a small commit a fifth and gain a sorted chart nothing.
    """

    def __init__(self, path: Path, *, memory_limit: str = "96MB", threads: int = 1) -> None:
        super().__init__(DuckFile(path, memory_limit=memory_limit, threads=threads))
        con = self._file.writer
        self._points = DuckPoints(self._file)
        self._series = SeriesIds(con)
        self._newest_ms = int(self._series.marks.max()) if self.count() else None
        self._state, self._unsorted = _load(con)

    def position(self) -> int:
        return self._state.position

    def counts(self) -> Counts:
        return self._state.counts

    def newest_ms(self) -> int | None:
        return self._newest_ms

    def count(self) -> int:
        """All readings."""
        with self._file.reading() as cursor:
            row = cursor.execute("select count(*) from reading").fetchone()
        return row[0] if row else 0

    def names(self) -> list[str]:
        """All series, in the order they first came."""
        with self._file.reading() as cursor:
            return [name for (name,) in cursor.execute("select name from series order by id").fetchall()]

    def readings(self, series: str, from_ms: int, to_ms: int, limit: int) -> Readings:
        with self._file.reading() as cursor:
            row = cursor.execute("select id from series where name = ?", [series]).fetchone()
            # An id that no series has gives the empty columns.
            found = cursor.execute(
                "select t, value, flag, test from reading where series = ? and t >= ? and t < ? order by t limit ?",
                [row[0] if row else -1, from_ms, to_ms, limit + 1],
            ).fetchnumpy()
        t_ms, value, flag, test = (found[name][:limit] for name in ("t", "value", "flag", "test"))
        return Readings(t_ms, value, flag, test, truncated=len(found["t"]) > limit)

    def write(self, batch: Batch, names: Callable[[int], str], _: KeepApart = keep_nothing_apart) -> int:
        """It takes every reading and name there is, so that nothing is kept apart."""
        self._ensure_open()
        if batch.position <= self._state.position:
            return 0
        state = _State(batch.position, self._state.counts + batch.counts)
        kept = batch if not (batch.place == Place.DUPLICATE).any() else batch.select(batch.place != Place.DUPLICATE)
        added, days = 0, list[int]()
        con = self._file.writer
        try:
            con.begin()
            added = self._insert(con, kept, names)
            if added:
                days = self._newly_unsorted(kept.t_ms)
                _insert_days(con, days)
            _put_state(con, state)
            con.commit()
        except duckdb.Error as error:
            self._reopen()
            if self._state.position < batch.position:
                raise cannot_write(self._file.path, error) from error
        except BaseException:
            self._reopen()
            raise
        self._state = state
        self._unsorted.update(days)
        if added:
            newest = int(kept.t_ms.max())
            self._newest_ms = newest if self._newest_ms is None else max(self._newest_ms, newest)
        return added

    def sort_closed_days(self, before_ms: int, *, most: int | None = None) -> int:
        """Rewrite days (UTC) that end by `before_ms` by series, so that a chart reads a few blocks of each.

        One transaction a day, `most` days a call, oldest first; returns how many. A late reading makes its
        day unsorted again. Raises TemporaryError.
        """
        self._ensure_open()
        closed = sorted(day for day in self._unsorted if (day + 1) * DAY_MS <= before_ms)[:most]
        for day in closed:
            con = self._file.writer
            try:
                with self._layout:
                    con.begin()
                    _sort_day(con, day)
                    con.commit()
            except duckdb.Error as error:
                self._reopen()
                if day in self._unsorted:
                    raise cannot_write(self._file.path, error) from error
            self._unsorted.discard(day)
        return len(closed)

    def record(self, points: Sequence[Point]) -> None:
        self._points.record(points)

    def recorded(self, measurement: str, keep: Level, from_ms: int, to_ms: int, limit: int) -> list[Point]:
        return self._points.recorded(measurement, keep, from_ms, to_ms, limit)

    def forget(self, before_ms: Mapping[Level, int]) -> int:
        return super().forget(before_ms) + self._points.forget(before_ms)

    def close(self) -> None:
        self._file.close()

    def _insert(self, con: duckdb.DuckDBPyConnection, batch: Batch, names: Callable[[int], str]) -> int:
        ids = self._series.ids(con, batch.series, names)
        columns: Columns = {
            "series": ids,
            "t": batch.t_ms,
            "value": batch.value,
            "flag": batch.flag,
            "test": batch.test,
        }
        fresh = np.empty(len(ids), np.bool_)
        count = raise_marks(ids, batch.t_ms, self._series.marks, fresh)
        if count == len(ids):
            return _insert_fresh(con, columns)
        return _insert_fresh(con, _select(columns, fresh)) + _insert_late(con, _select(columns, ~fresh))

    def _newly_unsorted(self, t_ms: NDArray[np.int64]) -> list[int]:
        days: list[int] = np.unique(t_ms // DAY_MS).tolist()
        return [day for day in days if day not in self._unsorted]

    def _reopen(self) -> None:
        """After an error only the file knows what is in it: a commit may raise and yet be durable."""
        self._file.reopen()
        con = self._file.writer
        self._series.forget(con)
        self._state, self._unsorted = _load(con)

    def _ensure_open(self) -> None:
        if not self._file.is_open:
            self._reopen()


def _load(con: duckdb.DuckDBPyConnection) -> tuple[_State, set[int]]:
    position, *counts = con.execute("select position, stored, duplicate, dead, control from state").fetchall()[0]
    unsorted = {day for (day,) in con.execute("select day from unsorted_day").fetchall()}
    return _State(position, Counts(*counts)), unsorted


def _select(columns: Columns, which: NDArray[Any]) -> Columns:
    return {name: column[which] for name, column in columns.items()}


def _insert_fresh(con: duckdb.DuckDBPyConnection, fresh: Columns) -> int:
    if len(fresh["t"]) > 0:
        con.execute("insert into reading select series, t, value, flag, test from fresh")
    return len(fresh["t"])


def _insert_late(con: duckdb.DuckDBPyConnection, columns: Columns) -> int:
    """Rows whose time the table may have, also from earlier in this transaction. The first of a place wins."""
    order = np.lexsort((columns["t"], columns["series"]))
    series, t_ms = columns["series"][order], columns["t"][order]
    repeated = (series[1:] == series[:-1]) & (t_ms[1:] == t_ms[:-1])
    late = _select(columns, order[np.concatenate(([True], ~repeated))])
    # The semi-join first: it lets DuckDB skip every block whose series or times the late rows do not have.
    row = con.execute(
        """
        insert into reading
        select series, t, value, flag, test from late
        anti join (select series, t from reading semi join late using (series, t) where t between ? and ?)
        using (series, t)
        """,
        [int(late["t"].min()), int(late["t"].max())],
    ).fetchone()
    return int(row[0]) if row else 0


def _insert_days(con: duckdb.DuckDBPyConnection, days: list[int]) -> None:
    if days:
        con.execute("insert into unsorted_day select unnest(?)", [days])


def _put_state(con: duckdb.DuckDBPyConnection, state: _State) -> None:
    """Never as an update: each keeps 256 KiB in memory until the next checkpoint, and a thousand fill it."""
    c = state.counts
    con.execute("delete from state")
    con.execute(
        "insert into state values (?, ?, ?, ?, ?, ?)",
        [VERSION, state.position, c.stored, c.duplicate, c.dead, c.control],
    )


def _sort_day(con: duckdb.DuckDBPyConnection, day: int) -> None:
    """Write the day once more in order, then delete the rows that were there before."""
    span = [day * DAY_MS, (day + 1) * DAY_MS]
    row = con.execute("select max(rowid) from reading where t >= ? and t < ?", span).fetchone()
    con.execute("insert into reading select * from reading where t >= ? and t < ? order by series, t", span)
    con.execute("delete from reading where t >= ? and t < ? and rowid <= ?", [*span, row and row[0]])
    con.execute("delete from unsorted_day where day = ?", [day])
