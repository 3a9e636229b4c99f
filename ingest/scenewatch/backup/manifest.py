"""What a backup says of itself: made last, so that a folder without it is none."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec

from scenewatch.model.errors import CorruptError, RefusedError

NAME = "backup.json"
FORMAT = 1


class CopiedFile(msgspec.Struct, frozen=True):
    """One file of a backup, by its path within."""

    path: str
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """Read again before anything is put back."""

    format: int
    made_ms: int
    store: str
    """Its URL in the settings, which carries no secret."""
    files: list[CopiedFile]
    left_out: list[str] = []
    """What is to be backed up by its own means."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where each part lies within a backup."""

    root: Path

    @property
    def journal(self) -> Path:
        return self.root / "journal"

    @property
    def states(self) -> Path:
        return self.root / "states"

    @property
    def database(self) -> Path:
        return self.root / "scenewatch.sqlite"

    @property
    def readings(self) -> Path:
        return self.root / "readings.duckdb"


def write(folder: Path, made_ms: int, store: str, left_out: list[str]) -> Manifest:
    """Of all files that are in it."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = [CopiedFile(str(path.relative_to(folder)), path.stat().st_size, checksum(path)) for path in paths]
    manifest = Manifest(FORMAT, made_ms, store, files, left_out)
    (folder / NAME).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
    return manifest


def read(folder: Path) -> Manifest:
    """Raises RefusedError where it is no backup, CorruptError where a file is not as it was written."""
    try:
        manifest = msgspec.json.decode((folder / NAME).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise RefusedError(f"{folder}: is no backup, or one that was not finished: it has no {NAME}") from None
    except msgspec.DecodeError as error:
        raise CorruptError(f"{folder / NAME}: is damaged ({error})") from None
    if manifest.format != FORMAT:
        raise RefusedError(f"{folder}: is of format {manifest.format}: use the release that wrote it")
    for one in manifest.files:
        if PurePosixPath(one.path).is_absolute() or ".." in PurePosixPath(one.path).parts:
            raise CorruptError(f"{folder / NAME}: names a file outside of it")
        path = folder / one.path
        if not path.is_file() or path.stat().st_size != one.bytes or checksum(path) != one.sha256:
            raise CorruptError(f"{path}: is not as it was written; take another backup")
    return manifest


def checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
