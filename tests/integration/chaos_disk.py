"""A small disk of its own, in memory, that can be filled to the last byte."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

MIB = 2**20
DISK_BYTES = 192 * MIB
PAGE_BYTES = 4096
NOT_HERE = "this user may not mount a disk, so none is filled"


class SmallDisk:
    """Mounted on `folder` where that is permitted; else a plain folder that is never filled."""

    def __init__(self, folder: Path, size: int = DISK_BYTES) -> None:
        self.folder = folder
        self.folder.mkdir()
        self.mounted = can_mount()
        if self.mounted:
            _mount(folder, size)

    @property
    def _filler(self) -> Path:
        return self.folder / "filler"

    def fill(self) -> None:
        """To the last byte."""
        with self._filler.open("wb") as filler:
            for piece in (MIB, PAGE_BYTES):
                with contextlib.suppress(OSError):  # full
                    while True:
                        os.posix_fallocate(filler.fileno(), os.fstat(filler.fileno()).st_size, piece)

    def free(self) -> None:
        self._filler.unlink()

    def end(self) -> None:
        if self.mounted:
            subprocess.run(["umount", str(self.folder)], check=True)


@functools.cache
def can_mount() -> bool:
    """In most containers nobody may."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    with tempfile.TemporaryDirectory() as trial:
        try:
            _mount(Path(trial), MIB)
        except subprocess.CalledProcessError:
            return False
        subprocess.run(["umount", trial], check=True)
    return True


def _mount(folder: Path, size: int) -> None:
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
