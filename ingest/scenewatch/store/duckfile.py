"""One DuckDB file: opened, opened again after an error, read from many threads, its errors translated."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from scenewatch.model.errors import (
    ConfigurationError,
    CorruptError,
    InUseError,
    Mistake,
    ScenewatchError,
    TemporaryError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

VERSION = 1

SCHEMA = """
create table if not exists series (id integer not null, name varchar not null);
create table if not exists reading (
    series integer not null, t bigint not null, value double not null,
    flag utinyint not null, test utinyint not null
);
create table if not exists minute (
    series integer not null, t bigint not null, low double not null, high double not null, mean double not null,
    count integer not null, good integer not null, flag utinyint not null
);
create table if not exists hour as from minute limit 0;
create table if not exists day as from minute limit 0;
create table if not exists point (
    keep utinyint not null, measurement varchar not null, tags varchar not null, t bigint not null,
    fields varchar not null
);
create table if not exists unsorted_day (day bigint not null);
create table if not exists state (
    version integer not null, position bigint not null,
    stored bigint not null, duplicate bigint not null, dead bigint not null, control bigint not null
);
insert into state select $version, 0, 0, 0, 0, 0 where not exists (from state);
"""
"""`reading` has no key: an index costs two thirds of the writing speed, and the writer knows what is new.
Nor has `series`: an index of half a million names takes 20 MiB, and names are looked up before they get an id."""

FULL = ("No space left", "File too large", "Disk quota exceeded")


class DuckFile:
    """`writer` belongs to one thread; `reading` and `changing` may be entered from any."""

    def __init__(self, path: Path, *, memory_limit: str, threads: int) -> None:
        self.path = path
        self._config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory_limit,
            "threads": threads,
        }
        self._change = threading.Condition()
        self._readers: set[duckdb.DuckDBPyConnection] = set()
        self._root: duckdb.DuckDBPyConnection | None = None
        self._con: duckdb.DuckDBPyConnection | None = None
        self._open()

    @property
    def writer(self) -> duckdb.DuckDBPyConnection:
        if self._con is None:
            raise self._not_open()
        return self._con

    @property
    def is_open(self) -> bool:
        return self._con is not None

    def reading(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """A cursor of its own for the caller. Interrupted when the file has to be opened again."""
        return self._cursor(cannot_read)

    def changing(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """The same for one who writes to tables that the writer leaves alone. What is not committed is undone."""
        return self._cursor(cannot_write)

    @contextmanager
    def _cursor(
        self, failed: Callable[[Path, duckdb.Error], TemporaryError]
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._change:
            if self._root is None:
                raise self._not_open()
            cursor = self._root.cursor()
            self._readers.add(cursor)
        try:
            yield cursor
        except duckdb.Error as error:
            raise failed(self.path, error) from error
        finally:
            with self._change:
                cursor.close()
                self._readers.discard(cursor)
                self._change.notify_all()

    def reopen(self) -> None:
        """What was committed is there afterwards, what was not is gone. Raises TemporaryError."""
        with self._change:
            self._let_go()
            try:
                self._open()
            except ScenewatchError as error:
                raise TemporaryError(str(error)) from error

    def close(self) -> None:
        with self._change:
            self._let_go()

    def _not_open(self) -> TemporaryError:
        return TemporaryError(f"{self.path}: the store's file is not open")

    def _open(self) -> None:
        # The root only makes cursors: a connection refuses that while it is busy with anything else.
        self._root = self._connect()
        self._con = self._root.cursor()

    def _let_go(self) -> None:
        """DuckDB shares one database among a process's connections: all must go before it is opened anew."""
        open_now = [con for con in (self._con, self._root) if con is not None]
        self._con = self._root = None
        for cursor in self._readers:
            cursor.interrupt()
        self._change.wait_for(lambda: not self._readers)
        for con in open_now:
            con.close()

    def _connect(self) -> duckdb.DuckDBPyConnection:
        con = None
        try:
            con = duckdb.connect(self.path, config=self._config)
            con.begin()
            con.execute(SCHEMA, {"version": VERSION})
            con.commit()
            # Read to its end: a result that is not keeps its transaction, and deleted rows would keep their room.
            found = con.execute("select version from state").fetchall()
        except duckdb.Error as error:
            if con is not None:
                con.close()
            raise _opening(self.path, error) from error
        if found != [(VERSION,)]:
            con.close()
            what = f"is of schema {found[0][0]}, this program knows {VERSION}: use the release that wrote it"
            raise ConfigurationError([Mistake(str(self.path), what)])
        return con


def _opening(path: Path, error: duckdb.Error) -> ScenewatchError:
    text = str(error)
    if "Could not set lock" in text:
        return InUseError(f"{path}: another process has this store open; stop it, or ask its API")
    if "not a valid DuckDB" in text or isinstance(error, duckdb.SerializationException):
        return CorruptError(f"{path}: not a DuckDB file, or damaged ({_first_line(error)})")
    return cannot_write(path, error)


def cannot_read(path: Path, error: duckdb.Error) -> TemporaryError:
    return TemporaryError(f"{path}: cannot read now ({_first_line(error)})")


def cannot_write(path: Path, error: duckdb.Error) -> TemporaryError:
    text = str(error)
    if any(sign in text for sign in FULL):
        return TemporaryError(
            f"{path}: the disk is full; make room, nothing is lost meanwhile ({_first_line(error)})"
        )
    return TemporaryError(f"{path}: cannot write now ({_first_line(error)})")


def _first_line(error: BaseException) -> str:
    return str(error).split("\n", 1)[0]
