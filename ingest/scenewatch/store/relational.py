"""One relational database, SQLite or PostgreSQL, for what is not a reading. Library errors end here."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from scenewatch.model.errors import ConfigurationError, CorruptError, Mistake, RefusedError, TemporaryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")
VERSION = 1
BUSY_MS = 5_000
"""How long a writer waits for another process's before it says so."""

PARTS = sa.MetaData()
"""Each concern puts its table here, and has `Database.create` make it."""

ABOUT = sa.Table(
    "about",
    PARTS,
    sa.Column("one", sa.Integer, sa.CheckConstraint("one = 1"), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("inventory_revision", sa.BigInteger, nullable=False),
)


class Database:
    """Safe to use from any thread: each `reading` and `writing` has a connection of its own."""

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        self._name = self._engine.url.render_as_string(hide_password=True)
        self._one_state = {"isolation_level": "REPEATABLE READ"} if self._served else {}
        self._looking = threading.Lock()
        self._looker: sqlite3.Connection | None = None
        self._prepare()
        with self.reading() as con:
            version = con.scalar(sa.select(ABOUT.c.version))
        if version != VERSION:
            self.close()
            what = f"is of schema {version}, this program knows {VERSION}: use the release that wrote it"
            raise ConfigurationError([Mistake(self._name, what)])

    def _prepare(self) -> None:
        if (file := _sqlite_file(self._engine)) is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
        with self.writing() as con:
            ABOUT.create(con, checkfirst=True)
            con.execute(
                self.insert(ABOUT).values(one=1, version=VERSION, inventory_revision=0).on_conflict_do_nothing()
            )

    def create(self, table: sa.Table) -> None:
        """Make the table, if it is not there, and what the release which made it did not have: columns, indexes.

        New columns must have a default or take null: the older release still writes rows without them.
        """
        with self.writing() as con:
            table.create(con, checkfirst=True)
            for column in _missing(con, table):
                name = con.dialect.identifier_preparer.format_table(table)
                column_ddl = sa.schema.CreateColumn(column).compile(dialect=con.dialect)
                con.exec_driver_sql(f"ALTER TABLE {name} ADD COLUMN {column_ddl}")
            for index in table.indexes:
                index.create(con, checkfirst=True)

    @property
    def _served(self) -> bool:
        return self._engine.dialect.name == "postgresql"

    def insert(self, table: sa.Table) -> Any:
        """An insert that knows `on_conflict_do_nothing` and `on_conflict_do_update`, alike in both dialects."""
        return postgresql.insert(table) if self._served else sqlite.insert(table)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """One state throughout, whatever others write meanwhile. Raises as `writing`."""
        with (
            self._translated(),
            self._engine.connect().execution_options(**self._one_state) as con,
            con.begin(),
        ):
            yield con

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction, all or nothing. Raises TemporaryError (locked, full, away) or RefusedError."""
        with (
            self._translated(),
            self._engine.connect().execution_options(writing=True) as con,
            con.begin(),
        ):
            yield con

    def remembered(self, ask: Callable[[sa.Connection], T]) -> Callable[[], T]:
        """What `ask` reads, read again only if anybody may have changed anything since. Raises as `reading`.

        For what is looked at each second and hardly ever changes. PostgreSQL does not tell; there it is read.
        """
        known: tuple[int, T] | None = None

        def answer() -> T:
            nonlocal known
            version = self._changes()  # before it is read: what changes meanwhile is seen the next time
            if version is not None and known is not None and known[0] == version:
                return known[1]
            with self.reading() as con:
                found = ask(con)
            known = None if version is None else (version, found)
            return found

        return answer

    def whether(self, condition: sa.ColumnElement[bool]) -> Callable[[], bool]:
        """Whether there is a row like that, `remembered`."""
        query = sa.select(sa.exists().where(condition))
        return self.remembered(lambda con: bool(con.scalar(query)))

    def _changes(self) -> int | None:
        """Another number once a connection of any process has committed; None where that cannot be told now.

        By a connection of its own that never writes, as a connection's own changes do not count.
        """
        file = _sqlite_file(self._engine)
        if file is None:
            return None
        with self._looking, suppress(sqlite3.Error):
            if self._looker is None:
                self._looker = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
            (version,) = self._looker.execute("PRAGMA data_version").fetchone()
            return int(version)
        return None

    def close(self) -> None:
        with self._looking:
            if self._looker is not None:
                self._looker.close()
                self._looker = None
        self._engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sa.exc.IntegrityError, sa.exc.DataError) as error:
            raise RefusedError(f"{self._name}: refused ({error.orig})") from error
        except sa.exc.DBAPIError as error:
            text = str(error.orig)
            if "not a database" in text or "malformed" in text:
                raise CorruptError(f"{self._name}: not an SQLite file, or damaged ({text})") from error
            raise TemporaryError(f"{self._name}: cannot use the database now ({text})") from error


class ExistingDatabase(Database):
    """One that a worker made and may be writing at this moment: nothing in it is made or changed."""

    def _prepare(self) -> None:
        file = _sqlite_file(self._engine)
        if file is not None and not file.is_file():
            raise RefusedError(f"{file}: there is no database; has a worker run with these settings?")
        self.create(ABOUT)

    def create(self, table: sa.Table) -> None:
        """Raises RefusedError if it is not there."""
        with self.reading() as con:
            there = sa.inspect(con).has_table(table.name)
            older = there and _missing(con, table)
        if not there:
            raise RefusedError(f"{self._name}: has no table {table.name}; has a worker run with these settings?")
        if older:
            raise RefusedError(f"{self._name}: is of an older release; start its worker once with this one")

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        with super().reading() as con:
            con.exec_driver_sql("SET TRANSACTION READ ONLY" if self._served else "PRAGMA query_only = ON")
            yield con

    def writing(self) -> NoReturn:
        raise RefusedError(f"{self._name}: is only looked at")


def _missing(con: sa.Connection, table: sa.Table) -> list[sa.Column[Any]]:
    have = {column["name"] for column in sa.inspect(con).get_columns(table.name)}
    return [column for column in table.columns if column.name not in have]


def _sqlite_file(engine: sa.Engine) -> Path | None:
    database = engine.url.database
    return Path(database) if engine.dialect.name == "sqlite" and database else None


def _engine(url: str) -> sa.Engine:
    try:
        backend = sa.make_url(url).get_backend_name()
    except sa.exc.ArgumentError as error:
        raise _wrong_url("is not a database URL") from error
    if backend not in ("sqlite", "postgresql"):
        raise _wrong_url(f"names {backend}, which is not supported")
    try:
        engine = sa.create_engine(url)
    except sa.exc.ArgumentError as error:
        raise _wrong_url("names an unknown driver, or has parts the driver does not take") from error
    except ModuleNotFoundError as error:
        raise _wrong_url(f"needs the Python package {error.name}, which is not installed") from error
    if backend == "sqlite":
        sa.event.listen(engine, "connect", _on_connect)
        sa.event.listen(engine, "begin", _on_begin)
    else:
        sa.event.listen(engine, "connect", _on_server)
    return engine


def _wrong_url(what: str) -> ConfigurationError:
    """The URL itself is not told: it may carry a password."""
    return ConfigurationError([Mistake("database.url", f"{what}: use sqlite:///PATH or postgresql+psycopg://…")])


def _on_connect(dbapi: Any, _record: Any) -> None:
    dbapi.isolation_level = None  # the driver's own BEGIN comes too late to see one state throughout
    for pragma in (f"busy_timeout = {BUSY_MS}", "journal_mode = WAL", "foreign_keys = ON"):
        dbapi.execute(f"PRAGMA {pragma}")


def _on_server(dbapi: Any, _record: Any) -> None:
    from psycopg.types.string import StrDumperUnknown  # noqa: PLC0415  # not everybody has it

    class WithoutNull(StrDumperUnknown):
        """The server's text has no null character, and whoever asks or tells us something can have one in it."""

        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", "\N{REPLACEMENT CHARACTER}"))

    dbapi.adapters.register_dumper(str, WithoutNull)


def _on_begin(con: sa.Connection) -> None:
    # A reader that turns writer fails at once when another was quicker; one that says so first waits its turn.
    writing = con.get_execution_options().get("writing", False)
    con.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
