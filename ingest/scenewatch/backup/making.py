"""Makes a backup: states, journal, database and embedded store, in the order in which they fit together.

A state is of use where the store is not behind it, and the journal must go on from it to the store's position and
beyond. So the states are copied first, the database and the store next, and the journal around them: once before,
so that nothing it lets go of meanwhile is missed, and once behind, for what has come.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from scenewatch.backup import manifest
from scenewatch.backup.manifest import Places
from scenewatch.journal.files import Files
from scenewatch.journal.folder import IDENTITY, Folder
from scenewatch.journal.segment import SUFFIX
from scenewatch.model.disk import sync
from scenewatch.model.errors import ConfigurationError, Mistake, RefusedError, TemporaryError
from scenewatch.parts import state_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scenewatch.backup.manifest import Manifest
    from scenewatch.model.ports import Clock
    from scenewatch.settings import Settings

DUCKDB, SQLITE = "duckdb:", "sqlite:///"
SNAPSHOT = ".snapshot"


def back_up(settings: Settings, out: Path, clock: Clock, progress: Callable[[str], None]) -> Manifest:
    """Into a new folder. `progress` is told what is being copied.

    Raises InUseError where a worker runs that must not, TemporaryError when the disk does not take it.
    """
    if out.exists():
        raise ConfigurationError([Mistake("--out", f"{out} is there already; name a new folder")])
    journal = settings.journal.path
    if not journal.is_dir():
        raise RefusedError(f"{journal}: there is no journal; has a worker run with these settings?")
    with ExitStack() as held, _unfinished(out) as folder:
        if must_rest(settings):
            held.enter_context(_rest(journal))
        places = Places(folder)
        progress("states")
        _copy_all(state_folder(journal), places.states, f"*{SNAPSHOT}")
        progress("journal")
        _copy_journal(journal, places.journal)
        left_out = [*_copy_databases(settings, places, progress)]
        progress("journal")
        _copy_journal(journal, places.journal)
        progress("checksums")
        return manifest.write(folder, clock.now_ms(), settings.store.url, left_out)


def must_rest(settings: Settings) -> bool:
    """Only with a database and a store that can be copied while they are written may the worker run on."""
    return settings.store.url.startswith(DUCKDB) or not settings.database.url.startswith(SQLITE)


@contextmanager
def _unfinished(out: Path) -> Iterator[Path]:
    """Under its name once it is whole."""
    folder = out.with_name(f"{out.name}.unfinished")
    try:
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True, mode=0o750)
        yield folder
        folder.rename(out)
    except OSError as error:
        raise TemporaryError(f"{out}: cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _rest(journal: Path) -> Iterator[None]:
    """No worker runs on these files, and none can start. Raises InUseError."""
    with closing(Folder(journal, Files())) as folder:
        folder.hold()
        yield


def _copy_databases(settings: Settings, places: Places, progress: Callable[[str], None]) -> Iterator[str]:
    """Gives what is left out."""
    if settings.database.url.startswith(SQLITE):
        progress("database")
        _copy_sqlite(Path(settings.database.url.removeprefix(SQLITE)), places.database)
    else:
        yield "PostgreSQL: pg_dump it now, before the worker starts again"
    if not settings.store.url.startswith(DUCKDB):
        yield "InfluxDB: back it up now, by its own command"
        return
    progress("readings")
    file = Path(settings.store.url.removeprefix(DUCKDB))
    for end in ("", ".wal"):
        with suppress(FileNotFoundError):
            _copy(file.with_name(file.name + end), places.readings.with_name(places.readings.name + end))


def _copy_sqlite(file: Path, copy: Path) -> None:
    """One state of it, also while a worker writes: that one goes on meanwhile."""
    if not file.is_file():
        raise RefusedError(f"{file}: there is no database; has a worker run with these settings?")
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=rw", uri=True)) as con:
            con.execute("VACUUM INTO ?", [str(copy)])
    except sqlite3.Error as error:
        raise TemporaryError(f"{file}: cannot be copied ({error})") from error
    sync(copy)


def _copy_journal(journal: Path, copy: Path) -> None:
    """Segments only grow, and only the last one does. One that goes meanwhile is of no more use."""
    _copy_all(journal, copy, f"*{SUFFIX}")
    if (journal / IDENTITY).exists():
        _copy(journal / IDENTITY, copy / IDENTITY)


def _copy_all(folder: Path, copy: Path, pattern: str) -> None:
    copy.mkdir(exist_ok=True)
    for path in sorted(folder.glob(pattern)):
        with suppress(FileNotFoundError):
            there = copy / path.name
            if not there.exists() or there.stat().st_size != path.stat().st_size:
                _copy(path, there)


def _copy(path: Path, copy: Path) -> None:
    """With its times, by which old states are thinned; on the disk when it returns."""
    shutil.copy2(path, copy)
    sync(copy)
