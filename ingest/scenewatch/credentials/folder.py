"""The folder of secrets: closed to all but its owner, each file as open as its reader needs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from scenewatch.model.errors import ConfigurationError, Mistake

if TYPE_CHECKING:
    from pathlib import Path

CLOSED = 0o700
OWN = 0o600
SHARED = 0o640
"""For containers, which run as users of their own: they are put into the file's group. On the machine itself
the folder keeps that group out."""
PUBLIC = 0o644
SHARED_FOLDER = 0o750


class Folder:
    """Files below `path`, made with their modes from the first byte on. `group` is that of shared files."""

    def __init__(self, path: Path, group: int) -> None:
        self.path = path
        self._group = group

    def make(self) -> None:
        """Raises ConfigurationError where it cannot be, or where others may look into it."""
        self._make(self.path, CLOSED)
        if self.path.stat().st_mode & 0o077:
            what = f"others may look into it: chmod 700 {self.path}"
            raise ConfigurationError([Mistake(str(self.path), what)])

    def make_inner(self, name: str) -> None:
        inner = self.path / name
        if not inner.is_dir():
            self._make(inner, SHARED_FOLDER)
            self._share(inner, SHARED_FOLDER)

    def has(self, name: str) -> bool:
        return (self.path / name).exists()

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()

    def text(self, name: str) -> str:
        return self.read(name).decode().strip()

    def names(self, inner: str, suffix: str) -> list[str]:
        """What the files in a folder of ours are for: their names without the ending."""
        return sorted(path.name.removesuffix(suffix) for path in (self.path / inner).glob(f"*{suffix}"))

    def write(self, name: str, data: bytes, mode: int) -> None:
        """In its place rather than by a new file: a container that has the file mounted sees only this one."""
        path = self.path / name
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, OWN)
        with os.fdopen(descriptor, "wb") as file:
            self._share(path, mode)
            file.truncate()
            file.write(data)

    def _make(self, path: Path, mode: int) -> None:
        try:
            path.mkdir(mode=mode, exist_ok=True)
        except OSError as error:
            raise ConfigurationError([Mistake(str(path), f"cannot be made: {error.strerror}")]) from None

    def _share(self, path: Path, mode: int) -> None:
        if mode in (SHARED, SHARED_FOLDER) and path.stat().st_gid != self._group:
            try:
                os.chown(path, -1, self._group)
            except OSError as error:
                what = f"cannot be given to group {self._group}: {error.strerror}; choose one of yours with --group"
                raise ConfigurationError([Mistake(str(path), what)]) from None
        path.chmod(mode)
