"""The pipeline's state on disk, each with the journal position it belongs to."""

from __future__ import annotations

import logging
import os
import zlib
from typing import TYPE_CHECKING

from scenewatch.model.errors import TemporaryError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log = logging.getLogger(__name__)

KEPT = 2
"""One to go on from, one should that be damaged."""


class Snapshots:
    """Files `<position>.snapshot` in one folder: a checksum, then the bytes. One thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, position: int, data: bytes) -> None:
        """Durable under its name when this returns, or not there at all. Raises TemporaryError."""
        path = self._path(position)
        partial = path.with_suffix(".partial")
        try:
            with partial.open("wb") as file:
                file.write(zlib.crc32(data).to_bytes(4, "little"))
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
            folder = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
            for old in self._positions()[KEPT:]:
                self._path(old).unlink()
        except OSError as error:
            raise TemporaryError(f"cannot save the state in {self._folder}: {error.strerror}") from error

    def newest_first(self) -> Iterator[tuple[int, bytes]]:
        """Sound snapshots; damaged ones are named in the log and passed over."""
        for position in self._positions():
            path = self._path(position)
            data = path.read_bytes()
            if len(data) >= 4 and zlib.crc32(data[4:]).to_bytes(4, "little") == data[:4]:
                yield position, data[4:]
            else:
                log.warning("snapshot %s is damaged and is passed over", path)

    def _positions(self) -> list[int]:
        stems = (path.stem for path in self._folder.glob("*.snapshot"))
        return sorted((int(stem) for stem in stems if stem.isdigit()), reverse=True)

    def _path(self, position: int) -> Path:
        return self._folder / f"{position:020d}.snapshot"
