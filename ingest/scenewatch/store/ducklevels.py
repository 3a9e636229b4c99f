"""Summaries in the embedded store: three more tables of its file, made by SQL, one span of windows at a time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from scenewatch.model.flags import Flag
from scenewatch.model.level import Level, Summaries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

    from scenewatch.store.duckfile import DuckFile

TABLES = ("reading", "minute", "hour", "day")
"""By level."""
EVERY, CHOSEN = "series", "chosen"
"""Tables with a row for each series that is meant."""

OF_READINGS = f"""
    min(value) as low, max(value) as high, coalesce(avg(value) filter (flag <> {Flag.FAIL:d}), 'nan') as mean,
    count(*) as count, count(*) filter (flag <> {Flag.FAIL:d}) as good, max(flag) as flag
"""
OF_SUMMARIES = """
    min(low) as low, max(high) as high, coalesce(sum(mean * good) filter (good > 0) / sum(good), 'nan') as mean,
    sum(count) as count, sum(good) as good, max(flag) as flag
"""
"""NaN times nothing is NaN, so that windows without a good reading are left out of the mean."""

CHOOSE = """
create or replace temp table chosen as select id from series
semi join wanted on device = left(name, length(name) - position('.' in reverse(name)))
"""
MAKE = """
create or replace temp table made as
select series, $begin + (t - $begin) // {span} * {span} as t, {columns} from {below}
where t >= $begin and t < $end and series between $first and $last
and ('{of}' = 'series' or series in (select id from {of})) group by 1, 2
"""
CLEAR = """
delete from {table} using made
where {table}.series = made.series and {table}.t = made.t and {table}.t >= ? and {table}.t < ?
"""
FILL = "insert into {table} from made"
FIND = """
select t as t_ms, low, high, mean, count::bigint as count, good::bigint as good, flag from {table}
where series = ? and t >= ? and t < ? order by t limit ?
"""
COUNT = "select count(*) from {table}"
ANYTHING = "select 1 from {below} where t >= ? and t < ? limit 1"
FORGET = "delete from {table} where t < ?"
MEASURE = "select max(rowid), count(*) from {table} where t >= ? and t < ?"
SORT = "insert into {table} from {table} where t >= ? and t < ? order by series, t"
CLEAR_BEFORE = "delete from {table} where t >= ? and t < ? and rowid <= ?"

ROWS_AT_ONCE = 125_000
"""Made in one transaction, of so many series at most: what that takes beside half a million series is little."""
MONTH_MS = 32 * Level.DAY.span_ms
SORTED_AT_ONCE = 20_000_000
"""Rows. A larger city's levels stay in the order they were made: sorting that many takes too long."""


class DuckLevels:
    """The part of `DuckStore` that is `ports.Levels`. Each call has a connection of its own."""

    def __init__(self, file: DuckFile) -> None:
        self._file = file
        self._layout = threading.Lock()
        """Held by whoever moves or deletes readings."""

    def summarise(self, level: Level, from_ms: int, to_ms: int, *, devices: Sequence[str] | None = None) -> int:
        with self._file.changing() as con:
            if con.execute(ANYTHING.format(below=TABLES[level.below]), [from_ms, to_ms]).fetchone() is None:
                return 0
            if devices is not None:
                wanted = {"device": np.array(sorted(set(devices)), object)}  # noqa: F841  # DuckDB reads it by its name here
                con.execute(CHOOSE)
            of = EVERY if devices is None else CHOSEN
            known, meant = (_number(con, COUNT.format(table=table)) for table in (EVERY, of))
            most = max(1, ROWS_AT_ONCE // max(1, meant)) * level.span_ms
            made = sum(
                _make(con, level, (at, min(at + most, to_ms)), of, first)
                for at in range(from_ms, to_ms, most)
                for first in range(0, known, ROWS_AT_ONCE)
            )
            if level is Level.DAY and devices is None:
                _lay_out(con, Level.MINUTE, from_ms, to_ms)
                _lay_out(con, Level.HOUR, from_ms // MONTH_MS * MONTH_MS, to_ms // MONTH_MS * MONTH_MS)
        return made

    def summaries(self, series: str, level: Level, from_ms: int, to_ms: int, limit: int) -> Summaries:
        with self._file.reading() as con:
            row = con.execute("select id from series where name = ?", [series]).fetchone()
            asked = [row[0] if row else -1, from_ms, to_ms, limit + 1]
            found = con.execute(FIND.format(table=TABLES[level]), asked).fetchnumpy()
        return Summaries(
            **{name: column[:limit] for name, column in found.items()}, truncated=len(found["t_ms"]) > limit
        )

    def oldest_ms(self) -> int | None:
        with self._file.reading() as con:
            row = con.execute("select min(t) from reading").fetchone()
        return row[0] if row else None

    def forget(self, before_ms: Mapping[Level, int]) -> int:
        with self._layout, self._file.changing() as con:
            return sum(_number(con, FORGET.format(table=TABLES[level]), at) for level, at in before_ms.items())


def _number(con: duckdb.DuckDBPyConnection, statement: str, *given: int) -> int:
    """What the statement counts or changes."""
    row = con.execute(statement, list(given)).fetchone()
    return row[0] if row else 0


def _make(con: duckdb.DuckDBPyConnection, level: Level, span: tuple[int, int], of: str, first: int) -> int:
    """Windows of the series in table `of` with ids from `first` on, as one transaction."""
    table, below = TABLES[level], TABLES[level.below]
    columns = OF_READINGS if level.below is Level.READING else OF_SUMMARIES
    con.begin()
    make = MAKE.format(span=level.span_ms, columns=columns, below=below, of=of)
    con.execute(make, {"begin": span[0], "end": span[1], "first": first, "last": first + ROWS_AT_ONCE - 1})
    made = _number(con, "select count(*) from made")
    if made > 0:
        con.execute(CLEAR.format(table=table), span)
        con.execute(FILL.format(table=table))
    con.commit()
    return made


def _lay_out(con: duckdb.DuckDBPyConnection, level: Level, from_ms: int, to_ms: int) -> None:
    """Write the span once more by series, so that a chart reads a few blocks of it; one transaction."""
    table, span = TABLES[level], [from_ms, to_ms]
    con.begin()
    newest, rows = con.execute(MEASURE.format(table=table), span).fetchall()[0]
    if 0 < rows <= SORTED_AT_ONCE:
        con.execute(SORT.format(table=table), span)
        con.execute(CLEAR_BEFORE.format(table=table), [*span, newest])
    con.commit()
