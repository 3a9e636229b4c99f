"""The few things the journal does to files: one seam, at which tests let a disk fill up or fail."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from scenewatch.model.disk import sync

if TYPE_CHECKING:
    from pathlib import Path


class Files:
    """The real disk. Every method raises OSError when it could not do the whole of what it says."""

    def create(self, path: Path, header: bytes) -> int:
        """A new file with `header`, durable under its name before anything else is written; its descriptor."""
        unfinished = path.with_suffix(UNFINISHED)
        fd = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            self.write(fd, header, 0)
            self.sync(fd)
            unfinished.rename(path)
            self.sync_folder(path.parent)
        except OSError:
            os.close(fd)
            raise
        return fd

    def write(self, fd: int, data: bytes, offset: int) -> None:
        view = memoryview(data)
        while view:
            written = os.pwrite(fd, view, offset)
            view = view[written:]
            offset += written

    def sync(self, fd: int) -> None:
        os.fdatasync(fd)

    def cut(self, fd: int, size: int) -> None:
        os.ftruncate(fd, size)

    def sync_folder(self, path: Path) -> None:
        sync(path)


class UnsyncedFiles(Files):
    """For what can be made again: survives the process, not the machine."""

    def sync(self, fd: int) -> None:
        """Left to the system."""

    def sync_folder(self, path: Path) -> None:
        """Left to the system."""


UNFINISHED = ".unfinished"
"""Suffix of a file whose header is not durable yet: swept away at the next start."""
