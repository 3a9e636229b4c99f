"""The pipeline's state on disk, each with the journal position it belongs to."""

from __future__ import annotations

import logging
import os
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scenewatch.model.errors import TemporaryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

log = logging.getLogger(__name__)

CHECKSUM_BYTES = 4
PARTIAL = ".partial"
KEPT = 2
"""One to go on from, one should that be damaged."""


class Snapshots:
    """Files `<position>.snapshot` in one folder: a checksum, then the bytes. One thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, position: int, pieces: Iterable[bytes]) -> None:
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
            _sync(partial)
            partial.replace(self._path(position))
            _sync(self._folder)
            for old in self._positions()[KEPT:]:
                self._path(old).unlink()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise TemporaryError(f"cannot save the state in {self._folder}: {error.strerror}") from error

    def newest_first(self) -> Iterator[tuple[int, bytes]]:
        """Sound snapshots; damaged ones are named in the log and passed over."""
        for position in self._positions():
            path = self._path(position)
            data = path.read_bytes()
            checksum, state = data[:CHECKSUM_BYTES], memoryview(data)[CHECKSUM_BYTES:]
            if zlib.crc32(state).to_bytes(CHECKSUM_BYTES, "little") == checksum:
                yield position, state.tobytes()
            else:
                log.warning("snapshot %s is damaged and is passed over", path)

    def _positions(self) -> list[int]:
        stems = (path.stem for path in self._folder.glob("*.snapshot"))
        return sorted((int(stem) for stem in stems if stem.isdigit()), reverse=True)

    def _path(self, position: int, suffix: str = ".snapshot") -> Path:
        return self._folder / f"{position:020d}{suffix}"


def _sync(path: Path) -> None:
    """A file's bytes, or a folder's names."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
