"""The pipeline's state on disk, each with the journal position it belongs to."""

from __future__ import annotations

import logging
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scenewatch.model.disk import sync
from scenewatch.model.errors import TemporaryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from scenewatch.model.pieces import Piece

log = logging.getLogger(__name__)

CHECKSUM_BYTES = 4
PARTIAL = ".partial"
KEPT = 2
"""One to go on from, one should that be damaged."""
ARCHIVED = 48
ARCHIVED_EVERY_S = 3600
"""Older ones stay at this distance, so that the journal can be replayed from near any place in it."""


class Snapshots:
    """Files `<position>.snapshot` in one folder: a checksum, then the bytes. One thread.

    `oldest` gives the first position that the journal keeps: a state before it is of no more use.
    """

    def __init__(self, folder: Path, oldest: Callable[[], int] = lambda: 0) -> None:
        self._folder = folder
        self._oldest = oldest
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, position: int, pieces: Iterable[Piece]) -> None:
        """Put them on disk, but not under their name yet: `keep` does that. Raises TemporaryError."""
        with self._told():
            for left in self._folder.glob(f"*{PARTIAL}"):
                left.unlink()
            with self._path(position, PARTIAL).open("wb") as file:
                file.write(bytes(CHECKSUM_BYTES))
                checksum = 0
                for piece in pieces:
                    file.write(piece)
                    checksum = zlib.crc32(piece, checksum)
                file.seek(0)
                file.write(checksum.to_bytes(CHECKSUM_BYTES, "little"))

    def keep(self, position: int) -> None:
        """What was written last is durable under its name when this returns. Raises TemporaryError."""
        partial = self._path(position, PARTIAL)
        with self._told():
            sync(partial)
            partial.replace(self._path(position))
            sync(self._folder)
            for old in self._outlived():
                old.unlink()

    def newest_first(self) -> Iterator[tuple[int, bytes]]:
        """Sound snapshots; damaged ones are named in the log and passed over."""
        for position, path in files(self._folder):
            if (data := load(path)) is not None:
                yield position, data

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise TemporaryError(f"cannot save the state in {self._folder}: {error.strerror}") from error

    def _outlived(self) -> Iterator[Path]:
        """The archive is thinned from its oldest on, so that what stays once stays."""
        oldest, kept, last_s = self._oldest(), 0, 0.0
        by_age = files(self._folder)[KEPT:][::-1]
        for n, (position, path) in enumerate(by_age):
            at_s = path.stat().st_mtime
            apart = kept == 0 or at_s - last_s >= ARCHIVED_EVERY_S
            if position < oldest or not apart or len(by_age) - n > ARCHIVED:
                yield path
            else:
                kept, last_s = kept + 1, at_s

    def _path(self, position: int, suffix: str = ".snapshot") -> Path:
        return self._folder / f"{position:020d}{suffix}"


def load(path: Path) -> bytes | None:
    """None if it is damaged, or was removed by a worker that saves others."""
    try:
        with path.open("rb") as file:
            checksum, state = file.read(CHECKSUM_BYTES), file.read()
    except FileNotFoundError:
        return None
    if zlib.crc32(state).to_bytes(CHECKSUM_BYTES, "little") == checksum:
        return state
    log.warning("snapshot %s is damaged and is passed over", path)
    return None


def files(folder: Path) -> list[tuple[int, Path]]:
    """Each snapshot's position and file, the newest first."""
    found = ((path.stem, path) for path in folder.glob("*.snapshot"))
    return sorted(((int(stem), path) for stem, path in found if stem.isdigit()), reverse=True)
