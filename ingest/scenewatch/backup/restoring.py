"""Puts a backup back where the settings say, and only where nothing is: nothing is ever overwritten."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from scenewatch.backup import manifest
from scenewatch.backup.making import DUCKDB, SQLITE
from scenewatch.backup.manifest import Places
from scenewatch.model.errors import ConfigurationError, Mistake, TemporaryError
from scenewatch.parts import state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenewatch.backup.manifest import Manifest
    from scenewatch.settings import Settings


def restore(settings: Settings, folder: Path) -> Manifest:
    """Raises ConfigurationError with everything that is in the way; then nothing has been written.

    The backup is read through first. Raises RefusedError or CorruptError for one that is not whole.
    """
    found = manifest.read(folder)
    mistakes = [*_unlike(settings, found), *_in_the_way(settings)]
    if mistakes:
        raise ConfigurationError(mistakes)
    moves = [(source, target) for source, target in _moves(settings, Places(folder)) if source.exists()]
    try:
        for source, target in moves:
            _copy(source, _unfinished(target))
        for _, target in moves:
            _unfinished(target).rename(target)
    except OSError as error:
        raise TemporaryError(f"{folder}: cannot be put back ({error.strerror or error})") from error
    finally:
        for _, target in moves:
            _remove(_unfinished(target))
    return found


def _unlike(settings: Settings, found: Manifest) -> Iterator[Mistake]:
    """The store's position is kept under its address: another one would be taken for new."""
    was, now = found.store, settings.store.url
    if was.startswith(DUCKDB) != now.startswith(DUCKDB) or (not now.startswith(DUCKDB) and was != now):
        yield Mistake("store.url", f"is {now}, but the backup is of {was}: restore it to that one")


def _in_the_way(settings: Settings) -> Iterator[Mistake]:
    for target in _targets(settings):
        if target.is_dir() and not any(target.iterdir()):
            continue
        if target.exists():
            yield Mistake(str(target), "is there; move it away first, nothing is overwritten")


def _targets(settings: Settings) -> Iterator[Path]:
    """Everything that a worker keeps, also what no backup has: what is derived must not be of another time."""
    journal = settings.journal.path
    yield from (journal, state_folder(journal), journal.parent / f"{journal.name}.outbox")
    for url, prefix in ((settings.database.url, SQLITE), (settings.store.url, DUCKDB)):
        if url.startswith(prefix):
            file = Path(url.removeprefix(prefix))
            yield from (file, file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}.wal"))


def _moves(settings: Settings, places: Places) -> Iterator[tuple[Path, Path]]:
    journal = settings.journal.path
    yield places.journal, journal
    yield places.states, state_folder(journal)
    if settings.database.url.startswith(SQLITE):
        yield places.database, Path(settings.database.url.removeprefix(SQLITE))
    if settings.store.url.startswith(DUCKDB):
        file = Path(settings.store.url.removeprefix(DUCKDB))
        yield places.readings, file
        yield places.readings.with_name(f"{places.readings.name}.wal"), file.with_name(f"{file.name}.wal")


def _unfinished(target: Path) -> Path:
    return target.with_name(f"{target.name}.restoring")


def _copy(source: Path, target: Path) -> None:
    _remove(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy2(source, target)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
